//! HTTP's CONNECT (RFC 9110, section 9.3.6).

use base64::prelude::{BASE64_STANDARD, Engine};
use httparse::{Response, Status};
use socketry_transport::{ErrorKind, Socket};

use super::Target;
use super::hop::Credentials;
use super::wire::{Wire, ended};
use crate::error::{ProxyError, shown};

/// The longest head of an answer, in bytes.
pub(super) const LONGEST_HEAD: usize = 16 << 10;
/// The most header fields in it.
const MOST_FIELDS: usize = 100;

/// Lets the proxy connect to `target`. What follows the blank line of its answer is the stream.
pub(super) async fn connect<S: Socket>(
    wire: &mut Wire<S>,
    credentials: Option<&Credentials>,
    target: &Target,
) -> Result<(), ProxyError> {
    wire.say(request(credentials, target)?.as_bytes()).await?;
    let mut seen = 0;
    loop {
        let Some((len, code, words)) = head(&wire.bytes)? else {
            if seen + wire.bytes.len() >= LONGEST_HEAD {
                let words = format!("its answer has no blank line within {LONGEST_HEAD} bytes");
                return Err(ProxyError::protocol(words));
            }
            more(wire).await?;
            continue;
        };
        match code {
            // An answer before the answer.
            100..=199 if code != 101 => {}
            200..=299 => {
                wire.used(len);
                return Ok(());
            }
            _ => return Err(refusal(code, &words, target)),
        }
        wire.used(len);
        seen += len;
    }
}

/// Receives more of an answer. An end in place of one is the proxy's.
async fn more<S: Socket>(wire: &mut Wire<S>) -> Result<(), ProxyError> {
    match wire.fill().await {
        Ok(true) => Ok(()),
        Err(error) if error.kind() != ErrorKind::Reset => Err(error),
        Ok(false) | Err(_) => Err(ended(match wire.bytes.is_empty() {
            true => "an answer to CONNECT",
            false => "the rest of an answer to CONNECT",
        })),
    }
}

fn request(credentials: Option<&Credentials>, target: &Target) -> Result<String, ProxyError> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(Credentials { user, password }) = credentials {
        if user.contains(&b':') {
            let words = "a user name for HTTP has no ':'";
            return Err(ProxyError::new(ErrorKind::InvalidOption, words));
        }
        let both = BASE64_STANDARD.encode([user, &b":"[..], password].concat());
        request += &format!("Proxy-Authorization: Basic {both}\r\n");
    }
    Ok(request + "\r\n")
}

/// The length of a whole head, its status and its words.
fn head(bytes: &[u8]) -> Result<Option<(usize, u16, String)>, ProxyError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut response = Response::new(&mut fields);
    match response.parse(bytes) {
        Ok(Status::Complete(len)) if len <= LONGEST_HEAD => {
            let words = response.reason.unwrap_or_default();
            let words = words.escape_debug().to_string();
            Ok(Some((len, response.code.unwrap_or_default(), words)))
        }
        Ok(_) => Ok(None),
        Err(_) => {
            let shown = shown(bytes);
            let words = format!("it does not speak HTTP: it sent {shown}");
            Err(ProxyError::protocol(words)
                .hint("is it a proxy for SOCKS5? write socks5://host:port then"))
        }
    }
}

/// Why the proxy did not connect.
fn refusal(code: u16, words: &str, target: &Target) -> ProxyError {
    let (kind, hint) = match code {
        407 => (
            ErrorKind::Denied,
            "it wants a user name and a password: http://USER@host:port?password_file=FILE",
        ),
        401 | 403 | 405 => (
            ErrorKind::Denied,
            "its rules may allow other ports or servers only",
        ),
        404 | 500 | 502..=504 => (
            ErrorKind::Unreachable,
            "is the server running, does the proxy know its name, and may it connect there?",
        ),
        _ => (ErrorKind::Protocol, "is it a proxy, and for CONNECT?"),
    };
    let words = format!("it did not connect to {target}: {code} {words}");
    ProxyError::new(kind, words.trim_end()).hint(hint)
}
