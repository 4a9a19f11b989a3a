//! Bytes that are decompressed into a buffer that grows with them, up to a limit.

use bytes::BytesMut;

use crate::{Cause, Fault};

/// The first room in bytes, for so many compressed ones.
pub(super) fn first_room(coded: usize) -> usize {
    coded.saturating_mul(2).saturating_add(64)
}

/// One step of a decompression.
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
    /// The compressed frame has ended.
    pub(super) done: bool,
}

/// Appends what `step` makes of `coded`, which is one whole frame of `format`. A step gets the
/// compressed bytes that are left, all bytes so far with the room behind them, and where that
/// begins.
///
/// A frame of more than `max` bytes is a fault once one byte more was made.
pub(super) fn unpack(
    format: &'static str,
    coded: &[u8],
    max: usize,
    out: &mut BytesMut,
    mut step: impl FnMut(&[u8], &mut [u8], usize) -> Result<Step, Cause>,
) -> Result<(), Fault> {
    let wrong = |cause: Cause| Fault::NotCompressed { format, cause };
    let most = max.saturating_add(1);
    let (before, mut rest, mut len) = (out.len(), coded, 0);
    let mut room = first_room(coded.len()).min(most);
    loop {
        out.resize(before + room, 0);
        let Step {
            read,
            written,
            done,
        } = step(rest, &mut out[before..], len).map_err(wrong)?;
        rest = rest.get(read..).unwrap_or_default();
        len += written;
        if len > max {
            return Err(expands(coded, max));
        }
        if done {
            out.truncate(before + len);
            return match rest {
                [] => Ok(()),
                _ => Err(wrong("bytes stand behind its end".into())),
            };
        }
        if len == room {
            room = room.saturating_mul(2).min(most);
        } else if read == 0 && written == 0 {
            return Err(wrong("its end is missing".into()));
        }
    }
}

#[cold]
pub(super) fn expands(coded: &[u8], max: usize) -> Fault {
    let (coded, max) = (coded.len() as u64, max as u64);
    Fault::Expands { coded, max }
}

/// The most bytes of the compressed form of so many, by any compressor that does not add more on
/// purpose.
pub(super) fn longest(frame: usize) -> usize {
    frame.saturating_add(frame / 8).saturating_add(128)
}
