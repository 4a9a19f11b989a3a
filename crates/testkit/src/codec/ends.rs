//! Unfinished frames, and streams that end.

use socketry_codec::{Codec, Decoded, End};

use super::Subject;
use super::drive::{ensure, same, shown};
use super::inputs::{arrived, random};
use super::limits::mended;
use crate::law::Verdict;

pub(super) fn an_unfinished_frame_needs_more(subject: &Subject) -> Verdict {
    for frame in bounded(subject)? {
        let wire = &subject.wire(&[&frame])?[subject.opening..];
        let mut growing = subject.codec(subject.roomy());
        for here in 0..wire.len() {
            needs(&mut subject.codec(subject.roomy()), &wire[..here])?;
            needs(&mut growing, &wire[..here])?;
        }
    }
    Ok(())
}

/// Frames that have an end which can be found.
fn bounded(subject: &Subject) -> Result<Vec<Vec<u8>>, String> {
    if !subject.bounded {
        return Ok(Vec::new());
    }
    subject.frames(&mut random(), 20)
}

fn needs(codec: &mut impl Codec, begun: &[u8]) -> Verdict {
    let answer = codec.decode(begun, End::Open);
    let needs = matches!(answer, Ok(Decoded::Need(1..)));
    ensure(needs, || {
        format!("{answer:?} of {}, which goes on", shown(begun))
    })
}

pub(super) fn an_end_inside_a_frame_is_one_error(subject: &Subject) -> Verdict {
    for frame in bounded(subject)? {
        let wire = subject.wire(&[&frame])?;
        let before = arrived(&[&frame]);
        for here in 1 + subject.opening..wire.len() {
            let stream = [&wire, &wire[..here]].concat();
            let found = subject.driver(subject.roomy()).stream([&stream[..]])?;
            let one = match found.get(1..).unwrap_or_default() {
                within if subject.resynchronises => mended(within),
                [Err(_)] => true,
                [Ok(_)] => subject.keeps_last,
                _ => false,
            };
            let cut = || format!("{}, which ends inside its second frame", shown(&stream));
            same(&found[..1.min(found.len())], &before, cut)?;
            ensure(one, || {
                format!(
                    "{}: behind the first frame come {:?}; a rest that is a frame is declared with \
                     Subject::keeping_the_last, one that is searched for frames with \
                     Subject::resynchronising",
                    cut(),
                    &found[1.min(found.len())..]
                )
            })?;
        }
    }
    Ok(())
}

pub(super) fn an_end_between_frames_is_clean(subject: &Subject) -> Verdict {
    let clean = |codec: &mut dyn Codec, after: &[u8]| {
        let answer = codec.decode(b"", End::Closed);
        ensure(matches!(answer, Ok(Decoded::Need(1..))), || {
            format!("{answer:?} of the end behind {}", shown(after))
        })
    };
    clean(&mut *subject.codec(subject.roomy()), b"")?;
    for frame in subject.frames(&mut random(), 20)? {
        let wire = subject.wire(&[&frame, &frame])?;
        let mut driver = subject.driver(subject.roomy());
        driver.push(&wire)?;
        let due = subject.joined(arrived(&[&frame, &frame]));
        same(&subject.joined(driver.events), &due, || shown(&wire))?;
        clean(&mut *driver.codec, &wire)?;
    }
    Ok(())
}
