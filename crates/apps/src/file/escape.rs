//! File names as text, whatever their bytes are.
//!
//! A name is bytes, and a header is text. The UTF-8 parts of a name are kept. Each other byte is
//! written as `‛` (U+201B) and two hexadecimal digits, `‛E9` for instance, as rclone does. Such
//! a text can be read, typed and sent, and stands for one name only. If a name itself contains
//! `‛` and two such digits, the `‛` is escaped as `‛E2‛80‛9B`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

const MARK: char = '\u{201b}';

/// A file name or path as text, for [`Client`](super::Client) and for scripts.
///
/// ```
/// use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
/// use socketry_apps::file::{name_to_text, text_to_name};
///
/// let name = OsStr::from_bytes(b"caf\xe9.txt");
/// assert_eq!(name_to_text(name), "caf‛E9.txt");
/// assert_eq!(text_to_name("caf‛E9.txt"), name);
/// assert_eq!(name_to_text("café.txt".as_ref()), "café.txt");
/// ```
pub fn name_to_text(name: &OsStr) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.as_bytes().utf8_chunks() {
        let mut plain = chunk.valid().split(MARK);
        text.extend(plain.next());
        for behind in plain {
            match escaped(behind) {
                Some(_) => escape(&mut text, MARK.encode_utf8(&mut [0; 4]).as_bytes()),
                None => text.push(MARK),
            }
            text.push_str(behind);
        }
        escape(&mut text, chunk.invalid());
    }
    text
}

/// The name or path that a text stands for. It undoes [`name_to_text`], and every text stands for a
/// name.
pub fn text_to_name(text: &str) -> OsString {
    let mut parts = text.split(MARK);
    let mut name = parts.next().unwrap_or_default().as_bytes().to_vec();
    for behind in parts {
        match escaped(behind) {
            Some(byte) => {
                name.push(byte);
                name.extend_from_slice(&behind.as_bytes()[2..]);
            }
            None => {
                name.extend_from_slice(MARK.encode_utf8(&mut [0; 4]).as_bytes());
                name.extend_from_slice(behind.as_bytes());
            }
        }
    }
    OsString::from_vec(name)
}

/// The byte that an escape stands for. Only bytes above ASCII are escaped, so no escape gives a `/`
/// or a NUL.
fn escaped(behind: &str) -> Option<u8> {
    let digits = behind.get(..2)?;
    let upper = |digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F');
    if !digits.bytes().all(upper) {
        return None;
    }
    u8::from_str_radix(digits, 16)
        .ok()
        .filter(|byte| !byte.is_ascii())
}

fn escape(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push(MARK);
        text.extend([byte >> 4, byte & 15].map(|digit| {
            char::from_digit(digit.into(), 16).map_or('0', |digit| digit.to_ascii_uppercase())
        }));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_readable_texts() {
        for (name, text) in [
            (&b"plain"[..], "plain"),
            ("名前".as_bytes(), "名前"),
            (b"caf\xe9", "caf‛E9"),
            (b"\xff\xfe/\x80", "‛FF‛FE/‛80"),
            ("a‛b".as_bytes(), "a‛b"),
            ("a‛7F".as_bytes(), "a‛7F"),
            ("a‛e9".as_bytes(), "a‛e9"),
            ("a‛E9".as_bytes(), "a‛E2‛80‛9BE9"),
            (b"\xe2\x80\x9b\xe9", "‛‛E9"),
        ] {
            assert_eq!(name_to_text(OsStr::from_bytes(name)), text);
            assert_eq!(text_to_name(text).as_bytes(), name, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_name_comes_back(name in prop::collection::vec(prop::sample::select(
            vec![b'a', b'9', b'E', b'/', 0, 0x80, 0x9b, 0xe2, 0xe9, 0xff]), 0..24)
        ) {
            let text = name_to_text(OsStr::from_bytes(&name));
            prop_assert_eq!(text_to_name(&text), OsStr::from_bytes(&name));
        }

        #[test]
        fn no_escape_gives_a_separator(text in "[‛0-9A-Fa-f/é]{0,12}") {
            let name = text_to_name(&text);
            let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'/').count();
            prop_assert_eq!(count(name.as_bytes()), count(text.as_bytes()));
            prop_assert!(!name.as_bytes().contains(&0));
        }
    }
}
