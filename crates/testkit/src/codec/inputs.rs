//! The inputs of the laws: frames that the codec carries, streams of them, and damaged streams.

use bytes::{Bytes, BytesMut};
use fastrand::Rng;
use socketry_codec::Codec;

use super::drive::{Event, shown};
use super::{Limits, Subject};

/// How many arbitrary frames of a length are tried before the codec counts as one that refuses this
/// length.
const TRIES: usize = 100;

/// The same numbers in every run.
pub(super) fn random() -> Rng {
    Rng::with_seed(0x50c4_e7f2)
}

/// `least` times the factor in `SOCKETRY_LAW_ROUNDS`.
pub(super) fn rounds(least: usize) -> usize {
    let more = std::env::var("SOCKETRY_LAW_ROUNDS").ok();
    least * more.and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// Bytes out of all 256, or out of a few, since a codec may refuse only some of them.
fn bytes(random: &mut Rng, len: usize) -> Vec<u8> {
    let few: [u8; 4] = std::array::from_fn(|_| random.u8(..));
    let all = random.bool();
    let byte = || {
        if all {
            random.u8(..)
        } else {
            few[random.usize(..4)]
        }
    };
    std::iter::repeat_with(byte).take(len).collect()
}

impl Subject {
    /// A frame of this length, or of the longest that it carries, that the codec accepts if its
    /// limits allow it.
    pub(super) fn frame(&self, random: &mut Rng, len: usize) -> Result<Vec<u8>, String> {
        let len = len.min(self.most);
        let mut codec = self.codec(self.roomy());
        let mut refused = None;
        for _ in 0..TRIES {
            let mut frame = bytes(random, len);
            if let Some(shape) = self.shape {
                shape(&mut frame);
            }
            match codec.encode(&frame, &mut BytesMut::new()) {
                Ok(()) => return Ok(frame),
                Err(error) => refused = Some((error, frame)),
            }
        }
        let why = refused.map(|(error, frame)| format!("'{error}' of {}", shown(&frame)));
        Err(format!(
            "no frame of {len} bytes is taken ({}); \
             declare which lengths it carries with Subject::carries, \
             or what its frames look like with Subject::shaped",
            why.unwrap_or_default()
        ))
    }

    /// Frames of the shortest length and up to `most` bytes more, and the examples.
    pub(super) fn frames(&self, random: &mut Rng, most: usize) -> Result<Vec<Vec<u8>>, String> {
        let lens = self.least..=self.least + most;
        let frames: Result<Vec<_>, _> = lens.map(|len| self.frame(random, len)).collect();
        Ok([frames?, self.examples.clone()].concat())
    }

    /// The encoded form of these frames, whatever the receiver's limits are.
    pub(super) fn wire<F: AsRef<[u8]>>(&self, frames: &[F]) -> Result<Vec<u8>, String> {
        let (mut codec, mut out) = (self.codec(self.roomy()), BytesMut::new());
        for frame in frames.iter().map(AsRef::as_ref) {
            let refused = |error| format!("'{error}' of {}, which it takes alone", shown(frame));
            codec.encode(frame, &mut out).map_err(refused)?;
        }
        Ok(out.to_vec())
    }

    /// Streams for the small limits: good ones, damaged ones, truncated ones, noise, and lengths
    /// that no peer sends.
    pub(super) fn streams(&self, random: &mut Rng) -> Result<Vec<Vec<u8>>, String> {
        let mut streams = self.claims(random)?;
        let telling = [self.wire(&self.frames(random, 8)?)?, (0..=255).collect()].concat();
        for _ in 0..rounds(8) {
            let good = self.good(random)?;
            streams.push(damaged(random, good.clone(), &telling));
            streams.push(good[..random.usize(..=good.len())].to_vec());
            streams.push(good);
            let noise = std::iter::repeat_with(|| telling[random.usize(..telling.len())]);
            streams.push(noise.take(40).collect());
        }
        Ok(streams)
    }

    /// A few frames, of which some are above the small limits.
    fn good(&self, random: &mut Rng) -> Result<Vec<u8>, String> {
        let most = self.small().max_frame + 8;
        let lens = (0..random.usize(1..4)).map(|_| random.usize(self.least..=most));
        let lens: Vec<usize> = lens.collect();
        let frames: Result<Vec<_>, _> = lens
            .into_iter()
            .map(|len| self.frame(random, len))
            .collect();
        self.wire(&frames?)
    }

    /// The beginnings of frames that claim to be long.
    pub(super) fn claims(&self, random: &mut Rng) -> Result<Vec<Vec<u8>>, String> {
        let long = self.most.min(40_000);
        let wire = self.wire(&[self.frame(random, long)?])?;
        let begun = wire[..wire.len().min(48)].to_vec();
        let noise = [0xff, 0x7f, 0, b'9', b'{'].map(|byte| vec![byte; 48]);
        Ok([vec![begun], noise.to_vec()].concat())
    }

    /// Without frame boundaries, bytes that arrive in a row count as one frame, and no bytes as
    /// none.
    pub(super) fn joined(&self, events: Vec<Event>) -> Vec<Event> {
        if self.bounded {
            return events;
        }
        let mut joined: Vec<Event> = Vec::new();
        for event in events {
            match (joined.last_mut(), event) {
                (_, Ok(frame)) if frame.is_empty() => {}
                (Some(Ok(before)), Ok(frame)) => *before = [&before[..], &frame].concat().into(),
                (_, event) => joined.push(event),
            }
        }
        joined
    }

    /// The expected events of a stream that arrives as one piece.
    pub(super) fn due(&self, limits: Limits, stream: &[u8]) -> Result<Vec<Event>, String> {
        Ok(self.joined(self.driver(limits).stream([stream])?))
    }
}

/// A good stream with up to three bytes changed, removed or added.
fn damaged(random: &mut Rng, mut stream: Vec<u8>, telling: &[u8]) -> Vec<u8> {
    for _ in 0..random.usize(1..=3) {
        let at = random.usize(..=stream.len());
        let byte = telling[random.usize(..telling.len())];
        match random.u8(..3) {
            0 if at < stream.len() => stream[at] = byte,
            1 if at < stream.len() => drop(stream.remove(at)),
            _ => stream.insert(at, byte),
        }
    }
    stream
}

/// Frames as events.
pub(super) fn arrived<F: AsRef<[u8]>>(frames: &[F]) -> Vec<Event> {
    let frames = frames
        .iter()
        .map(|frame| Ok(Bytes::copy_from_slice(frame.as_ref())));
    frames.collect()
}

/// The pieces of a stream, cut at these places.
pub(super) fn pieces<'a>(stream: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts = [cuts, &[0, stream.len()]].concat();
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect()
}
