//! A codec that resynchronises, as codecs of sensors do. It keeps the laws once it is declared as
//! such, and the laws find codecs that are wrongly declared so.
#![allow(clippy::unwrap_used, reason = "tests")]

use bytes::BytesMut;
use socketry_codec::limits::{check, unfinished};
use socketry_codec::{Codec, CodecError, Decoded, End, Fault};
use socketry_testkit::codec::{LAWS, Subject, law};
use socketry_testkit::codec_laws;

/// The first byte of a frame. It may also occur inside of one.
const MARK: u8 = 0xA5;

/// `A5 length payload sum`: a mark, one byte of length, and one byte for the sum of both.
#[derive(Clone)]
struct Sensor {
    max: usize,
    /// The error for a mark whose frame, of so many bytes, is none.
    lost: fn(Fault, usize) -> CodecError,
}

/// The mark was false, or its frame is damaged. The search goes on at the byte after the mark.
fn one_byte(fault: Fault, _: usize) -> CodecError {
    CodecError::skip(fault, 1)
}

fn sum(bytes: &[u8]) -> u8 {
    let add = |sum: u8, byte: &u8| sum.wrapping_mul(31).wrapping_add(*byte);
    bytes.iter().fold(90, add)
}

impl Sensor {
    /// Decodes a frame that begins with its mark.
    fn at_mark(&self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let here = input.len();
        let Some(len) = input.get(1).map(|len| usize::from(*len)) else {
            return self.cut(here, 3 - here, end);
        };
        let whole = 3 + len;
        if len > self.max {
            let (len, max) = (Some(len as u64), self.max as u64);
            return Err((self.lost)(Fault::TooLong { len, max }, whole));
        }
        match input.get(2 + len) {
            None => self.cut(here, whole - here, end),
            Some(found) if *found == sum(&input[1..2 + len]) => Ok(Decoded::Frame {
                start: 2,
                end: 2 + len,
                consumed: whole,
            }),
            Some(_) => Err((self.lost)(Fault::Other("the sum is wrong".into()), whole)),
        }
    }

    fn cut(&self, have: usize, missing: usize, end: End) -> Result<Decoded, CodecError> {
        unfinished(have, missing, end).map_err(|error| (self.lost)(error.fault, have))
    }
}

impl Codec for Sensor {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        match input.iter().position(|byte| *byte == MARK) {
            Some(0) => self.at_mark(input, end),
            Some(noise) => Ok(Decoded::Skip(noise)),
            None if input.is_empty() => Ok(Decoded::Need(1)),
            None => Ok(Decoded::Skip(input.len())),
        }
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        check(frame, self.max)?;
        let from = out.len() + 1;
        out.extend_from_slice(&[MARK, u8::try_from(frame.len()).unwrap()]);
        out.extend_from_slice(frame);
        let sum = sum(&out[from..]);
        out.extend_from_slice(&[sum]);
        Ok(())
    }

    fn at_boundary(&self) -> bool {
        true
    }
}

fn undeclared(lost: fn(Fault, usize) -> CodecError) -> Subject {
    let subject = Subject::new("sensor", move |limits| Sensor {
        max: limits.max_frame.min(255),
        lost,
    });
    subject.counted_by(|work| allocation_counter::measure(work).bytes_max)
}

/// With payloads that are full of marks and of plausible lengths.
fn full_of_marks(lost: fn(Fault, usize) -> CodecError) -> Subject {
    undeclared(lost).carries(0, 255).shaped(|frame| {
        for byte in frame {
            match *byte {
                0..64 => *byte = MARK,
                64..128 => *byte %= 16,
                _ => {}
            }
        }
    })
}

codec_laws!(
    sensor,
    undeclared(one_byte).carries(0, 255).resynchronising()
);
codec_laws!(
    sensor_full_of_marks,
    full_of_marks(one_byte).resynchronising()
);

#[track_caller]
fn broken(lost: fn(Fault, usize) -> CodecError) -> Vec<&'static str> {
    let subject = full_of_marks(lost).resynchronising();
    let broken = LAWS.iter().filter_map(|law| law.check(&subject).err());
    broken.map(|violation| violation.law()).collect()
}

/// The length itself may be damaged, and then no frame begins where it says.
#[test]
fn a_codec_that_passes_over_a_damaged_frame_loses_the_next_frames() {
    let whole = |fault, whole: usize| CodecError::skip(fault, whole as u64);
    let broken = broken(whole);
    assert!(
        broken.contains(&"damage_costs_only_the_damaged_frames"),
        "{broken:?}"
    );
}

#[test]
fn a_codec_that_gives_up_at_a_wrong_sum_is_found() {
    let broken = broken(|fault, _| CodecError::fatal(fault));
    for law in [
        "damage_costs_only_the_damaged_frames",
        "a_frame_above_the_limit_is_one_error",
        "an_end_inside_a_frame_is_one_error",
    ] {
        assert!(broken.contains(&law), "{law}: {broken:?}");
    }
}

/// A false mark may claim more bytes than ever come, with whole frames among them.
#[test]
fn a_codec_that_drops_the_rest_at_the_end_is_found() {
    let at_the_end = |fault, whole: usize| match fault {
        Fault::Truncated { .. } => CodecError::skip(fault, whole as u64),
        fault => one_byte(fault, whole),
    };
    let broken = broken(at_the_end);
    assert_eq!(broken, ["damage_costs_only_the_damaged_frames"]);
}

#[test]
fn an_undeclared_codec_breaks_the_laws() {
    let subject = full_of_marks(one_byte);
    for broken in [
        "a_frame_above_the_limit_is_one_error",
        "the_discard_limit_is_exact",
        "an_end_inside_a_frame_is_one_error",
    ] {
        let violation = law(broken).check(&subject).unwrap_err().to_string();
        assert!(
            violation.contains("Subject::resynchronising"),
            "{violation}"
        );
    }
}

#[test]
fn the_violation_names_the_missing_declaration() {
    let violation = law("sent_frames_arrive").check(&undeclared(one_byte));
    let words = violation.unwrap_err().to_string();
    assert!(words.contains("Subject::carries"), "{words}");
    assert!(words.contains("Subject::shaped"), "{words}");
}
