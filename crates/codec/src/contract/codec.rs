//! The contract of a codec: it finds the positions of frames, and copies one only to restore it.

use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::{Ahead, CodecError, Fault, FrameSource, Properties};

/// Whether bytes may follow the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// More bytes may follow.
    Open,
    /// The stream has ended: no bytes follow.
    Closed,
    /// The input is (the rest of) one message or datagram. A frame never continues in another one.
    Datagram,
}

/// The position of the next frame in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// The frame is not whole yet: it needs at least this many bytes more, 1 at least. It is a
    /// hint, so that the reader can ask for enough at once. With [`End::Closed`] or
    /// [`End::Datagram`] a codec answers so for an empty input only, and it means that no frame is
    /// left.
    Need(usize),
    /// `input[start..end]` is a frame. The reader then drops `consumed` bytes (at least `end`, and
    /// at least 1 unless the input was an empty message).
    Frame {
        /// The index of its first byte.
        start: usize,
        /// One past its last byte.
        end: usize,
        /// The bytes of the input that it took, with its header and delimiter.
        consumed: usize,
    },
    /// The first bytes (at least 1, at most the whole input) belong to no frame: drop them and ask
    /// again.
    Skip(usize),
    /// `input[start..end]` is a frame in another form, stuffed or compressed say:
    /// [`Codec::restore`] makes the frame of it. The reader then drops `consumed` bytes, as with
    /// [`Decoded::Frame`].
    Coded {
        /// The index of the first byte of that form.
        start: usize,
        /// One past its last byte.
        end: usize,
        /// The bytes of the input that the frame took, with its header and delimiter.
        consumed: usize,
    },
}

impl Decoded {
    /// A frame whose payload is at this range of the input.
    #[inline]
    pub fn frame(payload: Range<usize>, consumed: usize) -> Self {
        Decoded::Frame {
            start: payload.start,
            end: payload.end,
            consumed,
        }
    }

    /// Whether the answer is possible for `here` bytes of input: its positions are inside, and it
    /// makes progress. A third party's codec with another answer must not make its caller panic or
    /// spin.
    #[inline]
    pub(crate) fn is_sound(&self, here: usize) -> bool {
        match *self {
            Decoded::Need(_) => true,
            Decoded::Skip(bytes) => bytes > 0 && bytes <= here,
            Decoded::Frame {
                start,
                end,
                consumed,
            }
            | Decoded::Coded {
                start,
                end,
                consumed,
            } => Decoded::is_sound_frame(start, end, consumed, here),
        }
    }

    /// [`is_sound`](Decoded::is_sound) of a frame.
    #[inline]
    pub(crate) fn is_sound_frame(start: usize, end: usize, consumed: usize, here: usize) -> bool {
        start <= end && end <= consumed && consumed <= here && (consumed > 0 || here == 0)
    }
}

/// Finds frames in bytes, and puts them into bytes.
///
/// A codec does no I/O. Its caller keeps the bytes that arrived, and calls
/// [`decode`](Codec::decode) with all that are not consumed yet. After [`Decoded::Need`] it calls
/// again when more have arrived, with the same bytes at the front, so that a codec can continue its
/// scan. After a frame, a skip or an error that can be skipped, the caller drops the consumed
/// bytes, and the codec begins anew with the next ones. The caller must do so before it calls
/// again: otherwise the next answer has no meaning.
///
/// With any bytes from the peer, `decode` neither panics nor spins: each answer but `Need` makes
/// progress.
pub trait Codec: CloneCodec + Send + 'static {
    /// Looks for the next frame at the front of `input`.
    ///
    /// # Errors
    /// The fault in these bytes, and the number of bytes to pass over; see [`CodecError`]. A codec
    /// reports the same bytes only once.
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError>;

    /// Appends to `out` the frame whose other form is `coded`: the bytes at the positions of the
    /// [`Decoded::Coded`] that [`decode`](Codec::decode) answered last. It is asked once for such
    /// an answer, before the next call of `decode`.
    ///
    /// It appends no more than the longest frame of the codec, and reserves no more than the bytes
    /// of `coded` justify, whatever they claim: `out` grows with the bytes that are restored. A
    /// codec that answers with [`Decoded::Frame`] only keeps the default, which restores nothing.
    /// [`Transform`](crate::Transform) is a shorter way to write such a codec.
    ///
    /// # Errors
    /// The fault in these bytes. The caller passes over the frame, drops what was appended, and
    /// goes on behind it.
    fn restore(&mut self, coded: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        let _ = (coded, out);
        Err("the codec found a frame in another form, and does not restore it".into())
    }

    /// The whole frame at the front of `input`, where a frame begins, as
    /// [`decode`](Codec::decode) would answer. It changes nothing: `decode` may be asked about the
    /// same bytes next, or about others. So a caller finds many frames with a few instructions each
    /// (`Framed::recv_many`).
    ///
    /// `None`, the default, is always right: `decode` is asked instead. Any other answer than
    /// [`Decoded::Frame`] means the same. A codec without state between two calls of `decode`
    /// overrides it in one line. One that remembers where its scan stopped scans here without
    /// remembering. A codec whose state changes with each frame (it counts them, or its key
    /// changes) keeps the default.
    ///
    /// ```
    /// # use socketry_codec::{Ahead, Codec, CodecError, Decoded, End};
    /// # #[derive(Clone)] struct Three;
    /// # impl Codec for Three {
    /// # fn decode(&mut self, input: &[u8], _: End) -> Result<Decoded, CodecError> {
    /// #     match input.len() {
    /// #         n @ 0..3 => Ok(Decoded::Need(3 - n)),
    /// #         _ => Ok(Decoded::Frame { start: 0, end: 3, consumed: 3 }),
    /// #     }
    /// # }
    /// # fn encode(&mut self, _: &[u8], _: &mut bytes::BytesMut) -> Result<(), CodecError> {
    /// #     Ok(())
    /// # }
    /// # fn at_boundary(&self) -> bool { true }
    /// fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
    ///     self.decode(input, end).ok()
    /// }
    /// # }
    /// # let mut ahead = Ahead::new();
    /// # Three.decode_many(b"onetwosix", End::Open, &mut ahead).unwrap();
    /// # assert_eq!(ahead.count(), 2);
    /// ```
    #[inline(always)]
    fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
        let _ = (input, end);
        None
    }

    /// Looks for the next frame as [`decode`](Codec::decode) does, and notes the frames behind it,
    /// which [`whole`](Codec::whole) finds, in `ahead`. The method exists so that a boxed codec is
    /// called once for many frames. A codec that wraps another passes it on.
    ///
    /// The state of the codec is that after the first frame. So its caller may forget the others at
    /// any time: the bytes may be a body, which is not a frame, or another codec may take over.
    ///
    /// # Errors
    /// As [`decode`](Codec::decode), about the first frame. A fault behind it is the error of a
    /// later call.
    // As a function of its own it reads the codec once and not for each frame.
    #[inline(never)]
    fn decode_many(
        &mut self,
        input: &[u8],
        end: End,
        ahead: &mut Ahead,
    ) -> Result<Decoded, CodecError> {
        let first = self.decode(input, end)?;
        ahead.behind(first, input, |rest| self.whole(rest, end));
        Ok(first)
    }

    /// Appends `frame` as it goes on the wire.
    ///
    /// # Errors
    /// If this codec cannot carry the frame, which would not arrive unchanged. `out` is then as it
    /// was.
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError>;

    /// Appends the frames that `frames` gives as [`encode`](Codec::encode) does each, until there
    /// are no more or `out` has `full` bytes. The default does this. The method exists so that a
    /// boxed codec is called once for many frames.
    ///
    /// # Errors
    /// As [`encode`](Codec::encode), about the frame that was taken last. Those before it are in
    /// `out`.
    #[inline(always)]
    fn encode_many(
        &mut self,
        frames: &mut dyn FrameSource,
        out: &mut BytesMut,
        full: usize,
    ) -> Result<(), CodecError> {
        while out.len() < full
            && let Some(frame) = frames.next_frame()
        {
            self.encode(frame, out)?;
        }
        Ok(())
    }

    /// The bytes before and after `frame`, so that a large payload is written without a copy.
    /// `None` (the default) if this codec has to [`encode`](Codec::encode) it.
    ///
    /// # Errors
    /// As [`encode`](Codec::encode).
    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        let _ = frame;
        Ok(None)
    }

    /// Whether the codec is at a frame boundary, so that another may take over.
    fn at_boundary(&self) -> bool;

    /// The guarantees that a program can rely on. By default: frames of any bytes, which arrive as
    /// they were sent. A codec that wraps another passes its properties on.
    fn properties(&self) -> Properties {
        Properties::default()
    }
}

/// The few bytes before or after a payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affix(Inline);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Inline {
    Few([u8; 15], u8),
    Many(Bytes),
}

impl Default for Inline {
    fn default() -> Self {
        Inline::Few([0; 15], 0)
    }
}

impl Affix {
    /// No bytes.
    pub const EMPTY: Affix = Affix(Inline::Few([0; 15], 0));

    /// A copy of `bytes`; up to 15 of them without an allocation.
    pub fn new(bytes: &[u8]) -> Self {
        let mut few = [0; 15];
        match few.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                #[expect(clippy::cast_possible_truncation, reason = "at most 15")]
                Affix(Inline::Few(few, bytes.len() as u8))
            }
            None => Affix(Inline::Many(Bytes::copy_from_slice(bytes))),
        }
    }
}

impl std::ops::Deref for Affix {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Inline::Few(bytes, len) => &bytes[..usize::from(*len)],
            Inline::Many(bytes) => bytes,
        }
    }
}

/// Cloning a boxed codec, which splitting a `Framed` needs. Every `Clone` codec has it.
pub trait CloneCodec {
    /// A codec of the same kind and in the same state.
    fn clone_codec(&self) -> BoxCodec;
}

impl<C: Codec + Clone> CloneCodec for C {
    fn clone_codec(&self) -> BoxCodec {
        Box::new(self.clone())
    }
}

/// A codec of any kind, chosen when the program runs: `"struct:>I".parse::<BoxCodec>()`.
pub type BoxCodec = Box<dyn Codec>;

impl Clone for BoxCodec {
    fn clone(&self) -> Self {
        (**self).clone_codec()
    }
}

impl fmt::Debug for BoxCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxCodec")
    }
}

// The blanket `impl` above makes `Box<dyn Codec>` a `CloneCodec`, since it is a `Codec` and
// `Clone`.
impl Codec for BoxCodec {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        (**self).decode(input, end)
    }
    fn restore(&mut self, coded: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        (**self).restore(coded, out)
    }
    fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
        (**self).whole(input, end)
    }
    fn decode_many(
        &mut self,
        input: &[u8],
        end: End,
        ahead: &mut Ahead,
    ) -> Result<Decoded, CodecError> {
        (**self).decode_many(input, end, ahead)
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        (**self).encode(frame, out)
    }
    fn encode_many(
        &mut self,
        frames: &mut dyn FrameSource,
        out: &mut BytesMut,
        full: usize,
    ) -> Result<(), CodecError> {
        (**self).encode_many(frames, out, full)
    }
    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        (**self).envelope(frame)
    }
    fn at_boundary(&self) -> bool {
        (**self).at_boundary()
    }
    fn properties(&self) -> Properties {
        (**self).properties()
    }
}
