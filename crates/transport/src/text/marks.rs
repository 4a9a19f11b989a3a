//! Texts that begin with byte order marks.

use std::mem;

use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::TextPolicy;
use super::decode::{Step, run};

/// A byte order mark, and the encoding of the bytes behind it.
type Mark = (&'static [u8], &'static Encoding);

const IN_UTF_16: &[Mark] = &[(b"\xff\xfe", UTF_16LE), (b"\xfe\xff", UTF_16BE)];
const IN_UTF_8: &[Mark] = &[(b"\xef\xbb\xbf", UTF_8)];

/// Decodes text with marks, which it drops.
pub(super) struct Marked {
    marks: &'static [Mark],
    /// The bytes of a unit. A mark is always between two units.
    unit: usize,
    /// Whether each of many texts may begin with a mark, or only the first.
    each: bool,
    begun: bool,
    /// The number of bytes, of those that the caller gives again, in which no mark begins. They are
    /// not searched twice.
    clear: usize,
    decoder: Decoder,
}

impl Marked {
    pub(super) fn utf_16(each: bool) -> Self {
        Marked {
            marks: IN_UTF_16,
            unit: 2,
            each,
            begun: false,
            clear: 0,
            decoder: UTF_16LE.new_decoder_without_bom_handling(),
        }
    }

    pub(super) fn utf_8(each: bool) -> Self {
        Marked {
            marks: IN_UTF_8,
            unit: 1,
            each,
            begun: false,
            clear: 0,
            decoder: UTF_8.new_decoder_without_bom_handling(),
        }
    }

    pub(super) fn step(
        &mut self,
        bytes: &[u8],
        last: bool,
        policy: TextPolicy,
        out: &mut String,
    ) -> Step {
        // The bytes behind these may be the beginning of a mark. The decoder reads whole units, so
        // that a mark never begins inside of one.
        let sure = if last { bytes.len() } else { self.sure(bytes) };
        let mut read = 0;
        loop {
            let from = read + mem::take(&mut self.clear);
            let (at, mark) = self.next_mark(&bytes[..sure], from);
            let end = mark.is_some() || (last && at == sure);
            let (used, bad) = run(&mut self.decoder, &bytes[read..at], end, policy, out);
            read += used;
            self.begun |= read > 0;
            let Some((mark, encoding)) = mark.filter(|_| bad.is_none()) else {
                self.clear = at - read;
                return (read, bad);
            };
            self.decoder = encoding.new_decoder_without_bom_handling();
            self.begun = true;
            read += mark.len();
        }
    }

    /// How many of the bytes cannot be the beginning of a mark that is incomplete.
    fn sure(&self, bytes: &[u8]) -> usize {
        let begins = |at: &usize| {
            self.marks
                .iter()
                .any(|(mark, _)| mark.starts_with(&bytes[*at..]))
        };
        let whole = bytes.len() - bytes.len() % self.unit;
        let longest = self.marks[0].0.len() - 1;
        let from = bytes.len().saturating_sub(longest);
        let mut units = (from..whole).filter(|at| at % self.unit == 0);
        units.find(begins).unwrap_or(whole)
    }

    /// The next mark at or behind `from`, and its place; without one, the end.
    fn next_mark(&self, bytes: &[u8], from: usize) -> (usize, Option<Mark>) {
        let places = if self.each {
            bytes.len()
        } else {
            usize::from(!self.begun)
        };
        for at in (from..bytes.len()).take(places).step_by(self.unit) {
            let here = |(mark, _): &&Mark| bytes[at..].starts_with(mark);
            if let Some(mark) = self.marks.iter().find(here) {
                return (at, Some(*mark));
            }
        }
        (bytes.len(), None)
    }
}
