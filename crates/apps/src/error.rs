//! The errors that an app shows to its user, and their exit codes.

use std::fmt;
use std::io;

use socketry_codec::FrameError;

use crate::wrong_codec;

/// An app's error: one line of text for the user.
///
/// Text from a peer is escaped, so that an error cannot drive the terminal that shows it.
#[derive(Debug)]
pub struct AppError {
    words: String,
    kind: Kind,
}

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Failed,
    Usage,
    Unread,
}

impl AppError {
    /// An attempt failed.
    pub fn failed(words: impl fmt::Display) -> Self {
        AppError {
            words: words.to_string(),
            kind: Kind::Failed,
        }
    }

    /// The request is not possible as it was made. Nothing was tried.
    pub fn usage(words: impl fmt::Display) -> Self {
        AppError {
            words: words.to_string(),
            kind: Kind::Usage,
        }
    }

    /// An error that a server sent.
    pub(crate) fn said(words: &str) -> Self {
        wrong_codec::of_bytes(words.as_bytes())
            .unwrap_or_else(|| AppError::failed(format_args!("the server says: {words}")))
    }

    /// The reader of this program's standard output has left, as the `head` of a pipe does. Only
    /// the exit code tells that.
    pub(crate) fn unread() -> Self {
        AppError {
            words: "nobody reads standard output any more".to_owned(),
            kind: Kind::Unread,
        }
    }

    /// Whether the user has to change the request.
    pub fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// Whether the error is printed. Otherwise only the exit code tells it.
    pub(crate) fn is_worth_words(&self) -> bool {
        self.kind != Kind::Unread
    }

    /// The exit code: 1 for a failure, 2 for wrong usage, and 141 (as a shell has it for SIGPIPE)
    /// if standard output is not read any more.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Unread => 141,
        }
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", crate::Shown(&self.words))
    }
}

impl std::error::Error for AppError {}

impl From<FrameError> for AppError {
    fn from(error: FrameError) -> Self {
        wrong_codec::of_error(&error).unwrap_or_else(|| AppError::failed(error))
    }
}

impl From<io::Error> for AppError {
    fn from(error: io::Error) -> Self {
        AppError::failed(error)
    }
}

impl From<socketry_transport::Error> for AppError {
    fn from(error: socketry_transport::Error) -> Self {
        use socketry_transport::ErrorKind;
        match error.kind() {
            ErrorKind::InvalidEndpoint | ErrorKind::UnknownScheme | ErrorKind::InvalidOption => {
                AppError::usage(error)
            }
            _ => AppError::failed(error),
        }
    }
}
