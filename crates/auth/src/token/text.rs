//! Secrets as text: hexadecimal, or base64.

use std::fmt::Write;

/// In lower case.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// In either case.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// Of the usual alphabet or of that for URLs, with or without padding.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if padding > 0 && (padding > 2 || !text.len().is_multiple_of(4)) {
        return None;
    }
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in digits.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    // What is left of the last digit is zero, and is not a digit of its own.
    (count < 6 && bits == 0).then_some(bytes)
}

/// The bytes of a secret: hexadecimal if it can be read so, or else base64.
pub(super) fn to_bytes(text: &str) -> Option<Vec<u8>> {
    from_hex(text).or_else(|| from_base64(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_as_it_was_written() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(&to_hex(&all)), Some(all.clone()));
        assert_eq!(from_hex(&to_hex(&all).to_uppercase()), Some(all));
        for text in ["0", "0g", "é", "0x00", " 00"] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }

    #[test]
    fn base64_is_read_in_each_of_its_forms() {
        // RFC 4648, section 10.
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYg", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmE", "fooba"),
        ] {
            assert_eq!(from_base64(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(from_base64("-_-_"), from_base64("+/+/"));
        for text in ["Z", "Zg=", "Zg===", "Zh==", "Zm9vY", "Z g=", "=Zg=", "é"] {
            assert_eq!(from_base64(text), None, "{text}");
        }
    }
}
