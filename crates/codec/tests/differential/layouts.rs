//! Layouts beside tokio-util's builder, with valid frames of all that it can express: bytes before
//! the length, an adjustment, bytes to skip. It cannot express a tail behind a payload that it
//! gives out alone, a byte that must be so, a length of variable width, or a header to be written.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use socketry_codec::{Counts, Fault, Format, Layout, Length, Part};
use tokio_util::codec::LengthDelimitedCodec;

use crate::common::{Events, stream};
use crate::wires::{cuts, pieces, theirs};

const LENGTHS: [&str; 9] = ["B", ">H", "<H", ">u24", "<u24", ">I", "<I", ">Q", "<Q"];

const COUNTS: [Counts; 4] = [Counts::Payload, Counts::Rest, Counts::Itself, Counts::Frame];

#[derive(Clone, Debug)]
struct Case {
    before: u16,
    between: u16,
    tail: u16,
    length: &'static str,
    counts: Counts,
    payloads: Vec<Vec<u8>>,
    cuts: Vec<Index>,
    /// Where the stream ends.
    end: Index,
}

fn case() -> impl Strategy<Value = Case> {
    let parts = (0..6u16, 0..6u16, prop_oneof![Just(0), 0..4u16]);
    let frames = vec(vec(any::<u8>(), 0..60), 0..6);
    (
        parts,
        select(&LENGTHS[..]),
        select(&COUNTS[..]),
        frames,
        cuts(),
        any::<Index>(),
    )
        .prop_map(
            |((before, between, tail), length, counts, payloads, cuts, end)| Case {
                before,
                between,
                tail,
                length,
                counts,
                payloads,
                cuts,
                end,
            },
        )
}

impl Case {
    fn layout(&self) -> Layout {
        let length = match self.length {
            ">u24" => Length::big24(),
            "<u24" => Length::little24(),
            format => Length::from(format.parse::<Format>().unwrap()),
        };
        let builder = Layout::of(length)
            .before(Part::open(self.before))
            .between(Part::open(self.between))
            .tail(Part::open(self.tail))
            .counts(self.counts);
        builder.whole().build().unwrap()
    }

    fn size(&self) -> usize {
        match self.length {
            ">u24" | "<u24" => 3,
            format => format.parse::<Format>().unwrap().size(),
        }
    }

    /// What the length counts besides the payload.
    fn counted(&self) -> usize {
        let rest = usize::from(self.between + self.tail);
        match self.counts {
            Counts::Payload => 0,
            Counts::Rest => rest,
            Counts::Itself => self.size() + rest,
            Counts::Frame => usize::from(self.before) + self.size() + rest,
        }
    }

    fn around(&self) -> usize {
        usize::from(self.before + self.between + self.tail) + self.size()
    }

    /// The same as a builder of tokio-util says it: the whole frame is given out.
    fn other(&self) -> LengthDelimitedCodec {
        let mut builder = LengthDelimitedCodec::builder();
        let adjustment = self.around() as isize - self.counted() as isize;
        builder
            .length_field_offset(self.before.into())
            .length_field_length(self.size())
            .length_adjustment(adjustment)
            .num_skip(0)
            .max_frame_length(usize::from(u16::MAX));
        if self.length.starts_with('<') {
            builder.little_endian();
        }
        builder.new_codec()
    }

    /// The frames, made by hand.
    fn wire(&self) -> Vec<u8> {
        let mut wire = Vec::new();
        for payload in &self.payloads {
            let number = (payload.len() + self.counted()) as u64;
            wire.extend(vec![b'b'; self.before.into()]);
            match self.length.starts_with('<') {
                true => wire.extend(&number.to_le_bytes()[..self.size()]),
                false => wire.extend(&number.to_be_bytes()[8 - self.size()..]),
            }
            wire.extend(vec![b'm'; self.between.into()]);
            wire.extend(payload);
            wire.extend(vec![b't'; self.tail.into()]);
        }
        wire
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn a_layout_finds_what_the_same_builder_finds(case in case()) {
        let wire = case.wire();
        let wire = &wire[..wire.len() - case.end.index(wire.len() + 1)];
        let pieces = pieces(wire, &case.cuts);
        let codec = case.layout().codec().max_frame(usize::from(u16::MAX));
        let ours: Events = stream(codec, pieces.iter().copied());
        let theirs = theirs(case.other(), &pieces, false);
        let good = theirs.iter().take_while(|event| event.is_ok()).count();
        for (ours, theirs) in ours.iter().zip(&theirs[..good]) {
            prop_assert_eq!(ours.as_deref().ok(), theirs.as_deref().ok());
        }
        let rest = (ours.get(good), theirs.get(good));
        let agree = match &rest {
            (None, None) => true,
            // An end inside a frame. With its header alone, theirs finds nothing amiss.
            (Some(Err(Fault::Truncated { .. })), None | Some(Err(_))) => true,
            _ => false,
        };
        prop_assert!(agree, "{rest:?}");
    }
}
