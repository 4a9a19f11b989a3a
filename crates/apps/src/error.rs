//! What an app tells its user when something went wrong, and the exit code that goes with it.

use std::fmt;
use std::io;

use socketry_codec::FrameError;

use crate::wrong_codec;

/// An app's error: one line for the user.
///
/// Text from a peer is shown escaped, so that an error cannot drive the terminal it is printed on.
#[derive(Debug)]
pub struct AppError {
    words: String,
    kind: Kind,
}

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Failed,
    Usage,
    Unread,
}

impl AppError {
    /// Something failed.
    pub fn failed(words: impl fmt::Display) -> Self {
        AppError {
            words: words.to_string(),
            kind: Kind::Failed,
        }
    }

    /// What was asked for cannot be: nothing was tried.
    pub fn usage(words: impl fmt::Display) -> Self {
        AppError {
            words: words.to_string(),
            kind: Kind::Usage,
        }
    }

    /// A server's words about a request.
    pub(crate) fn said(words: &str) -> Self {
        wrong_codec::of_bytes(words.as_bytes())
            .unwrap_or_else(|| AppError::failed(format_args!("the server says: {words}")))
    }

    /// Whoever read this program's standard output has left, as the `head` of a pipe does. That is
    /// told by the exit code alone.
    pub(crate) fn unread() -> Self {
        AppError {
            words: "nobody reads standard output any more".to_owned(),
            kind: Kind::Unread,
        }
    }

    /// Whether the user has to ask differently.
    pub fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// Whether the user is told in words, and not by the exit code alone.
    pub(crate) fn is_worth_words(&self) -> bool {
        self.kind != Kind::Unread
    }

    /// The process's exit code: 1 failed, 2 usage, and 141 (as a shell has it for SIGPIPE) if
    /// nobody reads standard output any more.
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
