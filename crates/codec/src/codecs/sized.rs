//! `struct`: a frame after its length.

use bytes::BytesMut;

use super::format::Word;
use super::gather::encode_behind;
use crate::limits::{DEFAULT_MAX_FRAME, Limits, check, contain, unfinished};
use crate::{Affix, Ahead, Codec, CodecError, Decoded, End, Format, FrameSource, Properties};

/// `$then` for each width and order, so that a loop in it is compiled for each.
macro_rules! each_word {
    ($kind:expr, |$len:ident| $then:expr) => {{
        macro_rules! with {
            ($word:ident, $read:ident) => {{
                let $len = |header| -> u64 { $word::$read(header).into() };
                $then
            }};
        }
        match $kind {
            Word::Little4 => with!(u32, from_le_bytes),
            Word::Big4 => with!(u32, from_be_bytes),
            Word::Byte => with!(u8, from_le_bytes),
            Word::Little2 => with!(u16, from_le_bytes),
            Word::Big2 => with!(u16, from_be_bytes),
            Word::Little8 => with!(u64, from_le_bytes),
            Word::Big8 => with!(u64, from_be_bytes),
        }
    }};
}

/// `struct`, `struct:>I`, …: a length as Python's `struct` writes it, then that many bytes.
///
/// [`Format`] is that of the length; the default is that of `struct.pack('i', n)`. A frame longer
/// than [`max_frame`](Struct::max_frame) is an error. It is passed over if that is at most
/// [`max_discard`](Struct::max_discard) bytes; beyond them, and after a negative length, the error
/// is fatal. A peer cannot claim memory with a length: the codec holds none, and uses the length
/// only to tell the reader how much to read next.
///
/// One datagram may have several frames. A frame never spans two datagrams, and an empty datagram
/// has no frame.
///
/// ```
/// use socketry_codec::{Codec, Decoded, End, Struct};
///
/// let mut codec = Struct::new(">H".parse()?);
/// let mut wire = bytes::BytesMut::new();
/// codec.encode(b"abc", &mut wire)?;
/// assert_eq!(&wire[..], b"\x00\x03abc");
/// assert_eq!(codec.decode(&wire[..4], End::Open)?, Decoded::Need(1));
/// assert_eq!(codec.decode(&wire, End::Open)?, Decoded::Frame { start: 2, end: 5, consumed: 5 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Struct {
    format: Format,
    limits: Limits,
    /// The longest frame in bytes: the lesser of the limit and the largest number of the length
    /// field.
    longest: usize,
}

impl Struct {
    /// Frames whose length is written in this format.
    pub fn new(format: Format) -> Self {
        Struct {
            format,
            limits: Limits::frames(DEFAULT_MAX_FRAME),
            longest: format.at_most(DEFAULT_MAX_FRAME),
        }
    }

    /// The longest frame in bytes, without its length field, both ways; by default
    /// [`DEFAULT_MAX_FRAME`].
    #[must_use]
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.limits.max_frame = bytes;
        self.longest = self.format.at_most(bytes);
        self
    }

    /// The longest frame in bytes, with its length field, that is passed over and is not fatal; by
    /// default [`DEFAULT_MAX_DISCARD`](crate::limits::DEFAULT_MAX_DISCARD). With 0 every frame that
    /// is too long is fatal.
    #[must_use]
    pub fn max_discard(mut self, bytes: u64) -> Self {
        self.limits.max_discard = bytes;
        self
    }

    /// How the length is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Adds the whole frames behind `first` that `is_good` takes. There is a loop for each width
    /// and order, so that they are not chosen for each frame.
    pub(crate) fn behind(
        &self,
        first: Decoded,
        input: &[u8],
        ahead: &mut Ahead,
        is_good: impl Fn(&[u8]) -> bool,
    ) {
        each_word!(self.format.kind(), |len| {
            ahead.behind(first, input, |rest| {
                whole(rest, self.longest, len).filter(|frame| match *frame {
                    Decoded::Frame { start, end, .. } => is_good(&rest[start..end]),
                    _ => false,
                })
            })
        });
    }

    /// The frame at the front, if it is whole and not too long. The default format is in line: for
    /// another one the call costs as much as all the rest.
    #[inline(always)]
    pub(crate) fn front(&self, input: &[u8]) -> Option<Decoded> {
        if self.format.kind() == Word::Little4 {
            return whole(input, self.longest, |header| {
                u32::from_le_bytes(header).into()
            });
        }
        self.front_of(input)
    }

    #[inline(never)]
    fn front_of(&self, input: &[u8]) -> Option<Decoded> {
        each_word!(self.format.kind(), |len| whole(input, self.longest, len))
    }

    /// The error of a length that is above [`longest`](Struct::longest).
    #[cold]
    fn refused(&self, word: u64) -> CodecError {
        match self.format.length(word) {
            Ok(len) => {
                let pass = len.checked_add(self.format.size() as u64);
                self.limits.too_long(Some(len), pass)
            }
            Err(error) => error,
        }
    }
}

/// The frame at the front, if it is whole and not too long. A negative length, read without its
/// sign, is too long.
#[inline(always)]
fn whole<const N: usize>(
    input: &[u8],
    longest: usize,
    len: impl Fn([u8; N]) -> u64,
) -> Option<Decoded> {
    let size = usize::try_from(len(*input.first_chunk()?)).ok()?;
    let end = size.checked_add(N)?;
    (size <= longest && end <= input.len()).then_some(Decoded::Frame {
        start: N,
        end,
        consumed: end,
    })
}

/// The lowest `N` bytes of a length, the least significant first.
#[inline(always)]
fn little<const N: usize>(len: u64) -> [u8; N] {
    let bytes = len.to_le_bytes();
    std::array::from_fn(|at| bytes[at])
}

/// The lowest `N` bytes of a length, the most significant first.
#[inline(always)]
fn big<const N: usize>(len: u64) -> [u8; N] {
    let bytes = len.to_be_bytes();
    std::array::from_fn(|at| bytes[bytes.len() - N + at])
}

impl Default for Struct {
    fn default() -> Self {
        Struct::new(Format::default())
    }
}

impl Codec for Struct {
    #[inline(always)]
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let (here, start) = (input.len(), self.format.size());
        let Some(word) = self.format.word(input) else {
            return unfinished(here, start - here, end);
        };
        // A negative length, read without its sign, is above it too.
        let Some(size) = usize::try_from(word).ok().filter(|n| *n <= self.longest) else {
            return Err(contain(self.refused(word), end, here));
        };
        // The claimed length is compared with the bytes that arrived before it is added to, so no
        // length of a peer can overflow.
        let body = here - start;
        if size > body {
            return unfinished(here, size - body, end);
        }
        let (end, consumed) = (start + size, start + size);
        Ok(Decoded::Frame {
            start,
            end,
            consumed,
        })
    }

    #[inline(always)]
    fn whole(&mut self, input: &[u8], _: End) -> Option<Decoded> {
        self.front(input)
    }

    fn decode_many(
        &mut self,
        input: &[u8],
        end: End,
        ahead: &mut Ahead,
    ) -> Result<Decoded, CodecError> {
        let first = self.decode(input, end)?;
        self.behind(first, input, ahead, |_| true);
        Ok(first)
    }

    #[inline(always)]
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        check(frame, self.longest)?;
        self.format.put(frame.len() as u64, out);
        out.extend_from_slice(frame);
        Ok(())
    }

    #[inline(always)]
    fn encode_many(
        &mut self,
        frames: &mut dyn FrameSource,
        out: &mut BytesMut,
        full: usize,
    ) -> Result<(), CodecError> {
        macro_rules! behind {
            ($size:literal, $header:ident) => {
                encode_behind(frames, out, full, self.longest, $header::<$size>)
            };
        }
        match self.format.kind() {
            Word::Byte => behind!(1, little),
            Word::Little2 => behind!(2, little),
            Word::Big2 => behind!(2, big),
            Word::Little4 => behind!(4, little),
            Word::Big4 => behind!(4, big),
            Word::Little8 => behind!(8, little),
            Word::Big8 => behind!(8, big),
        }
    }

    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        check(frame, self.longest)?;
        let header = self.format.bytes(frame.len() as u64);
        Ok(Some((header, Affix::EMPTY)))
    }

    /// Always true: this codec keeps nothing between two calls. The reader remembers how many bytes
    /// an error said to pass over.
    fn at_boundary(&self) -> bool {
        true
    }

    fn properties(&self) -> Properties {
        Properties::default().at_most(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_length_behind_a_whole_frame_is_no_frame() {
        let mut codec = Struct::new(">Q".parse().expect("a format"));
        let wire = [&[0, 0, 0, 0, 0, 0, 0, 1, b'a'][..], &[0xff; 8]].concat();
        let mut ahead = Ahead::new();
        let first = codec.decode_many(&wire, End::Open, &mut ahead);
        assert_eq!(
            first,
            Ok(Decoded::Frame {
                start: 8,
                end: 9,
                consumed: 9
            })
        );
        assert_eq!(ahead.next(), None);
    }
}
