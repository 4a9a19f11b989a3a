//! The certain end of everything that a command has started.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::proc::{descendants, marked};

/// How often at most a killed command's processes are looked for: one that forks all the time may
/// be faster for ever.
const MAX_SEARCHES: usize = 16;

/// The processes of a command.
pub(super) struct Group {
    leader: Pid,
    /// `NAME=VALUE`, in the environment of all of them.
    mark: String,
    /// Nothing of it is to be killed any more.
    ended: AtomicBool,
}

impl Group {
    pub(super) fn new(leader: Pid, mark: String) -> Self {
        Group {
            leader,
            mark,
            ended: AtomicBool::new(false),
        }
    }

    /// The process that was started, whose group and session are named after it.
    pub(super) fn leader(&self) -> Pid {
        self.leader
    }

    /// From now on [`kill_running`](Group::kill_running) does nothing. Whether that was so before.
    pub(super) fn end(&self) -> bool {
        self.ended.swap(true, Ordering::AcqRel)
    }

    /// Kills all of it, unless it has ended. Whether it was killed.
    ///
    /// For the task that holds the command, so that it does not end meanwhile.
    pub(super) fn kill_running(&self) -> bool {
        let runs = !self.ended.load(Ordering::Acquire);
        if runs {
            self.kill();
        }
        runs
    }

    /// Kills all of it. Only while its process is nobody else's: then the ids are still its own.
    pub(super) fn kill(&self) {
        // Whoever made a group or session of his own is found by descent, as long as his parents
        // live.
        let mut killed = descendants(self.leader);
        let _ = kill_process_group(self.leader, Signal::KILL);
        kill_each(&killed);
        // And whoever has lost his parents too, by his environment. Somebody may fork meanwhile:
        // until nobody is new.
        killed.push(self.leader);
        for _ in 0..MAX_SEARCHES {
            let mut found = marked(&self.mark);
            found.retain(|process| !killed.contains(process));
            if found.is_empty() {
                return;
            }
            kill_each(&found);
            killed.append(&mut found);
        }
    }
}

fn kill_each(processes: &[Pid]) {
    for &process in processes {
        let _ = kill_process(process, Signal::KILL);
    }
}
