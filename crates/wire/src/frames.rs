//! The frames of captured bytes, one after another, with their places.

use socketry_codec::{BoxCodec, CodecError, Reader};

/// How many bytes are given to the codec at once: most codecs that are tried fail at the first few,
/// and a capture may be long.
const PIECE: usize = 64 << 10;

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
pub fn frames(codec: BoxCodec, bytes: &[u8]) -> impl Iterator<Item = Found> + use<'_> {
    let mut frames = Frames {
        reader: Reader::new(codec),
        all: bytes.len(),
        left: bytes,
        at: 0,
    };
    std::iter::from_fn(move || frames.next())
}

struct Frames<'a> {
    reader: Reader<BoxCodec>,
    all: usize,
    /// What the reader has not got yet.
    left: &'a [u8],
    /// The end of what was found before.
    at: usize,
}

impl Frames<'_> {
    fn next(&mut self) -> Option<Found> {
        let frame = loop {
            let next = self.reader.next_frame();
            if let Some(frame) = next.map(|frame| frame.map(<[u8]>::to_vec)).transpose() {
                break frame;
            }
            if !self.more() {
                return None;
            }
        };
        // A fault takes bytes that the reader has not got yet, and a fatal one all.
        while frame.is_err() && self.reader.buffered() == 0 && self.more() {}
        let end = self.all - self.left.len() - self.reader.buffered();
        let found = Found {
            at: self.at,
            len: end - self.at,
            frame,
        };
        self.at = end;
        Some(found)
    }

    /// Gives the next bytes to the reader, and their end behind the last ones. False if it has all.
    fn more(&mut self) -> bool {
        if self.left.is_empty() {
            return false;
        }
        let (piece, left) = self.left.split_at(self.left.len().min(PIECE));
        self.reader.push(piece);
        self.left = left;
        if left.is_empty() {
            self.reader.close();
        }
        true
    }
}
