//! An answer on the wire: pieces of output, and how the command ended.

use serde::{Deserialize, Serialize};
use socketry_transport::{Encoding, Shape, TextPolicy};

use super::MAX_PIECE;
use super::wire::{Dialect, Exit, Stream};
use crate::own::Own;

/// How many bytes of output one frame carries.
pub(super) fn room(own: &Own, dialect: Dialect, shape: Shape) -> usize {
    // On `struct` a tag precedes the output.
    let (most, tag) = match dialect {
        Dialect::Raw => (usize::MAX, 0),
        Dialect::Line(_) => (own.properties.max_frame, 0),
        Dialect::Struct => (own.properties.max_frame.min(MAX_PIECE + 1), 1),
        Dialect::Json => (MAX_PIECE, 0),
    };
    let most = match shape.max_len() {
        None => most,
        Some(max_len) => most.min(own.fits(max_len)),
    };
    most.saturating_sub(tag).max(1)
}

/// The first byte of a `struct` answer's frames.
const END: u8 = b'0';
const STDOUT: u8 = b'1';
const STDERR: u8 = b'2';

/// A piece of output as a `struct` frame.
pub(super) fn tagged(stream: Stream, bytes: &[u8]) -> Vec<u8> {
    let tag = match stream {
        Stream::Stdout => STDOUT,
        Stream::Stderr => STDERR,
    };
    [&[tag], bytes].concat()
}

/// How the command ended, as a `struct` frame.
pub(super) fn tagged_end(end: &Result<Exit, String>, encoding: Encoding) -> Vec<u8> {
    let words = match end {
        Ok(exit) => exit.to_string(),
        Err(error) => format!("error {error}"),
    };
    let words = encoding.encode(&words, TextPolicy::Replace);
    [&[END], words.as_deref().unwrap_or_default()].concat()
}

/// The content of a `struct` frame or of a `json` header in an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply<'a> {
    /// Output, in this frame.
    Piece(Stream, &'a [u8]),
    /// Output, in a body of this size that follows.
    Body(Stream, u64),
    End(Result<Exit, String>),
}

/// Reads a `struct` frame.
pub(super) fn untagged(frame: &[u8], encoding: Encoding) -> Option<Reply<'_>> {
    let (tag, rest) = frame.split_first()?;
    match *tag {
        STDOUT => Some(Reply::Piece(Stream::Stdout, rest)),
        STDERR => Some(Reply::Piece(Stream::Stderr, rest)),
        END => {
            let words = encoding.decode(rest, TextPolicy::Replace).ok()?;
            let end = match words.split_once(' ')? {
                ("exit", code) => Ok(Exit::Code(code.parse().ok()?)),
                ("signal", signal) => Ok(Exit::Signal(signal.parse().ok().filter(is_signal)?)),
                ("error", words) => Err(words.to_owned()),
                _ => return None,
            };
            Some(Reply::End(end))
        }
        _ => None,
    }
}

fn is_signal(number: &i32) -> bool {
    *number > 0
}

/// A header of a `json` answer.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct JsonReply {
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<Stream>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl JsonReply {
    pub(super) fn body(stream: Stream, size: usize) -> Self {
        JsonReply {
            stream: Some(stream),
            size: Some(size as u64),
            ..JsonReply::default()
        }
    }

    pub(super) fn end(end: &Result<Exit, String>) -> Self {
        let mut reply = JsonReply::default();
        match end {
            Ok(Exit::Code(code)) => reply.exit = Some(*code),
            Ok(Exit::Signal(signal)) => reply.signal = Some(*signal),
            Ok(Exit::Unknown) => reply.error = Some("how it ended is unknown".to_owned()),
            Err(error) => reply.error = Some(error.clone()),
        }
        reply
    }

    pub(super) fn read(self) -> Option<Reply<'static>> {
        match self {
            JsonReply {
                stream: Some(stream),
                size: Some(size),
                ..
            } => Some(Reply::Body(stream, size)),
            JsonReply {
                error: Some(error), ..
            } => Some(Reply::End(Err(error))),
            JsonReply {
                signal: Some(signal),
                ..
            } => is_signal(&signal).then_some(Reply::End(Ok(Exit::Signal(signal)))),
            JsonReply {
                exit: Some(code), ..
            } => Some(Reply::End(Ok(Exit::Code(code)))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_replies_are_read_back() {
        for end in [
            Ok(Exit::Code(3)),
            Ok(Exit::Signal(9)),
            Err("no such program".to_owned()),
        ] {
            let frame = tagged_end(&end, Encoding::UTF_8);
            assert_eq!(
                untagged(&frame, Encoding::UTF_8),
                Some(Reply::End(end.clone()))
            );
            assert_eq!(JsonReply::end(&end).read(), Some(Reply::End(end)));
        }
        let frame = tagged(Stream::Stderr, b"x");
        assert_eq!(
            untagged(&frame, Encoding::UTF_8),
            Some(Reply::Piece(Stream::Stderr, b"x"))
        );
        for bad in [
            &b""[..],
            b"3",
            b"0",
            b"0exit",
            b"0exit x",
            b"0went away",
            b"0signal 0",
            b"0signal -128",
        ] {
            assert_eq!(untagged(bad, Encoding::UTF_8), None);
        }
        for bad in ["{}", r#"{"signal":0}"#, r#"{"signal":-128}"#] {
            let header: JsonReply = serde_json::from_str(bad).unwrap();
            assert_eq!(header.read(), None, "{bad}");
        }
    }

    #[test]
    fn pieces_fit_the_codec_and_the_datagram() {
        let room = |codec: &str, shape| {
            let own = crate::Service::with_codec(codec).unwrap().own().unwrap();
            room(&own, Dialect::of(&own), shape)
        };
        assert_eq!(room("struct", Shape::Stream), MAX_PIECE);
        assert_eq!(room("struct:B", Shape::Stream), 254);
        let small = Shape::Datagram { max_len: 100 };
        assert_eq!(room("struct", small), 95);
        assert_eq!(room("line", small), 99);
        assert_eq!(room("line:crlf", small), 98);
        assert_eq!(room("raw", small), 100);
    }
}
