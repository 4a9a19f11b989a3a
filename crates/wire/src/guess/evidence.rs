//! One candidate and the bytes: whether it reads all of them, and what speaks for it.

use socketry_codec::{CodecRegistry, Fault, Layout};

use super::candidates::{Begin, Candidate, Opening};
use super::content;
use crate::frames;

/// How a candidate reads the bytes.
pub(super) struct Reading {
    pub(super) name: String,
    /// The bytes before the first frame, and what they are.
    pub(super) opening: Option<(usize, &'static str)>,
    /// Where each frame begins and how long it is.
    pub(super) places: Vec<(usize, usize)>,
    /// The bytes of a frame that the bytes end in.
    pub(super) unfinished: usize,
    /// The place of the first bytes that are no frame, and what is wrong with them.
    pub(super) fault: Option<(usize, String)>,
    /// What speaks for it, in bits: the frames' headers, and what they contain.
    pub(super) framing: f64,
    pub(super) content: f64,
}

impl Reading {
    pub(super) fn bits(&self) -> f64 {
        self.framing + self.content
    }

    /// Almost any bytes can be read so that they end within a frame.
    fn is_worth_telling(&self) -> bool {
        let whole = self.unfinished == 0 && self.fault.is_none();
        !self.places.is_empty() && (whole || self.bits() >= LEAST)
    }

    /// Whether it finds the same frames.
    pub(super) fn is_same(&self, other: &Reading) -> bool {
        let place = |reading: &Reading| reading.fault.as_ref().map(|(at, _)| *at);
        (&self.places, self.opening, place(self)) == (&other.places, other.opening, place(other))
    }
}

/// What must speak for a reading that does not end with a whole frame.
pub(super) const LEAST: f64 = 16.0;

/// More than this is as sure as can be.
pub(super) const SURE: f64 = 64.0;

/// What is wrong with a frame that the codec reads, and that its protocol does not have.
const FOREIGN: &str = "this frame is none of the protocol";

impl Candidate {
    /// The reading, if all bytes are frames of this candidate, or those before a first fault. The
    /// last of several may be unfinished, since a capture can end anywhere.
    pub(super) fn read(self, bytes: &[u8]) -> Option<Reading> {
        let (opened, spoken) = match self.opening {
            Some(opening) => opening.read(bytes)?,
            None => (0, 0.0),
        };
        let mut reading = Reading {
            name: self.name,
            opening: self.opening.map(|opening| (opened, opening.words)),
            places: Vec::new(),
            unfinished: 0,
            fault: None,
            framing: self.spoken + spoken,
            content: 0.0,
        };
        for found in frames(self.codec, &bytes[opened..]) {
            let at = opened + found.at;
            let frame = match &found.frame {
                Ok(frame) => frame,
                Err(error) if matches!(error.fault, Fault::Truncated { .. }) => {
                    reading.unfinished = found.len;
                    break;
                }
                Err(error) => {
                    reading.fault = Some((at, error.to_string()));
                    break;
                }
            };
            let wire = &bytes[at..at + found.len];
            let Some(spoken) = (self.content)(frame, wire) else {
                reading.fault = Some((at, FOREIGN.to_owned()));
                break;
            };
            reading.places.push((at, found.len));
            // Zeros say nothing: they are frames without a payload to most codecs.
            if wire.iter().any(|byte| *byte != 0) {
                let framed = framed(self.layout.as_ref(), wire, frame)?;
                reading.framing += bits(framed, wire.len(), bytes.len() - at);
                reading.content += spoken;
            }
        }
        reading.content = reading.content.min(SURE);
        reading.is_worth_telling().then_some(reading)
    }
}

impl Opening {
    /// The bytes that it takes, and what speaks for it in bits.
    fn read(&self, bytes: &[u8]) -> Option<(usize, f64)> {
        match self.form {
            Begin::Bytes(begin) => {
                let here = bytes.starts_with(begin);
                here.then_some((begin.len(), 8.0 * begin.len() as f64))
            }
            Begin::Frames(name) => {
                let codec = CodecRegistry::catalogue().build(name).ok()?;
                let content = content::of(name);
                let (mut taken, mut bits) = (0, 0.0);
                for found in frames(codec, bytes) {
                    let spoken = found.frame.ok().and_then(|frame| content(&frame, &frame));
                    let Some(spoken) = spoken else { break };
                    (taken, bits) = (found.at + found.len, bits + spoken);
                }
                (taken > 0).then_some((taken, bits))
            }
        }
    }
}

/// How many bytes of a frame follow from its payload.
fn framed(whole: Option<&Layout>, wire: &[u8], frame: &[u8]) -> Option<usize> {
    let Some(layout) = whole else {
        return wire.len().checked_sub(frame.len());
    };
    let payload = layout.payload(frame).ok()?;
    (frame.len() - payload.len()).checked_sub(layout.open_len())
}

/// What the `framed` bytes of a frame of `len` say, with `left` bytes from its first one on. Random
/// ones would lead to a place within the bytes with some chance, and exactly to their end with the
/// least.
fn bits(framed: usize, len: usize, left: usize) -> f64 {
    let choices = if len == left { 1 } else { left };
    (8.0 * framed as f64 - (choices as f64).log2()).max(0.0)
}
