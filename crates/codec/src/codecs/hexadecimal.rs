//! Bytes as hexadecimal digits, in the names of codecs.

use std::fmt;

/// An even number of digits, two at least.
pub(super) fn read(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let nibble = |byte: u8| char::from(byte).to_digit(16);
    let pairs = digits.chunks_exact(2);
    if digits.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| u8::try_from(nibble(pair[0])? << 4 | nibble(pair[1])?).ok())
        .collect()
}

/// `0x` and the digits.
pub(super) fn write(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("0x")?;
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
