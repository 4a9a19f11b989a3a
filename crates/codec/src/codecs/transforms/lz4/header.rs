//! The header of an LZ4 frame.

use bytes::{Buf, BufMut, BytesMut};
use twox_hash::XxHash32;

use super::{cut, wrong};
use crate::Fault;

const MAGIC: u32 = 0x184d_2204;
/// The longest blocks, by the numbers 4 to 7 in a header.
pub(super) const MAX_BLOCKS: [usize; 4] = [64 << 10, 256 << 10, 1 << 20, 4 << 20];

// The bits of its first byte. The two highest ones are the version, 1.
const VERSION: u8 = 0b0100_0000;
const VERSION_BITS: u8 = 0b1100_0000;
const INDEPENDENT: u8 = 0b0010_0000;
const BLOCK_SUMS: u8 = 0b0001_0000;
const CONTENT_LEN: u8 = 0b0000_1000;
const CONTENT_SUM: u8 = 0b0000_0100;
const RESERVED: u8 = 0b0000_0010;
const DICTIONARY: u8 = 0b0000_0001;

/// What a header says.
pub(super) struct Header {
    pub(super) max_block: usize,
    /// Blocks refer to those before them.
    pub(super) linked: bool,
    pub(super) block_sums: bool,
    pub(super) content_len: Option<u64>,
    pub(super) content_sum: bool,
}

impl Header {
    /// For a frame of `len` bytes in independent blocks of `max_block`, one of [`MAX_BLOCKS`].
    pub(super) fn write(len: u64, max_block: usize, out: &mut BytesMut) {
        out.put_u32_le(MAGIC);
        let begins = out.len();
        let number = MAX_BLOCKS
            .iter()
            .take_while(|max| **max < max_block)
            .count();
        #[expect(clippy::cast_possible_truncation, reason = "at most 7")]
        let block = (4 + number as u8) << 4;
        // A length of 0 says in some programs that it is not known.
        let flags = VERSION | INDEPENDENT | if len > 0 { CONTENT_LEN } else { 0 };
        out.extend_from_slice(&[flags, block]);
        if len > 0 {
            out.put_u64_le(len);
        }
        let sum = sum(&out[begins..]);
        out.extend_from_slice(&[sum]);
    }

    pub(super) fn read(rest: &mut &[u8]) -> Result<Self, Fault> {
        let magic = rest.try_get_u32_le().map_err(|_| cut())?;
        if magic != MAGIC {
            return Err(wrong("it does not begin as one".into()));
        }
        let all = *rest;
        let (flags, block) = (byte(rest)?, byte(rest)?);
        let has = |bit| flags & bit != 0;
        if flags & VERSION_BITS != VERSION || has(RESERVED) || block & 0b1000_1111 != 0 {
            return Err(wrong("its header is of another version".into()));
        }
        let number = usize::from(block >> 4).checked_sub(4);
        let max_block = number.and_then(|number| MAX_BLOCKS.get(number));
        let max_block = max_block.ok_or_else(|| wrong("there is no such size of blocks".into()))?;
        let content_len = match has(CONTENT_LEN) {
            true => Some(rest.try_get_u64_le().map_err(|_| cut())?),
            false => None,
        };
        if has(DICTIONARY) {
            return Err(wrong("it needs a dictionary".into()));
        }
        let is = sum(&all[..all.len() - rest.len()]);
        match byte(rest)? == is {
            true => Ok(Header {
                max_block: *max_block,
                linked: !has(INDEPENDENT),
                block_sums: has(BLOCK_SUMS),
                content_len,
                content_sum: has(CONTENT_SUM),
            }),
            false => Err(wrong("the checksum of its header is wrong".into())),
        }
    }
}

fn byte(rest: &mut &[u8]) -> Result<u8, Fault> {
    rest.try_get_u8().map_err(|_| cut())
}

/// The checksum of a header, without the magic number.
fn sum(header: &[u8]) -> u8 {
    let [_, sum, ..] = XxHash32::oneshot(0, header).to_le_bytes();
    sum
}
