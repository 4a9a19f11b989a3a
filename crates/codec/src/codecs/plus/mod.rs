//! `codec+transform`: a codec whose frames have another form on the wire.

mod scratch;

use std::ops::Range;

use bytes::BytesMut;

use crate::limits::{DEFAULT_MAX_FRAME, check, contain, refused};
use crate::{Codec, CodecError, Content, Decoded, End, Fault, Properties, Transform};
use scratch::Scratch;

/// `struct:>I+lz4`, `cobs+crc16:ibm-sdlc`: the frames of a codec, each in the form that a
/// [`Transform`] gives it.
///
/// The codec below finds the frames and bounds what arrives; its limit is about the form of a
/// frame. [`max_frame`](Plus::max_frame) bounds the frame itself, both ways. A frame with a fault
/// in its form is one error, and the next frame follows behind it: that the codec below found its
/// end is enough.
///
/// The codec below must carry any bytes. On a stream it must have boundaries, so `raw` is one for
/// datagrams only.
#[derive(Clone, Debug)]
pub struct Plus<C, T> {
    codec: C,
    transform: T,
    max_frame: usize,
    /// The longest frame in bytes whose form the codec carries in any case.
    longest: usize,
    /// The codec's last answer was coded, so that it has to restore it first.
    below: bool,
}

impl<C: Codec, T: Transform> Plus<C, T> {
    /// The frames of `codec` in the form of `transform`, of at most
    /// [`DEFAULT_MAX_FRAME`] bytes.
    pub fn new(codec: C, transform: T) -> Self {
        Plus {
            codec,
            transform,
            max_frame: 0,
            longest: 0,
            below: false,
        }
        .max_frame(DEFAULT_MAX_FRAME)
    }

    /// The longest frame in bytes, both ways; by default [`DEFAULT_MAX_FRAME`]. No longer one is
    /// sent whose form the codec below might not carry.
    #[must_use]
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.max_frame = bytes;
        let most = self.codec.properties().max_frame;
        self.longest = last(bytes, |frame| self.transform.longest(frame) <= most);
        self
    }

    /// Where the frame stands in the input, or its form.
    fn found(&self, input: &[u8], coded: Range<usize>, consumed: usize) -> Result<Decoded, Fault> {
        let (start, end) = (coded.start, coded.end);
        let answer = Decoded::Coded {
            start,
            end,
            consumed,
        };
        // An empty datagram is no fault of the bytes before it, so there are none to pass over.
        let Some(bytes) = input.get(coded).filter(|_| consumed > 0) else {
            return Ok(answer);
        };
        let Some(within) = self.transform.find(bytes)? else {
            return Ok(answer);
        };
        self.admit(within.len())?;
        Ok(Decoded::Frame {
            start: start + within.start,
            end: start + within.end,
            consumed,
        })
    }

    fn admit(&self, len: usize) -> Result<(), Fault> {
        match len <= self.max_frame {
            true => Ok(()),
            false => Err(above(len, self.max_frame)),
        }
    }
}

/// The largest number up to `most` for which `holds`, which no larger one does behind one that does
/// not; 0 if there is none.
fn last(most: usize, holds: impl Fn(usize) -> bool) -> usize {
    if holds(most) {
        return most;
    }
    let (mut least, mut most) = (0, most);
    while most - least > 1 {
        let middle = least + (most - least) / 2;
        match holds(middle) {
            true => least = middle,
            false => most = middle,
        }
    }
    least
}

#[cold]
fn above(len: usize, max: usize) -> Fault {
    Fault::TooLong {
        len: Some(len as u64),
        max: max as u64,
    }
}

impl<C: Codec + Clone, T: Transform + Clone> Codec for Plus<C, T> {
    #[inline]
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let answer = self.codec.decode(input, end)?;
        self.below = matches!(answer, Decoded::Coded { .. });
        let Decoded::Frame {
            start,
            end: stop,
            consumed,
        } = answer
        else {
            return Ok(answer);
        };
        self.found(input, start..stop, consumed)
            .map_err(|fault| contain(CodecError::skip(fault, consumed as u64), end, input.len()))
    }

    fn restore(&mut self, coded: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        let max = self.max_frame;
        let before = out.len();
        let mut below = Scratch::take();
        let coded = match std::mem::take(&mut self.below) {
            true => {
                self.codec.restore(coded, &mut below)?;
                &below[..]
            }
            false => coded,
        };
        match self.transform.find(coded)? {
            Some(frame) => {
                self.admit(frame.len())?;
                out.extend_from_slice(coded.get(frame).ok_or_else(outside)?);
            }
            None => self.transform.restore(coded, max, out)?,
        }
        self.admit(out.len().saturating_sub(before))
    }

    #[inline]
    fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
        let Decoded::Frame {
            start,
            end: stop,
            consumed,
        } = self.codec.whole(input, end)?
        else {
            return None;
        };
        self.found(input, start..stop, consumed).ok()
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        check(frame, self.longest)?;
        let mut coded = Scratch::take();
        let applied = self.transform.apply(frame, &mut coded);
        applied.map_err(refused)?;
        self.codec.encode(&coded, out)
    }

    fn at_boundary(&self) -> bool {
        self.codec.at_boundary()
    }

    fn properties(&self) -> Properties {
        let below = self.codec.properties();
        let content = match below.content {
            Content::Bytes => Content::Bytes,
            _ => Content::Other,
        };
        let mut empty = Scratch::take();
        let applied = self.transform.clone().apply(b"", &mut empty);
        let min_frame = match applied.is_ok() && empty.len() >= below.min_frame {
            true => 0,
            false => below.min_frame,
        };
        Properties {
            content,
            min_frame,
            max_frame: self.longest,
            stateless: below.stateless && self.transform.is_stateless(),
            ..below
        }
    }
}

#[cold]
fn outside() -> Fault {
    "the transform found a frame outside of its bytes".into()
}
