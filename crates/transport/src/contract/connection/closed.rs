//! The reasons for which connections and streams end early, as data that an `io::Error` holds.

use std::fmt;
use std::io;

/// A connection was closed: by which end, with which code and for which reason.
///
/// An [`io::Error`] of a connection or its streams holds it: of kind `ConnectionReset` where the
/// peer closed, and `NotConnected` where this end did.
///
/// ```
/// use std::io;
/// use socketry_transport::Closed;
///
/// let error = io::Error::from(Closed::by_peer(7, "overloaded"));
/// let closed = Closed::of(&error).expect("it holds one");
/// assert_eq!((closed.code, &*closed.reason), (7, "overloaded"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// The application's code; 0 is an orderly close.
    pub code: u64,
    /// The application's words, at most [`REASON`](Closed::REASON) bytes. The peer may have written
    /// them, so escape them where they are shown.
    pub reason: String,
    /// Whether the peer closed, and not this end.
    pub by_peer: bool,
}

impl Closed {
    /// The most bytes of a reason.
    pub const REASON: usize = 1024;

    /// The peer closed with `code` and `reason`.
    pub fn by_peer(code: u64, reason: &str) -> Self {
        Closed::new(code, reason, true)
    }

    /// This end closed with `code` and `reason`.
    pub fn by_us(code: u64, reason: &str) -> Self {
        Closed::new(code, reason, false)
    }

    fn new(code: u64, reason: &str, by_peer: bool) -> Self {
        let mut most = reason.len().min(Closed::REASON);
        while !reason.is_char_boundary(most) {
            most -= 1;
        }
        Closed {
            code,
            reason: reason[..most].to_owned(),
            by_peer,
        }
    }

    /// The close that `error` holds, if it holds one.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.by_peer { "the peer" } else { "this end" };
        write!(f, "{end} closed the connection with code {}", self.code)?;
        match &*self.reason {
            "" => Ok(()),
            reason => write!(f, ": {}", reason.escape_debug()),
        }
    }
}

impl std::error::Error for Closed {}

impl From<Closed> for io::Error {
    fn from(closed: Closed) -> Self {
        let kind = match closed.by_peer {
            true => io::ErrorKind::ConnectionReset,
            false => io::ErrorKind::NotConnected,
        };
        io::Error::new(kind, closed)
    }
}

/// A stream was [aborted](crate::SendHalf::abort), with this code; an [`io::Error`] of kind
/// `ConnectionReset` holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamReset {
    /// The application's code.
    pub code: u64,
}

impl StreamReset {
    /// A reset with `code`.
    pub fn new(code: u64) -> Self {
        StreamReset { code }
    }

    /// The reset that `error` holds, if it holds one.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for StreamReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection was aborted, with code {}", self.code)
    }
}

impl std::error::Error for StreamReset {}

impl From<StreamReset> for io::Error {
    fn from(reset: StreamReset) -> Self {
        io::Error::new(io::ErrorKind::ConnectionReset, reset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_between_characters_and_escaped_where_it_is_shown() {
        let long = "é".repeat(Closed::REASON);
        assert_eq!(
            Closed::by_peer(1, &format!("!{long}")).reason.len(),
            Closed::REASON - 1
        );
        assert_eq!(Closed::by_us(1, &long).reason.len(), Closed::REASON);
        let words = Closed::by_peer(3, "a\u{1b}[2J").to_string();
        assert_eq!(
            words,
            "the peer closed the connection with code 3: a\\u{1b}[2J"
        );
    }
}
