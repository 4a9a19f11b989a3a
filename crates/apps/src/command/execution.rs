//! A command that is under way, as a server sees it.

use std::future::Future;

use super::process::{Event, Job};
use super::wire::Program;

/// What answers a command. There is [`Job`], a process; where a server is tested with whatever bytes, there is one that
/// starts none. Which of them it is stands in the server's type, so that neither can be taken for the other.
pub(super) trait Execution: Sized + Send + 'static {
    /// Begins to run `program`.
    ///
    /// # Errors
    /// In words for the client.
    fn start(program: &Program) -> Result<Self, String>;

    /// The next that happens; output comes in `buf`. Cancel-safe.
    fn next<'a>(&mut self, buf: &'a mut [u8]) -> impl Future<Output = Event<'a>> + Send;

    /// Ends it because its time is over, unless it has ended. What it wrote can still be read.
    fn time_is_over(&self) -> impl FnOnce() + Send + 'static;

    /// Whether its time was over before it ended.
    fn is_overdue(&self) -> bool;
}

impl Execution for Job {
    fn start(program: &Program) -> Result<Self, String> {
        Job::start(program)
    }

    fn next<'a>(&mut self, buf: &'a mut [u8]) -> impl Future<Output = Event<'a>> + Send {
        Job::next(self, buf)
    }

    fn time_is_over(&self) -> impl FnOnce() + Send + 'static {
        let group = self.group();
        move || group.time_is_over()
    }

    fn is_overdue(&self) -> bool {
        Job::is_overdue(self)
    }
}
