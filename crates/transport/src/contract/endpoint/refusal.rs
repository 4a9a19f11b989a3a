//! Why a text is no endpoint.

use crate::contract::error::{Error, ErrorKind};

/// A reason and a way out, before they become an error: an error shows the text, and to know which
/// part of that is secret the text is read once more.
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
