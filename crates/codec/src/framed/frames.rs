//! Many frames at once, lent.

use std::fmt;
use std::iter::FusedIterator;
use std::slice;

use crate::ahead::Place;

/// Frames that are here, in order, in place: see [`Framed::recv_many`](super::Framed::recv_many).
/// There is one at least.
///
/// A frame is received when the iterator gives it out, and not before: those that are left when
/// this is dropped come again with the next receive, and a [body](super::Framed::body) is the one
/// of the last frame that was given out. Frames borrow the receive buffer, so all of a batch can be
/// held at once.
#[must_use = "a frame is received when this gives it out"]
pub struct Frames<'a> {
    /// Where those lie that are left, each from where the one before ends.
    places: slice::Iter<'a, Place>,
    /// What is behind the last frame that was given out.
    rest: &'a [u8],
    /// How many frames of the batch, and how many bytes of the buffer, are given out.
    given: (&'a mut usize, &'a mut usize),
}

impl<'a> Frames<'a> {
    #[inline]
    pub(super) fn new(
        places: &'a [Place],
        rest: &'a [u8],
        given: (&'a mut usize, &'a mut usize),
    ) -> Self {
        let places = places.iter();
        Frames {
            places,
            rest,
            given,
        }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let place = self.places.next()?;
        let (frame, rest) = self.rest.split_at(place.consumed);
        self.rest = rest;
        *self.given.0 += 1;
        *self.given.1 += place.consumed;
        Some(&frame[place.start..place.end])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl ExactSizeIterator for Frames<'_> {}
impl FusedIterator for Frames<'_> {}

impl fmt::Debug for Frames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frames({} left)", self.places.len())
    }
}
