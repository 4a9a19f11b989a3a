//! The costs that a peer can cause in a codec.

use std::time::Duration;

use bytes::BytesMut;
use rustix::time::{ClockId, clock_gettime};
use socketry_codec::{BoxCodec, Codec, Decoded, End};

use super::drive::{ensure, shown};
use super::inputs::random;
use super::{Limits, Subject};
use crate::law::Verdict;

/// Allocated whatever arrives, for instance for the text of an error.
const ALLOWANCE: u64 = 4096;

pub(super) fn memory_follows_the_bytes_that_arrived(subject: &Subject) -> Verdict {
    let mut random = random();
    let mut begun = subject.claims(&mut random)?;
    let long = subject.frame(&mut random, subject.most.min(64 << 10))?;
    let mut long = subject.wire(&[long])?;
    long.pop();
    begun.push(long);
    // A whole one may have to be restored.
    begun.push(subject.wire(&[subject.frame(&mut random, subject.least + 8)?])?);
    for limits in [subject.small(), subject.roomy()] {
        for begun in &begun {
            claimed(subject, limits, begun)?;
            held(subject, limits, begun)?;
        }
    }
    Ok(())
}

/// A codec must not wait for the payload of a length above the limit.
fn claimed(subject: &Subject, limits: Limits, begun: &[u8]) -> Verdict {
    let answer = subject.codec(limits).decode(begun, End::Open);
    let longest = subject
        .widest
        .map_or(limits.max_frame, |of| of(limits.max_frame));
    let most = longest.saturating_add(2 * begun.len() + 64);
    let waited = matches!(answer, Ok(Decoded::Need(bytes)) if subject.limited && bytes > most);
    ensure(!waited, || {
        format!(
            "{answer:?} of {} where a frame is at most {}",
            shown(begun),
            limits.max_frame
        )
    })
}

/// How many bytes the codec allocates, as the subject's own counter says.
fn held(subject: &Subject, limits: Limits, begun: &[u8]) -> Verdict {
    let Some(count) = subject.counted else {
        return Ok(());
    };
    // What a thread needs once is none of a connection's memory.
    spend(&mut subject.codec(limits), begun, 100, Duration::MAX);
    let mut codec = subject.codec(limits);
    let mut restored = 0;
    let most = count(&mut || {
        let spent = spend(&mut codec, begun, 100, Duration::MAX);
        restored = spent.map_or(0, |spent| spent.restored);
    });
    let due = 4 * (begun.len() + restored) as u64 + ALLOWANCE;
    ensure(most <= due, || {
        format!("{most} bytes are allocated for {}", shown(begun))
    })
}

/// The work is measured for this many bytes, and for [`TIMES`] as many. Few bytes show a slow scan
/// at once, many show a fast one.
const BYTES: [usize; 2] = [1 << 10, 16 << 10];
/// Linear work takes eight times as long then, quadratic work 64 times.
const TIMES: usize = 8;
const BETWEEN: u32 = 22;
/// A busy machine may disturb a measurement.
const ATTEMPTS: usize = 5;

pub(super) fn work_is_linear(subject: &Subject) -> Verdict {
    let max_discard = u64::MAX;
    let small = Limits {
        max_discard,
        ..subject.small()
    };
    for bytes in BYTES {
        for (what, limits, step) in [
            ("a frame that never ends, byte by byte", subject.roomy(), 1),
            ("a frame that is too long, byte by byte", small, 1),
            (
                "short frames that arrive at once",
                subject.roomy(),
                usize::MAX,
            ),
        ] {
            let few = input(subject, bytes, step)?;
            let many = input(subject, TIMES * bytes, step)?;
            // If the codec has no frames that long, there is no work to measure.
            if many.len() < TIMES * bytes / 2 {
                continue;
            }
            let kept = (0..ATTEMPTS).any(|_| is_linear(subject, limits, step, &few, &many));
            ensure(kept, || {
                format!(
                    "{what}: {TIMES} times {bytes} bytes take more than {BETWEEN} times as long"
                )
            })?;
        }
    }
    Ok(())
}

/// `len` bytes: of one frame that lacks its last byte, or of many frames.
fn input(subject: &Subject, len: usize, step: usize) -> Result<Vec<u8>, String> {
    let mut random = random();
    if step == 1 {
        let mut wire = subject.wire(&[subject.frame(&mut random, len.min(subject.most))?])?;
        wire.pop();
        return Ok(wire);
    }
    let frame = subject.frame(&mut random, subject.least + 8)?;
    let one = subject.wire(&[&frame])?;
    Ok(one.repeat(len / one.len()))
}

fn is_linear(subject: &Subject, limits: Limits, step: usize, few: &[u8], many: &[u8]) -> bool {
    let cost = |input: &[u8], budget| spend(&mut subject.codec(limits), input, step, budget);
    let cost = |input: &[u8], budget| cost(input, budget).map(|spent| spent.time);
    let base = (0..3).filter_map(|_| cost(few, Duration::MAX)).min();
    let budget = base.unwrap_or_default() * BETWEEN + Duration::from_millis(2);
    cost(many, budget).is_some()
}

/// What decoding costs.
struct Spent {
    /// The time of the processor.
    time: Duration,
    /// The bytes of the longest frame that was restored.
    restored: usize,
}

/// What decoding costs, with each frame that has to be restored, or `None` if it takes more time
/// than the budget.
fn spend(codec: &mut BoxCodec, input: &[u8], step: usize, budget: Duration) -> Option<Spent> {
    let (begin, mut restored) = (busy(), 0);
    let (mut at, mut here) = (0, 0);
    for asked in 1_u32.. {
        match ask(codec, &input[at.min(here)..here], &mut restored) {
            Some(passed) => at = at.saturating_add(passed),
            None if here == input.len() => break,
            None => here = at.max(here).saturating_add(step).min(input.len()),
        }
        // Reading the clock takes longer than most answers.
        if asked % 256 == 0 && busy() - begin > budget {
            return None;
        }
    }
    let time = busy() - begin;
    Some(Spent { time, restored })
}

/// How many bytes the next answer consumes; `None` if more have to arrive first. `restored` is that
/// of the longest frame.
fn ask(codec: &mut BoxCodec, input: &[u8], restored: &mut usize) -> Option<usize> {
    if input.is_empty() {
        return None;
    }
    match codec.decode(input, End::Open) {
        Ok(Decoded::Frame { consumed, .. }) => Some(consumed),
        Ok(Decoded::Coded {
            start,
            end,
            consumed,
        }) => {
            let mut frame = BytesMut::new();
            // A fault in it costs what it costs.
            let _ = codec.restore(&input[start..end], &mut frame);
            *restored = frame.len().max(*restored);
            Some(consumed)
        }
        Ok(Decoded::Skip(bytes)) => Some(bytes),
        Ok(Decoded::Need(_)) => None,
        // After a fatal error nothing more can be decoded.
        Err(error) => Some(
            error
                .skip
                .and_then(|skip| usize::try_from(skip).ok())
                .unwrap_or(usize::MAX),
        ),
    }
}

/// The processor time of this thread. Other work of the machine is not counted.
fn busy() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
