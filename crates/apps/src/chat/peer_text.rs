//! The text in a peer's frames.

use socketry_transport::{Encoding, Shape, TextDecoder, TextPolicy};

use crate::own::Own;

/// Turns the frames of one peer into text. Bytes that cannot be decoded become U+FFFD.
pub(super) struct PeerText {
    encoding: Encoding,
    /// `Some` where a frame is the bytes of one read: it keeps the beginning of a character for the
    /// next frame.
    carried: Option<TextDecoder>,
}

impl PeerText {
    pub(super) fn new(own: &Own, shape: Shape) -> Self {
        let encoding = own.encoding;
        let pieces = !own.properties.boundaries && shape.is_stream();
        PeerText {
            encoding,
            carried: pieces.then(|| TextDecoder::new(encoding, TextPolicy::Replace)),
        }
    }

    /// The text of a frame; `None` if no character of it is whole yet.
    pub(super) fn text(&mut self, frame: &[u8]) -> Option<String> {
        match &mut self.carried {
            // Decoding with replacement cannot fail.
            None => Some(
                self.encoding
                    .decode(frame, TextPolicy::Replace)
                    .unwrap_or_default(),
            ),
            Some(_) => self.piece(frame, false),
        }
    }

    /// The beginning of a character that is left when a stream has ended, as U+FFFD, if there is
    /// one.
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

    fn texts(codec: &str, shape: Shape, encoding: &str) -> PeerText {
        let mut service = crate::Service::with_codec(codec).unwrap();
        service.encoding = encoding.parse().unwrap();
        PeerText::new(&service.own().unwrap(), shape)
    }

    #[test]
    fn a_character_split_by_reads_of_a_raw_stream_is_decoded_whole() {
        let mut texts = texts("raw", Shape::Stream, "gbk");
        assert_eq!(texts.text(&[b'a', 0xc4]).as_deref(), Some("a"));
        assert_eq!(texts.text(&[0xe3]).as_deref(), Some("你"));
        assert_eq!(texts.text(&[0xc4]), None);
        assert_eq!(texts.rest().as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn frames_and_datagrams_stand_alone() {
        for (codec, shape) in [
            ("raw", Shape::Datagram { max_len: 100 }),
            ("line", Shape::Stream),
        ] {
            let mut texts = texts(codec, shape, "gbk");
            assert_eq!(texts.text(&[0xc4]).as_deref(), Some("\u{fffd}"));
            assert_eq!(texts.text(&[0xc4, 0xe3]).as_deref(), Some("你"));
            assert_eq!(texts.text(&[]).as_deref(), Some(""));
            assert_eq!(texts.rest(), None);
        }
    }

    #[test]
    fn byte_order_marks_are_no_text() {
        let mut texts = texts("raw", Shape::Stream, "utf-16");
        for _ in 0..2 {
            let text = texts.text(&[0xff, 0xfe, b'q', 0]);
            assert_eq!(text.as_deref(), Some("q"));
        }
    }
}
