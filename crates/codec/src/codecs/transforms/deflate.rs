//! `+deflate` and `+zlib`: RFC 1951 and RFC 1950.

use std::cell::RefCell;

use bytes::BytesMut;
use miniz_oxide::DataFormat;
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, TDEFLStatus, compress_to_output};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

use super::growing::{Step, longest, unpack};
use crate::{Cause, Fault, Transform};

/// `+deflate`, `+zlib`: each frame compressed by itself with DEFLATE.
///
/// [`raw`](Deflate::raw) is DEFLATE as RFC 1951 has it, without a header and without a checksum:
/// `+deflate`. [`zlib`](Deflate::zlib) is the same in the envelope of RFC 1950, with a checksum of
/// the frame: `+zlib`. What HTTP calls `deflate` is the second one, and some of its servers send
/// the first. In Python they are `zlib.compressobj(wbits=-15)` and `zlib.compress`.
///
/// Do not compress secrets together with text that a stranger chooses: see
/// [`Transform`](crate::Transform#compression-and-secrets).
///
/// A frame of a level is compressed with 300 KiB of memory, which each thread that sends keeps.
///
/// ```
/// use socketry_codec::{Codec, Deflate, Plus, Reader, Struct};
///
/// let mut codec = Plus::new(Struct::new(">H".parse()?), Deflate::raw());
/// let mut wire = bytes::BytesMut::new();
/// codec.encode(&[b'a'; 1000], &mut wire)?;
/// assert!(wire.len() < 50);
/// let mut reader = Reader::new(codec);
/// reader.push(&wire);
/// assert_eq!(reader.next_frame()?, Some(&[b'a'; 1000][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Deflate {
    format: DataFormat,
    level: u8,
}

impl Deflate {
    /// RFC 1951: no header, no checksum.
    pub fn raw() -> Self {
        Deflate {
            format: DataFormat::Raw,
            level: 6,
        }
    }

    /// RFC 1950: a header of two bytes, and an Adler-32 of the frame behind it.
    pub fn zlib() -> Self {
        Deflate {
            format: DataFormat::Zlib,
            ..Deflate::raw()
        }
    }

    /// How hard it tries, from 0 (not at all) to 9; by default 6. A receiver does not need to know.
    #[must_use]
    pub fn level(self, level: u8) -> Self {
        let level = level.min(9);
        Deflate { level, ..self }
    }

    fn name(self) -> &'static str {
        match self.format {
            DataFormat::Raw => "deflate",
            _ => "zlib",
        }
    }
}

thread_local! {
    /// Large, so connections share it.
    static COMPRESSOR: RefCell<Box<CompressorOxide>> = RefCell::default();
    static DECOMPRESSOR: RefCell<Box<DecompressorOxide>> = RefCell::default();
}

impl Transform for Deflate {
    fn apply(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        let (status, _) = COMPRESSOR.with_borrow_mut(|compressor| {
            compressor.reset();
            compressor.set_format_and_level(self.format, self.level);
            compress_to_output(compressor, frame, TDEFLFlush::Finish, |bytes| {
                out.extend_from_slice(bytes);
                true
            })
        });
        match status {
            TDEFLStatus::Done => Ok(()),
            _ => Err("the frame could not be compressed".into()),
        }
    }

    fn restore(&mut self, coded: &[u8], max: usize, out: &mut BytesMut) -> Result<(), Fault> {
        let zlib = match self.format {
            DataFormat::Raw => 0,
            _ => inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER,
        };
        let flags = zlib | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        DECOMPRESSOR.with_borrow_mut(|inner| {
            inner.init();
            unpack(self.name(), coded, max, out, |rest, room, at| {
                let (status, read, written) = decompress(inner, rest, room, at, flags);
                let done = status == TINFLStatus::Done;
                match status {
                    TINFLStatus::Done | TINFLStatus::HasMoreOutput => Ok(Step {
                        read,
                        written,
                        done,
                    }),
                    status => Err(what_is_wrong(status)),
                }
            })
        })
    }

    fn longest(&self, frame: usize) -> usize {
        longest(frame)
    }
}

fn what_is_wrong(status: TINFLStatus) -> Cause {
    match status {
        TINFLStatus::Adler32Mismatch => "its checksum is wrong",
        TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => "its end is missing",
        _ => "its bytes are none that a compressor writes",
    }
    .into()
}
