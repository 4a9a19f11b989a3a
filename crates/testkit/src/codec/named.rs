//! The codecs that have names, with the declarations for each.

use socketry_codec::{Codec, CodecRegistry, CodecSpec, Content};

use super::{Limits, Subject};

impl Subject {
    /// A codec of the catalogue by its name, such as `struct:>I`.
    ///
    /// # Panics
    /// If no codec has that name.
    pub fn named(name: &str) -> Self {
        Subject::registered(&CodecRegistry::catalogue(), name)
    }

    /// A codec of a registry by its name, with the declarations that follow from its
    /// [properties](socketry_codec::Properties) and from the limits that it takes.
    ///
    /// # Panics
    /// If no codec has that name.
    pub fn registered(codecs: &CodecRegistry, name: &str) -> Self {
        let named = codecs.named(name).unwrap_or_else(|error| panic!("{error}"));
        let takes = |limit: &str| named.limits().contains(&limit);
        let (frames, discards) = (takes("max_frame"), takes("max_discard"));
        let built = {
            let (codecs, name) = (codecs.clone(), name.to_owned());
            move |limits: Limits| {
                let spec = CodecSpec {
                    max_frame: frames.then_some(limits.max_frame),
                    max_discard: discards.then_some(limits.max_discard),
                    ..CodecSpec::new(&*name)
                };
                let codec = codecs.build(spec);
                codec.unwrap_or_else(|error| panic!("{error}"))
            }
        };
        let most = Limits {
            max_frame: usize::MAX,
            max_discard: u64::MAX,
        };
        let properties = built(most).properties();
        let subject = Subject::new(name, built);
        let mut subject = match properties.content {
            Content::Json => subject.carries(2, properties.max_frame).shaped(object),
            _ => subject.carries(properties.min_frame, properties.max_frame),
        };
        if !properties.boundaries {
            subject = subject.without_boundaries();
        }
        if !frames {
            subject = subject.without_limits();
        }
        if !discards && frames {
            subject = subject.without_max_discard();
        }
        subject.name = Some((codecs.clone(), name.to_owned()));
        subject
    }
}

/// An object with one member. Its value is a text that is difficult to scan, or empty in a short
/// frame.
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

/// The inside of a JSON string: brackets, letters, and escapes where two bytes fit.
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
