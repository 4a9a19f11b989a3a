//! Which codecs of the catalogue read captured bytes, and how likely each is.

mod candidates;
mod content;
mod evidence;
mod records;

use candidates::{candidates, of_records};
use evidence::{LEAST, Reading};

/// One way to read the bytes as frames, from the first byte to the last, or up to a fault.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Guess {
    /// The codecs that find just these frames, the most likely first.
    pub names: Vec<String>,
    /// How many of these names, from the first, are as likely as the first. The bytes do not tell
    /// which of them it is.
    pub likely: usize,
    /// The bytes before the first frame, and what they are.
    pub opening: Option<(usize, &'static str)>,
    /// The number of whole frames.
    pub frames: usize,
    /// The bytes behind them, which are the beginning of another one.
    pub unfinished: usize,
    /// The place of the first bytes that are no frame, and what is wrong with them. What follows
    /// was not looked at.
    pub fault: Option<(usize, String)>,
    /// What speaks for the first name, in bits: random bytes would fit with a chance of about 1 to
    /// 2 to the power of this.
    pub bits: f64,
}

/// The ways in which codecs of the catalogue read `bytes`, the most likely first. For no bytes
/// there is none.
///
/// These are all ways to read the whole. Where little speaks for any of them, records of one length
/// (`fixed:16`) are looked for, and codecs that read many frames before a [fault](Guess::fault).
///
/// What is counted is what a frame has besides its payload: a length of four bytes that leads
/// exactly to the next length says much, a length of one byte little. Then it is looked at whether
/// the frames can be those of the protocol.
pub fn guess(bytes: &[u8]) -> Vec<Guess> {
    let readings = candidates().filter_map(|candidate| candidate.read(bytes));
    let (mut readings, cut) = readings.partition::<Vec<_>, _>(|reading| reading.fault.is_none());
    if readings.iter().all(|reading| reading.bits() < LEAST) {
        let records = of_records(bytes).and_then(|candidate| candidate.read(bytes));
        let records = records.filter(|reading| reading.bits() >= LEAST);
        readings.extend(records.into_iter().chain(cut));
    }
    readings.sort_by(|a, b| b.bits().total_cmp(&a.bits()));
    let mut groups: Vec<Vec<Reading>> = Vec::new();
    for reading in readings {
        match groups.iter_mut().find(|group| group[0].is_same(&reading)) {
            Some(group) => group.push(reading),
            None => groups.push(vec![reading]),
        }
    }
    groups.iter().map(|group| Guess::of(group)).collect()
}

impl Guess {
    /// Readings that find the same frames, the most likely first.
    fn of(group: &[Reading]) -> Guess {
        let first = &group[0];
        let likely = group
            .iter()
            .filter(|reading| reading.bits() == first.bits());
        Guess {
            names: group.iter().map(|reading| reading.name.clone()).collect(),
            likely: likely.count(),
            opening: first.opening,
            frames: first.places.len(),
            unfinished: first.unfinished,
            fault: first.fault.clone(),
            bits: first.bits(),
        }
    }
}
