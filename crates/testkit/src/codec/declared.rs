//! The properties that a codec declares, and that programs rely on.

use bytes::BytesMut;
use socketry_codec::{Codec, Content};

use super::Subject;
use super::drive::{ensure, shown};
use super::inputs::random;
use crate::law::Verdict;

/// A declared maximum above this many bytes is not tested, since that would take too long.
const TRIED: usize = 64 << 10;

pub(super) fn its_properties_are_true(subject: &Subject) -> Verdict {
    let properties = subject.codec(subject.roomy()).properties();
    ensure(properties.boundaries == subject.bounded, || {
        format!(
            "{properties:?}, and its subject says that boundaries are {}",
            subject.bounded
        )
    })?;
    content(subject, properties.content, properties.min_frame)?;
    shortest(subject, properties.min_frame)?;
    longest(subject)?;
    if properties.stateless {
        stateless(subject)
    } else {
        Ok(())
    }
}

fn content(subject: &Subject, content: Content, least: usize) -> Verdict {
    let single = (0..=u8::MAX).map(|byte| vec![byte; least.max(1)]);
    match content {
        // Without boundaries an empty frame leaves no trace on a stream.
        Content::Bytes if !subject.bounded || least > 0 => all(subject, single),
        Content::Bytes => all(subject, single.chain([Vec::new()])),
        Content::Delimited(delimiter) => {
            let others = single.filter(|frame| ![delimiter, b'\r'].contains(&frame[0]));
            all(subject, others.chain([Vec::new()]))?;
            none(subject, &[delimiter])
        }
        Content::Json => {
            let objects = ["{}", r#"{"a":[1,{"b":"c"}]}"#];
            all(subject, objects.map(|object| object.as_bytes().to_vec()))?;
            none(subject, b"text")
        }
        _ => Ok(()),
    }
}

fn all(subject: &Subject, frames: impl IntoIterator<Item = Vec<u8>>) -> Verdict {
    for frame in frames {
        let sent = subject
            .codec(subject.roomy())
            .encode(&frame, &mut BytesMut::new());
        ensure(sent.is_ok(), || {
            format!(
                "{} is refused; declare in Codec::properties which frames it carries (Content)",
                shown(&frame)
            )
        })?;
    }
    Ok(())
}

fn none(subject: &Subject, frame: &[u8]) -> Verdict {
    let sent = subject
        .codec(subject.roomy())
        .encode(frame, &mut BytesMut::new());
    ensure(sent.is_err(), || {
        format!("{} is taken, which its Properties exclude", shown(frame))
    })
}

fn shortest(subject: &Subject, least: usize) -> Verdict {
    let Some(below) = least.checked_sub(1) else {
        return Ok(());
    };
    none(subject, &vec![b' '; below])
}

fn longest(subject: &Subject) -> Verdict {
    let (mut random, small) = (random(), subject.small());
    let longest = subject.codec(small).properties().max_frame;
    if longest > TRIED {
        return Ok(());
    }
    let takes = |frame: &[u8]| {
        subject
            .codec(small)
            .encode(frame, &mut BytesMut::new())
            .is_ok()
    };
    let words = || format!("its longest frame is {longest} bytes, and that is not so");
    ensure(takes(&subject.frame(&mut random, longest)?), words)?;
    let above = longest + 1;
    if above > subject.most {
        return Ok(());
    }
    ensure(!takes(&subject.frame(&mut random, above)?), words)
}

fn stateless(subject: &Subject) -> Verdict {
    let frames = subject.frames(&mut random(), 8)?;
    let mut codec = subject.codec(subject.roomy());
    for frame in frames.iter().chain(&frames) {
        let mut out = BytesMut::new();
        let sent = codec.encode(frame, &mut out);
        ensure(sent.is_ok() && out == subject.wire(&[frame])?, || {
            format!(
                "behind other frames {} becomes {}; say stateful",
                shown(frame),
                shown(&out)
            )
        })?;
    }
    Ok(())
}
