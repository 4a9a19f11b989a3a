//! Recognises the codec of a peer by its first bytes, if it is another than ours.

use std::fmt::{self, Display};

use serde_json::{Map, Value};
use socketry_codec::{Codec, Content, Decoded, End, Format};

use crate::own::Own;

/// The kind of frame that the first bytes of a peer look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Looks {
    /// A text that ends no line.
    Text,
    /// A line of text.
    Line,
    /// A JSON object, or the beginning of one.
    Object,
    /// A text after its length.
    Behind(Format),
    /// A JSON object after its length.
    ObjectBehind(Format),
    /// A frame of the codec of this name.
    Frame(String),
}

/// Prints the name of the codec.
impl Display for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, format) = match self {
            Looks::Text => ("raw", None),
            Looks::Line => ("line", None),
            Looks::Object => ("json:bare", None),
            Looks::Behind(format) => ("struct", Some(format)),
            Looks::ObjectBehind(format) => ("json", Some(format)),
            Looks::Frame(name) => (&**name, None),
        };
        match format.filter(|format| **format != Format::default()) {
            Some(format) => write!(f, "{name}:{format}"),
            None => f.write_str(name),
        }
    }
}

/// How `bytes`, the first of a connection, look, if that is not like `own`. `None` also if the
/// bytes are not conclusive.
pub(crate) fn looks_like(bytes: &[u8], own: &Own) -> Option<Looks> {
    // Over these codecs any text is a frame, so the beginning of another codec's frame is no proof.
    let certain = !own.properties.boundaries || own.delimiter().is_some();
    let theirs = guess(bytes, certain)?;
    // If `own` has no frame boundaries, a text that ends in a line feed is a text, too.
    let text = !own.properties.boundaries && theirs == Looks::Line;
    (!text && !is_like(own, &theirs)).then_some(theirs)
}

/// A third party's codec whose frames begin like `bytes`, which `own` cannot decode.
pub(crate) fn registered(bytes: &[u8], own: &Own) -> Option<Looks> {
    let names = own.codecs.names().filter(|name| *name != family(&own.name));
    let mut names = names.filter(|name| !STANDARD.contains(name));
    let name = names.find(|name| {
        let codec = own.codecs.build(*name);
        codec.is_ok_and(|codec| is_framed(bytes, codec))
    });
    name.map(|name| Looks::Frame(name.to_owned()))
}

/// The codecs that [`guess`] knows.
const STANDARD: [&str; 4] = ["raw", "line", "struct", "json"];

/// Whether `bytes` begin with a frame of `codec` that holds a text and differs from the text alone.
fn is_framed(bytes: &[u8], mut codec: impl Codec) -> bool {
    let properties = codec.properties();
    let content = matches!(properties.content, Content::Bytes | Content::Json);
    match codec.decode(bytes, End::Open) {
        Ok(Decoded::Frame {
            start,
            end,
            consumed,
        }) if properties.boundaries && content => {
            let frame = bytes.get(start..end).unwrap_or_default();
            consumed > frame.len() && !frame.is_empty() && is_text(frame)
        }
        _ => false,
    }
}

/// The JSON codec of the peer that sent `frame`, which `own` carries as text. The frame has to
/// begin with an object that has one of `keys`.
pub(crate) fn json_inside(frame: &[u8], own: &Own, keys: &[&str]) -> Option<Looks> {
    let mut objects = serde_json::Deserializer::from_slice(frame).into_iter::<Map<_, _>>();
    let object: Map<String, Value> = objects.next()?.ok()?;
    let known = keys.iter().any(|key| object.contains_key(*key));
    known.then(|| length_of(own).map_or(Looks::Object, Looks::ObjectBehind))
}

/// The format of the length before the frames of `struct`.
pub(crate) fn length_of(own: &Own) -> Option<Format> {
    match own.name.strip_prefix("struct")? {
        "" => Some(Format::default()),
        rest => rest.strip_prefix(':')?.parse().ok(),
    }
}

/// Whether frames of `own` look like `theirs`.
fn is_like(own: &Own, theirs: &Looks) -> bool {
    match theirs {
        Looks::Text => !own.properties.boundaries,
        Looks::Line => own.delimiter().is_some(),
        Looks::Object => own.is_bare_json(),
        Looks::ObjectBehind(_) => own.is_json() && !own.is_bare_json(),
        // Two headers cannot be told apart reliably.
        Looks::Behind(_) => !own.is_json() && has_binary_header(own),
        Looks::Frame(name) => family(name) == family(&own.name),
    }
}

/// Whether frames of `own` are unlikely to begin as a text does. A header of one byte does not
/// count, since it may be a letter in a longer frame.
pub(crate) fn begins_unlike_text(own: &Own) -> bool {
    own.header().len() > 1 && has_binary_header(own)
}

fn has_binary_header(own: &Own) -> bool {
    let header = own.header();
    !header.is_empty() && !is_text(&header)
}

fn family(name: &str) -> &str {
    name.split(':').next().unwrap_or_default()
}

/// The codec that `bytes` look like. If it has to be `certain`, they have to hold a whole frame.
fn guess(bytes: &[u8], certain: bool) -> Option<Looks> {
    if bytes.is_empty() {
        return None;
    }
    with_length(bytes, certain).or_else(|| text(bytes))
}

/// The formats of a length to try, the likeliest first.
const FORMATS: [&str; 6] = ["i", ">i", "<H", ">H", "<q", ">q"];

/// The longest first frame to try, in bytes.
const LONGEST: usize = 1 << 20;

/// Tries a length that is no text, and a text after it. That is a frame of `struct`, or of `json`
/// if the text is an object. Exactly one whole frame is likelier than the beginning of one.
fn with_length(bytes: &[u8], certain: bool) -> Option<Looks> {
    let cuts = || {
        let formats = FORMATS.iter().filter_map(|format| format.parse().ok());
        formats.filter_map(|format: Format| cut(format, bytes).map(|cut| (format, cut)))
    };
    let exact = cuts().find(|(_, (len, rest))| rest.len() == *len);
    // Any two bytes may be a length: of a frame that has not arrived whole, or by chance, as a part
    // of a text.
    let followed = |format: Format, len: usize, rest: &[u8]| match rest.get(len..) {
        Some(next) => format.size() > 2 || cut(format, next).is_some(),
        None => false,
    };
    let found = exact
        .or_else(|| cuts().find(|(format, (len, rest))| !certain || followed(*format, *len, rest)));
    let (format, (len, rest)) = found?;
    let object =
        rest.starts_with(b"{") && rest.get(..len).is_none_or(|whole| whole.ends_with(b"}"));
    Some(match object {
        true => Looks::ObjectBehind(format),
        false => Looks::Behind(format),
    })
}

/// A length in `format` and the bytes after it, if they may be one.
fn cut(format: Format, bytes: &[u8]) -> Option<(usize, &[u8])> {
    let len = usize::try_from(format.read(bytes).ok()??).ok()?;
    let (length, rest) = bytes.split_at(format.size());
    let payload = &rest[..rest.len().min(len)];
    let in_bounds = (1..=LONGEST).contains(&len);
    let found = in_bounds && !is_text(length) && !payload.is_empty() && is_text(payload);
    found.then_some((len, rest))
}

/// Tries a text in an encoding that extends ASCII: JSON, lines, or neither.
fn text(bytes: &[u8]) -> Option<Looks> {
    // So few bytes may be the beginning of a length.
    let is_front = bytes.len() < 4 && !bytes.is_ascii();
    if is_front || !is_text(bytes) {
        return None;
    }
    if bytes.trim_ascii_start().starts_with(b"{") {
        return Some(Looks::Object);
    }
    match bytes.contains(&b'\n') {
        true => Some(Looks::Line),
        false => Some(Looks::Text),
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..=0xfe);
    bytes.iter().all(is_text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use socketry_codec::{BoxCodec, Codec};

    const FRAMES: [&[u8]; 3] = [b"echo hi", b"{\"run\":\"ls\"}", b"hello, this is ann"];

    fn own(codec: &str) -> std::sync::Arc<Own> {
        crate::Service::with_codec(codec).unwrap().own().unwrap()
    }

    /// A wrong guess of the size of a length is accepted.
    fn base(name: &str) -> String {
        match name {
            "json:bare" => name.to_owned(),
            name => family(name).to_owned(),
        }
    }

    fn encoded(codec: &str, frame: &[u8]) -> Option<BytesMut> {
        let mut out = BytesMut::new();
        let mut codec: BoxCodec = codec.parse().unwrap();
        codec.encode(frame, &mut out).ok().map(|()| out)
    }

    #[test]
    fn a_codec_is_known_by_its_first_frame() {
        for codec in [
            "line",
            "struct",
            "struct:>H",
            "struct:>I",
            "json",
            "json:>I",
        ] {
            for frame in FRAMES {
                let Some(bytes) = encoded(codec, frame) else {
                    continue;
                };
                let guessed = guess(&bytes, true).unwrap();
                let json = frame.starts_with(b"{");
                let expected = match codec {
                    "line" if json => "json:bare".to_owned(),
                    _ if json => base(codec).replace("struct", "json"),
                    _ => base(codec),
                };
                assert_eq!(base(&guessed.to_string()), expected, "{codec} {frame:?}");
            }
        }
        assert_eq!(guess(b"{\"from\":\"ann\"}", true), Some(Looks::Object));
        assert_eq!(guess(b"echo hi", true), Some(Looks::Text));
        assert_eq!(guess(b"\x01\x02\x03", true), None);
        assert_eq!(guess(b"", true), None);
        assert_eq!(guess(b"\xe8", true), None, "the front of a length");
    }

    #[test]
    fn no_peer_is_told_to_use_its_own_codec() {
        for codec in ["raw", "line", "struct", "struct:>H", "json", "json:bare"] {
            for frame in FRAMES {
                let Some(bytes) = encoded(codec, frame) else {
                    continue;
                };
                let other = looks_like(&bytes, &own(codec));
                // The content may be another codec's, which `json_inside` decides.
                let json = frame.starts_with(b"{");
                assert!(other.is_none() || json, "{codec} {frame:?}: {other:?}");
            }
        }
        assert_eq!(looks_like(b"two\nlines\n", &own("raw")), None);
    }

    #[test]
    fn an_object_in_a_frame_of_text_is_json() {
        let frame = br#"{"from":"ann"}"#;
        let keys = ["from", "text"];
        let json = json_inside(frame, &own("struct:>I"), &keys);
        assert_eq!(json, Some(Looks::ObjectBehind(">I".parse().unwrap())));
        assert_eq!(json_inside(frame, &own("raw"), &keys), Some(Looks::Object));
        let two = [&frame[..], frame].concat();
        assert_eq!(json_inside(&two, &own("raw"), &keys), Some(Looks::Object));
        assert_eq!(json_inside(frame, &own("raw"), &["run"]), None);
        assert_eq!(json_inside(b"{ from", &own("raw"), &keys), None);
    }
}
