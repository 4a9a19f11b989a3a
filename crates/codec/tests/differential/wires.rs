//! Bytes as they may arrive, and tokio-util's side of what is made of them.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use tokio_util::codec::Decoder;

/// Pieces of `bytes`, cut anywhere.
pub(crate) fn pieces<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|ends| &bytes[ends[0]..ends[1]])
        .collect()
}

pub(crate) fn cuts() -> impl Strategy<Value = Vec<Index>> {
    vec(any::<Index>(), 0..8)
}

/// Everything that a decoder says of a stream of these pieces, and then of its end, up to the first
/// error or, with `goes_on`, to the end.
pub(crate) fn theirs<D: Decoder>(
    mut decoder: D,
    pieces: &[&[u8]],
    goes_on: bool,
) -> Vec<Result<D::Item, D::Error>> {
    let (mut buf, mut events) = (BytesMut::new(), Vec::new());
    let nothing: [&[u8]; 1] = [&[]];
    for last in [false, true] {
        for piece in if last { &nothing } else { pieces } {
            buf.extend_from_slice(piece);
            loop {
                let decoded = if last {
                    decoder.decode_eof(&mut buf)
                } else {
                    decoder.decode(&mut buf)
                };
                match decoded.transpose() {
                    None => break,
                    Some(Err(error)) if !goes_on => {
                        events.push(Err(error));
                        return events;
                    }
                    Some(event) => events.push(event),
                }
            }
        }
    }
    events
}
