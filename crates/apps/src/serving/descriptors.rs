//! How many descriptors this process may open, and for how many conversations that is enough.

use std::fs;
use std::sync::OnceLock;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// Descriptors that are kept for other work of a server: starting and killing commands, name
/// lookups, and the needs of a program that uses this library.
const RESERVE: usize = 16;

/// How many newcomers may be accepted at most that have no place yet.
const DOOR: usize = 64;

/// How many descriptors are assumed to be open if the system does not tell.
const ASSUMED: usize = 32;

/// How many conversations fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) places: usize,
    /// For newcomers that have no place yet.
    pub(super) door: usize,
}

/// Room for `wanted` conversations that need `each` descriptors, or for as many as the limit of
/// open files allows; at least one.
pub(super) fn room(wanted: usize, each: usize) -> Room {
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    let room = share(limit.saturating_sub(open()), wanted, each);
    if room.places < wanted {
        tracing::warn!(
            "serves {} clients at once, and not {wanted}: at most {limit} files may be open",
            room.places
        );
    }
    room
}

fn share(free: usize, wanted: usize, each: usize) -> Room {
    let door = (free / 8).clamp(1, DOOR);
    let enough = free.saturating_sub(RESERVE + door) / each.max(1);
    Room {
        places: wanted.min(enough).max(1),
        door,
    }
}

/// How many descriptors are open now.
fn open() -> usize {
    fs::read_dir("/dev/fd").map_or(ASSUMED, Iterator::count)
}

/// The limit before this process raised it.
static STARTED_WITH: OnceLock<Rlimit> = OnceLock::new();

/// Raises the soft limit to the hard limit, which needs no privilege. The soft limit is low for
/// programs that call `select`, which this one does not.
pub(crate) fn raise() {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: before.maximum,
        ..before
    };
    // If that is refused, the limit stays as it is, and a server has fewer places.
    if setrlimit(Resource::Nofile, raised).is_ok() {
        let _ = STARTED_WITH.set(before);
    }
}

/// Gives a child process the limit that this process was started with, since the child may call
/// `select`. Between its start and this call the child has the raised limit.
pub(crate) fn restore(child: Pid) {
    if let Some(before) = STARTED_WITH.get() {
        // A child that has ended, or runs as another user, keeps its limit.
        let _ = prlimit(Some(child), Resource::Nofile, *before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_for_other_work_are_kept() {
        let of = |free, wanted, each| {
            let Room { places, door } = share(free, wanted, each);
            (places, door)
        };
        assert_eq!(of(50, 1024, 1), (28, 6));
        assert_eq!(of(50, 1024, 4), (7, 6));
        assert_eq!(of(1010, 1024, 4), (232, 64));
        assert_eq!(of(usize::MAX, 1024, 4), (1024, 64));
        assert_eq!(of(0, 1024, 4), (1, 1));
        assert_eq!(of(1010, 0, 4), (1, 64));
    }
}
