//! Frames that one call of a codec finds behind the first.

use crate::Decoded;
use crate::limits::FRAMES_AT_ONCE;

/// The positions of the whole frames behind the first.
/// [`Codec::decode_many`](crate::Codec::decode_many) fills it.
///
/// It holds one frame less than [`FRAMES_AT_ONCE`], in 3 KiB. The caller that asks a codec for many
/// frames gives them out one by one. It may [forget](Ahead::clear) those that are left at any time,
/// and then asks the codec again from the next frame on.
///
/// ```
/// use socketry_codec::{Ahead, Codec, Decoded, End, Struct};
///
/// let (mut codec, mut ahead) = (Struct::new(">H".parse()?), Ahead::new());
/// let wire = b"\0\x01a\0\x02bc\0\x03d";
/// let first = codec.decode_many(wire, End::Open, &mut ahead)?;
/// assert_eq!(first, Decoded::Frame { start: 2, end: 3, consumed: 3 });
/// // Its positions are counted from the end of the first frame.
/// assert_eq!(ahead.next(), Some(Decoded::Frame { start: 2, end: 4, consumed: 4 }));
/// assert_eq!(ahead.next(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ahead {
    /// The first place is free for the frame before these: see [`first`](Ahead::first).
    places: [Place; FRAMES_AT_ONCE],
    /// The places before this index are given out.
    given: usize,
    /// The places before this index are frames.
    found: usize,
    /// The bytes that all frames behind the first take together.
    reach: usize,
}

/// The positions of a frame, as in [`Decoded::Frame`]: counted from the end of the frame before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) consumed: usize,
}

impl Place {
    /// The frame in an answer about `here` bytes, if its positions are possible.
    #[inline(always)]
    pub(crate) fn sound(answer: Decoded, here: usize) -> Option<Place> {
        match answer {
            Decoded::Frame {
                start,
                end,
                consumed,
            } if Decoded::is_sound_frame(start, end, consumed, here) => Some(Place {
                start,
                end,
                consumed,
            }),
            _ => None,
        }
    }
}

impl Ahead {
    /// Without frames.
    pub fn new() -> Self {
        Ahead {
            places: [Place::default(); FRAMES_AT_ONCE],
            given: 1,
            found: 1,
            reach: 0,
        }
    }

    /// Forgets all frames.
    #[inline]
    pub fn clear(&mut self) {
        (self.given, self.found, self.reach) = (1, 1, 0);
    }

    /// Adds the frames behind `first`, the answer about `input`, as long as there is room and
    /// `whole` finds a frame at the front of the rest. `whole` gives a [`Decoded::Frame`] as
    /// `decode` would. Any other answer ends the batch, and must leave the codec as if it had not
    /// looked there.
    #[inline(always)]
    pub fn behind(
        &mut self,
        first: Decoded,
        input: &[u8],
        mut whole: impl FnMut(&[u8]) -> Option<Decoded>,
    ) {
        let Some(Place { consumed, .. }) = Place::sound(first, input.len()) else {
            return;
        };
        let (mut rest, mut found) = (&input[consumed..], self.found);
        for room in &mut self.places[found..] {
            if rest.is_empty() {
                break;
            }
            let Some(place) = whole(rest).and_then(|answer| Place::sound(answer, rest.len()))
            else {
                break;
            };
            *room = place;
            rest = &rest[place.consumed..];
            found += 1;
        }
        self.reach += input.len() - consumed - rest.len();
        self.found = found;
    }

    /// Puts the frame that the codec answered with before those behind it. Gives whether all of
    /// them are within an input of `here` bytes.
    #[cfg(feature = "net")]
    #[inline]
    pub(crate) fn first(&mut self, place: Place, here: usize) -> bool {
        self.places[0] = place;
        self.given = 0;
        place.consumed + self.reach <= here
    }

    /// The next place, given out.
    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<Place> {
        let place = *self.places[..self.found].get(self.given)?;
        self.given += 1;
        Some(place)
    }

    /// The next `most` places, or as many as there are, and the count of places that are given out,
    /// which the caller updates.
    #[cfg(feature = "net")]
    #[inline]
    pub(crate) fn lend(&mut self, most: usize) -> (&[Place], &mut usize) {
        let until = self.found.min(self.given.saturating_add(most));
        (&self.places[self.given..until], &mut self.given)
    }

    /// Whether all were given out.
    #[cfg(feature = "net")]
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.given == self.found
    }
}

impl Iterator for Ahead {
    type Item = Decoded;

    /// The next frame, as [`decode`](crate::Codec::decode) would have answered behind the one
    /// before.
    fn next(&mut self) -> Option<Decoded> {
        let Place {
            start,
            end,
            consumed,
        } = self.pop()?;
        Some(Decoded::Frame {
            start,
            end,
            consumed,
        })
    }
}

impl Default for Ahead {
    fn default() -> Self {
        Ahead::new()
    }
}
