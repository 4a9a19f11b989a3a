//! Records of one length. They have no header that could tell, but most have bytes that are the
//! same in each.

/// The longest record that is looked for.
const MOST: usize = 1024;

/// The fewest records in which a byte is the same by more than chance.
const FEWEST: usize = 4;

/// The bytes that are looked at, from the first one on.
const SAMPLE: usize = 16 << 10;

/// The length of the records, the shortest that is as likely as any, and what speaks for it in
/// bits. Zeros say nothing, since most records have some, nor does a run of one byte, which is the
/// same in any two places.
pub(super) fn length(bytes: &[u8]) -> Option<(usize, f64)> {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let most = MOST.min(sample.len() / FEWEST);
    let mut best = None;
    for len in 2..=most {
        // Any of these lengths would do.
        let spoken = bits(sample, len) - (most as f64).log2();
        if best.is_none_or(|(_, bits)| spoken > bits) {
            best = Some((len, spoken));
        }
    }
    best
}

fn bits(sample: &[u8], len: usize) -> f64 {
    let again = sample.len() / len - 1;
    let (first, rest) = sample.split_at(len);
    let is_same = |at: &usize| {
        let (byte, before) = (first[*at], sample[(*at).checked_sub(1).unwrap_or(len - 1)]);
        let is_alone = byte != 0 && byte != before;
        is_alone && rest.chunks_exact(len).all(|record| record[*at] == byte)
    };
    // It may be any byte of the record.
    let each = 8.0 * again as f64 - (len as f64).log2();
    (0..len).filter(is_same).count() as f64 * each
}
