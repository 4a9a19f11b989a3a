//! What a peer can do wrong in its frames.

use std::fmt;

use crate::close::CloseCode;

/// A peer's frame that breaks the protocol, or a bound of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Bits that belong to extensions, and none was agreed on.
    Reserved,
    /// A kind of frame that there is not.
    Opcode(u8),
    /// A client that does not mask, or a server that does.
    Mask,
    /// A control frame in pieces, or one that is too long.
    Control,
    /// A piece of no message, or a message inside of another.
    Order,
    /// A close frame whose code is none that may be sent.
    CloseCode,
    /// A text that is not UTF-8.
    Utf8,
    /// A message above the bound.
    TooLong {
        /// Its length so far, in bytes.
        len: u64,
        /// The most bytes that one may have.
        max: usize,
    },
}

impl Violation {
    /// What the peer is told.
    pub(crate) fn code(self) -> CloseCode {
        match self {
            Violation::Utf8 => CloseCode::INVALID_TEXT,
            Violation::TooLong { .. } => CloseCode::TOO_LONG,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

/// Behind "the peer …".
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::Reserved => f.write_str("uses an extension that was not agreed on"),
            Violation::Opcode(code) => write!(f, "sent a frame of the unknown kind {code}"),
            Violation::Mask => f.write_str("masks its frames where it must not, or does not"),
            Violation::Control => f.write_str("sent a control frame in pieces or above 125 bytes"),
            Violation::Order => f.write_str("sent the pieces of a message out of order"),
            Violation::CloseCode => f.write_str("closed with a code that must not be sent"),
            Violation::Utf8 => f.write_str("sent a text that is not UTF-8"),
            Violation::TooLong { len, max } => {
                write!(
                    f,
                    "sent a message of at least {len} bytes, and {max} are allowed"
                )
            }
        }
    }
}
