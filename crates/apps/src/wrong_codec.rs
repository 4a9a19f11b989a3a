//! Tells a peer that it speaks another codec, in words that a client of any codec understands.
//!
//! If the first frame of a client is another codec's, a server says so in its own codec. Its words
//! begin with [`WORDS`] and the codec's name. A client looks for these words in the first bytes of
//! an answer, before it decodes them.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

use socketry_codec::FrameError;

use crate::AppError;

/// How long the first frame of a connection may stay unfinished before its bytes are looked at.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// The words before the name of a server's codec. They are ASCII, so that no encoding, quoting or
/// framing of ours changes them.
const WORDS: &str = "this server speaks the codec `";

/// The words of a server with the codec `own` to a client whose first bytes look like `theirs`.
pub(crate) fn refusal(own: &str, theirs: impl Display) -> String {
    format!("{WORDS}{own}`; this looks like {theirs}")
}

/// The words of a server with a line codec to a client whose first line does not end.
pub(crate) fn unfinished(own: &str) -> String {
    format!("{WORDS}{own}`; a line ends with its delimiter")
}

/// How many bytes may stand before a [`refusal`]: a length, a JSON key, a sender's name. After more
/// bytes, the words belong to something else.
const BEFORE: usize = 40;

/// The words are searched for up to this many bytes.
const NOTICE: usize = 128;

/// The longest codec name that is accepted from a server, in bytes.
const LONGEST_NAME: usize = 64;

/// The codec that a server named in a [`refusal`], if `bytes` begin with one. It may be a third
/// party's.
fn noticed(bytes: &[u8]) -> Option<String> {
    let bytes = &bytes[..bytes.len().min(NOTICE)];
    let text = String::from_utf8_lossy(bytes);
    let (before, behind) = text.split_once(WORDS)?;
    if before.len() > BEFORE {
        return None;
    }
    let (name, _) = behind.split_once('`')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= LONGEST_NAME
        && name.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then(|| name.to_owned())
}

/// Whether an answer begins as an alert of TLS does (RFC 8446, section 5.1): so a server answers
/// that expected a handshake.
fn is_alert(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15, 3, 0..=4, 0, ..])
}

/// The client's error if `bytes` of the server say that it speaks another codec or TLS, or that
/// it does not let the client in.
pub(crate) fn of_bytes(bytes: &[u8]) -> Option<AppError> {
    if is_alert(bytes) {
        let words = "the server speaks TLS, and this client does not; paste the tls:// or \
                     tls+unix:// URL that the server prints";
        return Some(AppError::failed(words));
    }
    if let Some(words) = socketry_auth::refused(bytes) {
        let words = format_args!("the server refuses: {words}");
        return Some(AppError::failed(words));
    }
    noticed(bytes).map(|name| differs(&name))
}

/// The same, from bytes that the client could not decode.
pub(crate) fn of_error(error: &FrameError) -> Option<AppError> {
    let frame = error.frame().map_or(&[][..], |frame| frame);
    of_bytes(error.found()).or_else(|| of_bytes(frame))
}

/// The error of a client whose server seems to speak the codec `theirs`.
pub(crate) fn differs(name: &str) -> AppError {
    // Quoted for a shell, where `>` would redirect.
    let word = shlex::try_quote(name).unwrap_or(Cow::Borrowed(name));
    AppError::failed(format_args!(
        "the server speaks the codec {name}, and this client another one; try --codec {word}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use socketry_codec::{BoxCodec, Codec};

    fn encoded(codec: &str, frame: &[u8]) -> Option<BytesMut> {
        let mut out = BytesMut::new();
        let mut codec: BoxCodec = codec.parse().unwrap();
        codec.encode(frame, &mut out).ok().map(|()| out)
    }

    #[test]
    fn a_notice_is_found_in_every_codecs_frames() {
        let notice = refusal("json:bare", "raw");
        for codec in ["raw", "line", "struct", "struct:>H"] {
            let bytes = encoded(codec, notice.as_bytes()).unwrap();
            assert_eq!(noticed(&bytes).as_deref(), Some("json:bare"));
        }
        let quoted = serde_json::to_vec(&serde_json::json!({"error": notice})).unwrap();
        assert_eq!(noticed(&quoted).as_deref(), Some("json:bare"));
        for strange in ["", " gone", "two words", "\u{1b}[1m", "-x", &"x".repeat(65)] {
            assert_eq!(noticed(format!("{WORDS}{strange}`").as_bytes()), None);
        }
    }

    #[test]
    fn the_advice_can_be_pasted_into_a_shell() {
        for codec in ["json:bare", "struct:>H", "line:\\0", "line:;"] {
            let error = differs(codec).to_string();
            let words = shlex::split(&error).unwrap();
            assert_eq!(words.last().unwrap(), codec, "{error}");
        }
    }
}
