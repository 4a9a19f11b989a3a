//! The codecs that have names, with what is to be declared of each.

use socketry_codec::{BoxCodec, CodecName, CodecSpec};

use super::{Limits, Subject};

impl Subject {
    /// A codec by its name, such as `struct:>I`, with what is known of its family declared.
    ///
    /// # Panics
    /// If the name names no codec.
    pub fn named(name: &str) -> Self {
        let parsed: CodecName = name.parse().unwrap_or_else(|error| panic!("{error}"));
        let subject = Subject::new(name, move |limits| build(parsed, limits));
        let mut subject = match parsed {
            CodecName::Raw => subject.without_limits().without_boundaries(),
            CodecName::Struct(format) => subject.carries(0, most(format.max())),
            CodecName::Json(format) => subject.carries(2, most(format.max())).shaped(object),
            CodecName::BareJson => subject.carries(2, usize::MAX).shaped(object),
            _ => subject,
        };
        subject.name = Some(name.to_owned());
        subject
    }
}

fn build(name: CodecName, limits: Limits) -> BoxCodec {
    let spec = CodecSpec::new(name);
    let limited = CodecSpec {
        max_frame: Some(limits.max_frame),
        max_discard: Some(limits.max_discard),
        ..spec
    };
    let built = if name == CodecName::Raw {
        spec
    } else {
        limited
    };
    built.build().unwrap_or_else(|error| panic!("{error}"))
}

fn most(field: u64) -> usize {
    usize::try_from(field).unwrap_or(usize::MAX)
}

/// An object with one member, whose value is a text full of what a scan may stumble over; a short
/// one is empty.
fn object(frame: &mut [u8]) {
    let (head, tail) = if frame.len() < 8 {
        (&b"{"[..], &b"}"[..])
    } else {
        (&b"{\"\":\""[..], &b"\"}"[..])
    };
    let (start, end) = (head.len(), frame.len() - tail.len());
    frame[..start].copy_from_slice(head);
    frame[end..].copy_from_slice(tail);
    if frame.len() < 8 {
        frame[start..end].fill(b' ');
    } else {
        text(&mut frame[start..end]);
    }
}

/// The inside of a JSON string: brackets, letters, and escapes where there is room for two bytes.
fn text(inside: &mut [u8]) {
    for pair in inside.chunks_mut(2) {
        match pair {
            [one, two] if *one < 64 => (*one, *two) = (b'\\', b"\"\\"[usize::from(*two % 2)]),
            _ => pair
                .iter_mut()
                .for_each(|byte| *byte = b"{}[]:,a "[usize::from(*byte % 8)]),
        }
    }
}
