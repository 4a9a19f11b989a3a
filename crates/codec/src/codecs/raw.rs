//! `raw`: a frame is one read of a stream, or one datagram.

use bytes::BytesMut;

use crate::{Affix, Codec, CodecError, Decoded, End, Properties};

/// `raw`: the bytes of each read of a stream are a frame, and so is each datagram.
///
/// It has no limits and no errors: a frame is as long as one read, which the reader bounds. An
/// empty datagram is one empty frame. On a stream an empty frame puts no byte on the wire, so the
/// peer receives none. Two frames that are sent on a stream may arrive as one (the sticky packet),
/// or in other pieces.
///
/// ```
/// use socketry_codec::{Codec, Decoded, End, Raw};
///
/// let whole = Decoded::Frame { start: 0, end: 5, consumed: 5 };
/// assert_eq!(Raw.decode(b"hello", End::Open)?, whole);
/// # Ok::<(), socketry_codec::CodecError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw;

impl Codec for Raw {
    #[inline]
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        if input.is_empty() && end != End::Datagram {
            return Ok(Decoded::Need(1));
        }
        let (start, end, consumed) = (0, input.len(), input.len());
        Ok(Decoded::Frame {
            start,
            end,
            consumed,
        })
    }

    #[inline]
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        out.extend_from_slice(frame);
        Ok(())
    }

    fn envelope(&mut self, _frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        Ok(Some((Affix::EMPTY, Affix::EMPTY)))
    }

    fn at_boundary(&self) -> bool {
        true
    }

    fn properties(&self) -> Properties {
        Properties::default().without_boundaries()
    }
}
