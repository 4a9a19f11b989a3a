//! Many frames a call: the same frames as with single calls, none lost and none twice.
#![allow(clippy::unwrap_used, reason = "tests")]

mod everywhere;
mod feeding;
mod receiving;
mod states;

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, Struct};

/// Encoded frames, each after its length.
fn encoded(frames: &[&[u8]]) -> Vec<u8> {
    encoded_by(&mut Struct::default(), frames)
}

fn encoded_by(codec: &mut impl Codec, frames: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut out = BytesMut::new();
    for frame in frames {
        codec.encode(frame.as_ref(), &mut out).unwrap();
    }
    out.to_vec()
}

fn named(name: &str) -> BoxCodec {
    name.parse().unwrap()
}

/// Every codec with frame boundaries.
const CODECS: [&str; 7] = [
    "line",
    "line:crlf",
    r"line:\0",
    "struct",
    "struct:>H",
    "json",
    "json:bare",
];

/// `count` frames of different lengths that every codec carries.
fn frames(count: usize) -> Vec<Vec<u8>> {
    let frame = |n: usize| format!("{{\"n\":\"{n}{}\"}}", "x".repeat(n % 37));
    (0..count).map(|n| frame(n).into_bytes()).collect()
}
