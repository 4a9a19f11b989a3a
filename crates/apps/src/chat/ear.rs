//! From frames to texts.

use socketry_codec::CodecName;
use socketry_transport::{Encoding, Shape, TextDecoder, Undecodable};

use crate::Service;

/// Makes text of what one peer sends. What cannot be decoded becomes U+FFFD.
pub(super) struct Ear {
    encoding: Encoding,
    /// Where a frame is only what one read brought, the rest of a character comes with the next.
    carried: Option<TextDecoder>,
}

impl Ear {
    pub(super) fn new(service: &Service, shape: Shape) -> Self {
        let encoding = service.encoding;
        let pieces = service.codec.name == CodecName::Raw && shape.is_stream();
        Ear {
            encoding,
            carried: pieces.then(|| TextDecoder::new(encoding, Undecodable::Replace)),
        }
    }

    /// The text of a frame; `None` if no character of it is whole yet.
    pub(super) fn text(&mut self, frame: &[u8]) -> Option<String> {
        match &mut self.carried {
            // With replacement there is nothing that could fail.
            None => Some(
                self.encoding
                    .decode(frame, Undecodable::Replace)
                    .unwrap_or_default(),
            ),
            Some(_) => self.piece(frame, false),
        }
    }

    /// What is left when a stream has ended: the beginning of a character, if any.
    pub(super) fn rest(&mut self) -> Option<String> {
        self.piece(&[], true)
    }

    fn piece(&mut self, bytes: &[u8], last: bool) -> Option<String> {
        let mut text = String::new();
        let _ = self.carried.as_mut()?.decode(bytes, last, &mut text);
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ear(codec: &str, shape: Shape, encoding: &str) -> Ear {
        let mut service = Service::with_codec(codec).unwrap();
        service.encoding = encoding.parse().unwrap();
        Ear::new(&service, shape)
    }

    #[test]
    fn over_raw_on_a_stream_a_split_character_comes_out_whole() {
        let mut ear = ear("raw", Shape::Stream, "gbk");
        assert_eq!(ear.text(&[b'a', 0xc4]).as_deref(), Some("a"));
        assert_eq!(ear.text(&[0xe3]).as_deref(), Some("你"));
        assert_eq!(ear.text(&[0xc4]), None);
        assert_eq!(ear.rest().as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn frames_and_datagrams_stand_alone() {
        for (codec, shape) in [
            ("raw", Shape::Datagram { max_len: 100 }),
            ("line", Shape::Stream),
        ] {
            let mut ear = ear(codec, shape, "gbk");
            assert_eq!(ear.text(&[0xc4]).as_deref(), Some("\u{fffd}"));
            assert_eq!(ear.text(&[0xc4, 0xe3]).as_deref(), Some("你"));
            assert_eq!(ear.text(&[]).as_deref(), Some(""));
            assert_eq!(ear.rest(), None);
        }
    }

    #[test]
    fn byte_order_marks_are_no_text() {
        let mut ear = ear("raw", Shape::Stream, "utf-16");
        for _ in 0..2 {
            let text = ear.text(&[0xff, 0xfe, b'q', 0]);
            assert_eq!(text.as_deref(), Some("q"));
        }
    }
}
