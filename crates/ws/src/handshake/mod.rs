//! Handshakes: both ends of them (RFC 6455, section 4).

mod answer;
mod client;
mod head;
mod headers;
mod request;
mod server;

use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{Engine, alphabet};
use sha1::{Digest, Sha1};

pub(crate) use answer::Answer;
#[cfg(feature = "fuzz")]
pub(crate) use client::Answered;
pub(crate) use client::{Asking, connect};
#[cfg(feature = "fuzz")]
pub(crate) use head::find;
#[cfg(feature = "hyper")]
pub(crate) use headers::Headers;
pub(crate) use request::Request;
#[cfg(any(feature = "fuzz", feature = "hyper"))]
pub(crate) use server::Judged;
#[cfg(feature = "fuzz")]
pub(crate) use server::switching;
pub(crate) use server::{Accepting, accept};

/// What stands between both keys (section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Base64 whose last bits may be any, as in the example of section 4.1.
const ANY_LAST_BITS: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The answer to the client's key.
fn accept_key(key: &[u8]) -> String {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    STANDARD.encode(digest)
}

/// Whether `key` is 16 bytes in base64.
fn is_key(key: &[u8]) -> bool {
    let nonce = ANY_LAST_BITS.decode(key);
    nonce.is_ok_and(|nonce| nonce.len() == 16)
}

/// A key of a client.
fn new_key() -> Result<String, getrandom::Error> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce)?;
    Ok(STANDARD.encode(nonce))
}

/// The members of a list that commas separate, without white space (RFC 9110, section 5.6.1).
fn members(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|one| !one.is_empty())
}

/// Whether `text` is a token (RFC 9110, section 5.6.2): the name of a header or of a protocol.
pub(crate) fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_standard_has_the_answer_of_the_standard() {
        let answer = accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        // No encoder writes its last bits.
        assert!(is_key(b"AQIDBAUGBwgJCgsMDQ4PEC=="));
        assert!(!is_key(b"dGhlIHNhbXBsZQ=="));
        assert!(is_key(new_key().unwrap().as_bytes()));
    }
}
