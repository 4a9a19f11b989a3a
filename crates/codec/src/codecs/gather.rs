//! Small frames, gathered before they are appended.

use bytes::BytesMut;

use crate::limits::check;
use crate::{CodecError, FrameSource};

/// The longest frame that is gathered, in bytes.
const SMALL: usize = 128;
/// How many bytes are gathered.
const ROOM: usize = 1024;

/// Appends frames to `out`, until `frames` gives no more or `out` has `full` bytes. Each stands
/// behind the `N` bytes that `header` makes of its length. A frame longer than `longest` bytes is
/// refused; those before it are in `out` then.
///
/// To append to a `BytesMut` costs a small frame more than all the rest, and its header once more.
/// So small frames are collected here, and many of them are appended at once.
#[inline(always)]
pub(crate) fn encode_behind<const N: usize>(
    frames: &mut dyn FrameSource,
    out: &mut BytesMut,
    full: usize,
    longest: usize,
    header: impl Fn(u64) -> [u8; N],
) -> Result<(), CodecError> {
    let (mut room, mut at) = ([0; ROOM], 0);
    let small = longest.min(SMALL);
    // From here on there is no room for another, or none is to follow.
    let until = |out: &BytesMut| full.saturating_sub(out.len()).min(ROOM - SMALL - N);
    let mut end = until(out);
    let ended = loop {
        if at >= end {
            out.extend_from_slice(&room[..at]);
            (at, end) = (0, until(out));
            if end == 0 {
                return Ok(());
            }
        }
        let Some(frame) = frames.next_frame() else {
            break Ok(());
        };
        let (len, begins) = (frame.len(), at + N);
        if len > small {
            out.extend_from_slice(&room[..at]);
            at = 0;
            if let Err(error) = check(frame, longest) {
                break Err(error);
            }
            out.extend_from_slice(&header(len as u64));
            out.extend_from_slice(frame);
            end = until(out);
            continue;
        }
        room[at..begins].copy_from_slice(&header(len as u64));
        at = begins + len;
        room[begins..at].copy_from_slice(frame);
    };
    out.extend_from_slice(&room[..at]);
    ended
}
