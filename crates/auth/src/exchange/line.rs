//! The lines of the exchange: written, and read from bytes that anybody may have sent.

use crate::binding::Mode;
use crate::token::{from_hex, is_name, to_hex};

/// The longest line in bytes, with its line feed.
pub(crate) const LONGEST: usize = 512;

/// How the first line of either end begins, whatever its version.
const MAGIC: &str = "socketry-auth ";
const VERSION: &str = "1";
const REFUSED: &str = "socketry-auth refused: ";

/// What the first bytes of a client are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// Those of an exchange.
    Exchange,
    /// Too few to say.
    Open,
    /// Something else.
    Other,
}

pub(crate) fn beginning(bytes: &[u8]) -> Beginning {
    let magic = MAGIC.as_bytes();
    if bytes.starts_with(magic) {
        Beginning::Exchange
    } else if magic.starts_with(bytes) {
        Beginning::Open
    } else {
        Beginning::Other
    }
}

/// The client's first line.
pub(crate) fn hello(name: &str, nonce: &[u8; 32], mode: Mode) -> String {
    let (nonce, mode) = (to_hex(nonce), mode.word());
    format!("{MAGIC}{VERSION} {name} {nonce} {mode}\n")
}

/// The server's first line.
pub(crate) fn challenge(nonce: &[u8; 32], mode: Mode) -> String {
    format!("{MAGIC}{VERSION} {} {}\n", to_hex(nonce), mode.word())
}

pub(crate) fn proof(proof: &[u8; 32]) -> String {
    format!("proof {}\n", to_hex(proof))
}

pub(crate) fn welcome(proof: &[u8; 32]) -> String {
    format!("welcome {}\n", to_hex(proof))
}

/// The line with which a server tells a client why it is not let in: one line of ASCII, of at most
/// 512 bytes, whatever the words are. [`refused`] reads it.
pub fn refusal(words: &str) -> String {
    let words = words.chars().map(|one| match one {
        ' '..='~' => one,
        _ => '?',
    });
    let room = LONGEST - REFUSED.len() - 1;
    format!("{REFUSED}{}\n", words.take(room).collect::<String>())
}

/// The fields behind the magic and the version.
fn fields<const N: usize>(line: &str) -> Result<[&str; N], String> {
    let rest = line.strip_prefix(MAGIC);
    let rest = rest.ok_or_else(|| format!("the line does not begin with '{}'", MAGIC.trim()))?;
    let mut words = rest.split(' ');
    let version = words.next().unwrap_or_default();
    if version != VERSION {
        return Err(format!(
            "it is of version '{version}', and this end speaks {VERSION}"
        ));
    }
    let words: Vec<_> = words.collect();
    let count = words.len();
    words
        .try_into()
        .map_err(|_| format!("it has {count} fields, and {N} are needed"))
}

fn nonce(text: &str) -> Result<[u8; 32], String> {
    let bytes = from_hex(text).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "its nonce is not 64 hexadecimal digits".to_owned())
}

fn mode(text: &str) -> Result<Mode, String> {
    Mode::of(text).ok_or_else(|| "it ends in no mode (plain, tls, exporter)".to_owned())
}

/// The name, the nonce and the mode of a client.
pub(crate) fn parse_hello(line: &str) -> Result<(String, [u8; 32], Mode), String> {
    let [name, a_nonce, a_mode] = fields(line)?;
    if !is_name(name) {
        return Err("it has no name of a token".to_owned());
    }
    Ok((name.to_owned(), nonce(a_nonce)?, mode(a_mode)?))
}

/// The nonce and the mode of a server.
pub(crate) fn parse_challenge(line: &str) -> Result<([u8; 32], Mode), String> {
    let [a_nonce, a_mode] = fields(line)?;
    Ok((nonce(a_nonce)?, mode(a_mode)?))
}

fn parse_mac(line: &str, word: &str) -> Option<Vec<u8>> {
    let hex = line.strip_prefix(word)?.strip_prefix(' ')?;
    from_hex(hex).filter(|bytes| bytes.len() == 32)
}

pub(crate) fn parse_proof(line: &str) -> Result<Vec<u8>, String> {
    parse_mac(line, "proof").ok_or_else(|| "it is not 'proof' and 64 hexadecimal digits".to_owned())
}

pub(crate) fn parse_welcome(line: &str) -> Result<Vec<u8>, String> {
    parse_mac(line, "welcome")
        .ok_or_else(|| "it is not 'welcome' and 64 hexadecimal digits".to_owned())
}

/// The words of a server that does not let a client in, if what it sent begins with them.
///
/// A client that proves no token gets them in place of the first frame.
///
/// ```
/// let sent = b"socketry-auth refused: a token is needed\n";
/// assert_eq!(socketry_auth::refused(sent).as_deref(), Some("a token is needed"));
/// assert_eq!(socketry_auth::refused(b"a frame"), None);
/// ```
pub fn refused(sent: &[u8]) -> Option<String> {
    let rest = sent.strip_prefix(REFUSED.as_bytes())?;
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or(rest);
    let line = &line[..line.len().min(LONGEST)];
    Some(String::from_utf8_lossy(line).into_owned())
}

/// The words of a server that refuses.
pub(crate) fn parse_refusal(line: &str) -> Option<&str> {
    line.strip_prefix(REFUSED)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const NONCE: [u8; 32] = [0xab; 32];

    fn unended(line: &str) -> &str {
        line.strip_suffix('\n').unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let name = "n".repeat(64);
        let line = hello(&name, &NONCE, Mode::Exporter);
        assert!(line.len() <= LONGEST, "{line}");
        let read = parse_hello(unended(&line)).unwrap();
        assert_eq!(read, (name, NONCE, Mode::Exporter));
        let line = challenge(&NONCE, Mode::Plain);
        assert_eq!(parse_challenge(unended(&line)), Ok((NONCE, Mode::Plain)));
        assert_eq!(parse_proof(unended(&proof(&NONCE))).unwrap(), NONCE);
        assert_eq!(parse_welcome(unended(&welcome(&NONCE))).unwrap(), NONCE);
    }

    #[test]
    fn a_refusal_is_one_line_whatever_its_words_are() {
        let line = refusal("no\nway\u{1b}[2J é");
        assert_eq!(parse_refusal(unended(&line)), Some("no?way?[2J ?"));
        assert_eq!(refusal(&"x".repeat(9999)).len(), LONGEST);
    }

    #[test]
    fn what_is_no_line_of_ours_is_refused_with_its_reason() {
        let (name, nonce) = ("ann", to_hex(&NONCE));
        for (line, words) in [
            (String::new(), "does not begin"),
            ("GET / HTTP/1.1".to_owned(), "does not begin"),
            (format!("socketry-auth 2 {name} {nonce} tls"), "version '2'"),
            (format!("socketry-auth 1 {name} {nonce}"), "2 fields"),
            (format!("socketry-auth 1 {name} {nonce} tls x"), "4 fields"),
            (format!("socketry-auth 1  {nonce} tls"), "no name"),
            (format!("socketry-auth 1 a:b {nonce} tls"), "no name"),
            (format!("socketry-auth 1 anonymous {nonce} tls"), "no name"),
            (format!("socketry-auth 1 {name} {nonce}00 tls"), "nonce"),
            (format!("socketry-auth 1 {name} {nonce} TLS"), "no mode"),
            (format!("socketry-auth 1 {name} {nonce} tls\r"), "no mode"),
        ] {
            let error = parse_hello(&line).unwrap_err();
            assert!(error.contains(words), "{line}: {error}");
        }
        for line in ["proof", "proof ", "proof 00", "welcome 00", "proof  00"] {
            assert!(parse_proof(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_beginning_is_known_as_early_as_it_can_be() {
        for (bytes, is) in [
            (&b""[..], Beginning::Open),
            (b"socketry", Beginning::Open),
            (b"socketry-auth ", Beginning::Exchange),
            (b"socketry-auth 1 ann", Beginning::Exchange),
            (b"socketry: hello", Beginning::Other),
            (b"\0", Beginning::Other),
        ] {
            assert_eq!(beginning(bytes), is, "{}", bytes.escape_ascii());
        }
    }
}
