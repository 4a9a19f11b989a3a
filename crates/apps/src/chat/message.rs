//! Messages, in memory and on the wire.

use std::borrow::Cow;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use socketry_transport::{Encoding, TextError, TextPolicy};

use super::QUIT;
use super::limits::SHOWN_CHARACTERS;
use crate::own::Own;
use crate::show::is_unsafe;
use crate::{AppError, Shown};

/// The longest name in bytes.
const MAX_NAME: usize = 64;

/// The separator of name and text.
const SIGNATURE_END: &str = " : ";

/// The name that the program itself uses.
pub(super) const PROGRAM: &str = "socketry";

/// Each JSON message has at least one of these keys.
pub(super) const KEYS: &[&str] = &["from", "text", "error"];

/// The key that only messages of a server have.
pub(super) const RELAYED: &[&str] = &["seq"];

/// A message that was received.
///
/// It prints as `FROM : TEXT`, or as the text alone, escaped and on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// The sender's name. `None` where the codec carries plain text: a signature is part of the
    /// text then.
    pub from: Option<String>,
    /// The text.
    pub text: String,
    /// The server's number of this message. It grows from message to message.
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

    /// As `Display` prints it, but with at most [`SHOWN_CHARACTERS`] of the text.
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

/// A text, and the message that says its sender, made safe to show.
struct Signed<'a>(&'a Message, &'a str);

impl fmt::Display for Signed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(from) = &self.0.from {
            write!(f, "{}{SIGNATURE_END}", Shown(from))?;
        }
        write!(f, "{}", Shown(self.1))
    }
}

/// A client's message with JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Said<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    /// The server's cookie, or zeros as long as one.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) cookie: Option<Cow<'a, str>>,
}

/// A server's relayed message with JSON.
#[derive(Debug, Serialize)]
pub(super) struct Relayed<'a> {
    pub(super) from: &'a str,
    pub(super) text: &'a str,
    pub(super) seq: u64,
    pub(super) time: u64,
}

/// A server's frame with JSON, as a client reads it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Answer {
    Message(Message),
    Refusal { error: String },
    Cookie { cookie: String },
}

/// A server's answer to a frame that it does not accept.
#[derive(Debug, Serialize)]
pub(super) struct Refusal<'a> {
    pub(super) error: &'a str,
}

/// A server's answer to a client that has to prove its address.
#[derive(Debug, Serialize)]
pub(super) struct Challenge<'a> {
    pub(super) cookie: &'a str,
}

/// How a message is written on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// As text.
    Text(Encoding),
    /// As a JSON object.
    Json,
}

impl Dialect {
    pub(super) fn of(own: &Own) -> Self {
        match own.is_json() {
            true => Dialect::Json,
            false => Dialect::Text(own.encoding),
        }
    }
}

/// The JSON form of `value`. Texts, numbers and options always have one.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// `text` in the given encoding. An error if the encoding lacks a character of it.
pub(super) fn encoded(text: &str, encoding: Encoding) -> Result<Cow<'_, [u8]>, TextError> {
    encoding.encode(text, TextPolicy::Strict)
}

/// `NAME : TEXT` if there is a name.
pub(super) fn signed<'a>(text: &'a str, name: Option<&str>) -> Cow<'a, str> {
    match name {
        Some(name) if text != QUIT => Cow::Owned(format!("{name}{SIGNATURE_END}{text}")),
        _ => Cow::Borrowed(text),
    }
}

/// The names with which lines of `text` are signed. A reader without our client may see a new line
/// behind each character that drives a terminal.
pub(super) fn signatures(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split(|one: char| one != '\t' && one.is_control());
    lines.filter_map(|line| Some(line.split_once(SIGNATURE_END)?.0))
}

/// The fault of a name; `None` if it has none.
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

/// Whether `name` is one that the server reserves: its operator's or this program's. Names are
/// compared without regard to case.
pub(super) fn is_reserved(name: &str, operator: &str) -> bool {
    let name = name.to_lowercase();
    name == operator.to_lowercase() || name == PROGRAM
}

/// Checks a name that the user of this program chose.
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
    fn a_message_prints_on_one_line_and_escaped() {
        let message = Message {
            from: Some("\u{1b}[2Jann".to_owned()),
            text: "two\nlines".to_owned(),
            ..Message::default()
        };
        assert_eq!(message.to_string(), r"\u{1b}[2Jann : two\nlines");
    }

    #[test]
    fn the_operator_sees_the_beginning_of_a_long_text() {
        let mut message = Message::plain("\u{7}é".repeat(SHOWN_CHARACTERS / 2));
        assert_eq!(message.brief(), message.to_string());
        message.text.push('x');
        assert_eq!(message.brief(), message.to_string().replace('x', "…"));
    }

    #[test]
    fn a_name_signs_all_texts_but_the_quit() {
        assert_eq!(signed("hi", Some("ann")), "ann : hi");
        assert_eq!(signed("hi", None), "hi");
        assert_eq!(signed(QUIT, Some("ann")), QUIT);
    }

    #[test]
    fn names_that_are_empty_or_long_are_refused() {
        assert_eq!(fault_of_name("安"), None);
        assert_eq!(fault_of_name(&"x".repeat(64)), None);
        assert!(fault_of_name(&"x".repeat(65)).is_some());
        assert!(fault_of_name(" ").is_some());
    }

    #[test]
    fn misleading_names_are_refused() {
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
