//! Codecs alone, and in a `Reader`.

use std::hint::black_box;

use bytes::BytesMut;
use socketry_codec::{BareJson, Codec, Decoded, End, Json, Line, Raw, Reader, Struct};

use super::{Case, frame};

/// Lengths of frames, in bytes.
const SIZES: [usize; 3] = [16, 64, 1024];
/// How many frames are decoded, or encoded, one after another. A `Reader` gets them at once. They
/// are so few that `memcpy` copies them in the same way on any processor with AVX2.
const BLOCK: u32 = 32;

pub(crate) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    // For `raw`, all buffered bytes are one frame.
    all.extend(each_size("raw", 1, || Raw));
    all.extend(each_size("line", BLOCK, Line::new));
    all.extend(each_size("struct:<I", BLOCK, || sized("<I")));
    all.extend(each_size("struct:>H", BLOCK, || sized(">H")));
    all.extend(each_size("json", BLOCK, Json::default));
    all.extend(each_size("json:bare", BLOCK, BareJson::new));
    all
}

pub(super) fn sized(format: &str) -> Struct {
    Struct::new(format.parse().unwrap())
}

fn each_size<C: Codec>(name: &str, block: u32, codec: fn() -> C) -> Vec<Case> {
    let case = |what: &str, size, run: fn(C, &[u8], u32, u32)| {
        let name = format!("{what} {name} {size} B");
        Case::new(name, block, move |rounds| {
            run(codec(), &frame(size), block, rounds);
        })
    };
    let decoded = SIZES.map(|size| case("decode", size, decode));
    let encoded = SIZES.map(|size| case("encode", size, encode));
    let read = case("Reader", 64, read);
    decoded.into_iter().chain(encoded).chain([read]).collect()
}

/// `frame` as many times as this, encoded.
pub(super) fn wire<C: Codec>(codec: &mut C, frame: &[u8], frames: u32) -> BytesMut {
    let mut wire = BytesMut::new();
    for _ in 0..frames {
        codec.encode(frame, &mut wire).unwrap();
    }
    wire
}

fn decode<C: Codec>(mut codec: C, frame: &[u8], block: u32, rounds: u32) {
    let wire = wire(&mut codec, frame, block);
    for _ in 0..rounds {
        let mut rest = black_box(&wire[..]);
        while let Decoded::Frame {
            start,
            end,
            consumed,
        } = codec.decode(rest, End::Open).unwrap()
        {
            black_box(&rest[start..end]);
            rest = &rest[consumed..];
        }
    }
}

fn encode<C: Codec>(mut codec: C, frame: &[u8], block: u32, rounds: u32) {
    let mut out = BytesMut::new();
    for _ in 0..rounds {
        black_box(&mut out).clear();
        for _ in 0..block {
            codec.encode(black_box(frame), &mut out).unwrap();
        }
    }
}

fn read<C: Codec>(mut codec: C, frame: &[u8], block: u32, rounds: u32) {
    let wire = wire(&mut codec, frame, block);
    let mut reader = Reader::new(codec);
    for _ in 0..rounds {
        reader.push(black_box(&wire));
        while let Some(frame) = reader.next_frame().unwrap() {
            black_box(frame);
        }
    }
}
