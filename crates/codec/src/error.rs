//! What can be wrong with bytes, and whether the conversation goes on after it.

use thiserror::Error;

/// What is wrong, and how to go on.
///
/// An error with [`skip`](CodecError::skip) concerns one frame: the reader passes over that many bytes (some of
/// them may not have arrived yet) and the next frame is found after them. Without it the place of the next frame is
/// unknown, and the connection is of no more use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{fault}")]
pub struct CodecError {
    /// What is wrong.
    pub fault: Fault,
    /// How many bytes from the front of the input to pass over; `None` is fatal.
    pub skip: Option<u64>,
}

/// What can be wrong with a frame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// A frame above the limit, arriving or to be sent.
    #[error("{}", Long(*.len, *.max))]
    TooLong {
        /// Its length in bytes; `None` for one that arrives and has not ended within the limit.
        len: Option<u64>,
        /// The limit in bytes.
        max: u64,
    },
    /// A length below zero in a signed field.
    #[error("the length field says {0}; a length is not negative")]
    NegativeLength(i64),
    /// The stream or datagram ended inside a frame.
    #[error(
        "the input ended inside a frame: {have} bytes are here and at least {missing} more belong to it"
    )]
    Truncated {
        /// Bytes that arrived of it.
        have: usize,
        /// Bytes that are missing, as far as is known.
        missing: usize,
    },
    /// A frame that holds what ends it, so that it would arrive as two; or, at its end, the beginning of that (the `\r` of
    /// `\r\n`), so that it would arrive without.
    #[error("the frame contains its own delimiter, or the beginning of it, at byte {at}")]
    Delimiter {
        /// Where, in bytes from its start.
        at: usize,
    },
    /// A JSON header that is not one object.
    #[error("not a JSON object: {0}")]
    NotJson(String),
    /// JSON nested too deeply.
    #[error("JSON nested deeper than {max} levels")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// What a codec of your own has to say.
    #[error("{0}")]
    Other(String),
}

/// A length, or none, and the limit that it is above.
struct Long(Option<u64>, u64);

impl std::fmt::Display for Long {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Long(len, max) = self;
        match len {
            Some(len) => write!(f, "a frame of {len} bytes is above the limit of {max}"),
            None => write!(
                f,
                "a frame has not ended within the limit of {max} bytes: a line ends with its \
                 delimiter, a bare JSON object with its brace; raise max_frame for longer ones"
            ),
        }
    }
}

impl CodecError {
    /// An error after which nothing can be found any more.
    pub fn fatal(fault: Fault) -> Self {
        CodecError { fault, skip: None }
    }

    /// An error that concerns the first `bytes` of the input, and nothing after them.
    pub fn skip(fault: Fault, bytes: u64) -> Self {
        CodecError {
            fault,
            skip: Some(bytes),
        }
    }

    /// What to say of a codec whose answer cannot be.
    #[cold]
    pub(crate) fn unsound() -> Self {
        CodecError::fatal(Fault::Other(
            "the codec answered with positions outside of its input, or made no progress"
                .to_owned(),
        ))
    }

    /// Whether the conversation is over.
    pub fn is_fatal(&self) -> bool {
        self.skip.is_none()
    }
}
