//! A stream may be cut anywhere on its way, which must not matter.

use super::Subject;
use super::drive::{Event, same, shown};
use super::inputs::{pieces, random, rounds};
use crate::law::Verdict;

/// A stream of at most this many bytes is cut at every pair of places.
const SHORT: usize = 32;

pub(super) fn any_cut_gives_the_same_frames_and_errors(subject: &Subject) -> Verdict {
    let mut random = random();
    for stream in subject.streams(&mut random)? {
        let due = subject.due(subject.small(), &stream)?;
        cut(subject, &stream, stream.chunks(1).collect(), &due)?;
        at_once(subject, &stream)?;
        if stream.len() <= SHORT {
            every_two(subject, &stream, &due)?;
        }
        for _ in 0..rounds(8) {
            let cuts: [usize; 4] = std::array::from_fn(|_| random.usize(..=stream.len()));
            cut(subject, &stream, pieces(&stream, &cuts), &due)?;
        }
    }
    Ok(())
}

/// If bytes arrive one by one, each frame is decoded with the same byte as if all had been there
/// before.
fn at_once(subject: &Subject, stream: &[u8]) -> Verdict {
    let mut slow = subject.driver(subject.small());
    for here in 0..stream.len() {
        slow.push(&stream[here..=here])?;
        let mut fast = subject.driver(subject.small());
        fast.push(&stream[..=here])?;
        let [slow, fast] = [slow.events.clone(), fast.events].map(|events| subject.joined(events));
        same(&slow, &fast, || {
            format!("{} byte by byte, before the end", shown(&stream[..=here]))
        })?;
    }
    Ok(())
}

fn every_two(subject: &Subject, stream: &[u8], due: &[Event]) -> Verdict {
    for first in 0..=stream.len() {
        for second in first..=stream.len() {
            cut(subject, stream, pieces(stream, &[first, second]), due)?;
        }
    }
    Ok(())
}

fn cut(subject: &Subject, stream: &[u8], pieces: Vec<&[u8]>, due: &[Event]) -> Verdict {
    let lens: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
    let found = subject.joined(subject.driver(subject.small()).stream(pieces)?);
    same(&found, due, || {
        format!(
            "{} in pieces of {lens:?}, against all at once",
            shown(stream)
        )
    })
}
