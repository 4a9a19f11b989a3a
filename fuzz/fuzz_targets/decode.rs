//! Arbitrary bytes, in arbitrary pieces, to every codec; see the README.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use socketry_codec::{BoxCodec, Codec, CodecSpec, Decoded, End, Fault, Reader};

const NAMES: [&str; 22] = [
    "raw",
    "line",
    "line:crlf",
    r"line:\0",
    "line:;",
    "struct",
    "struct:b",
    "struct:B",
    "struct:>h",
    "struct:<H",
    "struct:=i",
    "struct:!I",
    "struct:l",
    "struct:=L",
    "struct:<q",
    "struct:>Q",
    "json",
    "json:B",
    "json:>H",
    "json:<I",
    "json:>q",
    "json:bare",
];

/// The longest frame, and the longest one that is passed over.
const LIMITS: [(usize, u64); 6] = [
    (0, 0),
    (2, 5),
    (9, 17),
    (64, 64),
    (8 << 20, 16 << 20),
    (usize::MAX, u64::MAX),
];

type Event = Result<Vec<u8>, Fault>;

fuzz_target!(|input: &[u8]| {
    let [name, limits, cuts, bytes @ ..] = input else {
        return;
    };
    let name = NAMES[usize::from(*name) % NAMES.len()];
    let limits = LIMITS[usize::from(*limits) % LIMITS.len()];
    let codec = build(name, limits);
    answers(&codec, bytes);
    pieces(name, &codec, bytes, *cuts, limits.0);
    datagrams(&codec, bytes);
    round_trip(name, &codec, bytes);
});

fn build(name: &str, (max_frame, max_discard): (usize, u64)) -> BoxCodec {
    let mut spec: CodecSpec = name.parse().expect("a name");
    if name != "raw" {
        (spec.max_frame, spec.max_discard) = (Some(max_frame), Some(max_discard));
    }
    spec.build().expect("limits that apply")
}

/// The first answer makes progress and lies within the input.
fn answers(codec: &BoxCodec, input: &[u8]) {
    for end in [End::Open, End::Closed, End::Datagram] {
        match codec.clone().decode(input, end) {
            Ok(Decoded::Need(bytes)) => {
                assert!(bytes > 0 && (end == End::Open || input.is_empty()));
            }
            Ok(Decoded::Skip(bytes)) => assert!(bytes > 0 && bytes <= input.len()),
            Ok(Decoded::Frame {
                start,
                end: stop,
                consumed,
            }) => {
                assert!(start <= stop && stop <= consumed && consumed <= input.len());
                assert!(consumed > 0 || (input.is_empty() && end == End::Datagram));
            }
            Err(error) => assert!(!input.is_empty() && error.skip != Some(0)),
        }
    }
}

/// However the bytes were cut, they say the same.
fn pieces(name: &str, codec: &BoxCodec, bytes: &[u8], cuts: u8, max_frame: usize) {
    let whole = stream(codec.clone(), [bytes].into_iter());
    let (size, uneven) = (usize::from(cuts & 15) + 1, usize::from(cuts >> 4));
    let (first, rest) = bytes.split_at(uneven.min(bytes.len()));
    let cut = stream(codec.clone(), [first].into_iter().chain(rest.chunks(size)));
    if name == "raw" {
        assert!(
            cut.into_iter()
                .flatten()
                .flatten()
                .eq(bytes.iter().copied())
        );
        return;
    }
    assert_eq!(whole, cut);
    // An object has at least two bytes, whatever the limit.
    let longest = whole.iter().flatten().map(Vec::len).max();
    assert!(longest.is_none_or(|len| len <= max_frame.max(2)));
}

fn stream<'a>(codec: BoxCodec, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut reader = Reader::new(codec);
    let (mut events, mut arrived) = (Vec::new(), 0);
    for piece in pieces {
        arrived += piece.len();
        reader.push(piece);
        assert!(reader.buffered() <= arrived);
        drain(&mut reader, &mut events);
    }
    reader.close();
    drain(&mut reader, &mut events);
    assert_eq!(reader.buffered(), 0);
    events
}

fn drain(reader: &mut Reader<BoxCodec>, events: &mut Vec<Event>) {
    for _ in 0..reader.buffered() + 2 {
        match reader.next_frame() {
            Ok(None) => return,
            Ok(Some(frame)) => events.push(Ok(frame.to_vec())),
            Err(error) => events.push(Err(error.fault)),
        }
    }
    panic!("answers without progress");
}

/// The second datagram is read as the first was.
fn datagrams(codec: &BoxCodec, bytes: &[u8]) {
    let mut reader = Reader::new(codec.clone());
    let mut load = || {
        let mut events = Vec::new();
        reader.load(bytes);
        drain(&mut reader, &mut events);
        assert!(events.iter().rev().skip(1).all(Result::is_ok));
        events
    };
    assert_eq!(load(), load());
}

/// What is taken arrives as it is, and what is refused leaves nothing behind.
fn round_trip(name: &str, codec: &BoxCodec, frame: &[u8]) {
    let mut out = BytesMut::new();
    let envelope = codec.clone().envelope(frame);
    if let Err(error) = codec.clone().encode(frame, &mut out) {
        assert!(out.is_empty());
        assert_eq!(envelope, Err(error));
        return;
    }
    if let Ok(Some((before, after))) = envelope {
        assert_eq!([&before, frame, &after].concat(), &out[..]);
    }
    if name != "raw" || !frame.is_empty() {
        assert_eq!(
            stream(codec.clone(), [&out[..]].into_iter()),
            [Ok(frame.to_vec())]
        );
    }
}
