//! The layout of a frame that says its length: what stands where, and what the length counts.

mod codec;
mod length;
mod part;
mod text;

use std::ops::RangeInclusive;

pub use codec::LayoutCodec;
pub use length::Length;
pub use part::Part;
use thiserror::Error;

use crate::{CodecError, Fault, Format};
use length::{Form, Front};

/// The bytes of a frame in their order: a part before the length, the length, a part between it and
/// the payload, the payload, and a tail.
///
/// ```text
///  before │ length │ between │ payload … │ tail
///         │        │         ╰─ payload ─╯
///         │        ╰─────── rest ─────────────╯
///         ╰─────── itself ────────────────────╯
///  ╰────── frame ─────────────────────────────╯
/// ```
///
/// The lines show what a length may count: [`Counts`]. A [`Part`] has a fixed number of bytes. Each
/// byte is either the same in all frames, or open. Where all are the same, [`LayoutCodec`] gives
/// out the payload, and writes and checks the others by itself. Where one is open, it gives out
/// whole frames, so that no byte of a header is lost or invented; [`payload`](Layout::payload)
/// finds the payload in them. A frame of a [whole](LayoutBuilder::whole) layout that is sent is
/// checked: its length must be right.
///
/// # Notation
///
/// The text of a layout is the row above, with commas. It is read with `FromStr`, printed with
/// `Display`, and is a parameter of the codec `struct`:
///
/// | text | meaning |
/// |---|---|
/// | `4x` | four open bytes (Python's `struct` writes a byte that it passes over as `x`) |
/// | `0x0300` | bytes that are the same in all frames, in hexadecimal digits |
/// | `>I`, `varint4`, … | the [`Length`]; it counts the payload |
/// | `>I=frame` | the length counts this: `payload`, `rest`, `itself` or `frame` |
/// | `>I=frame-tail` | the same, without the tail |
/// | `data` | the payload; may be left out at the end |
/// | `whole` | at the end: whole frames are given out, though no byte is open |
///
/// So `struct:>I` is a length of four bytes and the payload. Others, as bytes on the wire:
///
/// | protocol | text |
/// |---|---|
/// | HTTP/2 (RFC 9113, section 4.1) | `>u24,6x` |
/// | MQTT (3.1.1, section 2.2) | `1x,varint4` |
/// | PostgreSQL, after the first message | `1x,>I=itself` |
/// | Modbus TCP | `2x,0x0000,>H=rest,1x` |
/// | TPKT (RFC 1006, section 6) | `0x0300,>H=frame` |
/// | AMQP 0-9-1 (section 4.2.3) | `3x,>I,data,0xce` |
/// | netstring | `digits,0x3a,data,0x2c` |
///
/// ```
/// use socketry_codec::{Counts, Format, Layout, Length, Part};
///
/// let tpkt: Layout = "0x0300,>H=frame".parse()?;
/// let same = Layout::of(Length::from(">H".parse::<Format>()?))
///     .before(Part::same([3, 0]))
///     .counts(Counts::Frame)
///     .build()?;
/// assert_eq!(tpkt, same);
/// assert_eq!(tpkt.header_len(), 4..=4);
/// assert_eq!(tpkt.to_string(), "0x0300,>H=frame");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    before: Part,
    length: Length,
    counts: Counts,
    between: Part,
    tail: Part,
    /// Whether the length counts the tail too; only where it counts more than the payload.
    counts_tail: bool,
    whole: bool,
    /// The bytes that the length counts besides the payload and its own, and whether it counts
    /// those. They follow from the fields above.
    others: usize,
    counts_itself: bool,
}

/// What a length counts: the bytes from a place on, up to the end of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Counts {
    /// The payload alone, without a tail.
    #[default]
    Payload,
    /// All behind the length.
    Rest,
    /// The length itself, and all behind it.
    Itself,
    /// All bytes of the frame.
    Frame,
}

/// A layout that no frame can have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no layout: {0}")]
pub struct LayoutError(String);

/// Builds a [`Layout`]. Each setting stands alone, in any order.
#[derive(Clone, Debug)]
#[must_use]
pub struct LayoutBuilder(Layout);

impl Layout {
    /// A length and the payload, to which a builder adds the other parts.
    pub fn of(length: impl Into<Length>) -> LayoutBuilder {
        LayoutBuilder(Layout {
            before: Part::default(),
            length: length.into(),
            counts: Counts::Payload,
            between: Part::default(),
            tail: Part::default(),
            counts_tail: true,
            whole: false,
            others: 0,
            counts_itself: false,
        })
    }

    /// Frames of this layout.
    pub fn codec(self) -> LayoutCodec {
        LayoutCodec::new(self)
    }

    /// The bytes before the payload, the fewest and the most: they differ where the length is of
    /// variable width.
    pub fn header_len(&self) -> RangeInclusive<usize> {
        let (least, most) = self.length.sizes();
        let others = self.before.len() + self.between.len();
        least + others..=most + others
    }

    /// The bytes behind the payload.
    pub fn tail_len(&self) -> usize {
        self.tail.len()
    }

    /// The bytes of a frame that are neither its payload, nor its length, nor the same in all
    /// frames.
    pub fn open_len(&self) -> usize {
        self.before.open_len() + self.between.open_len() + self.tail.open_len()
    }

    /// Whether whole frames are given out, and not their payloads.
    pub fn is_whole(&self) -> bool {
        self.whole || self.has_open()
    }

    /// The format of the length, if there is nothing but a length and a payload.
    pub(crate) fn plain(&self) -> Option<Format> {
        let Form::Word(format) = self.length.form else {
            return None;
        };
        let same = Layout::of(format).build();
        same.is_ok_and(|same| same == *self).then_some(format)
    }

    fn has_open(&self) -> bool {
        self.before.is_open() || self.between.is_open() || self.tail.is_open()
    }

    /// The payload in a whole frame.
    ///
    /// # Errors
    /// As those of the codec's `decode`, and where `frame` is not exactly one frame.
    pub fn payload<'a>(&self, frame: &'a [u8]) -> Result<&'a [u8], CodecError> {
        let (start, payload) = match self.header(frame)? {
            Header::Here { start, payload } => (start, payload),
            Header::Missing(missing) => {
                let have = frame.len();
                return Err(CodecError::fatal(Fault::Truncated { have, missing }));
            }
        };
        let end = frame.len().checked_sub(self.tail.len());
        let found = end
            .and_then(|end| frame.get(start..end))
            .unwrap_or_default();
        if found.len() as u64 != payload {
            return Err(CodecError::fatal(Fault::OtherLength {
                says: payload,
                here: frame.len().saturating_sub(start + self.tail.len()) as u64,
            }));
        }
        self.tail.check(frame, start + found.len())?;
        Ok(found)
    }

    /// What stands before the payload of the frame at the front of `input`. All of it must be here,
    /// so that one answer follows from the same bytes, however they arrived.
    #[inline(always)]
    fn header(&self, input: &[u8]) -> Result<Header, CodecError> {
        self.before.check(input, 0)?;
        let (here, before) = (input.len(), self.before.len());
        let (value, size) = match self.length.read(input.get(before..).unwrap_or_default())? {
            Front::Here { value, size } => (value, size),
            Front::Missing(missing) => {
                return Ok(Header::Missing(before.saturating_sub(here) + missing));
            }
        };
        let counted = self.counted(size) as u64;
        let Some(payload) = value.checked_sub(counted) else {
            return Err(short(value, counted));
        };
        self.between.check(input, before + size)?;
        let start = before + size + self.between.len();
        if here < start {
            return Ok(Header::Missing(start - here));
        }
        Ok(Header::Here { start, payload })
    }

    /// What the length counts besides the payload, if it takes `size` bytes itself.
    #[inline(always)]
    fn counted(&self, size: usize) -> usize {
        self.others + if self.counts_itself { size } else { 0 }
    }

    /// Works out what [`counted`](Layout::counted) needs.
    fn count(&mut self) {
        let tail = if self.counts_tail { self.tail.len() } else { 0 };
        let rest = self.between.len() + tail;
        (self.others, self.counts_itself) = match self.counts {
            Counts::Payload => (0, false),
            Counts::Rest => (rest, false),
            Counts::Itself => (rest, true),
            Counts::Frame => (self.before.len() + rest, true),
        };
    }

    /// The longest payload whose length can be written; `None` if there is none.
    fn longest(&self) -> Option<u64> {
        let max = self.length.max();
        max.checked_sub(self.counted(self.length.size(max)) as u64)
    }

    /// The number to write for a payload of `len` bytes, which is at most
    /// [`longest`](Layout::longest). A length of variable width may count its own bytes: the fewest
    /// that the number fits into are right.
    fn number(&self, len: u64) -> u64 {
        let (least, most) = self.length.sizes();
        let mut number = len;
        for size in least..=most {
            number = len + self.counted(size) as u64;
            if self.length.size(number) <= size {
                break;
            }
        }
        number
    }

    /// The bytes of the header before a payload of `len` bytes, with the length in its shortest
    /// form.
    fn shortest_header(&self, len: u64) -> usize {
        let length = self.length.size(self.number(len));
        self.before.len() + length + self.between.len()
    }
}

/// What stands before a payload.
enum Header {
    Here {
        /// The place of the payload.
        start: usize,
        /// Its length in bytes.
        payload: u64,
    },
    /// At least so many bytes are missing.
    Missing(usize),
}

#[cold]
fn short(says: u64, least: u64) -> CodecError {
    CodecError::fatal(Fault::ShortLength { says, least })
}

impl LayoutBuilder {
    /// What stands before the length.
    pub fn before(mut self, part: Part) -> Self {
        self.0.before = part;
        self
    }

    /// What stands between the length and the payload.
    pub fn between(mut self, part: Part) -> Self {
        self.0.between = part;
        self
    }

    /// What stands behind the payload.
    pub fn tail(mut self, part: Part) -> Self {
        self.0.tail = part;
        self
    }

    /// What the length counts, with the tail; by default [`Counts::Payload`].
    pub fn counts(mut self, counts: Counts) -> Self {
        (self.0.counts, self.0.counts_tail) = (counts, true);
        self
    }

    /// What the length counts, but the tail.
    pub fn counts_without_tail(mut self, counts: Counts) -> Self {
        (self.0.counts, self.0.counts_tail) = (counts, false);
        self
    }

    /// Gives out whole frames, as it does anyway where a byte of a part is open.
    pub fn whole(mut self) -> Self {
        self.0.whole = true;
        self
    }

    /// The layout.
    ///
    /// # Errors
    /// If the length cannot hold what it counts of an empty payload, or if a digit ends digits.
    pub fn build(self) -> Result<Layout, LayoutError> {
        let mut layout = self.0;
        layout.count();
        if let Form::Digits { delimiter, .. } = layout.length.form
            && delimiter.is_ascii_digit()
        {
            return Err(LayoutError("a digit cannot end digits".to_owned()));
        }
        if layout.longest().is_none() {
            return Err(LayoutError(format!(
                "the length holds at most {}, and counts {} bytes besides the payload",
                layout.length.max(),
                layout.counted(layout.length.sizes().1),
            )));
        }
        // One layout has one value, so that it is equal to itself as text.
        layout.counts_tail |= layout.counts == Counts::Payload || layout.tail.is_empty();
        layout.whole &= !layout.has_open();
        Ok(layout)
    }
}
