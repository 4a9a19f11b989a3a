//! Codecs alone: 64 KiB of encoded frames in the side's buffer, where a read would have put them,
//! decoded to the last frame; and frames encoded into a buffer of 64 KiB that is then emptied.
//!
//! Our sides are frames borrowed from a slice, frames from a `Reader`, borrowed and as `Bytes`, and
//! the codec as tokio-util's `Decoder`. The header has four bytes, little-endian. Only
//! asynchronous-codec has another one, of eight bytes, big-endian, since it has no other.

use std::fmt::Debug;
use std::hint::black_box;
use std::time::{Duration, Instant};

use asynchronous_codec as asynchronous;
use bytes::{Bytes, BytesMut};
use socketry_codec::{Codec, Compat, Decoded, End, Layout, LayoutCodec, Line, Reader, Struct};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec, LinesCodec};

use crate::contest::{Contest, Unit, Work};
use crate::tally::{Tally, frame, text};

/// How many encoded bytes are decoded at once.
const WIRE: usize = 64 * 1024;
/// How long one run takes at least.
const LONG: Duration = Duration::from_millis(100);

pub(crate) fn contests() -> Vec<Contest> {
    let mut all = Vec::new();
    all.extend([16, 64].map(decode_struct));
    all.extend([16, 64].map(decode_layout));
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
    let frame = frame(size);
    let wide = wire(&mut Struct::new(">Q".parse().unwrap()), &frame);
    let wire = wire(&mut little(), &frame);
    let (mut cut, mut util) = (Compat::new(little()), theirs());
    let mut length = asynchronous::LengthCodec;
    Contest::new("decode struct", bytes(size), Unit::Frames)
        .side("ours", walking(little(), &wire))
        .side("ours, Reader", reading(little(), &wire))
        .side("ours, Bytes", cutting(little(), &wire))
        .side(
            "ours, Compat",
            items(&wire, move |buf| whole(cut.decode(buf))),
        )
        .side("tokio-util", items(&wire, move |buf| util.decode(buf)))
        .side(
            "asynchronous-codec",
            items(&wide, move |buf| {
                asynchronous::Decoder::decode(&mut length, buf)
            }),
        )
        .target("ours", "tokio-util", 15.0)
        .target("ours, Bytes", "tokio-util", 2.5)
}

/// Whole frames, in which a length of two bytes counts all of them, as in TPKT or BGP.
fn decode_layout(size: usize) -> Contest {
    let ours = || -> LayoutCodec { "2x,>H=frame,1x".parse::<Layout>().unwrap().codec() };
    let mut whole = [0; 5].to_vec();
    whole.extend_from_slice(&frame(size - 5));
    whole[2..4].copy_from_slice(&u16::try_from(size).unwrap().to_be_bytes());
    let wire = wire(&mut ours(), &whole);
    let mut util = LengthDelimitedCodec::builder()
        .length_field_offset(2)
        .length_field_length(2)
        .length_adjustment(0)
        .num_skip(0)
        .new_codec();
    Contest::new("decode layout", bytes(size), Unit::Frames)
        .side("ours", walking(ours(), &wire))
        .side("ours, Reader", reading(ours(), &wire))
        .side("ours, Bytes", cutting(ours(), &wire))
        .side("tokio-util", items(&wire, move |buf| util.decode(buf)))
        .target("ours", "tokio-util", 8.0)
}

fn decode_line(size: usize) -> Contest {
    let wire = wire(&mut Line::new(), &text(size));
    let (mut cut, mut util) = (Compat::new(Line::new()), LinesCodec::new());
    Contest::new("decode line", bytes(size), Unit::Frames)
        .side("ours", walking(Line::new(), &wire))
        .side("memchr alone", searching(&wire))
        .side("ours, Reader", reading(Line::new(), &wire))
        .side("ours, Bytes", cutting(Line::new(), &wire))
        .side(
            "ours, Compat",
            items(&wire, move |buf| whole(cut.decode(buf))),
        )
        .side("tokio-util", items(&wire, move |buf| util.decode(buf)))
        .side(
            "asynchronous-codec",
            items(&wire, |buf| {
                without_end(asynchronous::Decoder::decode(
                    &mut asynchronous::LinesCodec,
                    buf,
                ))
            }),
        )
        .target("ours", "tokio-util", 4.0)
}

fn encode_struct(size: usize) -> Contest {
    let ours = frame(size);
    let (alone, shared) = (ours.clone(), Bytes::copy_from_slice(&ours));
    let mut codec = little();
    let (mut other, mut length, again) = (theirs(), asynchronous::LengthCodec, shared.clone());
    Contest::new("encode struct", bytes(size), Unit::Frames)
        .side(
            "ours",
            encoding(move |out| codec.encode(black_box(&ours[..]), out).unwrap()),
        )
        .side(
            "two appends alone",
            encoding(move |out| appended(black_box(&alone[..]), out)),
        )
        .side(
            "tokio-util",
            encoding(move |out| other.encode(black_box(shared.clone()), out).unwrap()),
        )
        .side(
            "asynchronous-codec",
            encoding(move |out| {
                asynchronous::Encoder::encode(&mut length, black_box(again.clone()), out).unwrap();
            }),
        )
        .target("ours", "tokio-util", 8.0)
}

/// The frames of our codecs for tokio-util, without the details of errors.
fn whole<I, F: Debug, E>(item: Result<Option<Result<I, F>>, E>) -> Result<Option<I>, E> {
    item.map(|item| item.map(Result::unwrap))
}

/// asynchronous-codec leaves the line end on a line.
fn without_end<E>(line: Result<Option<String>, E>) -> Result<Option<String>, E> {
    line.map(|line| {
        line.map(|mut line| {
            assert_eq!(line.pop(), Some('\n'));
            line
        })
    })
}

pub(crate) fn bytes(size: usize) -> String {
    match size {
        0..1024 => format!("{size} B"),
        1024..1_048_576 => format!("{} KiB", size >> 10),
        1_048_576..1_073_741_824 => format!("{} MiB", size >> 20),
        _ => format!("{} GiB", size >> 30),
    }
}

/// As many frames as fit, their number, and one of them.
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

/// Fills the buffers and decodes them until the time of decoding is over, and checks the results.
/// Filling is not on the clock: it is the same copy of the same number of bytes on every side.
fn repeated<B>(
    whole: Tally,
    buffers: &mut B,
    fill: impl Fn(&mut B),
    mut decode: impl FnMut(&mut B, &mut Tally),
) -> Work {
    let (mut elapsed, mut times) = (Duration::ZERO, 0);
    while elapsed < LONG {
        let mut tally = Tally::default();
        fill(buffers);
        let begun = Instant::now();
        decode(buffers, &mut tally);
        elapsed += begun.elapsed();
        assert_eq!(tally, whole);
        times += 1;
    }
    Work {
        amount: (times * whole.frames) as f64,
        elapsed,
    }
}

fn walking<C: Codec>(mut codec: C, wire: &Wire) -> impl FnMut() -> Work + use<C> {
    let (bytes, whole) = (wire.bytes.clone(), wire.whole);
    let mut buf = Vec::new();
    let fill = move |buf: &mut Vec<u8>| {
        buf.clear();
        buf.extend_from_slice(&bytes);
    };
    move || {
        repeated(whole, &mut buf, &fill, |buf, tally| {
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

/// The fastest possible search for lines.
fn searching(wire: &Wire) -> impl FnMut() -> Work + use<> {
    let (mut bytes, whole) = (wire.bytes.clone(), wire.whole);
    move || {
        repeated(
            whole,
            &mut bytes,
            |_| (),
            |bytes, tally| {
                let mut rest = &bytes[..];
                while let Some(end) = memchr::memchr(b'\n', rest) {
                    tally.see(&rest[..end]);
                    rest = &rest[end + 1..];
                }
            },
        )
    }
}

fn reading<C: Codec>(codec: C, wire: &Wire) -> impl FnMut() -> Work + use<C> {
    let (bytes, whole, mut reader) = (wire.bytes.clone(), wire.whole, Reader::new(codec));
    let fill = move |reader: &mut Reader<C>| reader.push(&bytes);
    move || {
        repeated(whole, &mut reader, &fill, |reader, tally| {
            while let Some(frame) = reader.next_frame().unwrap() {
                tally.see(frame);
            }
        })
    }
}

fn cutting<C: Codec>(codec: C, wire: &Wire) -> impl FnMut() -> Work + use<C> {
    let (bytes, whole, mut reader) = (wire.bytes.clone(), wire.whole, Reader::new(codec));
    let fill = move |reader: &mut Reader<C>| reader.push(&bytes);
    move || {
        repeated(whole, &mut reader, &fill, |reader, tally| {
            while let Some(frame) = reader.next_bytes().unwrap() {
                tally.see(&frame);
            }
        })
    }
}

/// Any decoder that cuts its items from a buffer.
fn items<I: AsRef<[u8]>, E: Debug, D>(
    wire: &Wire,
    mut decode: D,
) -> impl FnMut() -> Work + use<I, E, D>
where
    D: FnMut(&mut BytesMut) -> Result<Option<I>, E>,
{
    let (bytes, whole) = (wire.bytes.clone(), wire.whole);
    let mut buf = BytesMut::new();
    let fill = move |buf: &mut BytesMut| buf.extend_from_slice(&bytes);
    move || {
        repeated(whole, &mut buf, &fill, |buf, tally| {
            while let Some(item) = decode(buf).unwrap() {
                tally.see(item.as_ref());
            }
        })
    }
}

/// The least work to put a length and a payload into a buffer without unsafe code.
fn appended(frame: &[u8], out: &mut BytesMut) {
    let length = u32::try_from(frame.len()).unwrap();
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(frame);
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
