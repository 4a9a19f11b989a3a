//! However the bytes of a stream are cut, they give the same frames and the same errors, and so
//! they do where the codec is asked for many frames at once.

use std::ops::Range;

use socketry_codec::{BoxCodec, Fault, Reader};
use socketry_testkit::codec::ByMany;

use super::case::Case;

/// The upper four bits of the third byte say where the first cut is, the lower four how long the
/// other pieces are.
pub fn run(input: &[u8]) {
    let Some(case) = Case::read(input) else {
        return;
    };
    let (uneven, size) = (usize::from(case.choice >> 4), case.choice & 15);
    let (first, rest) = case.bytes.split_at(uneven.min(case.bytes.len()));
    let pieces = [first]
        .into_iter()
        .chain(rest.chunks(usize::from(size) + 1));
    let cut = Events::of(case.codec.clone(), pieces);
    if case.is_raw() {
        assert_eq!(cut.bytes, case.bytes);
        return;
    }
    let whole = Events::of(case.codec.clone(), [case.bytes].into_iter());
    assert_eq!(whole, cut);
    let many = ByMany::new(case.codec.clone(), usize::from(size) + 1);
    assert_eq!(Events::of(Box::new(many), [case.bytes].into_iter()), whole);
    assert!(cut.longest() <= case.longest());
}

/// The frames and errors of a stream.
#[derive(Debug, Default, PartialEq)]
struct Events {
    /// All frames, concatenated.
    bytes: Vec<u8>,
    /// The ranges of the frames in `bytes`, and the errors between them.
    order: Vec<Result<Range<usize>, Fault>>,
}

impl Events {
    fn of<'a>(codec: BoxCodec, pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut reader = Reader::new(codec);
        let (mut events, mut arrived) = (Events::default(), 0);
        for piece in pieces {
            arrived += piece.len();
            reader.push(piece);
            assert!(reader.buffered() <= arrived);
            events.drain(&mut reader);
        }
        reader.close();
        events.drain(&mut reader);
        assert_eq!(reader.buffered(), 0);
        events
    }

    /// Reads until the reader has no more.
    fn drain(&mut self, reader: &mut Reader<BoxCodec>) {
        for _ in 0..reader.buffered() + 2 {
            match reader.next_frame() {
                Ok(None) => return,
                Ok(Some(frame)) => {
                    let start = self.bytes.len();
                    self.bytes.extend_from_slice(frame);
                    self.order.push(Ok(start..self.bytes.len()));
                }
                Err(error) => self.order.push(Err(error.fault)),
            }
        }
        panic!("answers without progress");
    }

    fn longest(&self) -> usize {
        let frames = self.order.iter().flatten();
        frames.map(ExactSizeIterator::len).max().unwrap_or(0)
    }
}
