//! `fixed:16`: all frames have the same length.

use std::num::NonZeroUsize;

use bytes::BytesMut;

use crate::limits::{check, check_least, unfinished};
use crate::{Affix, Codec, CodecError, Content, Decoded, End, Properties};

/// `fixed:N`: frames of N bytes, one after another, with nothing between them.
///
/// `encode` refuses a frame of another length. A stream or datagram that ends inside a frame is an
/// error. One datagram may have several frames. There is no other limit, and no other error.
///
/// ```
/// use socketry_codec::{BoxCodec, Reader};
///
/// let codec: BoxCodec = "fixed:2".parse()?;
/// let mut frames = Reader::new(codec);
/// frames.push(b"abc");
/// assert_eq!(frames.next_frame()?, Some(&b"ab"[..]));
/// assert_eq!(frames.next_frame()?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fixed {
    len: usize,
}

impl Fixed {
    /// Frames of so many bytes.
    pub const fn new(bytes: NonZeroUsize) -> Self {
        Fixed { len: bytes.get() }
    }

    fn check(self, frame: &[u8]) -> Result<(), CodecError> {
        check(frame, self.len)?;
        check_least(frame, self.len)
    }
}

impl Codec for Fixed {
    #[inline]
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        match self.len.checked_sub(input.len()) {
            None | Some(0) => Ok(Decoded::frame(0..self.len, self.len)),
            Some(missing) => unfinished(input.len(), missing, end),
        }
    }

    #[inline]
    fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
        self.decode(input, end).ok()
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.check(frame)?;
        out.extend_from_slice(frame);
        Ok(())
    }

    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        self.check(frame)?;
        Ok(Some((Affix::EMPTY, Affix::EMPTY)))
    }

    /// Always true: this codec keeps nothing between two calls.
    fn at_boundary(&self) -> bool {
        true
    }

    fn properties(&self) -> Properties {
        let properties = Properties::default().at_most(self.len);
        properties.carrying(Content::Other)
    }
}
