//! Many frames at once, lent.

use std::fmt;
use std::iter::FusedIterator;
use std::slice;

use crate::ahead::Place;

/// Frames that have arrived, in order, borrowed from the buffer: see
/// [`Framed::recv_many`](super::Framed::recv_many). There is at least one.
///
/// A frame counts as received when the iterator gives it out. If this is dropped before its end,
/// the next receive gives the frames that are left. A [body](super::Framed::body) is that of the
/// last frame that was given out. Frames borrow the receive buffer, so all frames of a batch can be
/// used at once.
#[must_use = "a frame is received when this gives it out"]
pub struct Frames<'a> {
    /// The positions of the frames that are left, each counted from the end of the frame before.
    places: slice::Iter<'a, Place>,
    /// The bytes after the last frame that was given out.
    rest: &'a [u8],
    /// The counts of frames and bytes that were given out.
    given: Given<'a>,
}

/// Two counts, each kept here and written to its reference for each frame. To read it from the
/// reference would make each frame wait for the one before.
pub(super) struct Given<'a> {
    /// Frames that were given out.
    pub(super) frames: (usize, &'a mut usize),
    /// Bytes that were given out.
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
