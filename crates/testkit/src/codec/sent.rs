//! Encoded frames, and how a peer decodes them.

use bytes::BytesMut;
use socketry_codec::Codec;

use super::Subject;
use super::drive::{ensure, same, shown};
use super::inputs::{arrived, random, rounds};
use crate::law::Verdict;

pub(super) fn sent_frames_arrive(subject: &Subject) -> Verdict {
    let mut random = random();
    let long = [100, 1000, 5000].map(|len| len.clamp(subject.least, subject.most));
    let mut frames = subject.frames(&mut random, 20)?;
    for len in long {
        frames.push(subject.frame(&mut random, len)?);
    }
    frames
        .iter()
        .try_for_each(|frame| arrives(subject, &[frame]))
}

fn arrives<F: AsRef<[u8]>>(subject: &Subject, frames: &[F]) -> Verdict {
    let wire = subject.wire(frames)?;
    let found = subject.due(subject.roomy(), &wire)?;
    same(&found, &subject.joined(arrived(frames)), || {
        format!("{}, as encoded", shown(&wire))
    })
}

pub(super) fn frames_share_a_buffer(subject: &Subject) -> Verdict {
    let mut random = random();
    for _ in 0..rounds(32) {
        let mut frames = subject.frames(&mut random, 12)?;
        random.shuffle(&mut frames);
        arrives(subject, &frames)?;
    }
    Ok(())
}

/// Arbitrary frames, of which some codecs refuse some.
fn arbitrary(subject: &Subject) -> Result<Vec<Vec<u8>>, String> {
    let mut random = random();
    let good = subject.frames(&mut random, 20)?;
    let streams = subject.streams(&mut random)?;
    let long = streams.concat();
    let bytes = (0..=255).map(|byte| vec![byte]);
    Ok([good, streams, bytes.collect(), vec![Vec::new(), long]].concat())
}

pub(super) fn accepted_frames_arrive_unchanged(subject: &Subject) -> Verdict {
    for limits in [subject.small(), subject.roomy()] {
        for frame in arbitrary(subject)? {
            let mut wire = BytesMut::new();
            if subject.codec(limits).encode(&frame, &mut wire).is_err() {
                continue;
            }
            let due = arrived(&[&frame]);
            let how = || format!("{} was taken and became {}", shown(&frame), shown(&wire));
            same(
                &subject.due(limits, &wire)?,
                &subject.joined(due.clone()),
                how,
            )?;
            same(&subject.driver(limits).datagram(&wire)?, &due, how)?;
        }
    }
    Ok(())
}

/// For a server that relays: a frame that was received in one form may have none to be sent in, and
/// the server must get an error.
pub(super) fn received_frames_are_relayed_or_refused(subject: &Subject) -> Verdict {
    let mut random = random();
    let mut streams = subject.streams(&mut random)?;
    let wire = subject.wire(&[subject.frame(&mut random, subject.least + 5)?])?;
    for at in 0..=wire.len() {
        // Of an ending of two bytes, one may be dropped and the other belong to the frame.
        let put_in = (0..=255).flat_map(|byte| [vec![byte], vec![byte; 2]]);
        streams.extend(put_in.map(|bytes| [&wire[..at], &bytes, &wire[at..]].concat()));
    }
    for stream in streams {
        let found = subject.due(subject.roomy(), &stream)?;
        let mut frames = found.iter().flatten();
        frames.try_for_each(|frame| sent_on(subject, frame, &stream))?;
    }
    Ok(())
}

fn sent_on(subject: &Subject, frame: &[u8], stream: &[u8]) -> Verdict {
    let (mut codec, mut out) = (subject.codec(subject.roomy()), BytesMut::new());
    let how = |out: &[u8]| {
        let (stream, frame, out) = (shown(stream), shown(frame), shown(out));
        format!("of {stream} came {frame}, which was sent on as {out}")
    };
    match codec.encode(frame, &mut out) {
        Ok(()) => {
            let due = subject.joined(arrived(&[frame]));
            same(&subject.due(subject.roomy(), &out)?, &due, || how(&out))
        }
        Err(error) => ensure(!error.to_string().is_empty() && out.is_empty(), || {
            format!("{}, and refused without a word of why", how(&out))
        }),
    }
}

pub(super) fn a_refused_frame_leaves_no_trace(subject: &Subject) -> Verdict {
    let good = subject.frame(&mut random(), subject.least)?;
    let due = subject.wire(&[&good])?;
    for limits in [subject.small(), subject.roomy()] {
        for frame in arbitrary(subject)? {
            let (mut codec, mut out) = (subject.codec(limits), BytesMut::from("before"));
            if codec.encode(&frame, &mut out).is_ok() {
                continue;
            }
            let after =
                |out: &[u8]| format!("{} was refused, and there is {}", shown(&frame), shown(out));
            ensure(&out[..] == b"before", || after(&out))?;
            let again = codec.encode(&good, &mut out);
            ensure(again.is_ok() && out[6..] == due, || after(&out))?;
        }
    }
    Ok(())
}

pub(super) fn encode_appends(subject: &Subject) -> Verdict {
    for frame in subject.frames(&mut random(), 20)? {
        let wire = subject.wire(&[&frame])?;
        for before in [&b"\0"[..], b"{\"\n", &wire] {
            let mut out = BytesMut::from(before);
            let encoded = subject.codec(subject.roomy()).encode(&frame, &mut out);
            let kept = encoded.is_ok() && out == [before, &wire].concat();
            ensure(kept, || {
                format!(
                    "behind {}, {} became {}",
                    shown(before),
                    shown(&frame),
                    shown(&out)
                )
            })?;
        }
    }
    Ok(())
}

pub(super) fn the_envelope_agrees_with_encode(subject: &Subject) -> Verdict {
    for limits in [subject.small(), subject.roomy()] {
        for frame in arbitrary(subject)? {
            let (mut codec, mut out) = (subject.codec(limits), BytesMut::new());
            let written = codec.encode(&frame, &mut out).map(|()| out.to_vec());
            let whole = match codec.envelope(&frame) {
                Ok(None) => continue,
                Ok(Some((before, after))) => Ok([&before, &frame[..], &after].concat()),
                Err(error) => Err(error),
            };
            ensure(whole == written, || {
                format!(
                    "of {} the envelope makes {whole:?}, and encode {written:?}",
                    shown(&frame)
                )
            })?;
        }
    }
    Ok(())
}
