//! Our codecs against those of other libraries, which were not written to agree with ours.
//!
//! The deliberate differences:
//! * the end of the stream inside a frame, right after its length, is an error here; for
//!   `LengthDelimitedCodec` it is the end;
//! * a `\r` at the end of an unfinished line is kept here, and dropped by `LinesCodec`;
//! * a `\r` before the `\n` does not count towards the limit here;
//! * lines are bytes here, and UTF-8 for `LinesCodec`.

use bytes::BytesMut;
use serde::de::IgnoredAny;
use socketry_codec::{BareJson, Codec, Decoded, End, Fault, Json, Line, Reader, Struct};
use tokio_util::codec::{Decoder, LengthDelimitedCodec, LinesCodec};

/// The longest frame that both sides take.
const LIMITS: [usize; 4] = [0, 3, 40, 4096];

/// The first byte chooses the pair and the limit.
pub fn run(input: &[u8]) {
    let Some((choice, bytes)) = input.split_first() else {
        return;
    };
    let limit = LIMITS[usize::from(choice >> 2) % LIMITS.len()];
    match choice % 4 {
        0 => lengths(bytes, limit),
        1 => lines(bytes, limit),
        2 => object(bytes),
        _ => header(bytes),
    }
}

/// A frame, or an error.
type Events = Vec<Option<Vec<u8>>>;

/// `struct:>I` against `LengthDelimitedCodec`, up to the first error. An error ends theirs, and
/// with this limit ours, too.
fn lengths(bytes: &[u8], limit: usize) {
    let format = ">I".parse().expect("a format");
    let codec = Struct::new(format).max_frame(limit).max_discard(0);
    let ours = ours(codec, bytes);
    let mut builder = LengthDelimitedCodec::builder();
    let codec = builder.max_frame_length(limit).new_codec();
    // A malformed frame stays in their buffer.
    let mut theirs = theirs(codec, bytes, true);
    if ours.len() == theirs.len() + 1 && ends_behind_a_length(bytes, &theirs) {
        theirs.push(None);
    }
    assert_eq!(ours, theirs);
}

/// Whether the frames took all bytes but the four of one more length.
fn ends_behind_a_length(bytes: &[u8], frames: &Events) -> bool {
    let taken = frames.iter().flatten().map(|frame| 4 + frame.len());
    taken.sum::<usize>() + 4 == bytes.len()
}

/// `line` against `LinesCodec`.
fn lines(bytes: &[u8], limit: usize) {
    if std::str::from_utf8(bytes).is_err() {
        return;
    }
    let limit = if bytes.contains(&b'\r') { 4096 } else { limit };
    let mut ours = ours(Line::new().max_frame(limit).keep_last(true), bytes);
    if bytes.ends_with(b"\r")
        && let Some(Some(last)) = ours.last_mut()
    {
        last.pop();
        let nothing = last.is_empty();
        ours.truncate(ours.len() - usize::from(nothing));
    }
    let codec = LinesCodec::new_with_max_length(limit);
    assert_eq!(ours, theirs(codec, bytes, false));
}

/// `json:bare` against serde_json, which finds the end of an object by parsing it.
fn object(bytes: &[u8]) {
    let mut theirs = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    let Some(Ok(_)) = theirs.next() else {
        return;
    };
    let stop = theirs.byte_offset();
    let start = bytes.len() - trimmed(bytes).len();
    if bytes.get(start) == Some(&b'{') {
        bare(&bytes[start..], stop - start);
    }
}

fn bare(object: &[u8], len: usize) {
    match BareJson::new().decode(object, End::Open) {
        Ok(Decoded::Frame {
            start,
            end,
            consumed,
        }) => assert_eq!((start, end, consumed), (0, len, len)),
        Err(error) => assert!(matches!(error.fault, Fault::TooDeep { .. })),
        other => panic!("{other:?} of a whole object"),
    }
}

/// `json` against serde_json: every object of serde_json is a header here.
fn header(bytes: &[u8]) {
    let is_object = serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
        && trimmed(bytes).first() == Some(&b'{');
    let format = ">H".parse().expect("a format");
    let mut out = BytesMut::new();
    let encoded = Json::new(format).encode(bytes, &mut out);
    if is_object && bytes.len() <= usize::from(u16::MAX) {
        encoded.expect("an object can be a header");
        assert_eq!(ours(Json::new(format), &out), [Some(bytes.to_vec())]);
    }
}

/// The bytes without the JSON white space at the front.
fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii_start()
}

fn ours(codec: impl Codec, bytes: &[u8]) -> Events {
    let mut reader = Reader::new(codec);
    let mut events = Events::new();
    reader.push(bytes);
    for _ in 0..2 {
        loop {
            match reader.next_frame() {
                Ok(None) => break,
                Ok(Some(frame)) => events.push(Some(frame.to_vec())),
                Err(_) => events.push(None),
            }
        }
        reader.close();
    }
    events
}

/// Asked as tokio-util's own `Framed` does. It ends at the `first` error, or goes on.
fn theirs<D: Decoder>(mut codec: D, bytes: &[u8], first: bool) -> Events
where
    D::Item: AsRef<[u8]>,
{
    let mut src = BytesMut::from(bytes);
    let mut events = Events::new();
    loop {
        let decoded = match codec.decode(&mut src) {
            Ok(None) => codec.decode_eof(&mut src),
            decoded => decoded,
        };
        match decoded {
            Ok(None) => return events,
            Ok(Some(frame)) => events.push(Some(frame.as_ref().to_vec())),
            Err(_) => events.push(None),
        }
        if first && events.last() == Some(&None) {
            return events;
        }
    }
}
