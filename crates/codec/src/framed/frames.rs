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
    /// Where it is noted how many frames, and how many bytes, are given out.
    given: Given<'a>,
}

/// How much is given out: kept here, and written there for each frame. A number that is read there
/// again would make each frame wait for the one before.
pub(super) struct Given<'a> {
    /// How many frames.
    pub(super) frames: (usize, &'a mut usize),
    /// How many bytes.
    pub(super) bytes: (usize, &'a mut usize),
}

impl<'a> Frames<'a> {
    #[inline]
    pub(super) fn new(places: &'a [Place], rest: &'a [u8], given: Given<'a>) -> Self {
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
        let Given { frames, bytes } = &mut self.given;
        (frames.0, bytes.0) = (frames.0 + 1, bytes.0 + place.consumed);
        (*frames.1, *bytes.1) = (frames.0, bytes.0);
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
