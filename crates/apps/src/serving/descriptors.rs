//! How many descriptors this process may have open, and for how many conversations they do.

use std::fs;
use std::sync::OnceLock;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// Kept for what a server does beside its conversations: starting and killing commands, looking a
/// name up, what a program of one's own opens.
const RESERVE: usize = 16;

/// How many newcomers may be at the door at most: accepted, and not seated yet.
const DOOR: usize = 64;

/// What is open in a process that does not say.
const ASSUMED: usize = 32;

/// Room for conversations.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) places: usize,
    /// For newcomers who have no place yet.
    pub(super) door: usize,
}

/// Room for `wanted` conversations that need `each` descriptors, or for as many as the limit of
/// open files allows; for one at least.
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

/// How many are open now.
fn open() -> usize {
    fs::read_dir("/dev/fd").map_or(ASSUMED, Iterator::count)
}

/// What the limit was before this process raised it.
static STARTED_WITH: OnceLock<Rlimit> = OnceLock::new();

/// Raises the soft limit to the hard one, which needs no privilege. The soft limit is low for the
/// sake of programs that call `select`, and this is none.
pub(crate) fn raise() {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: before.maximum,
        ..before
    };
    // Refused, the limit stays as it is, and a server has fewer places.
    if setrlimit(Resource::Nofile, raised).is_ok() {
        let _ = STARTED_WITH.set(before);
    }
}

/// Gives a program that this process has just started the limit that this process was started with:
/// it may call `select`. Between its start and this it has the raised one.
pub(crate) fn restore(child: Pid) {
    if let Some(before) = STARTED_WITH.get() {
        // One that has ended, or runs as another user, keeps what it has.
        let _ = prlimit(Some(child), Resource::Nofile, *before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_for_the_work_in_hand_are_kept() {
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
