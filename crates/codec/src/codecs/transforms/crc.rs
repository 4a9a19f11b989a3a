//! `+crc16:ibm-sdlc`, `+crc32:iso-hdlc`: a CRC behind each frame.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::BytesMut;
use crc::{Algorithm, Table, Width};

use super::algorithms::{OF_16, OF_32};
use crate::{Fault, Transform};

/// `+crc16:ibm-sdlc`, `+crc32:iso-hdlc`: a CRC of 16 or 32 bits behind each frame, which finds
/// damage. It is no protection from anybody who changes a frame on purpose.
///
/// "CRC-16" alone is the name of more than thirty algorithms. So each has its name in the
/// [catalogue of parametrised CRC algorithms][catalogue]: `crc16:ibm-sdlc` is its
/// `CRC-16/IBM-SDLC`, which others call X-25 or HDLC, and `crc32:iso-hdlc` is what Ethernet, zlib
/// and PNG use.
///
/// The bytes of a CRC stand in the order in which its algorithm has the bits of a byte: the lowest
/// byte first if it is reflected (`refout` of the catalogue), and the highest first if not. Where a
/// protocol has the other order, `<` or `>` in front of the name says so, as in Python's `struct`:
/// `crc16:>modbus`.
///
/// A frame whose CRC is wrong is one error. With the codec below it says where the next frame
/// begins: `cobs` and `slip` find it in any case. The frame is given out where it lies.
///
/// ```
/// use socketry_codec::{Codec, Crc, Plus, Reader, Slip};
///
/// let mut codec = Plus::new(Slip::new(), Crc::crc16("ibm-sdlc")?);
/// let mut wire = bytes::BytesMut::new();
/// codec.encode(b"123456789", &mut wire)?;
/// assert_eq!(&wire[..], b"\xc0123456789\x6e\x90\xc0");
///
/// let mut reader = Reader::new(codec);
/// reader.push(&wire);
/// assert_eq!(reader.next_frame()?, Some(&b"123456789"[..]));
/// wire[1] ^= 1;
/// reader.push(&wire);
/// assert!(reader.next_frame().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [catalogue]: https://reveng.sourceforge.io/crc-catalogue/all.htm
#[derive(Clone)]
pub struct Crc {
    sums: Sums,
    /// With the order, where it is not that of the algorithm.
    name: String,
    big: bool,
}

/// Its tables, which clones share.
#[derive(Clone)]
enum Sums {
    Of16(Arc<crc::Crc<u16, Table<16>>>),
    Of32(Arc<crc::Crc<u32, Table<16>>>),
}

/// There is no CRC of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is no CRC of {bits} bits; there are {names}; < or > before one chooses the order"
)]
pub struct UnknownCrc {
    name: String,
    bits: usize,
    names: String,
}

impl Crc {
    /// The CRC of 16 bits with this name in the catalogue, in lower case and without `CRC-16/`.
    ///
    /// # Errors
    /// If there is none. The error lists their names.
    pub fn crc16(name: &str) -> Result<Self, UnknownCrc> {
        let (order, algorithm) = named(name, OF_16)?;
        let sums = Sums::Of16(Arc::new(crc::Crc::<u16, Table<16>>::new(algorithm)));
        Ok(Crc::new(sums, name, order, algorithm.refout))
    }

    /// The CRC of 32 bits with this name in the catalogue, in lower case and without `CRC-32/`.
    ///
    /// # Errors
    /// As [`crc16`](Crc::crc16).
    pub fn crc32(name: &str) -> Result<Self, UnknownCrc> {
        let (order, algorithm) = named(name, OF_32)?;
        let sums = Sums::Of32(Arc::new(crc::Crc::<u32, Table<16>>::new(algorithm)));
        Ok(Crc::new(sums, name, order, algorithm.refout))
    }

    fn new(sums: Sums, name: &str, order: Option<bool>, reflected: bool) -> Self {
        let usual = !reflected;
        let big = order.unwrap_or(usual);
        let name = match big == usual {
            true => name.trim_start_matches(['<', '>']),
            false => name,
        };
        let name = name.to_owned();
        Crc { sums, name, big }
    }

    /// Its name, with an order only where that is not the algorithm's own.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes it takes.
    fn len(&self) -> usize {
        match self.sums {
            Sums::Of16(_) => 2,
            Sums::Of32(_) => 4,
        }
    }

    fn of(&self, frame: &[u8]) -> u32 {
        match &self.sums {
            Sums::Of16(sum) => sum.checksum(frame).into(),
            Sums::Of32(sum) => sum.checksum(frame),
        }
    }

    /// The number in the bytes behind a frame.
    fn read(&self, tail: &[u8]) -> u32 {
        let add = |sum, byte: &u8| sum << 8 | u32::from(*byte);
        match self.big {
            true => tail.iter().fold(0, add),
            false => tail.iter().rfold(0, add),
        }
    }
}

/// The order in front of a name, whether it is big, and the algorithm of that name.
fn named<W: Width>(
    text: &str,
    all: &[(&str, &'static Algorithm<W>)],
) -> Result<(Option<bool>, &'static Algorithm<W>), UnknownCrc> {
    let (order, name) = match text.split_at_checked(1) {
        Some(("<", name)) => (Some(false), name),
        Some((">", name)) => (Some(true), name),
        _ => (None, text),
    };
    match all.iter().find(|(one, _)| *one == name) {
        Some((_, algorithm)) => Ok((order, algorithm)),
        None => {
            let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
            Err(UnknownCrc {
                name: text.to_owned(),
                bits: 8 * size_of::<W>(),
                names: names.join(", "),
            })
        }
    }
}

impl Transform for Crc {
    fn apply(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        out.extend_from_slice(frame);
        let (sum, len) = (self.of(frame), self.len());
        match self.big {
            true => out.extend_from_slice(&sum.to_be_bytes()[4 - len..]),
            false => out.extend_from_slice(&sum.to_le_bytes()[..len]),
        }
        Ok(())
    }

    fn restore(&mut self, coded: &[u8], _: usize, out: &mut BytesMut) -> Result<(), Fault> {
        if let Some(frame) = self.find(coded)? {
            out.extend_from_slice(&coded[frame]);
        }
        Ok(())
    }

    fn find(&self, coded: &[u8]) -> Result<Option<Range<usize>>, Fault> {
        let Some(end) = coded.len().checked_sub(self.len()) else {
            let (len, least) = (coded.len() as u64, self.len() as u64);
            return Err(Fault::Short { len, least });
        };
        let (frame, tail) = coded.split_at(end);
        let (says, is) = (self.read(tail).into(), self.of(frame).into());
        match says == is {
            true => Ok(Some(0..end)),
            false => Err(Fault::Checksum { says, is }),
        }
    }

    fn longest(&self, frame: usize) -> usize {
        frame.saturating_add(self.len())
    }
}

impl fmt::Debug for Crc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc({} bits, {})", 8 * self.len(), self.name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn each_gives_the_check_value_of_the_catalogue() {
        let checked = b"123456789";
        for (name, algorithm) in OF_16 {
            let sum = Crc::crc16(name).unwrap().of(checked);
            assert_eq!(sum, u32::from(algorithm.check), "{name}");
        }
        for (name, algorithm) in OF_32 {
            assert_eq!(
                Crc::crc32(name).unwrap().of(checked),
                algorithm.check,
                "{name}"
            );
        }
    }

    /// What the usual order is for: the CRC of a frame with its CRC is the same for all frames.
    #[test]
    fn the_usual_order_leaves_the_residue() {
        let all_16 = OF_16.iter().map(|(name, _)| Crc::crc16(name).unwrap());
        let all_32 = OF_32.iter().map(|(name, _)| Crc::crc32(name).unwrap());
        for mut crc in all_16.chain(all_32) {
            let residue = [&b"any bytes"[..], b"others"].map(|frame| {
                let mut wire = BytesMut::new();
                crc.apply(frame, &mut wire).unwrap();
                crc.of(&wire)
            });
            assert_eq!(residue[0], residue[1], "{crc:?}");
        }
    }
}
