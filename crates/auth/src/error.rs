//! One error for what goes wrong with identities.

use std::fmt;
use std::io;

use socketry_transport::{Error, ErrorKind};

/// What was wrong with an exchange or with a file of tokens, and the way out, as one line. It never
/// has a secret.
///
/// It is inside of the [`Error`] of a connect, and of the
/// [`UpgradeFailure`](socketry_transport::UpgradeFailure) of a client that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthError {
    kind: ErrorKind,
    reason: String,
    hint: Option<String>,
}

impl AuthError {
    pub(crate) fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        AuthError {
            kind,
            reason: reason.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The socket failed.
    pub(crate) fn io(error: &io::Error) -> Self {
        AuthError::new(ErrorKind::from(error), error.to_string())
    }

    /// Why, to match on: [`Denied`](ErrorKind::Denied) if the other end refused this one,
    /// [`Untrusted`](ErrorKind::Untrusted) if it did not prove itself.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn into_error(self, action: &'static str, place: &str) -> Error {
        let mut error = Error::new(self.kind, action, place).because(&self.reason);
        if let Some(hint) = &self.hint {
            error = error.hint(hint);
        }
        error.caused_by(self)
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for AuthError {}

impl From<AuthError> for io::Error {
    fn from(error: AuthError) -> Self {
        io::Error::new(error.kind.into(), error)
    }
}
