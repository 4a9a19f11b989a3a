//! `+lz4`: the LZ4 frame format.

mod header;

use bytes::{Buf, BytesMut};
use lz4_flex::block::{
    DecompressError, compress_into, decompress_into_with_dict, get_maximum_output_size,
};
use twox_hash::XxHash32;

use super::growing::{expands, first_room, longest};
use crate::{Cause, Fault, Transform};
use header::{Header, MAX_BLOCKS};

/// `+lz4`: each frame is one frame of LZ4 ([LZ4 Frame Format Description][format] 1.6), compressed
/// by itself: what `lz4.frame` of Python and the program `lz4` write.
///
/// The length of the frame stands in its header, and no checksum. A header that says more than the
/// limit is refused before anything is decompressed. Checksums that are there are checked. Neither
/// dictionaries nor the legacy format are read.
///
/// Do not compress secrets together with text that a stranger chooses: see
/// [`Transform`](crate::Transform#compression-and-secrets).
///
/// ```
/// use socketry_codec::{Codec, Lz4, Plus, Reader, Struct};
///
/// let mut codec = Plus::new(Struct::new(">I".parse()?), Lz4::new());
/// let mut wire = bytes::BytesMut::new();
/// codec.encode(&[b'a'; 1000], &mut wire)?;
/// assert!(wire.len() < 50);
/// let mut reader = Reader::new(codec);
/// reader.push(&wire);
/// assert_eq!(reader.next_frame()?, Some(&[b'a'; 1000][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [format]: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
#[derive(Clone, Copy, Debug, Default)]
pub struct Lz4;

/// This bit of a block's length says that the block is not compressed.
const STORED: u32 = 1 << 31;
/// How far back a match may lie.
const WINDOW: usize = 64 * 1024;

impl Lz4 {
    /// It has no settings.
    pub fn new() -> Self {
        Lz4
    }
}

impl Transform for Lz4 {
    fn apply(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        let largest = MAX_BLOCKS.into_iter().find(|max| frame.len() <= *max);
        let max_block = largest.unwrap_or(MAX_BLOCKS[3]);
        Header::write(frame.len() as u64, max_block, out);
        frame.chunks(max_block).for_each(|block| write(block, out));
        out.extend_from_slice(&[0; 4]);
        Ok(())
    }

    fn restore(&mut self, coded: &[u8], max: usize, out: &mut BytesMut) -> Result<(), Fault> {
        let mut rest = coded;
        let header = Header::read(&mut rest)?;
        if header.content_len.is_some_and(|len| len > max as u64) {
            return Err(expands(coded, max));
        }
        let before = out.len();
        while let Some((len, stored)) = block_len(&mut rest)? {
            let block = header.block(&mut rest, len)?;
            let room = max - (out.len() - before);
            let fits = match stored {
                true => {
                    out.extend_from_slice(block);
                    block.len() <= room
                }
                false => header.decompress(block, before, room, out)?,
            };
            if !fits {
                return Err(expands(coded, max));
            }
        }
        header.check(rest, &out[before..])
    }

    fn longest(&self, frame: usize) -> usize {
        longest(frame)
    }
}

/// A block, as it is if that is shorter.
fn write(block: &[u8], out: &mut BytesMut) {
    let at = out.len();
    out.resize(at + 4 + get_maximum_output_size(block.len()), 0);
    let (len, body) = out[at..].split_at_mut(4);
    let compressed = compress_into(block, body)
        .ok()
        .filter(|len| *len < block.len());
    let bytes = compressed.unwrap_or(block.len());
    #[expect(clippy::cast_possible_truncation, reason = "at most 4 MiB")]
    let says = match compressed {
        Some(bytes) => bytes as u32,
        None => block.len() as u32 | STORED,
    };
    len.copy_from_slice(&says.to_le_bytes());
    if compressed.is_none() {
        body[..bytes].copy_from_slice(block);
    }
    out.truncate(at + 4 + bytes);
}

/// The length of the next block, and whether it is stored as it is; `None` at the mark of the end.
fn block_len(rest: &mut &[u8]) -> Result<Option<(usize, bool)>, Fault> {
    let says = rest.try_get_u32_le().map_err(|_| cut())?;
    let len = usize::try_from(says & !STORED).unwrap_or(usize::MAX);
    Ok((says != 0).then_some((len, says & STORED != 0)))
}

impl Header {
    /// The next `len` bytes, and the checksum behind them if there is one.
    fn block<'a>(&self, rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], Fault> {
        if len > self.max_block {
            return Err(wrong("a block is longer than its header says".into()));
        }
        let (block, behind) = rest.split_at_checked(len).ok_or_else(cut)?;
        *rest = behind;
        if self.block_sums {
            checked(rest, block)?;
        }
        Ok(block)
    }

    /// Appends what a block decompresses to. `false` if that is more than `room`.
    fn decompress(
        &self,
        block: &[u8],
        before: usize,
        room: usize,
        out: &mut BytesMut,
    ) -> Result<bool, Fault> {
        let start = out.len();
        let most = room.saturating_add(1).min(self.max_block);
        let mut len = first_room(block.len()).min(most);
        loop {
            out.resize(start + len, 0);
            let (all, into) = out.split_at_mut(start);
            let window = match self.linked {
                true => &all[before.max(start.saturating_sub(WINDOW))..],
                false => &[],
            };
            match decompress_into_with_dict(block, into, window) {
                Ok(len) => {
                    out.truncate(start + len);
                    return Ok(len <= room);
                }
                Err(DecompressError::OutputTooSmall { .. }) if len < most => {
                    len = len.saturating_mul(4).min(most);
                }
                Err(DecompressError::OutputTooSmall { .. }) if most > room => return Ok(false),
                Err(error) => return Err(wrong(Cause::new(error))),
            }
        }
    }

    /// Whether the frame and what stands behind its blocks are as the header says.
    fn check(&self, mut rest: &[u8], frame: &[u8]) -> Result<(), Fault> {
        if self.content_sum {
            checked(&mut rest, frame)?;
        }
        match self.content_len {
            _ if !rest.is_empty() => Err(wrong("bytes stand behind its end".into())),
            Some(len) if len != frame.len() as u64 => {
                Err(wrong("it has another length than its header says".into()))
            }
            _ => Ok(()),
        }
    }
}

/// Compares the next four bytes with the checksum of these.
fn checked(rest: &mut &[u8], bytes: &[u8]) -> Result<(), Fault> {
    let says = rest.try_get_u32_le().map_err(|_| cut())?;
    let is = XxHash32::oneshot(0, bytes);
    match says == is {
        true => Ok(()),
        false => Err(Fault::Checksum {
            says: says.into(),
            is: is.into(),
        }),
    }
}

#[cold]
fn cut() -> Fault {
    wrong("its end is missing".into())
}

#[cold]
fn wrong(cause: Cause) -> Fault {
    Fault::NotCompressed {
        format: "lz4",
        cause,
    }
}
