//! The bytes of TCP streams out of their segments.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use super::Direction;
use super::packets::Segment;

/// All directions of all streams, in the order of their first segments.
#[derive(Default)]
pub(super) struct Streams {
    ends: Vec<(SocketAddr, SocketAddr)>,
    pieces: Vec<Pieces>,
    /// Where the last connection of two ends is.
    last: HashMap<(SocketAddr, SocketAddr), usize>,
}

/// The segments of one direction.
#[derive(Default)]
struct Pieces {
    /// The number of the first byte that was seen.
    first: Option<u32>,
    /// The number and the place of the furthest segment that was seen.
    furthest: Option<(u32, i64)>,
    /// Whether no byte can stand before the first one.
    has_begin: bool,
    /// The bytes, by their distance from the first one.
    bytes: BTreeMap<i64, Vec<u8>>,
    is_cut: bool,
}

impl Streams {
    pub(super) fn add(&mut self, segment: Segment<'_>) {
        let ends = (segment.from, segment.to);
        let at = match self.last.get(&ends).copied() {
            // A later connection between the same two ports.
            Some(at) if segment.is_first && self.pieces[at].is_other(segment) => None,
            known => known,
        };
        let at = at.unwrap_or_else(|| {
            self.ends.push(ends);
            self.pieces.push(Pieces::default());
            self.last.insert(ends, self.pieces.len() - 1);
            self.pieces.len() - 1
        });
        self.pieces[at].add(segment);
    }

    pub(super) fn directions(self) -> Vec<Direction> {
        let all = self.ends.into_iter().zip(self.pieces);
        let directions = all.map(|((from, to), pieces)| {
            let (bytes, is_cut) = pieces.joined();
            Direction {
                from: from.to_string(),
                to: to.to_string(),
                bytes,
                is_cut,
            }
        });
        directions
            .filter(|direction| !direction.bytes.is_empty())
            .collect()
    }
}

impl Pieces {
    /// Whether this is the first segment of another connection.
    fn is_other(&self, segment: Segment<'_>) -> bool {
        let first = segment.number.wrapping_add(1);
        !self.bytes.is_empty() && self.first != Some(first)
    }

    fn add(&mut self, segment: Segment<'_>) {
        // SYN has a number of its own, before the first byte.
        let number = segment.number.wrapping_add(u32::from(segment.is_first));
        self.first.get_or_insert(number);
        let at = self.place(number);
        self.has_begin |= segment.is_first;
        // A probe for a silent peer repeats the number before the first byte.
        if at < 0 && self.has_begin {
            return;
        }
        self.is_cut |= segment.is_cut;
        let kept = self.bytes.entry(at).or_default();
        if kept.len() < segment.bytes.len() {
            *kept = segment.bytes.to_vec();
        }
    }

    /// The distance of a byte from the first one. Numbers wrap around, so it is measured from the
    /// furthest byte so far, from which it is at most 2 GiB either way.
    fn place(&mut self, number: u32) -> i64 {
        let (known, place) = *self.furthest.get_or_insert((number, 0));
        #[expect(clippy::cast_possible_wrap, reason = "a distance in either direction")]
        let at = place + i64::from(number.wrapping_sub(known) as i32);
        if at > place {
            self.furthest = Some((number, at));
        }
        at
    }

    /// The bytes up to the first gap, and whether there is one.
    fn joined(self) -> (Vec<u8>, bool) {
        let mut joined = Vec::new();
        let Some(&begin) = self.bytes.keys().find(|at| !self.bytes[at].is_empty()) else {
            return (joined, self.is_cut);
        };
        for (at, bytes) in self.bytes {
            let end = begin + i64::try_from(joined.len()).unwrap_or(i64::MAX);
            match usize::try_from(end - at) {
                // Its front was there already.
                Ok(known) => joined.extend_from_slice(bytes.get(known..).unwrap_or_default()),
                Err(_) if bytes.is_empty() => {}
                Err(_) => return (joined, true),
            }
        }
        (joined, self.is_cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_wrap_around_more_than_once() {
        let mut pieces = Pieces::default();
        let step = 1 << 30;
        let places = (0..12_u32).map(|round| pieces.place(round.wrapping_mul(step)));
        let steps: Vec<_> = (0..12).map(|round| round * i64::from(step)).collect();
        assert_eq!(places.collect::<Vec<_>>(), steps);
    }
}
