//! The state of a codec, and which calls may change it.

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, End};

use super::Subject;
use super::drive::{Driver, ensure, same, shown};
use super::inputs::random;
use crate::law::Verdict;

pub(super) fn a_clone_is_independent(subject: &Subject) -> Verdict {
    let streams = subject.streams(&mut random())?;
    for (one, other) in streams.iter().zip(streams.iter().rev()) {
        for cut in [0, 1, one.len() / 3, one.len() / 2, one.len()] {
            let (head, tail) = one.split_at(cut.min(one.len()));
            apart(subject, head, tail, other)?;
        }
    }
    Ok(())
}

/// After `head`, a codec and its clone take turns. Each must give at each byte the same answer as
/// if it was alone.
fn apart(subject: &Subject, head: &[u8], tail: &[u8], other: &[u8]) -> Verdict {
    let mut first = subject.driver(subject.small());
    first.push(head)?;
    let mut second = first.clone();
    let mut alone = [
        subject.driver(subject.small()),
        subject.driver(subject.small()),
    ];
    alone[0].push(head)?;
    alone[1].push(head)?;
    for at in 0..tail.len().max(other.len()) {
        let bytes = [tail, other].map(|bytes| bytes.get(at..=at).unwrap_or_default());
        let told = [&mut first, &mut second].into_iter().zip(&mut alone);
        for ((driver, alone), byte) in told.zip(bytes) {
            driver.push(byte)?;
            alone.push(byte)?;
            same(&driver.events, &alone.events, || {
                format!(
                    "behind {}, {} and a clone that is told {}",
                    shown(head),
                    shown(tail),
                    shown(other)
                )
            })?;
        }
    }
    Ok(())
}

pub(super) fn sending_does_not_disturb_receiving(subject: &Subject) -> Verdict {
    let mut random = random();
    let frames = subject.frames(&mut random, 8)?;
    for stream in subject.streams(&mut random)? {
        let mut driver = subject.driver(subject.small());
        for (byte, frame) in stream.chunks(1).zip(frames.iter().cycle()) {
            driver.push(byte)?;
            // Whether the frame is accepted does not matter.
            let _ = driver.codec.encode(frame, &mut BytesMut::new());
            let _ = driver.codec.envelope(frame);
        }
        driver.close()?;
        let due = subject.driver(subject.small()).stream(stream.chunks(1))?;
        same(&driver.events, &due, || {
            format!("{}, with frames encoded in between", shown(&stream))
        })?;
    }
    Ok(())
}

pub(super) fn at_boundary_says_that_another_may_take_over(subject: &Subject) -> Verdict {
    let new = subject.codec(subject.small()).at_boundary();
    ensure(new, || {
        "a new codec says that it is not at a frame boundary".to_owned()
    })?;
    for stream in subject.streams(&mut random())? {
        let mut driver = subject.driver(subject.small());
        for at in 0..stream.len() {
            driver.arrive(&stream[at..=at]);
            taken_over(subject, &driver, &stream[at + 1..], &stream)?;
            while let Some(event) = driver.next(End::Open)? {
                ensure(event.is_err() || driver.codec.at_boundary(), || {
                    format!(
                        "behind a frame of {} it is not at a frame boundary",
                        shown(&stream)
                    )
                })?;
                taken_over(subject, &driver, &stream[at + 1..], &stream)?;
            }
            taken_over(subject, &driver, &stream[at + 1..], &stream)?;
        }
    }
    Ok(())
}

/// If a new codec may take over here, the rest must give the same events.
fn taken_over(subject: &Subject, driver: &Driver<BoxCodec>, rest: &[u8], stream: &[u8]) -> Verdict {
    if driver.waits() || !driver.codec.at_boundary() {
        return Ok(());
    }
    let pieces = || std::iter::once(rest);
    let mut stays = driver.clone();
    stays.events.clear();
    let stays = stays.stream(pieces())?;
    let mut takes = subject.driver(subject.small());
    takes.arrive(&driver.bytes);
    let takes = takes.stream(pieces())?;
    same(&takes, &stays, || {
        format!(
            "a new codec takes over {} bytes before the end of {}",
            rest.len() + driver.bytes.len(),
            shown(stream)
        )
    })
}
