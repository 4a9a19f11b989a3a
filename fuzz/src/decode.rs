//! Arbitrary bytes to every codec. Its answers lie within its input and make progress, and the next
//! datagram is read as if it was the first.

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, CodecError, Decoded, End, Fault};

use super::case::Case;

/// The third byte chooses whether the end is known.
pub fn run(input: &[u8]) {
    let Some(case) = Case::read(input) else {
        return;
    };
    let mut codec = case.codec.clone();
    match case.choice % 3 {
        0 => drop(answers(&case, &mut codec, End::Open)),
        1 => drop(answers(&case, &mut codec, End::Closed)),
        _ => {
            let first = answers(&case, &mut codec, End::Datagram);
            assert_eq!(first, answers(&case, &mut codec, End::Datagram));
        }
    }
}

/// An answer, and the frame that was restored for it.
type Answer = (Result<Decoded, CodecError>, Restored);

type Restored = Option<Result<BytesMut, Fault>>;

/// The codec's answers to all the bytes, asked as a reader would.
fn answers(case: &Case<'_>, codec: &mut BoxCodec, mut end: End) -> Vec<Answer> {
    let (mut at, mut answers) = (0, Vec::new());
    loop {
        let rest = &case.bytes[at..];
        let answer = codec.decode(rest, end);
        let passed = passed(case, rest, end, &answer);
        let restored = restored(case, codec, rest, &answer);
        answers.push((answer, restored));
        match passed {
            None => return answers,
            // Nothing more arrives. The codec is asked about the same bytes again, with the end
            // known.
            Some(0) if end == End::Open => end = End::Closed,
            Some(0) => return answers,
            Some(bytes) => at += bytes,
        }
        if at == case.bytes.len() && end == End::Datagram {
            return answers;
        }
    }
}

/// What the codec makes of a frame in another form.
fn restored(
    case: &Case<'_>,
    codec: &mut BoxCodec,
    rest: &[u8],
    answer: &Result<Decoded, CodecError>,
) -> Restored {
    let Ok(Decoded::Coded { start, end, .. }) = answer else {
        return None;
    };
    let mut frame = BytesMut::new();
    let restored = codec.restore(&rest[*start..*end], &mut frame);
    Some(restored.map(|()| {
        assert!(frame.len() <= case.longest());
        frame
    }))
}

/// How many bytes to drop before the codec is asked again; `None` if it is not.
fn passed(
    case: &Case<'_>,
    rest: &[u8],
    end: End,
    answer: &Result<Decoded, CodecError>,
) -> Option<usize> {
    match answer {
        Ok(Decoded::Need(bytes)) => {
            assert!(*bytes > 0 && (end == End::Open || rest.is_empty()));
            Some(0)
        }
        Ok(Decoded::Skip(bytes)) => {
            assert!(*bytes > 0 && *bytes <= rest.len());
            Some(*bytes)
        }
        Ok(Decoded::Frame {
            start,
            end: stop,
            consumed,
        }) => {
            assert!(start <= stop && stop <= consumed && *consumed <= rest.len());
            assert!(*consumed > 0 || (rest.is_empty() && end == End::Datagram));
            assert!(stop - start <= case.longest());
            (*consumed > 0).then_some(*consumed)
        }
        Ok(Decoded::Coded {
            start,
            end: stop,
            consumed,
        }) => {
            assert!(start <= stop && stop <= consumed && *consumed <= rest.len());
            assert!(*consumed > 0 || (rest.is_empty() && end == End::Datagram));
            (*consumed > 0).then_some(*consumed)
        }
        Err(error) => {
            assert!(!rest.is_empty() && error.skip != Some(0));
            // An error ends a datagram. On a stream, bytes that are passed over beyond the end
            // never come.
            let skip = usize::try_from(error.skip?).ok()?;
            (end != End::Datagram && skip <= rest.len()).then_some(skip)
        }
    }
}
