//! A peer that speaks another codec: noticed by the first bytes that it sent, and told in words
//! that it understands whatever its codec is.
//!
//! A server that finds the first frame of a client to be another codec's says so in its own codec,
//! in words that begin with [`WORDS`] and its codec's name. A client looks for these words in the
//! first bytes of an answer, before it believes its codec.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

use serde_json::{Map, Value};
use socketry_codec::{CodecName, Format, FrameError};

use crate::AppError;

/// How long the first frame of a connection may stay a beginning before its bytes are looked at.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// What precedes the name of a server's codec. ASCII, so that no encoding, no quoting and no
/// framing of ours changes it.
const WORDS: &str = "this server speaks the codec `";

/// What a server of the codec `own` says to a client whose first bytes look like `theirs`.
pub(crate) fn refusal(own: CodecName, theirs: impl Display) -> String {
    format!("{WORDS}{own}`; this looks like {theirs}")
}

/// What a server of lines says to a client whose first line does not end.
pub(crate) fn unfinished(own: CodecName) -> String {
    format!("{WORDS}{own}`; a line ends with its delimiter")
}

/// What may stand before a [`refusal`], in bytes: a length, a key of JSON, who says so. Further
/// behind it is part of something else.
const BEFORE: usize = 40;

/// A notice ends here at the latest, as far as it is looked at, in bytes.
const NOTICE: usize = 128;

/// The codec that a server named in a [`refusal`], if `bytes` begin with one.
fn noticed(bytes: &[u8]) -> Option<CodecName> {
    let bytes = &bytes[..bytes.len().min(NOTICE)];
    let text = String::from_utf8_lossy(bytes);
    let (before, behind) = text.split_once(WORDS)?;
    if before.len() > BEFORE {
        return None;
    }
    let (name, _) = behind.split_once('`')?;
    name.parse().ok()
}

/// The error of a client that was told in `bytes` from the server that it speaks another codec.
pub(crate) fn of_bytes(bytes: &[u8]) -> Option<AppError> {
    noticed(bytes).map(differs)
}

/// The same, of what the client could not understand.
pub(crate) fn of_error(error: &FrameError) -> Option<AppError> {
    let frame = error.frame().map_or(&[][..], |frame| frame);
    of_bytes(error.found()).or_else(|| of_bytes(frame))
}

/// The error of a client to which a server seems to speak the codec `theirs`.
pub(crate) fn differs(theirs: CodecName) -> AppError {
    let name = theirs.to_string();
    // To be pasted into a shell, to which `>` is something else.
    let word = shlex::try_quote(&name).unwrap_or(Cow::Borrowed(&name));
    AppError::failed(format_args!(
        "the server speaks the codec {name}, and this client another one; try --codec {word}"
    ))
}

/// The codec that `bytes`, the first of a connection, look like, if that is another family than
/// `own`. `None` also where nothing can be said with confidence.
pub(crate) fn looks_like(bytes: &[u8], own: CodecName) -> Option<CodecName> {
    // Where any text is a frame, the front of another codec's is no proof.
    let certain = matches!(own, CodecName::Raw | CodecName::Line(_));
    let theirs = guess(bytes, certain)?;
    let same = family(theirs) == family(own);
    // A text that ends in a line feed is a text over raw as well.
    let text = matches!(own, CodecName::Raw) && matches!(theirs, CodecName::Line(_));
    (!same && !text).then_some(theirs)
}

/// The JSON codec of whoever sent `frame`, which `own` carries as text, if it begins with an object
/// that has one of `keys`.
pub(crate) fn json_inside(frame: &[u8], own: CodecName, keys: &[&str]) -> Option<CodecName> {
    let mut objects = serde_json::Deserializer::from_slice(frame).into_iter::<Map<_, _>>();
    let object: Map<String, Value> = objects.next()?.ok()?;
    let known = keys.iter().any(|key| object.contains_key(*key));
    known.then_some(match own {
        CodecName::Struct(format) => CodecName::Json(format),
        _ => CodecName::BareJson,
    })
}

fn family(name: CodecName) -> String {
    let name = name.to_string();
    match name.as_str() {
        "json:bare" => name,
        _ => name.split(':').next().unwrap_or_default().to_owned(),
    }
}

/// What `bytes` look like; by a whole frame, where it has to be `certain`.
fn guess(bytes: &[u8], certain: bool) -> Option<CodecName> {
    if bytes.is_empty() {
        return None;
    }
    with_length(bytes, certain).or_else(|| text(bytes))
}

/// The formats of a length that are looked for, the likeliest first.
const FORMATS: [&str; 6] = ["i", ">i", "<H", ">H", "<q", ">q"];

/// The longest first frame that is looked for, in bytes.
const LONGEST: usize = 1 << 20;

/// A length that is no text, and a text behind it: a frame of `struct`, or of `json` where it is an
/// object. Exactly one frame is likelier than the front of one.
fn with_length(bytes: &[u8], certain: bool) -> Option<CodecName> {
    let cuts = || {
        let formats = FORMATS.iter().filter_map(|format| format.parse().ok());
        formats.filter_map(|format: Format| cut(format, bytes).map(|cut| (format, cut)))
    };
    let exact = cuts().find(|(_, (len, rest))| rest.len() == *len);
    // Any two bytes may be the length of a frame whose end is not here, or of a part of a text.
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
        true => CodecName::Json(format),
        false => CodecName::Struct(format),
    })
}

/// A length in `format`, and what stands behind it, if they may be one.
fn cut(format: Format, bytes: &[u8]) -> Option<(usize, &[u8])> {
    let len = usize::try_from(format.read(bytes).ok()??).ok()?;
    let (length, rest) = bytes.split_at(format.size());
    let payload = &rest[..rest.len().min(len)];
    let in_bounds = (1..=LONGEST).contains(&len);
    let found = in_bounds && !is_text(length) && !payload.is_empty() && is_text(payload);
    found.then_some((len, rest))
}

/// A text, in an encoding that extends ASCII: JSON, lines, or no lines.
fn text(bytes: &[u8]) -> Option<CodecName> {
    // So few may be the front of a length.
    let is_front = bytes.len() < 4 && !bytes.is_ascii();
    if is_front || !is_text(bytes) {
        return None;
    }
    if bytes.trim_ascii_start().starts_with(b"{") {
        return Some(CodecName::BareJson);
    }
    match bytes.contains(&b'\n') {
        true => "line".parse().ok(),
        false => Some(CodecName::Raw),
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

    fn name(text: &str) -> CodecName {
        text.parse().unwrap()
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
                    _ if json => family(name(codec)).replace("struct", "json"),
                    _ => family(name(codec)),
                };
                assert_eq!(family(guessed), expected, "{codec} {frame:?}");
            }
        }
        assert_eq!(
            guess(b"{\"from\":\"ann\"}", true),
            Some(CodecName::BareJson)
        );
        assert_eq!(guess(b"echo hi", true), Some(CodecName::Raw));
        assert_eq!(guess(b"\x01\x02\x03", true), None);
        assert_eq!(guess(b"", true), None);
        assert_eq!(guess(b"\xe8", true), None, "the front of a length");
    }

    #[test]
    fn nobody_is_told_to_speak_what_he_speaks() {
        for codec in ["raw", "line", "struct", "struct:>H", "json", "json:bare"] {
            for frame in FRAMES {
                let Some(bytes) = encoded(codec, frame) else {
                    continue;
                };
                let other = looks_like(&bytes, name(codec));
                // The content may be another codec's: that is for `json_inside` to say.
                let json = frame.starts_with(b"{");
                assert!(other.is_none() || json, "{codec} {frame:?}: {other:?}");
            }
        }
        assert_eq!(looks_like(b"two\nlines\n", CodecName::Raw), None);
    }

    #[test]
    fn a_notice_is_found_whatever_the_codec_made_of_it() {
        let notice = refusal(name("json:bare"), CodecName::Raw);
        for codec in ["raw", "line", "struct", "struct:>H"] {
            let bytes = encoded(codec, notice.as_bytes()).unwrap();
            assert_eq!(noticed(&bytes), Some(CodecName::BareJson));
        }
        let quoted = serde_json::to_vec(&serde_json::json!({"error": notice})).unwrap();
        assert_eq!(noticed(&quoted), Some(CodecName::BareJson));
        assert_eq!(noticed(b"this server speaks the codec `gone`"), None);
    }

    #[test]
    fn the_advice_can_be_pasted_into_a_shell() {
        for codec in ["json:bare", "struct:>H", "line:\\0", "line:;"] {
            let error = differs(name(codec)).to_string();
            let words = shlex::split(&error).unwrap();
            assert_eq!(words.last().unwrap(), codec, "{error}");
        }
    }

    #[test]
    fn an_object_in_a_frame_of_text_is_json() {
        let frame = br#"{"from":"ann"}"#;
        let keys = ["from", "text"];
        let json = json_inside(frame, name("struct:>I"), &keys);
        assert_eq!(json, Some(name("json:>I")));
        assert_eq!(
            json_inside(frame, name("raw"), &keys),
            Some(CodecName::BareJson)
        );
        let two = [&frame[..], frame].concat();
        assert_eq!(
            json_inside(&two, name("raw"), &keys),
            Some(CodecName::BareJson)
        );
        assert_eq!(json_inside(frame, name("raw"), &["run"]), None);
        assert_eq!(json_inside(b"{ from", name("raw"), &keys), None);
    }
}
