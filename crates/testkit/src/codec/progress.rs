//! The codec makes progress, whatever arrives.

use socketry_codec::{Codec, Decoded, End};

use super::drive::{Driver, Event, ensure, lies_within, same, shown};
use super::inputs::{arrived, random};
use super::{Limits, Subject};
use crate::law::Verdict;

pub(super) fn positions_lie_within_the_input(subject: &Subject) -> Verdict {
    for stream in subject.streams(&mut random())? {
        for here in 0..=stream.len() {
            for end in [End::Open, End::Closed, End::Datagram] {
                let input = &stream[..here];
                let answer = subject.codec(subject.small()).decode(input, end);
                let within = answer
                    .as_ref()
                    .map_or(true, |answer| lies_within(*answer, here, end));
                ensure(within, || {
                    format!("{answer:?} of {}, {end:?}", shown(input))
                })?;
            }
        }
    }
    Ok(())
}

pub(super) fn every_error_makes_progress(subject: &Subject) -> Verdict {
    for stream in subject.streams(&mut random())? {
        let mut driver = subject.driver(subject.small());
        for (at, byte) in stream.chunks(1).enumerate() {
            driver.arrive(byte);
            moves(&mut driver, End::Open, &stream[..=at])?;
        }
        moves(&mut driver, End::Closed, &stream)?;
    }
    Ok(())
}

/// Takes all answers, and checks that each error passes over bytes that no error before it did.
fn moves<C: Codec>(driver: &mut Driver<C>, end: End, stream: &[u8]) -> Verdict {
    let mut before = driver.passed;
    while let Some(event) = driver.next(end)? {
        let moved = driver.over || driver.passed > before;
        ensure(moved, || {
            format!("{event:?} at byte {before} of {}", shown(stream))
        })?;
        before = driver.passed;
    }
    Ok(())
}

pub(super) fn after_an_error_the_next_frame_is_found(subject: &Subject) -> Verdict {
    let mut random = random();
    let next = subject.frame(&mut random, subject.least + 5)?;
    for stream in subject.streams(&mut random)? {
        let mut driver = subject.driver(subject.small());
        driver.arrive(&stream);
        if !errs(&mut driver)? || driver.over || !driver.codec.at_boundary() {
            continue;
        }
        let Some(passed) = usize::try_from(driver.passed).ok().filter(|n| *n < 1 << 20) else {
            continue;
        };
        let mut mended = stream.clone();
        mended.resize(passed, 0);
        let mended = [mended, subject.wire(&[&next])?].concat();
        let found = subject.due(subject.small(), &mended)?;
        let behind = found.iter().skip_while(|event| event.is_ok()).skip(1);
        let behind: Vec<Event> = behind.cloned().collect();
        same(&behind, &arrived(&[&next]), || {
            format!("{}, behind its error", shown(&mended))
        })?;
    }
    Ok(())
}

/// Whether the buffered bytes give an error.
fn errs<C: Codec>(driver: &mut Driver<C>) -> Result<bool, String> {
    while let Some(event) = driver.next(End::Open)? {
        if event.is_err() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn need_is_truthful(subject: &Subject) -> Verdict {
    let mut random = random();
    for frame in subject.frames(&mut random, 20)? {
        let first = subject.wire(&[&frame])?.len();
        // No receiver waits for a frame that has no bytes on the wire.
        if first == 0 {
            continue;
        }
        let wire = subject.wire(&[&frame, &frame])?;
        obeyed(subject, &wire, first)?;
        (0..first).try_for_each(|here| asks(subject, subject.roomy(), &wire[..here], first))?;
    }
    if !subject.limited {
        return Ok(());
    }
    let widest = subject.frame(&mut random, subject.small().max_frame)?;
    // A header may be longer for other frames than for this one.
    let envelope = subject.wire(&[&widest])?.len() - widest.len();
    let widest = match subject.widest {
        Some(of) => of(widest.len()),
        None => widest.len() + 2 * envelope,
    };
    for stream in subject.streams(&mut random)? {
        (0..=stream.len())
            .try_for_each(|here| asks(subject, subject.small(), &stream[..here], widest))?;
    }
    Ok(())
}

/// Adds exactly as many bytes as the codec asks for until the frame is complete.
fn obeyed(subject: &Subject, wire: &[u8], first: usize) -> Verdict {
    let (mut codec, mut here) = (subject.codec(subject.roomy()), 0);
    while let Ok(Decoded::Need(bytes)) = codec.decode(&wire[..here], End::Open) {
        let truthful = bytes > 0 && bytes <= first.saturating_sub(here);
        ensure(truthful, || {
            format!(
                "with {here} of the {first} bytes of {} it asks for {bytes}",
                shown(&wire[..first])
            )
        })?;
        here += bytes;
    }
    Ok(())
}

/// A new codec asks for no more than `widest` bytes in all, those that are here included.
fn asks(subject: &Subject, limits: Limits, begun: &[u8], widest: usize) -> Verdict {
    match subject.codec(limits).decode(begun, End::Open) {
        Ok(Decoded::Need(bytes)) => ensure(begun.len().saturating_add(bytes) <= widest, || {
            format!(
                "of {} it asks for {bytes} more, and a frame takes at most {widest}",
                shown(begun)
            )
        }),
        _ => Ok(()),
    }
}
