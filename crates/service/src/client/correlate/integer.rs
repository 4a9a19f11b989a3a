//! An id that is an integer at a fixed position.

use std::fmt::{self, Debug};
use std::marker::PhantomData;

use bytes::BytesMut;
use socketry_codec::Cause;

use super::Correlate;

/// Ids that are an integer at an offset of each frame, as in DNS. Id 0 is never used: a frame that
/// has it there, or is too short, is a push.
///
/// ```
/// use bytes::BytesMut;
/// use socketry_service::{Correlate, IntegerField};
///
/// let dns = IntegerField::<u16>::at(0); // big-endian
/// let mut request = BytesMut::from(&b"\0\0query"[..]);
/// dns.stamp(&mut request, 258)?;
/// assert_eq!((&request[..], dns.id_of(&request)), (&b"\x01\x02query"[..], Some(258)));
/// # Ok::<(), socketry_codec::Cause>(())
/// ```
///
/// The request brings the bytes of the field, with any value.
#[derive(Clone, Copy)]
pub struct IntegerField<I> {
    offset: usize,
    little: bool,
    kind: PhantomData<fn() -> I>,
}

/// The integers of an [`IntegerField`]: `u8`, `u16`, `u32` and `u64`. With `u8` there are only 255
/// ids, so an answer that comes late is soon taken for another one.
pub trait Integer: sealed::Sealed + 'static {}

mod sealed {
    pub trait Sealed {
        const BYTES: usize;
    }
}

macro_rules! integer {
    ($($integer:ty),*) => {
        $(impl sealed::Sealed for $integer {
            const BYTES: usize = size_of::<$integer>();
        }
        impl Integer for $integer {})*
    };
}

integer!(u8, u16, u32, u64);

impl<I: Integer> IntegerField<I> {
    /// The integer begins at byte `offset`, and its most significant byte comes first.
    pub fn at(offset: usize) -> Self {
        IntegerField {
            offset,
            little: false,
            kind: PhantomData,
        }
    }

    /// The same, but the least significant byte comes first.
    #[must_use]
    pub fn little_endian(self) -> Self {
        let little = true;
        IntegerField { little, ..self }
    }

    fn end(&self) -> usize {
        self.offset.saturating_add(I::BYTES)
    }
}

impl<I: Integer> Correlate for IntegerField<I> {
    fn last_id(&self) -> u64 {
        u64::MAX >> (64 - 8 * I::BYTES)
    }

    fn stamp(&self, request: &mut BytesMut, id: u64) -> Result<(), Cause> {
        let (len, end) = (request.len(), self.end());
        let field = request.get_mut(self.offset..end).ok_or_else(|| {
            Cause::from(format!(
                "it has {len} bytes, and its id is in the bytes {} to {end}",
                self.offset
            ))
        })?;
        if self.little {
            field.copy_from_slice(&id.to_le_bytes()[..I::BYTES]);
        } else {
            field.copy_from_slice(&id.to_be_bytes()[8 - I::BYTES..]);
        }
        Ok(())
    }

    fn id_of(&self, frame: &[u8]) -> Option<u64> {
        let field = frame.get(self.offset..self.end())?;
        let add = |id: u64, byte: &u8| id << 8 | u64::from(*byte);
        let id = match self.little {
            true => field.iter().rev().fold(0, add),
            false => field.iter().fold(0, add),
        };
        (id != 0).then_some(id)
    }
}

impl<I: Integer> Debug for IntegerField<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.little { "little" } else { "big" };
        let (bytes, offset) = (I::BYTES, self.offset);
        write!(f, "IntegerField({bytes} bytes at {offset}, {order}-endian)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped<I: Integer>(field: &IntegerField<I>, id: u64) -> Vec<u8> {
        let mut frame = BytesMut::zeroed(10);
        field.stamp(&mut frame, id).expect("room");
        assert_eq!(field.id_of(&frame), Some(id));
        frame.to_vec()
    }

    #[test]
    fn an_id_lies_in_its_bytes_alone() {
        assert_eq!(
            stamped(&IntegerField::<u32>::at(2), 0x0102_0304),
            [0, 0, 1, 2, 3, 4, 0, 0, 0, 0]
        );
        assert_eq!(
            stamped(&IntegerField::<u32>::at(6).little_endian(), 0x0102_0304),
            [0, 0, 0, 0, 0, 0, 4, 3, 2, 1]
        );
        assert_eq!(
            stamped(&IntegerField::<u8>::at(9), 255),
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 255]
        );
        assert_eq!(
            stamped(&IntegerField::<u64>::at(0), u64::MAX)[..8],
            [255; 8]
        );
        assert_eq!(IntegerField::<u8>::at(0).last_id(), 255);
        assert_eq!(IntegerField::<u64>::at(0).last_id(), u64::MAX);
    }

    #[test]
    fn a_short_frame_has_no_id() {
        let field = IntegerField::<u16>::at(3);
        assert!(field.stamp(&mut BytesMut::zeroed(4), 1).is_err());
        assert_eq!(field.id_of(&[1; 4]), None);
        assert_eq!(field.id_of(&[0; 5]), None);
        assert_eq!(IntegerField::<u16>::at(usize::MAX).id_of(&[1; 4]), None);
    }
}
