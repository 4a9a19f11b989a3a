//! Text: encodings, policies for bytes and characters that do not fit, and a socket that speaks
//! `&str`.

mod decode;
mod encode;
mod encoding;
mod marks;
mod python;
mod socket;
#[cfg(test)]
mod tests;
#[cfg(unix)]
mod udp;

use std::io;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

pub use decode::TextDecoder;
pub use encode::TextEncoder;
pub use encoding::Encoding;
pub use socket::TextSocket;

/// How a conversion treats bytes that are no text in the encoding, and characters that the encoding
/// lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum TextPolicy {
    /// Both are errors, and the conversation goes on after them. A character that the peer would
    /// decode as another one is an error too.
    #[default]
    Strict,
    /// Such bytes become U+FFFD (�). A character becomes a similar one where the WHATWG standard
    /// names one (see [`Encoding::encode`]), and `?` otherwise.
    Replace,
    /// Received bytes count as UTF-8 until they prove otherwise, and as GB18030 (which contains GBK
    /// and GB 2312) from then on, with any encoding. Bytes that are neither become U+FFFD. Sent
    /// text is in the encoding, as with `Strict`.
    ///
    /// The proof is one sequence that is not UTF-8. Over a stream it counts for all bytes that
    /// follow, and for those that arrived and were not given out yet. Each datagram is judged as a
    /// whole and by itself.
    Detect,
}

/// Why bytes or text could not be converted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Bytes that are no text in the encoding, or an incomplete character at the end.
    #[error("the bytes at offset {offset} are not {encoding}")]
    Undecodable {
        /// Their position, in bytes since the beginning of the stream or datagram.
        offset: u64,
        /// The encoding that was expected.
        encoding: Encoding,
    },
    /// A character that the encoding lacks.
    #[error("{encoding} has no {character:?} (U+{:04X})", u32::from(*.character))]
    Unencodable {
        /// The first such character.
        character: char,
        /// The encoding.
        encoding: Encoding,
    },
    /// A label that names no encoding.
    #[error(
        "there is no encoding '{}'; {}some that there are: {}",
        .label.escape_debug(),
        python::nearest(.label).map_or_else(String::new, |near| format!("the nearest is {near}; ")),
        encoding::SOME_LABELS
    )]
    UnknownEncoding {
        /// The unknown label.
        label: String,
    },
}

impl From<TextError> for io::Error {
    /// `InvalidData` for bytes that were received, `InvalidInput` for text or labels of this
    /// program.
    fn from(error: TextError) -> Self {
        let kind = match error {
            TextError::Undecodable { .. } => io::ErrorKind::InvalidData,
            TextError::Unencodable { .. } | TextError::UnknownEncoding { .. } => {
                io::ErrorKind::InvalidInput
            }
        };
        io::Error::new(kind, error)
    }
}
