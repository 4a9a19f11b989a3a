//! Third parties' codecs: the methods that they may leave out, and the error of one that gives
//! impossible answers.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, CodecError, Decoded, End, Fault, Line, Reader};

/// More questions than any caller may ask of the few bytes of a test.
const ENOUGH: usize = 100;

/// Says what it was told to, one answer after another and the last one from then on, and notes what
/// it was shown.
#[derive(Clone)]
struct Says {
    answers: Vec<Result<Decoded, CodecError>>,
    shown: Vec<Vec<u8>>,
}

impl Says {
    fn new(answers: impl IntoIterator<Item = Result<Decoded, CodecError>>) -> Self {
        Says {
            answers: answers.into_iter().collect(),
            shown: Vec::new(),
        }
    }
}

impl Codec for Says {
    fn decode(&mut self, input: &[u8], _: End) -> Result<Decoded, CodecError> {
        assert!(self.shown.len() < ENOUGH, "asked without end");
        let turn = self.shown.len().min(self.answers.len() - 1);
        self.shown.push(input.to_vec());
        self.answers[turn].clone()
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        out.extend_from_slice(frame);
        Ok(())
    }
    fn at_boundary(&self) -> bool {
        false
    }
}

fn frame(start: usize, end: usize, consumed: usize) -> Decoded {
    Decoded::Frame {
        start,
        end,
        consumed,
    }
}

fn coded(start: usize, end: usize, consumed: usize) -> Decoded {
    Decoded::Coded {
        start,
        end,
        consumed,
    }
}

/// What cannot be said of `here` bytes, here 2 or more.
fn unsound(here: usize) -> [Decoded; 10] {
    [
        coded(2, 1, 2),
        coded(0, here, here + 1),
        coded(0, 0, 0),
        Decoded::Skip(0),
        Decoded::Skip(here + 1),
        frame(2, 1, 2),
        frame(0, 2, 1),
        frame(0, here + 1, here + 1),
        frame(0, here, here + 1),
        frame(0, 0, 0),
    ]
}

fn says_unsound(error: &CodecError) -> bool {
    matches!(&error.fault, Fault::Other(text) if text.to_string().contains("outside of its input"))
}

#[test]
fn a_reader_takes_no_answer_that_cannot_be() {
    for lie in unsound(3) {
        let mut reader = Reader::new(Says::new([Ok(lie)]));
        reader.push(b"abc");
        let error = reader.next_frame().unwrap_err();
        assert!(says_unsound(&error) && error.is_fatal(), "{lie:?}: {error}");
        assert_eq!(reader.next_frame(), Ok(None), "{lie:?}");
        assert!(reader.is_over(), "{lie:?}");
    }
}

/// The bytes that are given out are still in its memory, and are not part of the next frame's
/// input.
#[test]
fn what_a_reader_has_given_out_is_not_input_any_more() {
    for lie in unsound(2) {
        let mut reader = Reader::new(Says::new([Ok(frame(0, 2, 2)), Ok(lie)]));
        reader.push(b"abcd");
        assert_eq!(reader.next_frame(), Ok(Some(&b"ab"[..])));
        let answer = reader.next_frame();
        assert!(answer.is_err(), "{lie:?}: {answer:?}");
    }
}

#[test]
fn a_reader_drops_no_more_than_the_datagram_for_such_an_answer() {
    for lie in unsound(3) {
        let mut reader = Reader::new(Says::new([Ok(lie), Ok(frame(0, 4, 4))]));
        reader.load(b"abc");
        assert!(says_unsound(&reader.next_frame().unwrap_err()), "{lie:?}");
        assert_eq!(reader.next_frame(), Ok(None), "{lie:?}");
        reader.load(b"next");
        assert_eq!(reader.next_frame(), Ok(Some(&b"next"[..])), "{lie:?}");
    }
}

#[test]
fn the_bounds_of_what_can_be_are_no_error() {
    for sound in [
        Decoded::Skip(1),
        Decoded::Skip(3),
        frame(0, 0, 1),
        frame(1, 1, 1),
        frame(3, 3, 3),
        frame(0, 3, 3),
    ] {
        let mut reader = Reader::new(Says::new([Ok(sound), Ok(Decoded::Need(1))]));
        reader.push(b"abc");
        assert!(reader.next_frame().is_ok(), "{sound:?}");
    }
    // Nothing is taken from an empty datagram, and that is progress: the datagram is over.
    let mut reader = Reader::new(Says::new([Ok(frame(0, 0, 0))]));
    reader.load(b"");
    assert_eq!(reader.next_frame(), Ok(Some(&b""[..])));
    assert_eq!(reader.next_frame(), Ok(None));
}

/// It would be the same error for ever.
#[test]
fn an_error_that_passes_over_nothing_is_the_last() {
    let error = CodecError::skip(Fault::Other("no".into()), 0);
    let mut reader = Reader::new(Says::new([Err(error.clone())]));
    reader.push(b"abc");
    assert_eq!(reader.next_frame(), Err(error));
    assert_eq!(reader.next_frame(), Ok(None));
    assert!(reader.is_over());
    reader.push(b"more");
    assert_eq!(reader.next_frame(), Ok(None));
    assert_eq!((reader.needs(), reader.buffered()), (0, 0));
}

#[test]
fn a_codec_need_not_say_what_goes_around_a_frame() {
    let mut codec = Says::new([]);
    assert_eq!(codec.envelope(b"frame"), Ok(None));
    let mut boxed: BoxCodec = Box::new(codec);
    assert_eq!(boxed.envelope(b"frame"), Ok(None));
    assert!(!boxed.at_boundary());
}

/// Where another codec may take over, a codec of any kind says for itself.
#[test]
fn a_boxed_codec_is_what_is_in_the_box() {
    let mut boxed: BoxCodec = Box::new(Line::new().max_frame(1));
    assert!(boxed.at_boundary());
    let around = boxed.envelope(b"x").unwrap().unwrap();
    assert_eq!((&around.0[..], &around.1[..]), (&b""[..], &b"\n"[..]));
    assert_eq!(boxed.decode(b"abc", End::Open).unwrap_err().skip, Some(3));
    assert!(!boxed.at_boundary());
    let mut clone = boxed.clone();
    assert!(!clone.at_boundary(), "in the same state");
    assert_eq!(clone.decode(b"d\n", End::Open), Ok(Decoded::Skip(2)));
    assert!(clone.at_boundary() && !boxed.at_boundary());
    // It has no name to show; without `Debug` what holds it could not be unwrapped.
    assert_eq!(format!("{boxed:?}"), "BoxCodec");
}

#[cfg(feature = "tokio-util")]
mod compat {
    use std::io::ErrorKind;

    use socketry_codec::Compat;
    use tokio_util::codec::Decoder;

    use super::*;

    #[test]
    fn no_answer_that_cannot_be_is_taken() {
        for lie in unsound(3) {
            let mut compat = Compat::new(Says::new([Ok(lie)]));
            let mut wire = BytesMut::from("abc");
            let error = compat.decode(&mut wire).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{lie:?}");
            let inner = error.get_ref().unwrap().downcast_ref().unwrap();
            assert!(says_unsound(inner), "{lie:?}: {inner}");
        }
    }

    #[test]
    fn what_is_passed_over_is_never_shown() {
        let long = CodecError::skip(Fault::Other("long".into()), 5);
        let mut compat = Compat::new(Says::new([Err(long.clone()), Ok(frame(0, 2, 2))]));
        let mut wire = BytesMut::from("abc");
        assert_eq!(compat.decode(&mut wire).unwrap(), Some(Err(long)));
        wire.extend_from_slice(b"d");
        assert_eq!(compat.decode(&mut wire).unwrap(), None);
        wire.extend_from_slice(b"eok");
        assert_eq!(compat.decode(&mut wire).unwrap(), Some(Ok("ok".into())));
        assert_eq!(compat.into_inner().shown, [&b"abc"[..], b"ok"]);
    }

    #[test]
    fn after_a_fatal_error_nothing_is_asked_and_nothing_kept() {
        let fatal = CodecError::fatal(Fault::Other("lost".into()));
        let nothing = CodecError::skip(Fault::Other("again and again".into()), 0);
        for error in [fatal, nothing] {
            let mut compat = Compat::new(Says::new([Err(error), Ok(frame(0, 1, 1))]));
            let mut wire = BytesMut::from("abc");
            let said = compat.decode(&mut wire).unwrap_err();
            assert_eq!(said.kind(), ErrorKind::InvalidData);
            wire.extend_from_slice(b"more");
            assert_eq!(compat.decode(&mut wire).unwrap(), None);
            assert_eq!(compat.decode_eof(&mut wire).unwrap(), None);
            assert!(wire.is_empty());
            assert_eq!(compat.into_inner().shown.len(), 1);
        }
    }

    #[test]
    fn white_space_before_a_frame_is_passed_over_at_once() {
        let mut objects = Compat::new(socketry_codec::BareJson::default());
        let mut wire = BytesMut::from(" \n{} ");
        assert_eq!(objects.decode(&mut wire).unwrap(), Some(Ok("{}".into())));
        assert_eq!(objects.decode(&mut wire).unwrap(), None);
        assert!(wire.is_empty());
    }
}

/// It costs one frame, as any fault in its bytes does.
#[test]
fn a_codec_that_restores_nothing_says_so() {
    let mut reader = Reader::new(Says::new([Ok(coded(0, 2, 2)), Ok(frame(0, 2, 2))]));
    reader.push(b"abcd");
    let error = reader.next_frame().unwrap_err();
    assert!(error.to_string().contains("does not restore it"), "{error}");
    assert_eq!(error.skip, Some(2));
    assert_eq!(reader.next_frame(), Ok(Some(&b"cd"[..])));
}
