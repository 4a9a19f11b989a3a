//! The effects of damaged bytes on the frames around them.

use super::Subject;
use super::drive::{Event, ensure, shown};
use super::inputs::{random, rounds};
use super::limits::mended;
use crate::law::Verdict;

/// How often each byte of a frame is damaged, in another way each time.
const TIMES: usize = 3;

pub(super) fn damage_costs_only_the_damaged_frames(subject: &Subject) -> Verdict {
    if !subject.resynchronises {
        return Ok(());
    }
    let mut random = random();
    for _ in 0..rounds(8) {
        let [before, hurt, behind] = [6, 9, 4].map(|len| subject.least + len);
        let before = subject.frame(&mut random, before)?;
        let hurt = subject.wire(&[subject.frame(&mut random, hurt)?])?;
        let behind = subject.frame(&mut random, behind)?;
        for at in 0..hurt.len() {
            for _ in 0..TIMES {
                let mut hurt = hurt.clone();
                match random.u8(..3) {
                    0 => hurt[at] ^= random.u8(1..),
                    1 => drop(hurt.remove(at)),
                    _ => hurt.insert(at, random.u8(..)),
                }
                costs(subject, &before, &hurt, &behind)?;
            }
        }
    }
    Ok(())
}

/// Sends `before`, the damaged bytes, and `behind`. An open stream gets `behind` so often that
/// every length that the damaged bytes claim is filled. A receiver that waited for the end would
/// lose a sensor's frames until it is switched off. A stream that ends gets `behind` once.
fn costs(subject: &Subject, before: &[u8], hurt: &[u8], behind: &[u8]) -> Verdict {
    let longest = vec![subject.frame(&mut random(), subject.small().max_frame)?];
    let (one, widest) = (subject.wire(&[behind])?, subject.wire(&longest)?.len());
    for (many, ends) in [(2 + widest.div_ceil(one.len()), false), (1, true)] {
        let begin = subject.wire(&[before])?;
        let stream = [begin, hurt.to_vec(), one.repeat(many)].concat();
        let mut driver = subject.driver(subject.small());
        for byte in stream.chunks(1) {
            driver.push(byte)?;
        }
        if ends {
            driver.close()?;
        }
        ensure(lost_no_more(&driver.events, before, behind, many), || {
            format!(
                "{}, of which {} is damaged and {many} whole frames stand behind it, becomes {:?}",
                shown(&stream),
                shown(hurt),
                driver.events
            )
        })?;
    }
    Ok(())
}

fn lost_no_more(found: &[Event], before: &[u8], behind: &[u8], many: usize) -> bool {
    let is = |event: &Event, frame: &[u8]| event.as_deref() == Ok(frame);
    let due = found.iter().rev().take_while(|event| is(event, behind));
    let arrived = due.count();
    let within = found.get(1..found.len() - arrived).unwrap_or_default();
    // A checksum can be right by chance. Then the damaged bytes are a frame, which may include some
    // of the next bytes.
    let by_chance = within.iter().any(Result::is_ok);
    found.first().is_some_and(|event| is(event, before))
        && (arrived == many || by_chance)
        && (within.iter().all(Result::is_ok) || mended(within))
}
