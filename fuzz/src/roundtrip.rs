//! A frame that a codec accepts arrives unchanged, and a frame that it refuses leaves no bytes
//! behind.

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, Decoded, End};

use super::case::Case;

/// The third byte says where the bytes are cut into two frames.
pub fn run(input: &[u8]) {
    let Some(case) = Case::read(input) else {
        return;
    };
    let cut = usize::from(case.choice).min(case.bytes.len());
    let frames: [&[u8]; 2] = case.bytes.split_at(cut).into();
    let mut codec = case.codec.clone();
    let mut out = BytesMut::with_capacity(case.bytes.len() + 32);
    let taken = frames.map(|frame| encode(&mut codec, frame, &mut out));
    if case.is_raw() {
        assert_eq!(out, case.bytes);
        return;
    }
    let mut rest = &out[..];
    for (frame, _) in frames.iter().zip(taken).filter(|(_, taken)| *taken) {
        let (read, consumed) = first(&mut codec, rest);
        assert_eq!(read, *frame);
        rest = &rest[consumed..];
    }
    assert!(rest.is_empty() && codec.at_boundary());
}

/// Whether the codec accepts the frame. `envelope` must agree with `encode`.
fn encode(codec: &mut BoxCodec, frame: &[u8], out: &mut BytesMut) -> bool {
    let before = out.len();
    let envelope = codec.envelope(frame);
    if let Err(error) = codec.encode(frame, out) {
        assert_eq!(out.len(), before);
        assert_eq!(error.skip, Some(0));
        assert!(envelope == Ok(None) || envelope == Err(error));
        return false;
    }
    if let Some((head, tail)) = envelope.expect("what encode takes") {
        let encoded = out[before..].strip_prefix(&head[..]);
        let encoded = encoded.and_then(|rest| rest.strip_suffix(&tail[..]));
        assert_eq!(encoded, Some(frame));
    }
    true
}

/// The first frame, and how many bytes it took.
fn first(codec: &mut BoxCodec, input: &[u8]) -> (Vec<u8>, usize) {
    let mut passed = 0;
    loop {
        match codec.decode(&input[passed..], End::Open) {
            Ok(Decoded::Skip(bytes)) => passed += bytes,
            Ok(Decoded::Frame {
                start,
                end,
                consumed,
            }) => return (input[passed..][start..end].to_vec(), passed + consumed),
            Ok(Decoded::Coded {
                start,
                end,
                consumed,
            }) => {
                let (coded, mut frame) = (&input[passed..][start..end], BytesMut::new());
                codec.restore(coded, &mut frame).expect("what was encoded");
                return (frame.to_vec(), passed + consumed);
            }
            other => panic!("{other:?} of a frame that was encoded"),
        }
    }
}
