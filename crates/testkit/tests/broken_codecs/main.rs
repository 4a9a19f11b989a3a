//! Codecs that are broken on purpose, each in one way, and the law that names the defect: so the
//! laws can fail.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use socketry_codec::{
    Affix, Ahead, BoxCodec, Codec, CodecError, CodecSpec, Content, Decoded, End, Fault,
    FrameSource, Line, Properties, Struct,
};
use socketry_testkit::codec::{LAWS, Limits, Subject, law};

mod answers;
mod coded;
mod frames;
mod state;

type Answer = Result<Decoded, CodecError>;
type Envelope = Result<Option<(Affix, Affix)>, CodecError>;

/// A good codec, with one function replaced.
#[derive(Clone)]
struct Bent {
    good: BoxCodec,
    /// The state of the replacement.
    memory: usize,
    /// The state that it shares with its clones.
    shared: Arc<AtomicUsize>,
    limits: Limits,
    decode: fn(&mut Bent, &[u8], End) -> Answer,
    restore: fn(&mut Bent, &[u8], &mut BytesMut) -> Result<(), Fault>,
    whole: fn(&mut Bent, &[u8], End) -> Option<Decoded>,
    many: fn(&mut Bent, &[u8], End, &mut Ahead) -> Answer,
    encode: fn(&mut Bent, &[u8], &mut BytesMut) -> Result<(), CodecError>,
    /// How many bytes more than it was told `encode_many` takes for the mark.
    beyond: usize,
    envelope: fn(&mut Bent, &[u8]) -> Envelope,
    at_boundary: fn(&Bent) -> bool,
    properties: fn(&Bent) -> Properties,
}

impl Bent {
    /// With no function replaced.
    fn straight(good: BoxCodec, limits: Limits) -> Self {
        Bent {
            good,
            memory: 0,
            shared: Arc::default(),
            limits,
            decode: |bent, input, end| bent.good.decode(input, end),
            restore: |bent, coded, out| bent.good.restore(coded, out),
            whole: |bent, input, end| bent.good.whole(input, end),
            many: |bent, input, end, _| (bent.decode)(bent, input, end),
            encode: |bent, frame, out| bent.good.encode(frame, out),
            beyond: 0,
            envelope: |bent, frame| bent.good.envelope(frame),
            at_boundary: |bent| bent.good.at_boundary(),
            properties: |bent| bent.good.properties(),
        }
    }
}

impl Codec for Bent {
    fn decode(&mut self, input: &[u8], end: End) -> Answer {
        (self.decode)(self, input, end)
    }
    fn restore(&mut self, coded: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        (self.restore)(self, coded, out)
    }
    fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
        (self.whole)(self, input, end)
    }
    fn decode_many(&mut self, input: &[u8], end: End, ahead: &mut Ahead) -> Answer {
        (self.many)(self, input, end, ahead)
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        (self.encode)(self, frame, out)
    }
    fn encode_many(
        &mut self,
        frames: &mut dyn FrameSource,
        out: &mut BytesMut,
        full: usize,
    ) -> Result<(), CodecError> {
        while out.len() < full.saturating_add(self.beyond)
            && let Some(frame) = frames.next_frame()
        {
            self.encode(frame, out)?;
        }
        Ok(())
    }
    fn envelope(&mut self, frame: &[u8]) -> Envelope {
        (self.envelope)(self, frame)
    }
    fn at_boundary(&self) -> bool {
        (self.at_boundary)(self)
    }
    fn properties(&self) -> Properties {
        (self.properties)(self)
    }
}

fn good(name: &str, limits: Limits) -> BoxCodec {
    let spec = CodecSpec {
        max_frame: Some(limits.max_frame),
        max_discard: Some(limits.max_discard),
        ..CodecSpec::new(name)
    };
    spec.build().unwrap()
}

/// The codec of this name, with the replacement that `bend` makes.
fn bent(name: &'static str, bend: fn(&mut Bent)) -> Subject {
    let subject = Subject::new(format!("{name}, bent"), move |limits| {
        let mut bent = Bent::straight(good(name, limits), limits);
        bend(&mut bent);
        bent
    });
    subject.counted_by(|work| allocation_counter::measure(work).bytes_max)
}

fn frame(start: usize, end: usize, consumed: usize) -> Answer {
    Ok(Decoded::Frame {
        start,
        end,
        consumed,
    })
}

fn other(text: &str) -> CodecError {
    CodecError::fatal(Fault::Other(text.into()))
}

/// Asserts that this law reports the defect, without a panic of the suite itself.
#[track_caller]
fn caught(name: &str, subject: &Subject) {
    let violation = law(name).check(subject).expect_err("it is broken");
    assert_eq!(violation.law(), name);
}

#[test]
fn the_straight_ones_pass() {
    for name in ["line", "line:;", "struct:>I"] {
        for law in LAWS {
            law.run(&bent(name, |_| {}));
        }
    }
}

#[test]
fn a_codec_that_is_another_each_time() {
    let built = AtomicUsize::new(0);
    let fickle = Subject::new("line or struct", move |limits| {
        let name = ["line", "struct"][built.fetch_add(1, Ordering::Relaxed) % 2];
        good(name, limits)
    });
    caught("a_boxed_codec_is_the_plain_one", &fickle);
}

#[test]
fn a_violation_names_its_law_and_codec_and_the_event() {
    let broken = bent("struct", |bent| {
        bent.encode = |_, _, _| Ok(());
    });
    let violation = law("encode_appends").check(&broken).map(|()| "kept");
    assert_eq!(
        violation,
        Ok("kept"),
        "nothing is appended, and nothing touched"
    );
    let violation = law("sent_frames_arrive").check(&broken).unwrap_err();
    assert_eq!(
        violation.to_string(),
        "struct, bent breaks sent_frames_arrive \
         (A frame of any length that the codec carries arrives as it was sent.): \
         b\"\", as encoded: at 0 comes nothing, and the frame b\"\" is due"
    );
}
