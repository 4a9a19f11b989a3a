//! Frames between delimiters that no byte of a frame equals: what would be one is stuffed.

mod cobs;
mod slip;

use bytes::BytesMut;

pub use cobs::Cobs;
pub use slip::Slip;

use crate::limits::{DEFAULT_MAX_FRAME, refused};
use crate::{Codec, CodecError, Content, Decoded, End, Fault, Line, Plus, Properties, Transform};

/// How bytes are stuffed.
trait Stuffing: Transform + Clone + Default {
    /// The byte between frames, which no stuffed frame has.
    const DELIMITER: u8;
    /// Whether the delimiter also stands before each frame that is sent.
    const OPENS: bool;
    /// The shortest frame that has a form, in bytes.
    const LEAST: usize;
}

/// The frames of a stuffing: lines with its delimiter. Whatever is wrong with a frame, the next one
/// begins behind the next delimiter.
#[derive(Clone, Debug)]
struct Stuffed<S> {
    lines: Plus<Line, S>,
}

impl<S: Stuffing> Stuffed<S> {
    fn new(max_frame: usize) -> Self {
        let stuffing = S::default();
        let lines = Line::delimited(S::DELIMITER)
            .max_frame(stuffing.longest(max_frame))
            .max_discard(u64::MAX);
        let lines = Plus::new(lines, stuffing).max_frame(max_frame);
        Stuffed { lines }
    }
}

impl<S: Stuffing> Default for Stuffed<S> {
    fn default() -> Self {
        Stuffed::new(DEFAULT_MAX_FRAME)
    }
}

impl<S: Stuffing> Codec for Stuffed<S> {
    #[inline]
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let answer = self.lines.decode(input, end)?;
        Ok(match answer {
            // Nothing stands between two delimiters: one opens the next frame, or fills a pause.
            Decoded::Frame {
                start,
                end: stop,
                consumed,
            }
            | Decoded::Coded {
                start,
                end: stop,
                consumed,
            } if start == stop => match consumed {
                0 => Decoded::Need(1),
                _ => Decoded::Skip(consumed),
            },
            _ => answer,
        })
    }

    fn restore(&mut self, coded: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        self.lines.restore(coded, out)
    }

    #[inline]
    fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
        let frame = self.lines.whole(input, end)?;
        match frame {
            Decoded::Frame { start, end, .. } if start == end => None,
            _ => Some(frame),
        }
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        if frame.len() < S::LEAST {
            let (len, min) = (frame.len() as u64, S::LEAST as u64);
            return Err(refused(Fault::TooShort { len, min }));
        }
        let before = out.len();
        if S::OPENS {
            out.extend_from_slice(&[S::DELIMITER]);
        }
        let encoded = self.lines.encode(frame, out);
        encoded.inspect_err(|_| out.truncate(before))
    }

    fn at_boundary(&self) -> bool {
        self.lines.at_boundary()
    }

    fn properties(&self) -> Properties {
        let content = Content::Bytes;
        self.lines.properties().carrying(content).at_least(S::LEAST)
    }
}

/// The same codec under a name of its own, so that it is documented where it is used.
macro_rules! named {
    ($codec:ident, $stuffing:ident) => {
        impl $codec {
            /// With the longest frame that is the default.
            pub fn new() -> Self {
                $codec::default()
            }

            /// The longest frame in bytes, before it is stuffed, both ways; by default
            /// [`DEFAULT_MAX_FRAME`](crate::limits::DEFAULT_MAX_FRAME).
            #[must_use]
            pub fn max_frame(self, bytes: usize) -> Self {
                $codec(Stuffed::new(bytes))
            }
        }

        impl Codec for $codec {
            #[inline]
            fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
                self.0.decode(input, end)
            }
            fn restore(&mut self, coded: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
                self.0.restore(coded, out)
            }
            #[inline]
            fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
                self.0.whole(input, end)
            }
            fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
                self.0.encode(frame, out)
            }
            fn at_boundary(&self) -> bool {
                self.0.at_boundary()
            }
            fn properties(&self) -> Properties {
                self.0.properties()
            }
        }
    };
}
use named;
