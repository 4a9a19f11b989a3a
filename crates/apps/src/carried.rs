//! For tests: how a codec carries a message.

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, Reader};

/// The frame that arrives after the bytes were cut in two at `at`. `None` if the codec refuses to
/// carry it.
pub(crate) fn carried(codec: &str, frame: &[u8], at: usize) -> Option<Vec<u8>> {
    let mut codec: BoxCodec = codec.parse().expect("a codec");
    let mut wire = BytesMut::new();
    codec.encode(frame, &mut wire).ok()?;
    let mut reader = Reader::new(codec);
    let (before, after) = wire.split_at(at % (wire.len() + 1));
    for piece in [before, after] {
        reader.push(piece);
        if let Some(frame) = reader.next_frame().expect("what was encoded is a frame") {
            return Some(frame.to_vec());
        }
    }
    panic!("{frame:?} did not arrive");
}
