//! `decode_many` finds the same frames as `decode`, one by one.

use bytes::BytesMut;
use socketry_codec::{Ahead, BoxCodec, Codec, CodecError, Decoded, End};

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
