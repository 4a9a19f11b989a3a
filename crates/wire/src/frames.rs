//! The frames of captured bytes, one after another, with their places.

use socketry_codec::{BoxCodec, CodecError, Reader};

/// What stands at a place of captured bytes.
#[derive(Clone, Debug)]
pub struct Found {
    /// The place of its first byte.
    pub at: usize,
    /// The bytes that it takes, with header and delimiter.
    pub len: usize,
    /// The frame, or what is wrong with these bytes.
    pub frame: Result<Vec<u8>, CodecError>,
}

/// The frames of `bytes` with `codec`, and the faults between them.
///
/// The last of them may be the fault that the bytes end within a frame. Behind a fatal fault there
/// is nothing more.
pub fn frames(codec: BoxCodec, bytes: &[u8]) -> impl Iterator<Item = Found> + use<> {
    let (all, mut at) = (bytes.len(), 0);
    let mut reader = Reader::new(codec);
    reader.push(bytes);
    reader.close();
    std::iter::from_fn(move || {
        let frame = match reader.next_frame() {
            Ok(frame) => Ok(frame?.to_vec()),
            Err(error) => Err(error),
        };
        // A fault that is fatal takes all that is left, as does one whose bytes are not all here.
        let end = all - reader.buffered();
        let found = Found {
            at,
            len: end - at,
            frame,
        };
        at = end;
        Some(found)
    })
}
