//! The codecs for programs that use tokio-util's `Framed`.

use std::io;
use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::reader::cut;
use crate::{BoxCodec, Codec, CodecError, Decoded, End};

/// A codec as `tokio_util::codec::{Decoder, Encoder}`, for streams.
///
/// The `Framed` of tokio-util ends for good at an `Err`. So an error that concerns one frame is an
/// *item* here, an inner `Err`, and the next item is the next frame. Only a fatal error ends the
/// stream: an [`io::Error`] of the kind `InvalidData` with the [`CodecError`] inside. A frame that
/// cannot be sent is an error of the kind `InvalidInput`.
///
/// ```
/// use bytes::BytesMut;
/// use socketry_codec::{Compat, Line};
/// use tokio_util::codec::Decoder;
///
/// let mut lines = Compat::new(Line::new().max_frame(4));
/// let mut wire = BytesMut::from("much too long\nok\n");
/// assert!(lines.decode(&mut wire)?.expect("an item").is_err());
/// assert_eq!(lines.decode(&mut wire)?.expect("an item")?, "ok");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Compat<C = BoxCodec> {
    codec: C,
    /// The bytes to pass over that have not arrived yet.
    skip: u64,
    /// Whether the caller has received a fatal error.
    over: bool,
}

/// A frame, or the error of one.
type Item = Result<Bytes, CodecError>;

impl<C: Codec> Compat<C> {
    /// Adapts this codec.
    pub fn new(codec: C) -> Self {
        Compat {
            codec,
            skip: 0,
            over: false,
        }
    }

    /// The codec inside.
    pub fn into_inner(self) -> C {
        self.codec
    }

    /// The next item. Only the common path, a frame that is here, is inlined.
    #[inline]
    fn item(&mut self, src: &mut BytesMut, end: End) -> io::Result<Option<Item>> {
        if self.skip > 0 || self.over {
            self.pass(src);
        }
        while self.skip == 0 && !self.over {
            match self.codec.decode(src, end) {
                Ok(Decoded::Frame {
                    start,
                    end,
                    consumed,
                }) if Decoded::is_sound_frame(start, end, consumed, src.len()) => {
                    let frame = cut(src, start..end);
                    src.advance(consumed - end);
                    return Ok(Some(Ok(frame)));
                }
                Ok(Decoded::Need(_)) => return Ok(None),
                Ok(skip @ Decoded::Skip(bytes)) if skip.is_sound(src.len()) => src.advance(bytes),
                Ok(Decoded::Coded {
                    start,
                    end,
                    consumed,
                }) if Decoded::is_sound_frame(start, end, consumed, src.len()) => {
                    return self.restore(src, start..end, consumed);
                }
                Ok(_) => return self.fail(src, CodecError::unsound()),
                Err(error) => return self.fail(src, error),
            }
        }
        Ok(None)
    }

    /// Has the codec restore the frame whose other form is at `coded` of the bytes.
    #[cold]
    fn restore(
        &mut self,
        src: &mut BytesMut,
        coded: Range<usize>,
        consumed: usize,
    ) -> io::Result<Option<Item>> {
        let mut frame = BytesMut::new();
        match self.codec.restore(&src[coded], &mut frame) {
            Ok(()) => {
                src.advance(consumed);
                Ok(Some(Ok(frame.freeze())))
            }
            Err(fault) => self.fail(src, CodecError::skip(fault, consumed as u64)),
        }
    }

    #[cold]
    fn fail(&mut self, src: &mut BytesMut, error: CodecError) -> io::Result<Option<Item>> {
        let Some(skip) = error.skip.filter(|skip| *skip > 0) else {
            self.over = true;
            src.clear();
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        };
        self.skip = skip;
        self.pass(src);
        Ok(Some(Err(error)))
    }

    #[cold]
    /// Passes over the bytes of an error; after a fatal error, over all bytes.
    fn pass(&mut self, src: &mut BytesMut) {
        let skip = if self.over { u64::MAX } else { self.skip };
        let here = usize::try_from(skip).map_or(src.len(), |skip| skip.min(src.len()));
        src.advance(here);
        self.skip = self.skip.saturating_sub(here as u64);
    }
}

impl<C: Codec> Decoder for Compat<C> {
    type Item = Item;
    type Error = io::Error;

    #[inline]
    fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        self.item(src, End::Open)
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        self.item(src, End::Closed)
    }
}

impl<C: Codec, T: AsRef<[u8]>> Encoder<T> for Compat<C> {
    type Error = io::Error;

    fn encode(&mut self, frame: T, dst: &mut BytesMut) -> io::Result<()> {
        let encoded = self.codec.encode(frame.as_ref(), dst);
        encoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
    }
}
