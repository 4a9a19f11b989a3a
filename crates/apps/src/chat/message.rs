//! Messages, as programs see them and as they go on the wire.

use std::borrow::Cow;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use socketry_codec::CodecName;
use socketry_transport::{Encoding, TextError, Undecodable};

use super::QUIT;
use super::limits::SHOWN_CHARACTERS;
use crate::show::is_unsafe;
use crate::{AppError, Service, Shown};

/// The longest name in bytes.
const MAX_NAME: usize = 64;

/// What stands between a name and a text.
const SIGNATURE_END: &str = " : ";

/// A name that looks as if this program spoke.
pub(super) const PROGRAM: &str = "socketry";

/// The keys of which each JSON message has one.
pub(super) const KEYS: &[&str] = &["from", "text", "error"];

/// The key that only a server's message has.
pub(super) const RELAYED: &[&str] = &["seq"];

/// A message that was received.
///
/// It prints as `FROM : TEXT`, or as the text alone, on one line and escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// Who says so. `None` where the codec carries plain text; a signature is part of the text
    /// then.
    pub from: Option<String>,
    /// What is said.
    pub text: String,
    /// The server's number of this message; it grows.
    pub seq: Option<u64>,
    /// When the server relayed it, in milliseconds since the Unix epoch.
    pub time: Option<u64>,
}

impl Message {
    pub(super) fn plain(text: String) -> Self {
        Message {
            text,
            ..Message::default()
        }
    }

    pub(super) fn is_quit(&self) -> bool {
        self.text == QUIT
    }

    /// As it prints, but of the text no more than [`SHOWN_CHARACTERS`].
    pub(super) fn brief(&self) -> String {
        match self.text.char_indices().nth(SHOWN_CHARACTERS) {
            Some((end, _)) => format!("{}…", Signed(self, &self.text[..end])),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Signed(self, &self.text).fmt(f)
    }
}

/// A text, with who says so in a message, made safe to show.
struct Signed<'a>(&'a Message, &'a str);

impl fmt::Display for Signed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(from) = &self.0.from {
            write!(f, "{}{SIGNATURE_END}", Shown(from))?;
        }
        write!(f, "{}", Shown(self.1))
    }
}

/// What a client sends, where the codec is JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Said<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    /// That of the server's, or as much room as one needs.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) cookie: Option<Cow<'a, str>>,
}

/// What a server sends, where the codec is JSON.
#[derive(Debug, Serialize)]
pub(super) struct Relayed<'a> {
    pub(super) from: &'a str,
    pub(super) text: &'a str,
    pub(super) seq: u64,
    pub(super) time: u64,
}

/// What a server sends, as a client reads it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Answer {
    Message(Message),
    Refusal { error: String },
    Cookie { cookie: String },
}

/// A server's answer to what it cannot accept.
#[derive(Debug, Serialize)]
pub(super) struct Refusal<'a> {
    pub(super) error: &'a str,
}

/// A server's answer to a client that is to prove its address.
#[derive(Debug, Serialize)]
pub(super) struct Challenge<'a> {
    pub(super) cookie: &'a str,
}

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// As text.
    Text(Encoding),
    /// As a JSON object.
    Json,
}

impl Dialect {
    pub(super) fn of(service: &Service) -> Self {
        match service.codec.name {
            CodecName::Json(_) | CodecName::BareJson => Dialect::Json,
            _ => Dialect::Text(service.encoding),
        }
    }
}

/// What goes on the wire for `value`. Text, numbers and options always have a JSON form.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// What goes on the wire for `text`, unless the encoding lacks a character of it.
pub(super) fn encoded(text: &str, encoding: Encoding) -> Result<Cow<'_, [u8]>, TextError> {
    encoding.encode(text, Undecodable::Strict)
}

/// `NAME : TEXT`, where there is a name.
pub(super) fn signed<'a>(text: &'a str, name: Option<&str>) -> Cow<'a, str> {
    match name {
        Some(name) if text != QUIT => Cow::Owned(format!("{name}{SIGNATURE_END}{text}")),
        _ => Cow::Borrowed(text),
    }
}

/// Why a name cannot be one; `None` if it can.
pub(super) fn fault_of_name(name: &str) -> Option<&'static str> {
    if name.trim().is_empty() {
        return Some("a name (`from`) must not be empty");
    }
    if name.len() > MAX_NAME {
        return Some("a name (`from`) is at most 64 bytes long");
    }
    if name.trim() != name || name.contains(SIGNATURE_END) || name.chars().any(is_unsafe) {
        return Some(
            "a name (`from`) has no space around it, no ` : ` and nothing invisible inside",
        );
    }
    None
}

/// Whether `name` is, or looks the same as, one that a server keeps for itself: its operator's, or
/// this program's.
pub(super) fn is_reserved(name: &str, operator: &str) -> bool {
    let name = name.to_lowercase();
    name == operator.to_lowercase() || name == PROGRAM
}

/// A name that the user of this program chose.
pub(super) fn own_name(name: &str) -> Result<String, AppError> {
    match fault_of_name(name) {
        Some(fault) => Err(AppError::usage(fault)),
        None => Ok(name.to_owned()),
    }
}

/// Milliseconds since the Unix epoch.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_one_line_and_harmless() {
        let message = Message {
            from: Some("\u{1b}[2Jann".to_owned()),
            text: "two\nlines".to_owned(),
            ..Message::default()
        };
        assert_eq!(message.to_string(), r"\u{1b}[2Jann : two\nlines");
    }

    #[test]
    fn in_brief_a_long_text_is_cut() {
        let mut message = Message::plain("\u{7}é".repeat(SHOWN_CHARACTERS / 2));
        assert_eq!(message.brief(), message.to_string());
        message.text.push('x');
        assert_eq!(message.brief(), message.to_string().replace('x', "…"));
    }

    #[test]
    fn a_name_signs_all_but_the_end() {
        assert_eq!(signed("hi", Some("ann")), "ann : hi");
        assert_eq!(signed("hi", None), "hi");
        assert_eq!(signed(QUIT, Some("ann")), QUIT);
    }

    #[test]
    fn names_are_neither_empty_nor_long() {
        assert_eq!(fault_of_name("安"), None);
        assert_eq!(fault_of_name(&"x".repeat(64)), None);
        assert!(fault_of_name(&"x".repeat(65)).is_some());
        assert!(fault_of_name(" ").is_some());
    }

    #[test]
    fn names_do_not_mislead() {
        for name in [
            " ann",
            "ann\u{a0}",
            "ann\n",
            "\u{1b}[1mann",
            "ann\u{202e}",
            "an\u{200b}n",
            "\u{3164}",
            "ann\u{ad}",
            "ann : hi",
        ] {
            assert!(fault_of_name(name).is_some(), "{name:?}");
        }
        for name in ["ann lee", "ann:lee", "Zoë", "你好"] {
            assert_eq!(fault_of_name(name), None, "{name:?}");
        }
    }

    #[test]
    fn reserved_names_are_so_in_any_case() {
        for name in ["boss", "BOSS", "Socketry"] {
            assert!(is_reserved(name, "Boss"), "{name}");
        }
        assert!(!is_reserved("bossy", "Boss"));
    }
}
