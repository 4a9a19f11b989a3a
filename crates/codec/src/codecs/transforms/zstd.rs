//! `+zstd`: RFC 8878.

use std::cell::RefCell;

use bytes::BytesMut;
use zstd_safe::{
    CCtx, CParameter, DCtx, DParameter, ErrorCode, InBuffer, OutBuffer, ResetDirective,
    compress_bound, get_error_name,
};

use super::growing::{Step, expands, longest, unpack};
use crate::{Cause, Fault, Transform};

/// `+zstd`: each frame is one frame of Zstandard (RFC 8878), compressed by itself.
///
/// The length of the frame is written into its header, and no checksum. A header that says more
/// than the limit is refused before anything is decompressed. A frame may need a window of 8 MiB at
/// most, or of the limit if that is more, as section 3.1.1.1.2 recommends. Dictionaries are not
/// used.
///
/// Do not compress secrets together with text that a stranger chooses: see
/// [`Transform`](crate::Transform#compression-and-secrets).
///
/// Compressing takes some 1.3 MiB of memory at level 3 and more above it, decompressing up to the
/// window and 150 KiB, which each thread keeps.
///
/// ```
/// use socketry_codec::{Codec, Plus, Reader, Struct, Zstd};
///
/// let mut codec = Plus::new(Struct::new(">I".parse()?), Zstd::new());
/// let mut wire = bytes::BytesMut::new();
/// codec.encode(&[b'a'; 1000], &mut wire)?;
/// assert!(wire.len() < 30);
/// let mut reader = Reader::new(codec);
/// reader.push(&wire);
/// assert_eq!(reader.next_frame()?, Some(&[b'a'; 1000][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Zstd {
    level: i32,
}

const FORMAT: &str = "zstd";
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The smallest window that every decoder should have, as an exponent of two.
const WINDOW: u32 = 23;

impl Zstd {
    /// With level 3.
    pub fn new() -> Self {
        Zstd { level: 3 }
    }

    /// How hard it tries, from 1 to 19; by default 3. A receiver does not need to know.
    #[must_use]
    pub fn level(self, level: u8) -> Self {
        let level = i32::from(level).clamp(1, 19);
        Zstd { level }
    }
}

impl Default for Zstd {
    fn default() -> Self {
        Zstd::new()
    }
}

thread_local! {
    /// Large, so connections share it.
    static COMPRESSOR: RefCell<CCtx<'static>> = RefCell::new(CCtx::create());
    static DECOMPRESSOR: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

impl Transform for Zstd {
    fn apply(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        let before = out.len();
        out.resize(before + compress_bound(frame.len()), 0);
        let room = &mut out[before..];
        let written = COMPRESSOR.with_borrow_mut(|inner| {
            inner.reset(ResetDirective::SessionAndParameters)?;
            inner.set_parameter(CParameter::CompressionLevel(self.level))?;
            inner.compress2(room, frame)
        });
        out.truncate(before + written.map_err(wrong)?);
        Ok(())
    }

    fn restore(&mut self, coded: &[u8], max: usize, out: &mut BytesMut) -> Result<(), Fault> {
        if !coded.starts_with(&MAGIC) {
            return Err(not_one("it does not begin as one".into()));
        }
        let says = zstd_safe::get_frame_content_size(coded).unwrap_or_default();
        if says.is_some_and(|len| len > max as u64) {
            return Err(expands(coded, max));
        }
        let before = out.len();
        DECOMPRESSOR.with_borrow_mut(|inner| {
            let window = max
                .checked_ilog2()
                .map_or(0, |log| log + 1)
                .clamp(WINDOW, 27);
            let begun = inner
                .reset(ResetDirective::SessionAndParameters)
                .and_then(|_| inner.set_parameter(DParameter::WindowLogMax(window)));
            begun.map_err(wrong)?;
            unpack(FORMAT, coded, max, out, |rest, room, at| {
                let mut input = InBuffer::around(rest);
                let mut output = OutBuffer::around(&mut room[at..]);
                let left = inner
                    .decompress_stream(&mut output, &mut input)
                    .map_err(words)?;
                Ok(Step {
                    read: input.pos(),
                    written: output.pos(),
                    done: left == 0,
                })
            })
        })?;
        // The library does not look where an empty block is the last one.
        match says {
            Some(len) if len != (out.len() - before) as u64 => {
                Err(not_one("it has another length than its header says".into()))
            }
            _ => Ok(()),
        }
    }

    fn longest(&self, frame: usize) -> usize {
        longest(frame)
    }
}

fn words(code: ErrorCode) -> Cause {
    get_error_name(code).into()
}

fn wrong(code: ErrorCode) -> Fault {
    not_one(words(code))
}

#[cold]
fn not_one(cause: Cause) -> Fault {
    let format = FORMAT;
    Fault::NotCompressed { format, cause }
}
