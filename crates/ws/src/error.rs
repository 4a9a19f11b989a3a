//! One error for whatever goes wrong with WebSocket, as one line with the way out.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use socketry_transport::ErrorKind;

use crate::close::{Close, CloseCode};
use crate::frame::{Role, Violation};

/// What was wrong with a handshake or a connection, and the way out, as one line.
///
/// It is inside of the [`Error`](socketry_transport::Error) of a connect, of the
/// [`UpgradeFailure`](socketry_transport::UpgradeFailure) of a handshake that a server refused, and
/// of the [`io::Error`] of a send or receive. Text from the peer is escaped in it.
#[derive(Clone, Debug)]
pub struct WsError {
    kind: ErrorKind,
    reason: String,
    hint: Option<&'static str>,
    code: Option<CloseCode>,
    pub(crate) plain: bool,
}

impl WsError {
    pub(crate) fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        WsError {
            kind,
            reason: reason.into(),
            hint: None,
            code: None,
            plain: false,
        }
    }

    pub(crate) fn protocol(reason: impl Into<String>) -> Self {
        WsError::new(ErrorKind::Protocol, reason)
    }

    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The peer broke the protocol, or a bound. It is told so.
    pub(crate) fn violation(violation: Violation, us: Role) -> Self {
        let code = violation.code();
        let mut error = WsError::protocol(format!("{} {violation}", us.peer()));
        error.code = Some(code);
        match violation {
            Violation::TooLong { .. } => error.hint("max_message=SIZE in the URL allows more"),
            _ => error,
        }
    }

    /// The peer closed, and not because it had finished.
    pub(crate) fn closed(close: &Close, us: Role) -> Self {
        let (peer, code, reason) = (us.peer(), close.code, close.reason.escape_debug());
        let text = match close.reason.is_empty() {
            true => format!("{peer} closed with {code}"),
            false => format!("{peer} closed with {code}: {reason}"),
        };
        let mut error = WsError::new(ErrorKind::Reset, text);
        error.code = Some(code);
        match code {
            CloseCode::TOO_LONG => error.hint("it takes shorter messages than were sent"),
            _ => error,
        }
    }

    /// The peer closed as if it had finished, in the middle of a message.
    pub(crate) fn cut(close: &Close, us: Role) -> Self {
        let text = format!(
            "{} closed inside of a message, with {}",
            us.peer(),
            close.code
        );
        let mut error = WsError::new(ErrorKind::Reset, text);
        error.code = Some(close.code);
        error
    }

    /// The connection ended without a close frame.
    pub(crate) fn abnormal(us: Role) -> Self {
        let text = format!("{} broke off without a close frame", us.peer());
        let mut error = WsError::new(ErrorKind::Reset, text);
        error.code = Some(CloseCode::ABNORMAL);
        error
    }

    /// The socket inside failed.
    pub(crate) fn io(error: &io::Error) -> Self {
        WsError::new(ErrorKind::from(error), error.to_string())
    }

    /// Why, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The code with which the peer closed, or with which this end did.
    /// [`ABNORMAL`](CloseCode::ABNORMAL) if the connection ended without a close frame.
    pub fn code(&self) -> Option<CloseCode> {
        self.code
    }

    /// Whether this was no handshake but a plain HTTP request, which was answered: a browser that
    /// asked for a page, or a probe.
    pub fn is_plain_request(&self) -> bool {
        self.plain
    }

    /// As the error of a connect to `place`.
    pub(crate) fn into_error(self, action: &'static str, place: &str) -> socketry_transport::Error {
        let mut error = socketry_transport::Error::new(self.kind, action, place);
        error = error.because(&self.reason);
        if let Some(hint) = &self.hint {
            error = error.hint(hint);
        }
        error.caused_by(self)
    }
}

impl fmt::Display for WsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl StdError for WsError {}

impl From<WsError> for io::Error {
    fn from(error: WsError) -> Self {
        io::Error::new(error.kind.into(), error)
    }
}
