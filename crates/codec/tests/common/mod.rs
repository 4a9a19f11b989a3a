//! What the tests of this crate share.

#![allow(dead_code, reason = "each test uses its own part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use socketry_codec::{BoxCodec, Codec, Fault, Reader};

/// What a reader said: frames, and what was wrong.
pub(crate) type Events = Vec<Result<Vec<u8>, Fault>>;

pub(crate) const NAMES: [&str; 21] = [
    "raw",
    "line",
    "line:crlf",
    r"line:\0",
    "line:;",
    "line:0x0d0a2e0d0a",
    "line:0x616162",
    "struct",
    "struct:B",
    "struct:>h",
    "struct:<I",
    "struct:!Q",
    "struct:=q",
    "struct:>u24",
    "struct:varint",
    "struct:>i>Q",
    "struct:digits,0x3a,data,0x2c",
    "struct:0x0300,>H=frame",
    "json",
    "json:>H",
    "json:bare",
];

pub(crate) fn codec(name: &str) -> BoxCodec {
    name.parse().unwrap()
}

/// Everything that a stream of these pieces says, and then its end.
pub(crate) fn stream<'a>(codec: impl Codec, pieces: impl IntoIterator<Item = &'a [u8]>) -> Events {
    let mut reader = Reader::new(codec);
    let mut events = Vec::new();
    for piece in pieces {
        reader.push(piece);
        drain(&mut reader, &mut events);
    }
    reader.close();
    drain(&mut reader, &mut events);
    assert_eq!(reader.buffered(), 0, "a stream that has ended is used up");
    events
}

/// Everything that one datagram says.
pub(crate) fn datagram(codec: impl Codec, bytes: &[u8]) -> Events {
    let mut reader = Reader::new(codec);
    let mut events = Vec::new();
    reader.load(bytes);
    drain(&mut reader, &mut events);
    events
}

/// Takes what there is; more answers than bytes would be one without progress.
pub(crate) fn drain<C: Codec>(reader: &mut Reader<C>, events: &mut Events) {
    for _ in 0..=reader.buffered() + 1 {
        match reader.next_frame() {
            Ok(None) => return,
            Ok(Some(frame)) => events.push(Ok(frame.to_vec())),
            Err(error) => events.push(Err(error.fault)),
        }
    }
    panic!("answers without progress");
}

pub(crate) fn ok(frames: &[&[u8]]) -> Events {
    frames.iter().map(|frame| Ok(frame.to_vec())).collect()
}

/// On the wire.
pub(crate) fn encode<T: AsRef<[u8]>>(codec: &mut impl Codec, frames: &[T]) -> Vec<u8> {
    let mut out = bytes::BytesMut::new();
    for frame in frames {
        codec.encode(frame.as_ref(), &mut out).unwrap();
    }
    out.to_vec()
}
