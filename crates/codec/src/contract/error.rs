//! Faults in the bytes of a peer, and whether the connection can be used after one.

use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::sync::Arc;

use thiserror::Error;

/// A fault, and how to go on after it.
///
/// An error with [`skip`](CodecError::skip) concerns one frame. The reader passes over that many
/// bytes (some of them may not have arrived yet), and the next frame begins after them. Without
/// `skip` the next frame boundary cannot be found, and the connection cannot be used any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecError {
    /// The fault.
    pub fault: Fault,
    /// How many bytes from the front of the input to pass over; `None` is fatal.
    pub skip: Option<u64>,
}

/// The faults of a frame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// A frame above the limit, received or to be sent.
    #[error("{}", Long(*.len, *.max))]
    TooLong {
        /// Its length in bytes; `None` for one that arrives and has not ended within the limit.
        len: Option<u64>,
        /// The limit in bytes.
        max: u64,
    },
    /// A frame to be sent that is shorter than its peer takes.
    #[error("a frame of {len} bytes is below the {min} that the peer takes")]
    TooShort {
        /// Its length in bytes.
        len: u64,
        /// The least length in bytes.
        min: u64,
    },
    /// A length below zero in a signed field.
    #[error("the length field says {0}; a length is not negative")]
    NegativeLength(i64),
    /// A length that is less than what it counts of every frame: its header, or its tail.
    #[error("the length field says {says}, and counts {least} bytes besides the payload")]
    ShortLength {
        /// The number that the length field holds.
        says: u64,
        /// The least number that it may hold.
        least: u64,
    },
    /// A length of variable width that is no number, too large or too long, or not in its shortest
    /// form where that is asked for.
    #[error("the length field {0}")]
    MalformedLength(&'static str),
    /// A frame that has another length than its length field says.
    #[error("the length field says that the payload has {says} bytes, and it has {here}")]
    OtherLength {
        /// The length in bytes that the field says.
        says: u64,
        /// The length in bytes that it has.
        here: u64,
    },
    /// A byte that is the same in all frames, and differs in this one.
    #[error("byte {at} of the frame is {found:#04x}, and must be {expected:#04x}")]
    OtherByte {
        /// The place, in bytes from the start of the frame.
        at: usize,
        /// The byte that it must be.
        expected: u8,
        /// The byte that it is.
        found: u8,
    },
    /// A stuffed frame with a byte that no sender writes there.
    #[error("byte {at} of the stuffed frame {problem}")]
    Stuffing {
        /// The place, in bytes from the start of the stuffed frame.
        at: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// A frame whose checksum is that of other bytes.
    #[error("the checksum of the frame is {says:#x}, and that of its bytes is {is:#x}")]
    Checksum {
        /// The checksum that stands in it.
        says: u64,
        /// The checksum of its bytes.
        is: u64,
    },
    /// A frame that is too short for what its form adds to each frame, a checksum say.
    #[error("a frame of {len} bytes is shorter than the {least} that its form adds")]
    Short {
        /// Its length in bytes.
        len: u64,
        /// The least length in bytes.
        least: u64,
    },
    /// A compressed frame that is longer than the limit, and was decompressed no further.
    #[error("{coded} compressed bytes are a frame above the limit of {max}")]
    Expands {
        /// The length of its compressed form in bytes.
        coded: u64,
        /// The limit in bytes.
        max: u64,
    },
    /// Bytes that are not one whole frame of this compression, and nothing else.
    #[error("not one frame of {format}: {cause}")]
    NotCompressed {
        /// The name of the compression.
        format: &'static str,
        /// What is wrong.
        cause: Cause,
    },
    /// The stream or datagram ended inside a frame.
    #[error(
        "the input ended inside a frame: \
         {have} bytes are here and at least {missing} more belong to it"
    )]
    Truncated {
        /// Bytes that arrived of it.
        have: usize,
        /// The least number of bytes that are missing.
        missing: usize,
    },
    /// A frame that contains its own delimiter, and would arrive as two frames. Or one that ends
    /// with the beginning of the delimiter (the `\r` of `\r\n`), and would arrive without it.
    #[error("the frame contains its own delimiter, or the beginning of it, at byte {at}")]
    Delimiter {
        /// The position, in bytes from its start.
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
    /// The error of a third party's codec: words, or the error of another library.
    #[error(transparent)]
    Other(Cause),
}

/// An error of another library, or words. It is shared, so that a `CodecError` can be cloned.
///
/// It prints as the error that it holds does. Characters of it that could drive a terminal or
/// reorder text are escaped, since they may quote a peer. Its source is the source of that error.
/// Two are equal if they print alike.
///
/// ```
/// use socketry_codec::{Cause, CodecError, Fault};
///
/// let not_utf8 = std::str::from_utf8(b"\xFF").unwrap_err();
/// let error = CodecError::skip(Fault::Other(Cause::new(not_utf8)), 1);
/// assert_eq!(error.to_string(), "invalid utf-8 sequence of 1 bytes from index 0");
/// let Fault::Other(cause) = &error.fault else { unreachable!() };
/// assert!(cause.get_ref().is::<std::str::Utf8Error>());
///
/// let error = CodecError::fatal("the sum is wrong");
/// # assert_eq!(error.to_string(), "the sum is wrong");
/// ```
#[derive(Clone)]
pub struct Cause(Arc<dyn StdError + Send + Sync + 'static>);

impl Cause {
    /// Holds `error`; text will do as well.
    pub fn new(error: impl Into<Box<dyn StdError + Send + Sync + 'static>>) -> Self {
        Cause(Arc::from(error.into()))
    }

    /// The error that it holds, to downcast.
    pub fn get_ref(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0
    }
}

impl From<&str> for Cause {
    fn from(words: &str) -> Self {
        Cause::new(words)
    }
}

impl From<&str> for Fault {
    fn from(words: &str) -> Self {
        Fault::Other(words.into())
    }
}

impl From<String> for Cause {
    fn from(words: String) -> Self {
        Cause::new(words)
    }
}

impl From<Box<dyn StdError + Send + Sync>> for Cause {
    fn from(error: Box<dyn StdError + Send + Sync>) -> Self {
        Cause::new(error)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Plain(f), "{}", self.0)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Cause {}

/// Writes words that may quote a peer: a character that could drive a terminal, reorder text or
/// begin a new line is escaped.
pub(crate) struct Plain<'a, 'f>(pub(crate) &'a mut fmt::Formatter<'f>);

impl Write for Plain<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|character| {
            if character.is_ascii_graphic() || character == ' ' {
                self.0.write_char(character)
            } else {
                write!(self.0, "{}", character.escape_debug())
            }
        })
    }
}

/// Prints a length, or none, and the limit that it is above.
struct Long(Option<u64>, u64);

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    /// An error after which no frame can be found. Words are a fault too.
    pub fn fatal(fault: impl Into<Fault>) -> Self {
        CodecError {
            fault: fault.into(),
            skip: None,
        }
    }

    /// An error that concerns only the first `bytes` of the input. Words are a fault too.
    pub fn skip(fault: impl Into<Fault>, bytes: u64) -> Self {
        CodecError {
            fault: fault.into(),
            skip: Some(bytes),
        }
    }

    /// The error of a codec that gave an impossible answer.
    #[cold]
    pub(crate) fn unsound() -> Self {
        CodecError::fatal(
            "the codec answered with positions outside of its input, or made no progress",
        )
    }

    /// Whether the connection cannot be used any more.
    pub fn is_fatal(&self) -> bool {
        self.skip.is_none()
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.fault, f)
    }
}

impl StdError for CodecError {
    /// The cause below the fault. The words of the fault are those of this error.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.fault.source()
    }
}
