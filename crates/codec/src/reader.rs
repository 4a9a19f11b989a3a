//! A codec and the bytes that it reads, without any I/O.

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

use crate::{BoxCodec, Codec, CodecError, Decoded, End};

/// Bytes in, frames out: a [`Codec`] and the bytes that arrived, for programs that do their own
/// I/O.
///
/// The reader does for a codec all that its caller must do. It calls the codec again only when more
/// bytes have arrived. It passes over the bytes of an error, also those that have not arrived yet.
/// It drops a datagram after its first error. Frames are borrowed from it. It holds all bytes that
/// were pushed and not read yet: the caller has to bound their number. A frame that its codec has
/// to [restore](Codec::restore) is borrowed from a buffer of its own.
///
/// A stream is [pushed](Reader::push) in pieces as it arrives and [closed](Reader::close); a
/// datagram is [loaded](Reader::load). After each of them, [`next_frame`](Reader::next_frame) is
/// called until it gives `None`.
///
/// ```
/// use socketry_codec::{Raw, Reader, Struct};
///
/// let mut reader = Reader::new(Struct::new(">H".parse()?));
/// reader.push(b"\x00\x02hi\x00\x05th");
/// assert_eq!(reader.next_frame()?, Some(&b"hi"[..]));
/// assert_eq!(reader.next_frame()?, None);
/// reader.push(b"ere");
/// assert_eq!(reader.next_frame()?, Some(&b"there"[..]));
///
/// let mut reader = Reader::new(Raw);
/// reader.load(b"");
/// assert_eq!(reader.next_frame()?, Some(&b""[..]));
/// assert_eq!(reader.next_frame()?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reader<C = BoxCodec> {
    codec: C,
    bytes: BytesMut,
    /// The last frame that was restored.
    restored: BytesMut,
    /// The position of the first byte that is not consumed yet.
    at: usize,
    /// The bytes to pass over that have not arrived yet.
    skip: u64,
    end: End,
    state: State,
}

/// The place of a frame.
enum Found {
    /// This range of the bytes.
    Here(Range<usize>),
    Restored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The codec has not seen all bytes yet.
    Ready,
    /// The codec needs more bytes, at least so many.
    Waiting(usize),
    /// After a fatal error.
    Over,
}

impl<C: Codec> Reader<C> {
    /// A reader without bytes.
    pub fn new(codec: C) -> Self {
        Reader {
            codec,
            bytes: BytesMut::new(),
            restored: BytesMut::new(),
            at: 0,
            skip: 0,
            end: End::Open,
            state: State::Waiting(1),
        }
    }

    /// The next bytes of the stream. After a fatal error they are dropped.
    pub fn push(&mut self, bytes: &[u8]) {
        let over = usize::try_from(self.skip).map_or(bytes.len(), |skip| skip.min(bytes.len()));
        self.skip -= over as u64;
        if over < bytes.len() && !self.is_over() {
            drop_front(&mut self.bytes, self.at);
            self.at = 0;
            self.bytes.extend_from_slice(&bytes[over..]);
            self.state = State::Ready;
        }
    }

    /// The stream has ended; frames may be left in it.
    pub fn close(&mut self) {
        self.end = End::Closed;
        if !self.is_over() {
            self.state = State::Ready;
        }
    }

    /// A datagram, empty or not. The rest of the previous datagram is dropped, and its error no
    /// longer counts.
    pub fn load(&mut self, datagram: &[u8]) {
        self.drop_all();
        self.bytes.extend_from_slice(datagram);
        self.end = End::Datagram;
        self.state = State::Ready;
    }

    /// The next frame; `None` if there is none until more bytes arrive.
    ///
    /// # Errors
    /// The fault that the codec found, once. After an error with [`skip`](CodecError::skip) the
    /// reader goes on. After any error it goes on with the next datagram. After a fatal error on a
    /// stream it always gives `None`.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, CodecError> {
        match self.next_found()? {
            None => Ok(None),
            Some(Found::Here(range)) => Ok(Some(&self.bytes[range])),
            Some(Found::Restored) => Ok(Some(&self.restored)),
        }
    }

    /// [`next_frame`](Reader::next_frame) as [`Bytes`], cut from the buffer without a copy.
    ///
    /// Such a frame keeps the whole buffer that it was cut from in memory: copy small frames that
    /// you keep for long.
    ///
    /// # Errors
    /// As [`next_frame`](Reader::next_frame).
    #[inline]
    pub fn next_bytes(&mut self) -> Result<Option<Bytes>, CodecError> {
        match self.next_found()? {
            None => Ok(None),
            Some(Found::Here(range)) => {
                self.at -= range.end;
                Ok(Some(cut(&mut self.bytes, range)))
            }
            Some(Found::Restored) => Ok(Some(self.restored.split().freeze())),
        }
    }

    /// The least number of bytes that must arrive before there can be another frame; 0 if the codec
    /// has not seen all bytes yet.
    pub fn needs(&self) -> u64 {
        match self.state {
            State::Waiting(bytes) => self.skip.saturating_add(bytes as u64),
            State::Ready | State::Over => 0,
        }
    }

    /// The number of bytes that arrived and belong to no frame yet.
    pub fn buffered(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Whether a fatal error has ended it.
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// The codec, and the bytes that are left.
    pub fn into_parts(mut self) -> (C, BytesMut) {
        self.bytes.advance(self.at);
        (self.codec, self.bytes)
    }

    #[inline]
    fn next_found(&mut self) -> Result<Option<Found>, CodecError> {
        while self.state == State::Ready {
            let at = self.at;
            match self.codec.decode(&self.bytes[at..], self.end) {
                Ok(answer) if !answer.is_sound(self.bytes.len() - at) => {
                    return Err(self.fail(CodecError::unsound()));
                }
                Ok(Decoded::Frame {
                    start,
                    end,
                    consumed,
                }) => {
                    self.pass(consumed as u64);
                    return Ok(Some(Found::Here(at + start..at + end)));
                }
                Ok(Decoded::Coded {
                    start,
                    end,
                    consumed,
                }) => return self.restore(start..end, consumed),
                Ok(Decoded::Skip(bytes)) => self.pass(bytes as u64),
                Ok(Decoded::Need(bytes)) => self.state = State::Waiting(bytes),
                Err(error) => return Err(self.fail(error)),
            }
        }
        Ok(None)
    }

    /// Has the codec restore the frame whose other form is at `coded` of the bytes.
    #[cold]
    fn restore(
        &mut self,
        coded: Range<usize>,
        consumed: usize,
    ) -> Result<Option<Found>, CodecError> {
        self.restored.clear();
        let coded = &self.bytes[self.at..][coded];
        match self.codec.restore(coded, &mut self.restored) {
            Ok(()) => {
                self.pass(consumed as u64);
                Ok(Some(Found::Restored))
            }
            Err(fault) => Err(self.fail(CodecError::skip(fault, consumed as u64))),
        }
    }

    /// Passes over bytes, some of which may not have arrived yet. A codec is not asked about a
    /// datagram that is used up, since an empty datagram is a frame for some codecs.
    #[inline]
    fn pass(&mut self, bytes: u64) {
        let here = self.bytes.len() - self.at;
        let over = usize::try_from(bytes).map_or(here, |bytes| bytes.min(here));
        self.at += over;
        self.skip = bytes - over as u64;
        if over == here && (self.end == End::Datagram || self.skip > 0) {
            self.state = State::Waiting(1);
        }
    }

    #[cold]
    fn fail(&mut self, error: CodecError) -> CodecError {
        match (self.end, error.skip) {
            (End::Datagram, _) => self.drop_all(),
            (_, Some(bytes)) if bytes > 0 => self.pass(bytes),
            (_, _) => {
                self.drop_all();
                self.state = State::Over;
            }
        }
        error
    }

    fn drop_all(&mut self) {
        (self.at, self.skip) = (0, 0);
        self.bytes.clear();
        self.state = State::Waiting(1);
    }
}

/// Drops `bytes` from the front of `buf`. An emptied buffer is cleared and not advanced, since an
/// advanced one has less room.
pub(crate) fn drop_front(buf: &mut BytesMut, bytes: usize) {
    if bytes == buf.len() {
        buf.clear();
    } else {
        buf.advance(bytes);
    }
}

/// Cuts `frame` from `buf`, which loses all bytes up to the end of the frame.
///
/// The cut is trimmed, and not the buffer. To cut a buffer right after it was advanced is slow,
/// since the processor then reads a value that it has not finished writing.
#[inline(always)]
pub(crate) fn cut(buf: &mut BytesMut, frame: Range<usize>) -> Bytes {
    let mut cut = buf.split_to(frame.end).freeze();
    cut.advance(frame.start);
    cut
}
