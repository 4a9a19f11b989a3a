//! One error for whatever goes wrong with a balancer or a proxy.

use std::fmt;
use std::io;

use socketry_transport::ErrorKind;

/// What was wrong with a header or a proxy, and the way out, as one line. It never has a password,
/// and what a peer said is escaped in it.
///
/// It is inside of the [`Error`](socketry_transport::Error) of a connect, of the
/// [`UpgradeFailure`](socketry_transport::UpgradeFailure) of a connection that a listener refused,
/// and of the [`io::Error`] of a receive from a source that is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyError {
    kind: ErrorKind,
    reason: String,
    hint: Option<String>,
}

impl ProxyError {
    pub(crate) fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        ProxyError {
            kind,
            reason: reason.into(),
            hint: None,
        }
    }

    /// The peer does not keep to the protocol.
    pub(crate) fn protocol(reason: impl Into<String>) -> Self {
        ProxyError::new(ErrorKind::Protocol, reason)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with other words for the reason.
    pub(crate) fn before(mut self, words: impl FnOnce(&str) -> String) -> Self {
        self.reason = words(&self.reason);
        self
    }

    /// The socket failed.
    pub(crate) fn io(error: &io::Error) -> Self {
        ProxyError::new(ErrorKind::from(error), error.to_string())
    }

    /// Why, to match on: [`Protocol`](ErrorKind::Protocol) if the peer does not speak it,
    /// [`Denied`](ErrorKind::Denied) if this end or a proxy refuses.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// As the error of `action` at `place`.
    pub(crate) fn into_error(
        self,
        action: &'static str,
        place: impl fmt::Display,
    ) -> socketry_transport::Error {
        let mut error = socketry_transport::Error::new(self.kind, action, place);
        error = error.because(&self.reason);
        if let Some(hint) = &self.hint {
            error = error.hint(hint);
        }
        error.caused_by(self)
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ProxyError {}

impl From<ProxyError> for io::Error {
    fn from(error: ProxyError) -> Self {
        io::Error::new(error.kind.into(), error)
    }
}

/// The most bytes of a peer that an error shows.
const SHOWN: usize = 48;

/// The beginning of what a peer sent, as it may be shown.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let more = if bytes.len() > SHOWN { "…" } else { "" };
    let bytes = &bytes[..bytes.len().min(SHOWN)];
    format!("\"{}\"{more}", bytes.escape_ascii())
}
