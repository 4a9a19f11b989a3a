//! A command that is under way, as a server sees it.

use std::future::Future;

use super::process::{Event, Job};
use super::wire::Program;

/// What answers a command. There is [`Job`], a process; where a server is tested with whatever
/// bytes, there is one that starts none. Which of them it is stands in the server's type, so that
/// neither can be taken for the other.
pub(super) trait Execution: Sized + Send + 'static {
    /// Begins to run `program`.
    ///
    /// # Errors
    /// In words for the client.
    fn start(program: &Program) -> Result<Self, String>;

    /// The next that happens; output comes in `buf`. Cancel-safe.
    fn next<'a>(&mut self, buf: &'a mut [u8]) -> impl Future<Output = Event<'a>> + Send;

    /// Kills it, unless it has ended, and says whether. What it wrote can still be read.
    fn killer(&self) -> impl Fn() -> bool + Send + Sync + 'static;
}

impl Execution for Job {
    fn start(program: &Program) -> Result<Self, String> {
        Job::start(program)
    }

    fn next<'a>(&mut self, buf: &'a mut [u8]) -> impl Future<Output = Event<'a>> + Send {
        Job::next(self, buf)
    }

    fn killer(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let group = self.group();
        move || group.kill_running()
    }
}
