//! Percent-encoding (RFC 3986, section 2.1): which bytes are written as `%XX`, and how they are
//! read.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::refusal::Refusal;

/// Everything but the characters that stand for themselves in a path or a name.
pub(super) const ADDRESS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b'+')
    .remove(b',')
    .remove(b'[')
    .remove(b']');
/// The same for a name, in which an `@` stands for itself.
pub(super) const NAME: &AsciiSet = &ADDRESS.remove(b'@');
/// The same for a query's keys and values.
pub(super) const QUERY: &AsciiSet = &NAME.remove(b'*');
/// The same for an authority, in which the characters that would end a host are encoded.
pub(super) const AUTHORITY: &AsciiSet = &ADDRESS.add(b'/').add(b':').add(b'[').add(b']');

pub(super) fn encode(bytes: &[u8], set: &'static AsciiSet, text: &mut String) {
    text.extend(percent_encode(bytes, set));
}

/// Refuses a `%` that does not begin a `%XX`: its meaning is not guessed.
pub(super) fn check(part: &str) -> Result<(), Refusal> {
    for (at, _) in part.match_indices('%') {
        let hex = part.as_bytes().get(at + 1..at + 3);
        if !hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
            return Err(
                Refusal::new("'%' is not followed by two hex digits").hint("write '%' as %25")
            );
        }
    }
    Ok(())
}

/// The bytes that `part` stands for.
pub(super) fn bytes(part: &str) -> Cow<'_, [u8]> {
    percent_decode_str(part).into()
}

/// The text that `part` stands for, if its bytes are UTF-8.
pub(super) fn text(part: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(part).decode_utf8().ok()
}

/// The text that `part` stands for, or the refusal of a part that stands for none.
pub(super) fn checked(part: &str) -> Result<Cow<'_, str>, Refusal> {
    check(part)?;
    text(part).ok_or_else(|| Refusal::new("it is not UTF-8"))
}
