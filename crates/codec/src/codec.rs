//! The contract of a codec: it says where a frame lies, and never copies it.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::{Ahead, CodecError, FrameSource, Properties};

/// What is known about the bytes after the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// More may come.
    Open,
    /// The stream has ended: nothing follows.
    Closed,
    /// The input is (the rest of) one datagram: nothing of this frame can follow in another.
    Datagram,
}

/// Where the next frame lies in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Not here yet: at least this many bytes more are needed (1 or more; a hint, so that the
    /// reader can ask for enough at once). With [`End::Closed`] or [`End::Datagram`] it is said of
    /// an empty input only, and means that nothing is left.
    Need(usize),
    /// `input[start..end]` is a frame. The reader then drops `consumed` bytes (at least `end`, and
    /// at least 1 unless the input was an empty datagram).
    Frame {
        /// Where it begins.
        start: usize,
        /// One past its last byte.
        end: usize,
        /// How many bytes of the input it took, with what surrounds it.
        consumed: usize,
    },
    /// The first bytes (at least 1, at most the whole input) belong to no frame: drop them and ask
    /// again.
    Skip(usize),
}

impl Decoded {
    /// Whether this can be an answer about `here` bytes of input: nothing outside of it, and
    /// progress. A codec of somebody's that says otherwise must not make its caller panic or spin.
    #[inline]
    pub(crate) fn is_sound(&self, here: usize) -> bool {
        match *self {
            Decoded::Need(_) => true,
            Decoded::Skip(bytes) => bytes > 0 && bytes <= here,
            Decoded::Frame {
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
/// A codec does no I/O. Its caller keeps the bytes that arrived and calls [`decode`](Codec::decode)
/// with all of them that are not consumed yet; after [`Decoded::Need`] it calls again when more
/// have arrived, with the same bytes at the front, so that a codec can go on where its scan
/// stopped. After a frame, a skip or an error that can be skipped, the bytes consumed are dropped
/// and the codec begins anew with what follows. An answer is given once: a second call without
/// having done what the first one said has no defined meaning.
///
/// Whatever the peer sends, `decode` neither panics nor spins: each answer but `Need` makes
/// progress.
pub trait Codec: CloneCodec + Send + 'static {
    /// Looks for the next frame at the front of `input`.
    ///
    /// # Errors
    /// What is wrong with these bytes, and how many of them to pass over; see [`CodecError`]. A
    /// codec reports the same bytes once.
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError>;

    /// Looks for the next frame as [`decode`](Codec::decode) does, and notes in `ahead`, which is
    /// empty, the frames that stand whole behind it: one call for many frames, of which each then
    /// costs next to nothing, boxed or not.
    ///
    /// By default it notes none, which is always right. A codec that keeps nothing from one call of
    /// `decode` to the next overrides it in one line; one that remembers where its scan stopped
    /// finds whole frames without touching that memory, through [`Ahead::behind`]:
    ///
    /// ```
    /// # use socketry_codec::{Ahead, Codec, CodecError, Decoded, End};
    /// # #[derive(Clone)] struct Three;
    /// # impl Codec for Three {
    /// # fn decode(&mut self, input: &[u8], _: End) -> Result<Decoded, CodecError> {
    /// #     match input.len() { n @ 0..3 => Ok(Decoded::Need(3 - n)), _ => Ok(Decoded::Frame { start: 0, end: 3, consumed: 3 }) }
    /// # }
    /// # fn encode(&mut self, _: &[u8], _: &mut bytes::BytesMut) -> Result<(), CodecError> { Ok(()) }
    /// # fn at_boundary(&self) -> bool { true }
    /// fn decode_many(&mut self, input: &[u8], end: End, ahead: &mut Ahead) -> Result<Decoded, CodecError> {
    ///     ahead.each(input, |rest| self.decode(rest, end))
    /// }
    /// # }
    /// # let mut ahead = Ahead::new();
    /// # Three.decode_many(b"onetwosix", End::Open, &mut ahead).unwrap();
    /// # assert_eq!(ahead.count(), 2);
    /// ```
    ///
    /// The frames are those that `decode` would give one by one. The codec is left as after the
    /// first of them, so that its caller may forget the others at any time: a body may stand there,
    /// which is no frame, or another codec may take over. So a codec that is another after each
    /// frame (it counts them, or its key moves on) keeps the default.
    ///
    /// # Errors
    /// As [`decode`](Codec::decode), of the first frame. What is wrong behind it is told when it is
    /// asked for.
    fn decode_many(
        &mut self,
        input: &[u8],
        end: End,
        ahead: &mut Ahead,
    ) -> Result<Decoded, CodecError> {
        let _ = ahead;
        self.decode(input, end)
    }

    /// Appends `frame` as it goes on the wire.
    ///
    /// # Errors
    /// If this codec cannot carry that frame, so that it would not arrive as it is; then `out` is
    /// as it was.
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError>;

    /// Appends the frames that `frames` gives as [`encode`](Codec::encode) does each, until there
    /// are no more or `out` has `full` bytes. The default does that; it is here so that a codec in
    /// a box is called once for many frames.
    ///
    /// # Errors
    /// As [`encode`](Codec::encode), of the frame that was taken last; those before it are in
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

    /// What goes before and after `frame`, so that a large payload is written from where it lies;
    /// `None` (the default) if this codec has to [`encode`](Codec::encode) it.
    ///
    /// # Errors
    /// As [`encode`](Codec::encode).
    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        let _ = frame;
        Ok(None)
    }

    /// Whether the codec stands between two frames, so that another may take over from here.
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

/// Cloning behind a pointer: what splitting a `Framed` needs. Every `Clone` codec has it.
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

/// `BoxCodec::from(Json::default())`, for each codec of this crate; one of your own is
/// `Box::new(yours)`.
macro_rules! boxed {
    ($($codec:ident),*) => {
        $(impl From<crate::$codec> for BoxCodec {
            fn from(codec: crate::$codec) -> Self {
                Box::new(codec)
            }
        })*
    };
}

boxed!(Raw, Line, Struct, Json, BareJson);

// `Box<dyn Codec>` gets its `CloneCodec` from the blanket above, through this `Codec` and that
// `Clone`.
impl Codec for BoxCodec {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        (**self).decode(input, end)
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
