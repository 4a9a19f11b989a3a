//! The reason for which a text is not an endpoint.

use crate::contract::error::{Error, ErrorKind};

/// A reason and a way out, before they become an error. An error shows the text, which must be
/// parsed once more to find the part that is secret.
#[derive(Debug)]
pub(super) struct Refusal {
    reason: String,
    hint: Option<String>,
}

impl Refusal {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Refusal {
            reason: reason.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error of `action` at `text`.
    pub(super) fn error(self, action: &'static str, text: &str) -> Error {
        let error = Error::new(ErrorKind::InvalidEndpoint, action, text).because(self.reason);
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}
