//! The mask that a client puts over its bytes (RFC 6455, section 5.3).

use std::io;

/// Changes `bytes` by the mask, or back: both are the same.
pub(crate) fn apply(bytes: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// How many bytes are asked of the system at a time: a call for each frame would cost more than a
/// short frame itself.
const POOL: usize = 256;

/// Masks that no peer and no page can foresee.
pub(crate) struct Masks {
    pool: Box<[u8; POOL]>,
    used: usize,
}

impl Masks {
    pub(crate) fn new() -> Self {
        Masks {
            pool: Box::new([0; POOL]),
            used: POOL,
        }
    }

    /// A mask that was not used before.
    pub(crate) fn take(&mut self) -> io::Result<[u8; 4]> {
        if self.used == POOL {
            getrandom::fill(&mut self.pool[..]).map_err(io::Error::other)?;
            self.used = 0;
        }
        let (masks, _) = self.pool.as_chunks::<4>();
        let mask = masks[self.used / 4];
        self.used += 4;
        Ok(mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_covers_each_length_and_is_its_own_inverse() {
        let mask = [1, 2, 4, 8];
        for len in 0..40 {
            let plain: Vec<u8> = (0..len).collect();
            let mut bytes = plain.clone();
            apply(&mut bytes, mask);
            let expected = plain.iter().zip(mask.iter().cycle());
            assert!(expected.map(|(byte, mask)| byte ^ mask).eq(bytes.clone()));
            apply(&mut bytes, mask);
            assert_eq!(bytes, plain);
        }
    }

    #[test]
    fn no_mask_is_given_twice() {
        let mut masks = Masks::new();
        let mut seen = std::collections::HashSet::new();
        let all = (0..200).filter(|_| seen.insert(masks.take().unwrap()));
        // Two of 200 are alike by chance once in 200,000 runs.
        assert!(all.count() >= 199);
    }
}
