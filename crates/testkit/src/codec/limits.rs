//! Limits hold to the byte.

use bytes::BytesMut;
use socketry_codec::Codec;

use super::drive::{Event, Wrong, ensure, same, shown};
use super::inputs::{arrived, pieces, random, rounds};
use super::{Limits, Subject};
use crate::law::Verdict;

pub(super) fn a_frame_at_the_limit_passes(subject: &Subject) -> Verdict {
    if !subject.limited {
        return Ok(());
    }
    let limits = subject.small();
    for len in [limits.max_frame - 1, limits.max_frame] {
        let frame = subject.frame(&mut random(), len)?;
        let mut wire = BytesMut::new();
        let sent = subject.codec(limits).encode(&frame, &mut wire);
        ensure(sent.is_ok(), || {
            format!("{sent:?} of {len} bytes at most {}", limits.max_frame)
        })?;
        let how = || format!("{} with at most {}", shown(&wire), limits.max_frame);
        same(&subject.due(limits, &wire)?, &arrived(&[&frame]), how)?;
        let bytewise = subject.driver(limits).stream(wire.chunks(1))?;
        same(&bytewise, &arrived(&[&frame]), how)?;
    }
    Ok(())
}

pub(super) fn no_frame_is_above_the_limit(subject: &Subject) -> Verdict {
    if !subject.limited {
        return Ok(());
    }
    let limits = subject.small();
    for stream in subject.streams(&mut random())? {
        let found = [
            subject.driver(limits).stream(stream.chunks(7))?,
            subject.driver(limits).datagram(&stream)?,
        ];
        let long = found
            .iter()
            .flatten()
            .flatten()
            .find(|frame| frame.len() > limits.max_frame);
        ensure(long.is_none(), || {
            let max = limits.max_frame;
            let found = format!("of {} comes {long:?} with at most {max}", shown(&stream));
            format!("{found}; no limit is declared with Subject::without_limits")
        })?;
    }
    Ok(())
}

pub(super) fn a_frame_above_the_limit_is_not_sent(subject: &Subject) -> Verdict {
    if !subject.limited {
        return Ok(());
    }
    let limits = subject.small();
    let frame = subject.frame(&mut random(), limits.max_frame + 1)?;
    let sent = subject.codec(limits).encode(&frame, &mut BytesMut::new());
    ensure(sent.is_err(), || {
        format!(
            "{} is sent with at most {}; no limit is declared with Subject::without_limits",
            shown(&frame),
            limits.max_frame
        )
    })
}

pub(super) fn a_frame_above_the_limit_is_one_error(subject: &Subject) -> Verdict {
    if !subject.limited {
        return Ok(());
    }
    let mut random = random();
    for above in [1, 2, 3, 8] {
        let limits = Limits {
            max_discard: 1 << 20,
            ..subject.small()
        };
        let long = subject.frame(&mut random, limits.max_frame + above)?;
        let next = subject.frame(&mut random, subject.least + 3)?;
        let stream = subject.wire(&[&next, &long, &next])?;
        for _ in 0..rounds(16) {
            let cuts: [usize; 4] = std::array::from_fn(|_| random.usize(..=stream.len()));
            let found = subject.driver(limits).stream(pieces(&stream, &cuts))?;
            one_error(subject, &found, &next, &stream)?;
        }
        one_error(
            subject,
            &subject.driver(limits).stream(stream.chunks(1))?,
            &next,
            &stream,
        )?;
        one_error(subject, &subject.due(limits, &stream)?, &next, &stream)?;
    }
    Ok(())
}

/// Expects the whole frame before the long one, then one error, then `next` if the codec skips.
fn one_error(subject: &Subject, found: &[Event], next: &[u8], stream: &[u8]) -> Verdict {
    let is_next = |event: &Event| event.as_deref() == Ok(next);
    let kept = match found {
        [first, within @ .., last] if subject.resynchronises => {
            is_next(first) && is_next(last) && mended(within)
        }
        [first, Err(Wrong { fatal: false, .. }), last] => {
            subject.skips && is_next(first) && is_next(last)
        }
        [first, Err(Wrong { fatal: true, .. })] => !subject.skips && is_next(first),
        _ => false,
    };
    ensure(kept, || {
        format!(
            "{}, of which the second frame is too long, becomes {found:?}; \
             if that is always fatal, declare it with Subject::without_skipping; \
             if the codec searches for the next frame, with Subject::resynchronising",
            shown(stream)
        )
    })
}

/// Whether a resynchronising codec may answer so to a frame that is too long: only with errors,
/// none of them fatal.
pub(super) fn mended(within: &[Event]) -> bool {
    let fatal = |event: &Event| matches!(event, Err(Wrong { fatal: true, .. }));
    within.iter().any(Result::is_err) && !within.iter().any(fatal)
}

pub(super) fn the_discard_limit_is_exact(subject: &Subject) -> Verdict {
    if !subject.limited || !subject.skips || !subject.discards {
        return Ok(());
    }
    let mut random = random();
    let small = subject.small();
    let next = subject.frame(&mut random, subject.least + 3)?;
    for above in [10, 20, 30] {
        let long = subject.frame(&mut random, small.max_frame + above)?;
        let exact = subject.wire(&[&long])?.len() as u64;
        let stream = subject.wire(&[&long, &next])?;
        for (max_discard, passes) in [(exact, true), (exact - 1, false), (0, false)] {
            let limits = Limits {
                max_discard,
                ..small
            };
            let found = subject.driver(limits).stream(stream.chunks(1))?;
            same(&subject.due(limits, &stream)?, &found, || shown(&stream))?;
            ensure(discards(&found, &next, passes), || {
                format!(
                    "{}, whose first frame takes {exact} bytes, \
                     at most {max_discard} passed over: {found:?}; \
                     if there is no such limit, declare it with Subject::without_max_discard; \
                     if the codec searches for the next frame, with Subject::resynchronising",
                    shown(&stream)
                )
            })?;
        }
    }
    Ok(())
}

/// The codec may learn late that a frame exceeds the limit, so an error for the frame may come
/// before the fatal one.
fn discards(found: &[Event], next: &[u8], passes: bool) -> bool {
    match found {
        [Err(Wrong { fatal: false, .. }), last] if passes => last.as_deref() == Ok(next),
        [Err(Wrong { fatal: true, .. })] => !passes,
        [
            Err(Wrong { fatal: false, .. }),
            Err(Wrong { fatal: true, .. }),
        ] => !passes,
        _ => false,
    }
}
