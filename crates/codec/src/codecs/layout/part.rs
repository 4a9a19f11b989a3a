//! The bytes of a layout besides the length and the payload.

use bytes::BytesMut;

use crate::{CodecError, Fault};

/// Bytes of a [`Layout`](super::Layout) besides its length and its payload: each is the same in all
/// frames, or open.
///
/// ```
/// use socketry_codec::Part;
///
/// let part = Part::same([3]).then(Part::open(1));
/// assert_eq!((part.len(), part.is_open()), (2, true));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Part {
    /// `None` is an open byte.
    bytes: Vec<Option<u8>>,
    /// Whether there is a byte to check: to look through open ones takes as long as all the rest of
    /// a frame.
    has_same: bool,
}

impl Part {
    /// This many open bytes.
    pub fn open(bytes: u16) -> Self {
        Part {
            bytes: vec![None; bytes.into()],
            has_same: false,
        }
    }

    /// Bytes that are the same in all frames.
    pub fn same(bytes: impl AsRef<[u8]>) -> Self {
        let bytes: Vec<_> = bytes.as_ref().iter().copied().map(Some).collect();
        Part {
            has_same: !bytes.is_empty(),
            bytes,
        }
    }

    /// These bytes, and those of `next` behind them.
    #[must_use]
    pub fn then(mut self, next: Part) -> Self {
        self.bytes.extend(next.bytes);
        self.has_same |= next.has_same;
        self
    }

    /// How many bytes it has.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether a byte of it is open.
    pub fn is_open(&self) -> bool {
        self.bytes.contains(&None)
    }

    /// How many bytes of it are open.
    pub(super) fn open_len(&self) -> usize {
        self.bytes.iter().filter(|byte| byte.is_none()).count()
    }

    /// Each byte, or `None` for an open one.
    pub(super) fn bytes(&self) -> &[Option<u8>] {
        &self.bytes
    }

    /// Refuses bytes that are not as they are in all frames. `from` is the place of the part in its
    /// frame; `input` is cut before it, inside it, or behind it.
    #[inline(always)]
    pub(super) fn check(&self, input: &[u8], from: usize) -> Result<(), CodecError> {
        if !self.has_same {
            return Ok(());
        }
        let here = input.get(from..).unwrap_or_default();
        for (at, (found, expected)) in here.iter().zip(&self.bytes).enumerate() {
            if expected.is_some_and(|expected| expected != *found) {
                return Err(self.differs(from, at, *found));
            }
        }
        Ok(())
    }

    /// It does not tell where the next frame begins.
    #[cold]
    fn differs(&self, from: usize, at: usize, found: u8) -> CodecError {
        CodecError::fatal(Fault::OtherByte {
            at: from + at,
            expected: self.bytes[at].unwrap_or_default(),
            found,
        })
    }

    /// Appends the bytes, none of which is open.
    pub(super) fn put(&self, out: &mut BytesMut) {
        out.extend(self.bytes.iter().flatten());
    }
}
