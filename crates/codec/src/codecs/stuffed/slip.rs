//! `slip`: RFC 1055.

use std::ops::Range;

use bytes::BytesMut;
use memchr::{memchr, memchr2};

use super::{Stuffed, Stuffing, named};
use crate::{Codec, CodecError, Decoded, End, Fault, Properties, Transform};

const END: u8 = 0xc0;
const ESC: u8 = 0xdb;
/// Behind `ESC`, the bytes that stand for the two above.
const ESC_END: u8 = 0xdc;
const ESC_ESC: u8 = 0xdd;

/// `slip`: a frame between two bytes `c0` (END), as RFC 1055 has it: two bytes `db dc` in it stand
/// for `c0`, and `db dd` for `db` (ESC).
///
/// An END is sent before and behind each frame. Nothing between two of them is no frame, so the
/// first END ends what noise a line has made before it, and an empty frame cannot be sent. `db` in
/// front of another byte is an error of its frame (RFC 1055 says only that it is a violation, and
/// its own program keeps that byte); so is a frame that is too long. The next frame begins behind
/// the next END, however far that is. A frame without `db` is given out where it lies, and any
/// other is copied once.
///
/// ```
/// use socketry_codec::{Codec, Reader, Slip};
///
/// let mut wire = bytes::BytesMut::new();
/// Slip::new().encode(b"a\xc0b\xdbc", &mut wire)?;
/// assert_eq!(&wire[..], b"\xc0a\xdb\xdcb\xdb\xddc\xc0");
///
/// let mut reader = Reader::new(Slip::new());
/// reader.push(&wire);
/// assert_eq!(reader.next_frame()?, Some(&b"a\xc0b\xdbc"[..]));
/// reader.push(b"\xc0\xdbx\xc0\xc0next\xc0");
/// assert!(reader.next_frame().is_err());
/// assert_eq!(reader.next_frame()?, Some(&b"next"[..]));
/// # Ok::<(), socketry_codec::CodecError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Slip(Stuffed<Escapes>);

named!(Slip, Escapes);

#[derive(Clone, Copy, Debug, Default)]
struct Escapes;

impl Stuffing for Escapes {
    const DELIMITER: u8 = END;
    const OPENS: bool = true;
    const LEAST: usize = 1;
}

impl Transform for Escapes {
    fn apply(&mut self, mut frame: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        while let Some(at) = memchr2(END, ESC, frame) {
            out.extend_from_slice(&frame[..at]);
            let behind = if frame[at] == END { ESC_END } else { ESC_ESC };
            out.extend_from_slice(&[ESC, behind]);
            frame = &frame[at + 1..];
        }
        out.extend_from_slice(frame);
        Ok(())
    }

    fn restore(&mut self, coded: &[u8], _: usize, out: &mut BytesMut) -> Result<(), Fault> {
        let mut from = 0;
        while let Some(run) = memchr(ESC, &coded[from..]) {
            let at = from + run;
            out.extend_from_slice(&coded[from..at]);
            let byte = match coded.get(at + 1) {
                Some(&ESC_END) => END,
                Some(&ESC_ESC) => ESC,
                _ => {
                    let problem = "is db, behind which only dc or dd may stand";
                    return Err(Fault::Stuffing { at, problem });
                }
            };
            out.extend_from_slice(&[byte]);
            from = at + 2;
        }
        out.extend_from_slice(&coded[from..]);
        Ok(())
    }

    #[inline]
    fn find(&self, coded: &[u8]) -> Result<Option<Range<usize>>, Fault> {
        Ok(memchr(ESC, coded).is_none().then_some(0..coded.len()))
    }

    fn longest(&self, frame: usize) -> usize {
        frame.saturating_mul(2)
    }
}
