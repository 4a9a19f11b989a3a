//! The fingerprint of a key.

use std::fmt::{self, Write};
use std::str::FromStr;

use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;

use crate::provider::sha256;

const PREFIX: &str = "sha256:";

/// The SHA-256 of a public key, as it stands in a certificate (the DER of its
/// `SubjectPublicKeyInfo`, RFC 7469). A renewed certificate with the same key has the same pin.
///
/// It prints as `sha256:` and base64url without padding (RFC 4648 §5), which a URL can have as it
/// is. It is read in that form, in base64 with `+`, `/` and padding, as curl writes it
/// (`sha256//…`), and in hexadecimal, with or without colons.
///
/// ```
/// use socketry_tls::Pin;
///
/// let pin: Pin = "sha256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU".parse()?;
/// let same = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// assert_eq!(same.parse::<Pin>()?, pin);
/// # Ok::<(), socketry_tls::BadPin>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

/// A text that is no [`Pin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadPin;

impl fmt::Display for BadPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pin is 'sha256:' and 43 characters of base64url, or 64 hexadecimal digits")
    }
}

impl std::error::Error for BadPin {}

impl Pin {
    /// The pin of the key in a certificate.
    ///
    /// # Errors
    /// If that is not a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Result<Self, rustls::Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        Ok(Pin(sha256(&parsed.subject_public_key_info())))
    }

    /// The hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `sha256:` and base64url.
impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        for three in self.0.chunks(3) {
            let mut bits = 0_u32;
            for i in 0..3 {
                bits = bits << 8 | u32::from(three.get(i).copied().unwrap_or(0));
            }
            for i in 0..=three.len() {
                let index = (bits >> (18 - 6 * i)) & 63;
                f.write_char(ALPHABET[index as usize].into())?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Pin {
    type Err = BadPin;

    fn from_str(text: &str) -> Result<Self, BadPin> {
        let (name, rest) = text.split_at_checked(PREFIX.len()).ok_or(BadPin)?;
        let curls = name.eq_ignore_ascii_case("sha256/") && rest.starts_with('/');
        let rest = match name.eq_ignore_ascii_case(PREFIX) {
            true => rest,
            false if curls => &rest[1..],
            false => return Err(BadPin),
        };
        hexadecimal(rest)
            .or_else(|| base64(rest))
            .map(Pin)
            .ok_or(BadPin)
    }
}

fn hexadecimal(text: &str) -> Option<[u8; 32]> {
    let mut digits = text.bytes().filter(|byte| *byte != b':');
    let mut digit = || char::from(digits.next()?).to_digit(16);
    let mut hash = [0; 32];
    for byte in &mut hash {
        *byte = u8::try_from(digit()? << 4 | digit()?).ok()?;
    }
    digits.next().is_none().then_some(hash)
}

fn base64(text: &str) -> Option<[u8; 32]> {
    let text = text.strip_suffix('=').unwrap_or(text);
    let (mut hash, mut len, mut bits, mut count) = ([0; 32], 0, 0_u32, 0);
    for byte in text.bytes() {
        let byte = match byte {
            b'+' => b'-',
            b'/' => b'_',
            byte => byte,
        };
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            *hash.get_mut(len)? = u8::try_from(bits >> count).ok()?;
            len += 1;
            bits &= (1 << count) - 1;
        }
    }
    // 43 characters are 258 bits: the last two are zero.
    (len == 32 && count == 2 && bits == 0).then_some(hash)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_pin_is_read_in_each_of_its_forms() {
        let hash: [u8; 32] = std::array::from_fn(|i| u8::try_from(i * 8 + 7).unwrap());
        let pin = Pin(hash);
        let printed = pin.to_string();
        assert_eq!(printed.len(), 7 + 43);
        let base64 = &printed[7..];
        let standard = base64.replace('-', "+").replace('_', "/");
        let hex: Vec<_> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        for text in [
            printed.clone(),
            format!("SHA256:{standard}="),
            format!("sha256//{standard}="),
            format!("sha256:{}", hex.join("")),
            format!("sha256:{}", hex.join(":").to_lowercase()),
        ] {
            assert_eq!(text.parse(), Ok(pin), "{text}");
        }
    }

    #[test]
    fn what_is_no_pin_is_refused() {
        let printed = Pin([255; 32]).to_string();
        for text in [
            "",
            "sha256:",
            "sha1:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
            "sha256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuF",
            "sha256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFUU",
            // The two bits behind the hash are not zero: a second text for the same pin.
            "sha256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV",
            "sha256:é7DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuF",
            "sha256é",
            &printed[1..],
        ] {
            assert_eq!(text.parse::<Pin>(), Err(BadPin), "{text}");
        }
    }
}
