//! Kills all processes that a command has started.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::proc::{descendants, marked};

/// How often the processes of a killed command are searched for at most. A command that forks all
/// the time may stay ahead of the search for ever.
const MAX_SEARCHES: usize = 16;

/// The processes of a command.
pub(super) struct Group {
    leader: Pid,
    /// `NAME=VALUE`, in the environment of each of them.
    mark: String,
    /// Whether the group must not be killed any more.
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

    /// The process that was started. Its process group and session have its id.
    pub(super) fn leader(&self) -> Pid {
        self.leader
    }

    /// Makes [`kill_running`](Group::kill_running) do nothing from now on. Returns whether it did
    /// nothing before.
    pub(super) fn end(&self) -> bool {
        self.ended.swap(true, Ordering::AcqRel)
    }

    /// Kills the whole group unless it has ended. Returns whether it was killed.
    ///
    /// The task that holds the command calls it, so that the command cannot end meanwhile.
    pub(super) fn kill_running(&self) -> bool {
        let runs = !self.ended.load(Ordering::Acquire);
        if runs {
            self.kill();
        }
        runs
    }

    /// Kills the whole group. The caller ensures that the leader is not reaped yet, since its id
    /// could belong to another process after that.
    pub(super) fn kill(&self) {
        // A process that made its own group or session is found as a descendant, as long as its
        // parents live.
        let mut killed = descendants(self.leader);
        let _ = kill_process_group(self.leader, Signal::KILL);
        kill_each(&killed);
        // A process that has lost its parents, too, is found by its environment. Processes may fork
        // during a search, so it is repeated until it finds no new one.
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
