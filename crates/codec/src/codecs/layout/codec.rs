//! Frames of a layout.

use bytes::BytesMut;

use super::{Header, Layout};
use crate::limits::{
    DEFAULT_MAX_FRAME, Limits, check, check_least, contain, malformed_length, refused, unfinished,
};
use crate::{Affix, Codec, CodecError, Content, Decoded, End, Properties};

/// `struct:LAYOUT`: frames of a [`Layout`].
///
/// It gives out payloads, or [whole](Layout::is_whole) frames. One that is longer than
/// [`max_frame`](LayoutCodec::max_frame) is an error. It is passed over if it has, with all bytes
/// around it, at most [`max_discard`](LayoutCodec::max_discard) bytes; beyond them the error is
/// fatal. It is fatal too if a length is negative, malformed, or shorter than what it counts of an
/// empty payload, and if a byte is not as it is in all frames. The codec holds no memory.
///
/// `encode` refuses a payload whose length the field cannot hold. It takes a whole frame if
/// the codec gives out whole frames, and refuses one that it would not give out again as it is.
///
/// One datagram may have several frames. A frame never spans two datagrams, and an empty datagram
/// has no frame.
///
/// ```
/// use socketry_codec::{Codec, Decoded, End, Layout};
///
/// // What BGP has (RFC 4271, section 4.1): sixteen bytes of ones, a length of all, a type.
/// let layout: Layout = "0xffffffffffffffffffffffffffffffff,>H=frame,1x".parse()?;
/// let mut codec = layout.codec();
/// let keepalive = [&[0xff; 16][..], &[0, 19, 4]].concat();
/// let mut wire = bytes::BytesMut::new();
/// codec.encode(&keepalive, &mut wire)?;
/// assert_eq!(codec.decode(&wire[..17], End::Open)?, Decoded::Need(1));
/// assert_eq!(codec.decode(&wire, End::Open)?, Decoded::frame(0..19, 19));
///
/// let error = codec.encode(&keepalive[..18], &mut wire).unwrap_err();
/// assert!(error.to_string().contains("at least 1 more"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LayoutCodec {
    layout: Layout,
    whole: bool,
    limits: Limits,
    /// The longest and the shortest frame that can be sent, in bytes.
    longest: usize,
    shortest: usize,
}

impl LayoutCodec {
    pub(super) fn new(layout: Layout) -> Self {
        LayoutCodec {
            whole: layout.is_whole(),
            limits: Limits::frames(DEFAULT_MAX_FRAME),
            longest: longest(&layout, DEFAULT_MAX_FRAME),
            shortest: 0,
            layout,
        }
    }

    /// The longest frame in bytes, as it is given out, both ways; by default
    /// [`DEFAULT_MAX_FRAME`].
    #[must_use]
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.limits.max_frame = bytes;
        self.longest = longest(&self.layout, bytes);
        self
    }

    /// The longest frame in bytes, with all its parts, that is passed over and is not fatal; by
    /// default [`DEFAULT_MAX_DISCARD`](crate::limits::DEFAULT_MAX_DISCARD). With 0 every frame that
    /// is too long is fatal.
    #[must_use]
    pub fn max_discard(mut self, bytes: u64) -> Self {
        self.limits.max_discard = bytes;
        self
    }

    /// The longest frame in bytes that is sent, where the peer takes less than it sends; by default
    /// [`max_frame`](LayoutCodec::max_frame), which is set before this.
    #[must_use]
    pub fn max_sent(mut self, bytes: usize) -> Self {
        self.longest = self.longest.min(bytes);
        self
    }

    /// The shortest frame in bytes that is sent; by default 0. Some peers close the connection at
    /// an empty frame. One that arrives is a frame as any other.
    #[must_use]
    pub fn min_sent(mut self, bytes: usize) -> Self {
        self.shortest = bytes;
        self
    }

    /// The layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The frame at the front.
    #[inline(always)]
    fn front(&self, input: &[u8], at: End) -> Result<Decoded, CodecError> {
        let (here, tail) = (input.len(), &self.layout.tail);
        let (start, payload) = match self.layout.header(input)? {
            Header::Missing(missing) => return unfinished(here, missing, at),
            Header::Here { start, payload } => (start, payload),
        };
        let Some(total) = self.total(start, payload) else {
            return Err(self.too_long(start, payload));
        };
        let end = total - tail.len();
        tail.check(input, end)?;
        if here < total {
            return unfinished(here, total - here, at);
        }
        let frame = if self.whole { 0..total } else { start..end };
        Ok(Decoded::frame(frame, total))
    }

    /// The bytes of a frame, if it is not too long.
    #[inline(always)]
    fn total(&self, start: usize, payload: u64) -> Option<usize> {
        let payload = usize::try_from(payload).ok()?;
        let total = payload.checked_add(start + self.layout.tail.len())?;
        let given = if self.whole { total } else { payload };
        (given <= self.limits.max_frame).then_some(total)
    }

    #[cold]
    fn too_long(&self, start: usize, payload: u64) -> CodecError {
        let total = payload.checked_add((start + self.layout.tail.len()) as u64);
        let given = if self.whole { total } else { Some(payload) };
        self.limits.too_long(given, total)
    }

    /// Refuses a frame that cannot be sent.
    #[inline]
    fn check(&self, frame: &[u8]) -> Result<(), CodecError> {
        check(frame, self.longest)?;
        check_least(frame, self.shortest)?;
        if self.whole {
            self.check_whole(frame)
                .map_err(|error| refused(error.fault))?;
        }
        Ok(())
    }

    fn check_whole(&self, frame: &[u8]) -> Result<(), CodecError> {
        let payload = self.layout.payload(frame)?.len();
        // The most bytes that the header may have here: non-minimal lengths are not written.
        let header = self.layout.shortest_header(payload as u64);
        match header + payload + self.layout.tail.len() == frame.len() {
            true => Ok(()),
            false => Err(malformed_length("is not in its shortest form")),
        }
    }

    /// Appends the bytes before a payload that was checked.
    #[inline]
    fn put_header(&self, payload: &[u8], out: &mut BytesMut) {
        let number = self.layout.number(payload.len() as u64);
        self.layout.before.put(out);
        out.extend_from_slice(self.layout.length.write(number).as_slice());
        self.layout.between.put(out);
    }
}

/// The longest frame that can be sent: the lesser of the limit and what the length can hold.
fn longest(layout: &Layout, max_frame: usize) -> usize {
    let payload = layout.longest().unwrap_or(0);
    let around = match layout.is_whole() {
        true => layout.header_len().end() + layout.tail_len(),
        false => 0,
    };
    let longest = usize::try_from(payload.saturating_add(around as u64));
    longest.map_or(max_frame, |longest| longest.min(max_frame))
}

impl Codec for LayoutCodec {
    #[inline(always)]
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        self.front(input, end)
            .map_err(|error| contain(error, end, input.len()))
    }

    #[inline(always)]
    fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
        self.front(input, end).ok()
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.check(frame)?;
        if self.whole {
            out.extend_from_slice(frame);
            return Ok(());
        }
        self.put_header(frame, out);
        out.extend_from_slice(frame);
        self.layout.tail.put(out);
        Ok(())
    }

    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        self.check(frame)?;
        if self.whole {
            return Ok(Some((Affix::EMPTY, Affix::EMPTY)));
        }
        let (mut header, mut tail) = (BytesMut::new(), BytesMut::new());
        self.put_header(frame, &mut header);
        self.layout.tail.put(&mut tail);
        Ok(Some((Affix::new(&header), Affix::new(&tail))))
    }

    /// Always true: this codec keeps nothing between two calls.
    fn at_boundary(&self) -> bool {
        true
    }

    fn properties(&self) -> Properties {
        let properties = Properties::default()
            .at_most(self.longest)
            .at_least(self.shortest);
        match self.whole {
            true => properties.carrying(Content::Other),
            false => properties,
        }
    }
}
