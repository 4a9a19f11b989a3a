//! Codecs alone: 64 KiB of wire, copied into the side's buffer as a read would, decoded to the last frame; and frames
//! encoded into a buffer of 64 KiB that is then emptied.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use socketry_codec::{Codec, Compat, Decoded, End, Line, Reader, Struct};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec, LinesCodec};

use crate::contest::{Contest, Unit, Work};
use crate::tally::{Tally, frame};

/// How much wire is decoded at once, in bytes.
const WIRE: usize = 64 * 1024;
/// How long one run takes at least.
const LONG: Duration = Duration::from_millis(100);

pub(crate) fn contests() -> Vec<Contest> {
    let mut all = Vec::new();
    all.extend([16, 64].map(decode_struct));
    all.extend([16, 64, 256].map(decode_line));
    all.extend([16, 64].map(encode_struct));
    all
}

fn little() -> Struct {
    Struct::new("<I".parse().unwrap())
}

fn theirs() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().little_endian().new_codec()
}

fn decode_struct(size: usize) -> Contest {
    let wire = wire(&mut little(), &frame(size));
    Contest::new("decode struct", bytes(size), Unit::Frames)
        .side("borrowed", walking(little, &wire))
        .side("Reader", reading(little, &wire))
        .side(
            "Bytes",
            items(|| Compat::new(little()), |item| item.unwrap(), &wire),
        )
        .side("tokio-util", items(theirs, |item| item, &wire))
        .target("borrowed", "tokio-util", 15.0)
        .target("Bytes", "tokio-util", 2.5)
}

fn decode_line(size: usize) -> Contest {
    let text: Vec<u8> = frame(size).iter().map(|byte| b'a' + byte % 26).collect();
    let wire = wire(&mut Line::new(), &text);
    Contest::new("decode line", bytes(size), Unit::Frames)
        .side("borrowed", walking(Line::new, &wire))
        .side("Reader", reading(Line::new, &wire))
        .side(
            "Bytes",
            items(|| Compat::new(Line::new()), |item| item.unwrap(), &wire),
        )
        .side("tokio-util", items(LinesCodec::new, |item| item, &wire))
        .target("borrowed", "tokio-util", 4.0)
}

fn encode_struct(size: usize) -> Contest {
    let ours = frame(size);
    let shared = Bytes::from(ours.clone());
    let mut codec = little();
    let mut other = theirs();
    Contest::new("encode struct", bytes(size), Unit::Frames)
        .side(
            "ours",
            encoding(move |out| codec.encode(black_box(&ours), out).unwrap()),
        )
        .side(
            "tokio-util",
            encoding(move |out| other.encode(black_box(shared.clone()), out).unwrap()),
        )
        .target("ours", "tokio-util", 8.0)
}

pub(crate) fn bytes(size: usize) -> String {
    match size {
        0..1024 => format!("{size} B"),
        1024..1_048_576 => format!("{} KiB", size / 1024),
        _ => format!("{} MiB", size >> 20),
    }
}

/// As many frames as fit, and how many, and one of them.
struct Wire {
    bytes: Vec<u8>,
    whole: Tally,
}

fn wire(codec: &mut impl Codec, frame: &[u8]) -> Wire {
    let (mut wire, mut count) = (BytesMut::new(), 0);
    while wire.len() < WIRE {
        codec.encode(frame, &mut wire).unwrap();
        count += 1;
    }
    Wire {
        bytes: wire.to_vec(),
        whole: Tally::of(frame, count),
    }
}

/// Runs `once` until the time is over, and checks what it saw.
fn repeated(whole: Tally, mut once: impl FnMut(&mut Tally)) -> Work {
    let (begun, mut times) = (Instant::now(), 0);
    while begun.elapsed() < LONG {
        for _ in 0..16 {
            let mut tally = Tally::default();
            once(&mut tally);
            assert_eq!(tally, whole);
        }
        times += 16;
    }
    Work {
        amount: (times * whole.frames) as f64,
        elapsed: begun.elapsed(),
    }
}

fn walking<C: Codec>(codec: fn() -> C, wire: &Wire) -> impl FnMut() -> Work + use<C> {
    let (bytes, whole, mut codec) = (wire.bytes.clone(), wire.whole, codec());
    let mut buf = Vec::new();
    move || {
        repeated(whole, |tally| {
            buf.clear();
            buf.extend_from_slice(&bytes);
            let mut rest = &buf[..];
            while let Decoded::Frame {
                start,
                end,
                consumed,
            } = codec.decode(rest, End::Open).unwrap()
            {
                tally.see(&rest[start..end]);
                rest = &rest[consumed..];
            }
        })
    }
}

fn reading<C: Codec>(codec: fn() -> C, wire: &Wire) -> impl FnMut() -> Work + use<C> {
    let (bytes, whole, mut reader) = (wire.bytes.clone(), wire.whole, Reader::new(codec()));
    move || {
        repeated(whole, |tally| {
            reader.push(&bytes);
            while let Some(frame) = reader.next_frame().unwrap() {
                tally.see(frame);
            }
        })
    }
}

/// Any decoder of tokio-util's kind, and what the bytes of its items are.
fn items<D, B>(
    decoder: fn() -> D,
    inside: fn(D::Item) -> B,
    wire: &Wire,
) -> impl FnMut() -> Work + use<D, B>
where
    D: Decoder<Error: std::fmt::Debug>,
    B: AsRef<[u8]>,
{
    let (bytes, whole, mut decoder) = (wire.bytes.clone(), wire.whole, decoder());
    let mut buf = BytesMut::new();
    move || {
        repeated(whole, |tally| {
            buf.extend_from_slice(&bytes);
            while let Some(item) = decoder.decode(&mut buf).unwrap() {
                tally.see(inside(item).as_ref());
            }
        })
    }
}

fn encoding(mut encode: impl FnMut(&mut BytesMut)) -> impl FnMut() -> Work {
    let mut out = BytesMut::with_capacity(2 * WIRE);
    move || {
        let (begun, mut frames) = (Instant::now(), 0);
        while begun.elapsed() < LONG {
            for _ in 0..4096 {
                if out.len() >= WIRE {
                    black_box(&mut out).clear();
                }
                encode(&mut out);
            }
            frames += 4096;
        }
        Work {
            amount: f64::from(frames),
            elapsed: begun.elapsed(),
        }
    }
}
