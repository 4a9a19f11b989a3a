//! Output, from UTF-8 to the server's encoding, and back to UTF-8 at the client.

use std::borrow::Cow;

use socketry_transport::{Encoding, TextDecoder, TextPolicy};

/// One stream of output on its way into an encoding.
///
/// With UTF-8 all bytes pass unchanged. With another encoding, UTF-8 is encoded until a piece
/// arrives that is not UTF-8. From there on everything is taken to be in the encoding already.
pub(super) struct Outgoing {
    encoding: Encoding,
    as_it_is: bool,
    /// The beginning of a character that the next piece may complete: at most 3 bytes.
    held: Vec<u8>,
}

impl Outgoing {
    pub(super) fn new(encoding: Encoding) -> Self {
        Outgoing {
            encoding,
            as_it_is: encoding == Encoding::UTF_8,
            held: Vec::new(),
        }
    }

    /// Encodes the next piece; with `last`, nothing follows.
    pub(super) fn push<'a>(&mut self, bytes: &'a [u8], last: bool) -> Cow<'a, [u8]> {
        if self.as_it_is {
            return Cow::Borrowed(bytes);
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&all) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() && !last => error.valid_up_to(),
            Err(_) => {
                self.as_it_is = true;
                return Cow::Owned(all);
            }
        };
        self.held = all.split_off(whole);
        if whole == 0 {
            return Cow::Borrowed(&[]);
        }
        let encoded = encode(&all, self.encoding).into_owned();
        if self.encoding == Encoding::UTF_16 {
            // The byte order mark is written once.
            self.encoding = "utf-16le".parse().unwrap_or(self.encoding);
        }
        Cow::Owned(encoded)
    }
}

/// UTF-8 in `encoding`, with `?` for characters that it lacks. Bytes that are not UTF-8 pass
/// unchanged.
pub(super) fn encode(bytes: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    match std::str::from_utf8(bytes) {
        Ok(text) if encoding != Encoding::UTF_8 => encoding
            .encode(text, TextPolicy::Replace)
            .unwrap_or(Cow::Borrowed(bytes)),
        _ => Cow::Borrowed(bytes),
    }
}

/// One stream of output on its way from an encoding to UTF-8. With UTF-8 all bytes pass unchanged.
pub(super) struct Incoming {
    decoder: Option<TextDecoder>,
    text: String,
}

impl Incoming {
    pub(super) fn new(encoding: Encoding) -> Self {
        let other = encoding != Encoding::UTF_8;
        Incoming {
            decoder: other.then(|| TextDecoder::new(encoding, TextPolicy::Replace)),
            text: String::new(),
        }
    }

    /// Decodes the next piece; with `last`, nothing follows.
    pub(super) fn push<'a>(&'a mut self, bytes: &'a [u8], last: bool) -> &'a [u8] {
        let Some(decoder) = &mut self.decoder else {
            return bytes;
        };
        self.text.clear();
        // The decoder replaces invalid bytes, so it never fails.
        let _ = decoder.decode(bytes, last, &mut self.text);
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(encoding: Encoding, pieces: &[&[u8]]) -> Vec<u8> {
        let mut outgoing = Outgoing::new(encoding);
        let mut all = Vec::new();
        for piece in pieces {
            all.extend_from_slice(&outgoing.push(piece, false));
        }
        all.extend_from_slice(&outgoing.push(b"", true));
        all
    }

    #[test]
    fn characters_cut_at_any_byte_are_encoded_whole() {
        let text = "你好 world 😀\n";
        for encoding in [Encoding::GB18030, Encoding::UTF_16, Encoding::UTF_8] {
            let expected = encoding.encode(text, TextPolicy::Strict).unwrap();
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(through(encoding, &bytes), *expected, "{encoding}");
            let mut incoming = Incoming::new(encoding);
            let mut decoded = Vec::new();
            for byte in expected.chunks(1) {
                decoded.extend_from_slice(incoming.push(byte, false));
            }
            decoded.extend_from_slice(incoming.push(b"", true));
            assert_eq!(decoded, text.as_bytes(), "{encoding}");
        }
    }

    #[test]
    fn output_passes_unchanged_from_the_first_bytes_that_are_not_utf_8() {
        let gbk = Encoding::GBK.encode("你好", TextPolicy::Strict).unwrap();
        assert_eq!(through(Encoding::GBK, &[&gbk]), *gbk);
        // The held bytes pass with it. Bytes that look like UTF-8 later are not encoded either.
        let pieces = [&b"a\xe4"[..], b"\xff", "你".as_bytes()];
        assert_eq!(through(Encoding::GBK, &pieces), b"a\xe4\xff\xe4\xbd\xa0");
        assert_eq!(through(Encoding::GBK, &[b"a\xe4"]), b"a\xe4");
    }
}
