//! `cobs`: Consistent Overhead Byte Stuffing.

use bytes::BytesMut;
use memchr::memchr;

use super::{Stuffed, Stuffing, named};
use crate::{Codec, CodecError, Decoded, End, Fault, Properties, Transform};

/// The longest run of bytes behind one code.
const RUN: usize = 254;

/// `cobs`: a frame without zeros, in front of a zero, as Cheshire and Baker have it (Consistent
/// Overhead Byte Stuffing, IEEE/ACM Transactions on Networking, 1999).
///
/// Before each run of bytes that are not zero stands a code: its length and one. Behind a run there
/// is a zero, unless it has 254 bytes or is the last one. Two forms of some frames are in use: one
/// that ends with a run of 254 bytes may have another code `01` behind it. Both are read, and the
/// shorter one is written. Nothing between two zeros is no frame. An empty frame is the code `01`.
///
/// A code that goes beyond the end is an error of its frame, and so is a frame that is too long.
/// The next frame begins behind the next zero, however far that is.
///
/// ```
/// use socketry_codec::{Cobs, Codec, Reader};
///
/// let mut wire = bytes::BytesMut::new();
/// Cobs::new().encode(b"\x11\x22\x00\x33", &mut wire)?;
/// assert_eq!(&wire[..], b"\x03\x11\x22\x02\x33\x00");
///
/// let mut reader = Reader::new(Cobs::new());
/// reader.push(&wire);
/// assert_eq!(reader.next_frame()?, Some(&b"\x11\x22\x00\x33"[..]));
/// reader.push(b"\x09beyond\x00\x05next\x00");
/// assert!(reader.next_frame().is_err());
/// assert_eq!(reader.next_frame()?, Some(&b"next"[..]));
/// # Ok::<(), socketry_codec::CodecError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cobs(Stuffed<Codes>);

named!(Cobs, Codes);

#[derive(Clone, Copy, Debug, Default)]
struct Codes;

impl Stuffing for Codes {
    const DELIMITER: u8 = 0;
    const OPENS: bool = false;
    const LEAST: usize = 0;
}

impl Transform for Codes {
    fn apply(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        let mut rest = Some(frame);
        while let Some(bytes) = rest {
            let zero = memchr(0, &bytes[..bytes.len().min(RUN)]);
            let run = zero.unwrap_or(bytes.len().min(RUN));
            #[expect(clippy::cast_possible_truncation, reason = "at most 255")]
            out.extend_from_slice(&[run as u8 + 1]);
            out.extend_from_slice(&bytes[..run]);
            // A zero has another run behind it, if only an empty one.
            let behind = &bytes[run + usize::from(zero.is_some())..];
            rest = (zero.is_some() || !behind.is_empty()).then_some(behind);
        }
        Ok(())
    }

    fn restore(&mut self, coded: &[u8], _: usize, out: &mut BytesMut) -> Result<(), Fault> {
        let mut at = 0;
        while let Some(code) = coded.get(at) {
            let end = at + usize::from((*code).max(1));
            let Some(run) = coded.get(at + 1..end) else {
                let problem = "is a code that goes beyond the end of the frame";
                return Err(Fault::Stuffing { at, problem });
            };
            out.extend_from_slice(run);
            if run.len() < RUN && end < coded.len() {
                out.extend_from_slice(&[0]);
            }
            at = end;
        }
        Ok(())
    }

    fn longest(&self, frame: usize) -> usize {
        frame.saturating_add(frame / RUN).saturating_add(1)
    }
}
