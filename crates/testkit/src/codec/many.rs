//! `decode_many`, `whole` and `encode_many` give the same as `decode` and `encode`, one by one.

use bytes::BytesMut;
use socketry_codec::{Ahead, BoxCodec, Codec, CodecError, Decoded, End, Fault, FrameSource};

use super::Subject;
use super::drive::{Driver, ensure, same, shown};
use super::inputs::{pieces, random};
use crate::law::Verdict;

/// A codec that asks the one inside for [many frames](Codec::decode_many), and gives them out one
/// by one: what it answers is what that one answers.
#[derive(Clone, Debug)]
pub struct ByMany {
    codec: BoxCodec,
    ahead: Ahead,
    /// How many frames of a batch are given out; the others are dropped.
    most: usize,
    given: usize,
}

impl ByMany {
    /// Of each batch at most `most` frames are given out. The others are forgotten, and are asked
    /// for again.
    pub fn new(codec: BoxCodec, most: usize) -> Self {
        let (ahead, given) = (Ahead::new(), 0);
        ByMany {
            codec,
            ahead,
            most,
            given,
        }
    }
}

impl Codec for ByMany {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        if self.given < self.most
            && let Some(frame) = self.ahead.next()
        {
            self.given += 1;
            return Ok(frame);
        }
        self.given = 1;
        self.ahead.clear();
        self.codec.decode_many(input, end, &mut self.ahead)
    }
    fn restore(&mut self, coded: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        self.codec.restore(coded, out)
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.codec.encode(frame, out)
    }
    fn at_boundary(&self) -> bool {
        self.codec.at_boundary()
    }
}

/// A codec that asks the one inside for the [whole frame](Codec::whole) behind each frame.
#[derive(Clone, Debug)]
struct ByWhole {
    codec: BoxCodec,
    /// How many frames behind one of `decode` are given out; those behind them are asked for, and
    /// forgotten.
    most: usize,
    /// How many are left of them, where a frame begins.
    left: Option<usize>,
}

impl Codec for ByWhole {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let whole = self.left.and_then(|_| self.codec.whole(input, end));
        if let (Some(frame @ Decoded::Frame { .. }), Some(left @ 1..)) = (whole, self.left) {
            self.left = Some(left - 1);
            return Ok(frame);
        }
        let answer = self.codec.decode(input, end);
        let is_frame = matches!(answer, Ok(Decoded::Frame { .. }));
        self.left = is_frame.then_some(self.most);
        answer
    }
    fn restore(&mut self, coded: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        self.codec.restore(coded, out)
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.codec.encode(frame, out)
    }
    fn at_boundary(&self) -> bool {
        self.codec.at_boundary()
    }
}

pub(super) fn frames_found_ahead_are_those_found_one_by_one(subject: &Subject) -> Verdict {
    let mut random = random();
    for stream in subject.streams(&mut random)? {
        let cuts: [usize; 3] = std::array::from_fn(|_| random.usize(..=stream.len()));
        let codec = || subject.codec(subject.small());
        let one_by_one = Driver::new(codec()).stream(pieces(&stream, &cuts))?;
        let datagram = Driver::new(codec()).datagram(&stream)?;
        for most in [1, 2, 3, usize::MAX] {
            let many = || Driver::new(ByMany::new(codec(), most));
            let how = || format!("at most {most} of a batch, of {}", shown(&stream));
            same(&many().stream(pieces(&stream, &cuts))?, &one_by_one, how)?;
            same(&many().datagram(&stream)?, &datagram, || {
                format!("{}, as a datagram", how())
            })?;
            let whole = Driver::new(ByWhole {
                codec: codec(),
                most: most - 1,
                left: None,
            });
            same(&whole.stream(pieces(&stream, &cuts))?, &one_by_one, || {
                format!("`whole`, {}", how())
            })?;
        }
    }
    Ok(())
}

pub(super) fn frames_found_ahead_may_be_dropped(subject: &Subject) -> Verdict {
    let streams = subject.streams(&mut random())?;
    for (one, other) in streams.iter().zip(streams.iter().rev()) {
        let mut codec = subject.codec(subject.small());
        let first = codec.decode_many(one, End::Open, &mut Ahead::new());
        if !matches!(first, Ok(Decoded::Frame { .. })) {
            continue;
        }
        let behind = || {
            format!(
                "behind the first frame of {}, another stream: {}",
                shown(one),
                shown(other)
            )
        };
        ensure(codec.at_boundary(), || {
            format!("not at a frame boundary {}", behind())
        })?;
        let due = subject.driver(subject.small()).stream(other.chunks(1))?;
        same(&Driver::new(codec).stream(other.chunks(1))?, &due, behind)?;
    }
    Ok(())
}

/// The lengths of frames, in bytes above the shortest, at which a codec may change its way.
const LENS: [usize; 14] = [0, 1, 3, 8, 16, 17, 64, 127, 128, 129, 200, 5, 2, 0];

pub(super) fn frames_encoded_together_are_those_encoded_one_by_one(subject: &Subject) -> Verdict {
    let mut random = random();
    let lens = LENS.map(|len| (subject.least + len).min(subject.most));
    let frames: Result<Vec<_>, _> = lens
        .map(|len| subject.frame(&mut random, len))
        .into_iter()
        .collect();
    let frames = vec![frames?; 20].concat();
    // The mark lies exactly behind a frame, too.
    let exact = BEFORE.len() + subject.wire(&frames[..4])?.len();
    for limits in [subject.small(), subject.roomy()] {
        for full in [0, 1, exact, exact + 1, 1000, 1024, 5000, usize::MAX] {
            let (one, many) = (subject.codec(limits), subject.codec(limits));
            let how = |what: &str| format!("{what}, to {full} bytes, of {} frames", frames.len());
            encoded_alike(one, many, &frames, full).map_err(|what| how(&what))?;
        }
    }
    Ok(())
}

/// The bytes that wait already.
const BEFORE: &str = "before";

/// Encodes all of them one by one and together: each frame that is refused ends a call.
fn encoded_alike(
    mut one: BoxCodec,
    mut many: BoxCodec,
    frames: &[Vec<u8>],
    full: usize,
) -> Verdict {
    let mut at = 0;
    while at < frames.len() {
        let (mut due, mut out) = (BytesMut::from(BEFORE), BytesMut::from(BEFORE));
        let (mut single, mut together) = (Rest(&frames[at..]), Rest(&frames[at..]));
        let mut ends = Ok(());
        while due.len() < full
            && ends.is_ok()
            && let Some(frame) = single.next_frame()
        {
            ends = one.encode(frame, &mut due);
        }
        let said = many.encode_many(&mut together, &mut out, full);
        ensure(said == ends, || format!("{said:?} and not {ends:?}"))?;
        ensure(out == due, || {
            format!("{} and not {}", shown(&out), shown(&due))
        })?;
        let (left, due) = (together.0.len(), single.0.len());
        ensure(left == due, || {
            format!("{left} frames are left and not {due}")
        })?;
        // Where there is no room the next call begins with the frame behind.
        at = frames.len() - due.min(frames.len() - at - 1);
    }
    Ok(())
}

/// Frames that are not given out.
struct Rest<'a>(&'a [Vec<u8>]);

impl FrameSource for Rest<'_> {
    fn next_frame(&mut self) -> Option<&[u8]> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }
}
