//! In which order the servers of a service are tried (RFC 2782).

use socketry_transport::Service;

/// The servers in the order in which a client tries them: by priority, and among those of one
/// priority by chance, where each is the first as often as its weight says (RFC 2782, page 4).
///
/// A server of weight 0 is rarely tried before others that have one; among several, each is the
/// first equally often. The same `seed` gives the same order, if the servers come in the same order.
///
/// ```
/// use socketry_names::ordered;
/// use socketry_transport::Service;
///
/// let server = |priority, port| Service { priority, weight: 1, port, target: "a.example.".into() };
/// let tried = ordered(vec![server(20, 3), server(10, 1), server(10, 2)], 7);
/// assert_eq!(tried.last().map(|last| last.port), Some(3));
/// ```
pub fn ordered(servers: Vec<Service>, seed: u64) -> Vec<Service> {
    let mut state = seed;
    by_lot(servers, |numbers| next(&mut state) % numbers)
}

/// The same, where `lot` gives one of the numbers from 0 to below its argument.
///
/// The RFC's number 0 is for those of weight 0. Where there are none, it would be one more for
/// whichever server comes first, so it is left out.
fn by_lot(mut servers: Vec<Service>, mut lot: impl FnMut(u64) -> u64) -> Vec<Service> {
    // Those of weight 0 stand first, so that the number 0 alone is theirs.
    servers.sort_by_key(|server| (server.priority, server.weight > 0));
    let mut tried = Vec::with_capacity(servers.len());
    while let Some(first) = servers.first() {
        let priority = first.priority;
        let same = servers.iter().take_while(|one| one.priority == priority);
        let sum: u64 = same.clone().map(|one| u64::from(one.weight)).sum();
        let zeros = same.filter(|one| one.weight == 0).count();
        let least = u64::from(zeros == 0);
        let number = least + lot(sum + 1 - least);
        let chosen = match number {
            0 => usize::try_from(lot(zeros as u64)).unwrap_or(0),
            number => at(&servers, number),
        };
        tried.push(servers.remove(chosen));
    }
    tried
}

/// Where the sum of the weights reaches `number`.
fn at(servers: &[Service], number: u64) -> usize {
    let mut running = 0;
    let reached = servers.iter().position(|one| {
        running += u64::from(one.weight);
        running >= number
    });
    reached.unwrap_or(0)
}

/// The next number of a sequence, and its next state (`SplitMix64`).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(STEP);
    mixed(*state)
}

/// What each number adds to the state: the sequence has all numbers of 64 bits.
pub(crate) const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The number of a state.
fn mixed(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Servers whose ports tell them apart.
    fn servers(parts: &[(u16, u16)]) -> Vec<Service> {
        let server = |(port, (priority, weight)): (usize, &(u16, u16))| Service {
            priority: *priority,
            weight: *weight,
            port: u16::try_from(port).unwrap(),
            target: "a.example.".to_owned(),
        };
        parts.iter().enumerate().map(server).collect()
    }

    fn some() -> impl Strategy<Value = Vec<(u16, u16)>> {
        let weight = prop_oneof![Just(0), 1_u16..5, Just(u16::MAX)];
        vec((0_u16..4, weight), 0..40)
    }

    proptest! {
        #[test]
        fn each_server_is_tried_once_and_priorities_never_fall(parts in some(), seed: u64) {
            let given = servers(&parts);
            let tried = ordered(given.clone(), seed);
            prop_assert!(tried.windows(2).all(|two| two[0].priority <= two[1].priority));
            let sorted = |mut all: Vec<Service>| {
                all.sort();
                all
            };
            prop_assert_eq!(sorted(tried), sorted(given));
        }

        #[test]
        fn the_same_seed_gives_the_same_order(parts in some(), seed: u64) {
            let all = servers(&parts);
            prop_assert_eq!(ordered(all.clone(), seed), ordered(all, seed));
        }

        /// Over all numbers that can be drawn, each server is the first as often as its weight is.
        /// Those of weight 0 are so together for one number, and each for as many of the next.
        #[test]
        fn each_server_is_first_as_often_as_its_weight(weights in vec(0_u16..20, 1..12)) {
            let parts: Vec<_> = weights.iter().map(|weight| (1, *weight)).collect();
            let zeros = weights.iter().filter(|weight| **weight == 0).count() as u64;
            let mut first = vec![0_u64; weights.len()];
            let (mut number, mut of) = (0, 1);
            while number < of {
                for next in 0..zeros.max(1) {
                    let mut drawn = [number, next].into_iter();
                    let mut most = None;
                    let tried = by_lot(servers(&parts), |numbers| {
                        most.get_or_insert(numbers);
                        drawn.next().unwrap_or(0)
                    });
                    of = most.unwrap_or(0);
                    first[usize::from(tried[0].port)] += 1;
                }
                number += 1;
            }
            for (at, weight) in weights.iter().enumerate() {
                let due = match weight {
                    0 => 1,
                    weight => u64::from(*weight) * zeros.max(1),
                };
                prop_assert_eq!(first[at], due);
            }
        }
    }

    #[test]
    fn all_numbers_are_drawn_about_equally_often() {
        let mut state = 1;
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[usize::try_from(next(&mut state) % 10).unwrap()] += 1;
        }
        assert!(
            seen.iter().all(|count| (850..1150).contains(count)),
            "{seen:?}"
        );
    }
}
