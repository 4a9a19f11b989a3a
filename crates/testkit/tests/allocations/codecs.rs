//! Codecs alone, and in a `Reader`.

use allocation_counter::measure;
use bytes::BytesMut;
use socketry_codec::{BareJson, Codec, Decoded, End, Json, Line, Raw, Reader, Struct};

use super::{CODECS, FRAME, codec, wire};

/// How many frames each codec decodes.
const FRAMES: usize = 100;

#[test]
fn a_codec_of_any_name_encodes_and_decodes_without_an_allocation() {
    for name in CODECS {
        costs_nothing(&format!("boxed {name}"), codec(name));
    }
}

#[test]
fn a_codec_whose_type_is_known_does_so_too() {
    costs_nothing("raw", Raw);
    costs_nothing("line", Line::new());
    costs_nothing("struct", Struct::default());
    costs_nothing("json", Json::default());
    costs_nothing("json:bare", BareJson::new());
}

fn costs_nothing<C: Codec>(name: &str, mut codec: C) {
    let wire = wire(&mut codec, FRAMES);
    let mut room = BytesMut::with_capacity(wire.len() + 8);
    let encoding = || {
        for _ in 0..FRAMES {
            codec.encode(FRAME, &mut room).unwrap();
        }
    };
    assert_eq!(measure(encoding).count_total, 0, "{name}: encode");
    let envelope = || drop(codec.envelope(FRAME).unwrap());
    assert_eq!(measure(envelope).count_total, 0, "{name}: envelope");
    let decoding = || assert_eq!(decode_all(&mut codec, &wire), FRAMES * FRAME.len());
    assert_eq!(measure(decoding).count_total, 0, "{name}: decode");
    let mut reader = Reader::new(codec);
    read_all(&mut reader, &wire);
    let reading = || assert_eq!(read_all(&mut reader, &wire), FRAMES * FRAME.len());
    assert_eq!(measure(reading).count_total, 0, "{name}: next_frame");
}

/// Decodes to the last frame, and returns the total length of the frames.
fn decode_all<C: Codec>(codec: &mut C, mut wire: &[u8]) -> usize {
    let mut payload = 0;
    while let Decoded::Frame {
        start,
        end,
        consumed,
    } = codec.decode(wire, End::Open).unwrap()
    {
        payload += end - start;
        wire = &wire[consumed..];
    }
    payload
}

/// Pushes the wire in two pieces, the first of which ends within a frame, and reads it to the last
/// frame.
fn read_all<C: Codec>(reader: &mut Reader<C>, wire: &[u8]) -> usize {
    let (first, second) = wire.split_at(wire.len() / 2 + 7);
    let mut payload = 0;
    for piece in [first, second] {
        reader.push(piece);
        while let Some(frame) = reader.next_frame().unwrap() {
            payload += frame.len();
        }
    }
    payload
}
