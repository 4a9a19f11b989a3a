//! The kinds of errors: those of the system, and their words.

use std::fmt;
use std::io;

use super::Error;

/// The reasons that a program may want to tell apart, as C's `connect` tells them in `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No socket listens there (`ECONNREFUSED`).
    Refused,
    /// No answer in time (`ETIMEDOUT`, or the connect timeout).
    TimedOut,
    /// No route to that host or network (`EHOSTUNREACH`, `ENETUNREACH`).
    Unreachable,
    /// No such host, file or name (`ENOENT`, or the resolver says so).
    NotFound,
    /// The system, or the server that was asked, forbids it (`EACCES`, `EPERM`).
    Denied,
    /// The peer could not prove that it is the one that was asked for: a certificate that is not
    /// trusted, say.
    Untrusted,
    /// The peer does not speak the protocol of this transport: its part of a handshake is wrong
    /// (`EPROTO`).
    Protocol,
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
    /// No transport is registered for the scheme.
    UnknownScheme,
    /// An option that is unknown, does not apply to this transport, or has a value that does not
    /// fit.
    InvalidOption,
    /// The transport or the system cannot do this.
    Unsupported,
    /// Anything else; [`Error::raw_os_error`] may say more.
    Other,
}

/// The kind of an [`Error`] that is inside, or else the one that corresponds.
impl From<&io::Error> for ErrorKind {
    fn from(error: &io::Error) -> Self {
        use io::ErrorKind as Io;
        if let Some(error) = error
            .get_ref()
            .and_then(|held| held.downcast_ref::<Error>())
        {
            return error.kind;
        }
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
            Io::InvalidData => ErrorKind::Protocol,
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
            ErrorKind::Untrusted | ErrorKind::Protocol => io::ErrorKind::InvalidData,
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
    /// The hint that helps most often, for any endpoint.
    pub(crate) fn usual_hint(self) -> Option<&'static str> {
        match self {
            ErrorKind::Refused => Some("is the server running, and is this where it listens?"),
            ErrorKind::InUse => Some("choose another address, or port 0 to let the system choose"),
            _ => None,
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            ErrorKind::Refused => "nobody listens there",
            ErrorKind::TimedOut => "no answer in time",
            ErrorKind::Unreachable => "no route to it",
            ErrorKind::NotFound => "it does not exist",
            ErrorKind::Denied => "it is forbidden",
            ErrorKind::Untrusted => "the peer is not trusted",
            ErrorKind::Protocol => "the peer does not speak this protocol",
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
