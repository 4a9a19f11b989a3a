//! Many frames at once, lent.

use std::any::TypeId;
use std::fmt;
use std::iter::FusedIterator;
use std::slice;

use crate::contract::Place;
use crate::{BoxCodec, Codec, End};

/// Frames that have arrived, in order, borrowed from the buffer: see
/// [`Framed::recv_many`](super::Framed::recv_many). There is at least one.
///
/// A frame counts as received when the iterator gives it out. If this is dropped before its end,
/// the next receive gives the frames that are left. A [body](super::Framed::body) is that of the
/// last frame that was given out. Frames borrow the receive buffer, so all frames of a batch can be
/// used at once.
///
/// The fastest loop is [`for_each`](Iterator::for_each).
#[must_use = "a frame is received when this gives it out"]
pub struct Frames<'a, C = BoxCodec> {
    /// The positions of frames that were found already.
    pub(super) places: slice::Iter<'a, Place>,
    /// The number of places that were given out.
    pub(super) given: Count<'a>,
    /// The bytes behind the last frame that was given out.
    pub(super) rest: &'a [u8],
    /// The position of `rest` in the buffer.
    pub(super) pos: Count<'a>,
    /// Finds the frames behind the places, at most `left`.
    pub(super) codec: &'a mut C,
    pub(super) end: End,
    pub(super) left: usize,
}

/// Whether frames are found in batches, by one call of a boxed codec for each. With any other codec
/// a frame is found when it is given out: one loop is faster than two.
#[inline(always)]
pub(super) fn in_batches<C: Codec>() -> bool {
    TypeId::of::<C>() == TypeId::of::<BoxCodec>()
}

/// A count that is kept here, and written to its reference for each frame. To read it from the
/// reference would make each frame wait for the one before.
pub(super) struct Count<'a>(usize, &'a mut usize);

impl<'a> Count<'a> {
    #[inline(always)]
    pub(super) fn new(count: &'a mut usize) -> Self {
        Count(*count, count)
    }

    #[inline(always)]
    fn add(&mut self, more: usize) {
        self.0 += more;
        *self.1 = self.0;
    }
}

/// Gives out the frame at `place` of `rest`, whose position is `pos`.
#[inline(always)]
fn give<'a>(place: Place, rest: &mut &'a [u8], pos: &mut Count<'_>) -> &'a [u8] {
    let (frame, behind) = rest.split_at(place.consumed);
    *rest = behind;
    pos.add(place.consumed);
    &frame[place.start..place.end]
}

/// Finds the frame at the front of `rest`, and gives it out.
///
/// Its arguments are not fields of one value: so the compiler knows that to write `pos` does not
/// change the codec, which it then reads once and not for each frame.
#[inline(always)]
fn find<'a, C: Codec>(
    codec: &mut C,
    end: End,
    left: &mut usize,
    rest: &mut &'a [u8],
    pos: &mut Count<'_>,
) -> Option<&'a [u8]> {
    if in_batches::<C>() {
        return None;
    }
    *left = left.checked_sub(1)?;
    let answer = codec.whole(rest, end);
    match answer.and_then(|answer| Place::sound(answer, rest.len())) {
        // Behind another frame none is without bytes. Only an empty datagram may be one.
        Some(place) if place.consumed > 0 => Some(give(place, rest, pos)),
        _ => {
            *left = 0;
            None
        }
    }
}

/// All frames that `codec` finds, for [`fold`](Iterator::fold).
#[inline]
fn fold_found<'a, C: Codec, B>(
    codec: &mut C,
    pos: &mut usize,
    (end, mut left, mut rest): (End, usize, &'a [u8]),
    mut folded: B,
    mut step: impl FnMut(B, &'a [u8]) -> B,
) -> B {
    let mut pos = Count::new(pos);
    while let Some(frame) = find(codec, end, &mut left, &mut rest, &mut pos) {
        folded = step(folded, frame);
    }
    folded
}

impl<'a, C: Codec> Frames<'a, C> {
    /// Gives out a frame that was found already.
    #[inline(always)]
    fn found(&mut self) -> Option<&'a [u8]> {
        let place = *self.places.next()?;
        self.given.add(1);
        Some(give(place, &mut self.rest, &mut self.pos))
    }
}

impl<'a, C: Codec> Iterator for Frames<'a, C> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        if let Some(frame) = self.found() {
            return Some(frame);
        }
        let left = &mut self.left;
        find(self.codec, self.end, left, &mut self.rest, &mut self.pos)
    }

    #[inline(always)]
    fn fold<B, F: FnMut(B, &'a [u8]) -> B>(mut self, mut folded: B, mut step: F) -> B {
        while let Some(frame) = self.found() {
            folded = step(folded, frame);
        }
        let bytes = (self.end, self.left, self.rest);
        fold_found(self.codec, self.pos.1, bytes, folded, step)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let found = self.places.len();
        (found, Some(found + self.left))
    }
}

impl<C: Codec> FusedIterator for Frames<'_, C> {}

impl<C> fmt::Debug for Frames<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frames(at most {} left)", self.places.len() + self.left)
    }
}
