//! One error for the control path: what was being done, where, why it failed, and what can be done about it.

use std::convert::Infallible;
use std::fmt;
use std::io;

use crate::contract::endpoint::Endpoint;
use crate::contract::endpoint::redacted;

/// The result of the control path. The data path answers with [`std::io::Result`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a socket could not be made.
///
/// It prints as one line: the action, the endpoint, the reason, and where there is one, the way out.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    action: &'static str,
    place: String,
    reason: Option<String>,
    hint: Option<String>,
    source: Option<io::Error>,
}

/// The reasons that a program may want to tell apart, as C's `connect` tells them in `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nobody listens there (`ECONNREFUSED`).
    Refused,
    /// No answer in time (`ETIMEDOUT`, or the connect timeout).
    TimedOut,
    /// No route to that host or network (`EHOSTUNREACH`, `ENETUNREACH`).
    Unreachable,
    /// No such host, file or name (`ENOENT`, or the resolver's word).
    NotFound,
    /// The system forbids it (`EACCES`, `EPERM`).
    Denied,
    /// The address is taken (`EADDRINUSE`).
    InUse,
    /// The address is not one of this machine (`EADDRNOTAVAIL`).
    NotAvailable,
    /// The peer broke the connection off (`ECONNRESET`, `ECONNABORTED`, `EPIPE`).
    Reset,
    /// The listener or registry entry is gone.
    Closed,
    /// The text is not an endpoint.
    InvalidEndpoint,
    /// Nobody registered a transport for the scheme.
    UnknownScheme,
    /// An option that is unknown, does not apply to this transport, or has a value that does not fit.
    InvalidOption,
    /// The transport or the system cannot do this.
    Unsupported,
    /// Anything else; [`Error::raw_os_error`] may say more.
    Other,
}

impl Error {
    /// An error of `kind` while `action` (a phrase such as "connect to") was under way at `place`, which is shown
    /// without the user name and password that it may hold.
    pub fn new(kind: ErrorKind, action: &'static str, place: impl fmt::Display) -> Self {
        Error {
            kind,
            action,
            place: redacted(&place.to_string()),
            reason: None,
            hint: None,
            source: None,
        }
    }

    /// What the system answered while `action` was under way at `endpoint`.
    pub fn io(action: &'static str, endpoint: &Endpoint, source: io::Error) -> Self {
        let kind = ErrorKind::from(&source);
        let mut error = Error::new(kind, action, endpoint);
        error.hint = kind.usual_hint().map(str::to_owned);
        error.source = Some(source);
        error
    }

    /// Adds why it failed.
    #[must_use]
    pub fn because(mut self, reason: impl fmt::Display) -> Self {
        self.reason = Some(reason.to_string());
        self
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The reason, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The system's error number, where the system was asked: what Python's `connect_ex` returns.
    pub fn raw_os_error(&self) -> Option<i32> {
        self.source.as_ref().and_then(io::Error::raw_os_error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: ", self.action, self.place.escape_debug())?;
        match (&self.reason, &self.source) {
            (Some(reason), _) => f.write_str(reason)?,
            (None, Some(source)) => write!(f, "{source}")?,
            (None, None) => f.write_str(self.kind.words())?,
        }
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|e| e as _)
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::new(error.kind.into(), error)
    }
}

impl From<&io::Error> for ErrorKind {
    fn from(error: &io::Error) -> Self {
        use io::ErrorKind as Io;
        match error.kind() {
            Io::ConnectionRefused => ErrorKind::Refused,
            Io::TimedOut => ErrorKind::TimedOut,
            Io::HostUnreachable | Io::NetworkUnreachable | Io::NetworkDown => {
                ErrorKind::Unreachable
            }
            Io::NotFound => ErrorKind::NotFound,
            Io::PermissionDenied => ErrorKind::Denied,
            Io::AddrInUse => ErrorKind::InUse,
            Io::AddrNotAvailable => ErrorKind::NotAvailable,
            Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe => ErrorKind::Reset,
            Io::NotConnected | Io::UnexpectedEof => ErrorKind::Closed,
            Io::Unsupported => ErrorKind::Unsupported,
            _ => ErrorKind::Other,
        }
    }
}

impl From<ErrorKind> for io::ErrorKind {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Refused => io::ErrorKind::ConnectionRefused,
            ErrorKind::TimedOut => io::ErrorKind::TimedOut,
            ErrorKind::Unreachable => io::ErrorKind::HostUnreachable,
            ErrorKind::NotFound => io::ErrorKind::NotFound,
            ErrorKind::Denied => io::ErrorKind::PermissionDenied,
            ErrorKind::InUse => io::ErrorKind::AddrInUse,
            ErrorKind::NotAvailable => io::ErrorKind::AddrNotAvailable,
            ErrorKind::Reset => io::ErrorKind::ConnectionReset,
            ErrorKind::Closed => io::ErrorKind::NotConnected,
            ErrorKind::InvalidEndpoint | ErrorKind::UnknownScheme | ErrorKind::InvalidOption => {
                io::ErrorKind::InvalidInput
            }
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ErrorKind::Other => io::ErrorKind::Other,
        }
    }
}

/// In words: "nobody listens there".
impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl ErrorKind {
    /// What helps most often, wherever the endpoint is.
    pub(crate) fn usual_hint(self) -> Option<&'static str> {
        match self {
            ErrorKind::Refused => Some("is the server running, and is this where it listens?"),
            ErrorKind::InUse => Some("choose another address, or port 0 to let the system choose"),
            _ => None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            ErrorKind::Refused => "nobody listens there",
            ErrorKind::TimedOut => "no answer in time",
            ErrorKind::Unreachable => "no route to it",
            ErrorKind::NotFound => "it does not exist",
            ErrorKind::Denied => "the system forbids it",
            ErrorKind::InUse => "the address is in use",
            ErrorKind::NotAvailable => "this machine has no such address",
            ErrorKind::Reset => "the peer broke the connection off",
            ErrorKind::Closed => "it is closed",
            ErrorKind::InvalidEndpoint => "that is not an endpoint",
            ErrorKind::UnknownScheme => "nobody registered that scheme",
            ErrorKind::InvalidOption => "an option does not fit",
            ErrorKind::Unsupported => "it is not supported here",
            ErrorKind::Other => "it failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_names_action_place_reason_and_way_out() {
        let at: Endpoint = "tcp://127.0.0.1:1".parse().unwrap();
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let error = Error::io("connect to", &at, refused);
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(
            error.to_string(),
            "cannot connect to tcp://127.0.0.1:1: connection refused; \
             is the server running, and is this where it listens?"
        );
    }

    #[test]
    fn a_place_cannot_drive_the_terminal() {
        let error = Error::new(ErrorKind::InvalidEndpoint, "use", "tcp://\u{1b}[2J");
        assert!(!error.to_string().contains('\u{1b}'));
    }
}
