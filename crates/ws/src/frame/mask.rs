//! The mask that a client puts over its bytes (RFC 6455, section 5.3).

use std::cell::RefCell;
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

/// How many random bytes are asked of the system at a time: a call for each frame would cost more
/// than a short frame itself.
const POOL: usize = 4096;

thread_local! {
    /// Random bytes for the masks of all connections of a thread.
    static MASKS: RefCell<Masks> = const { RefCell::new(Masks::new()) };
}

struct Masks {
    pool: [u8; POOL],
    used: usize,
}

/// A mask that no peer and no page can foresee (section 10.3), and that was not used before.
pub(crate) fn new() -> io::Result<[u8; 4]> {
    // A thread that ends has no pool any more.
    match MASKS.try_with(|masks| masks.borrow_mut().take()) {
        Ok(mask) => mask,
        Err(_) => Masks::new().take(),
    }
}

impl Masks {
    const fn new() -> Self {
        Masks {
            pool: [0; POOL],
            used: POOL,
        }
    }

    fn take(&mut self) -> io::Result<[u8; 4]> {
        if self.used >= POOL {
            getrandom::fill(&mut self.pool).map_err(io::Error::other)?;
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
        let mut seen = std::collections::HashSet::new();
        // Of more than one pool.
        let all = (0..2000).filter(|_| seen.insert(new().unwrap()));
        // Two of 2,000 are alike by chance once in 2,000 runs, and two more hardly ever.
        assert!(all.count() >= 1998);
    }
}
