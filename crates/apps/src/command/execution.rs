//! A command that runs, as a server sees it.

use std::future::Future;

use super::process::{Event, Job};
use super::wire::Program;

/// Runs a command. [`Job`] is a process. A stub, for tests with arbitrary bytes, starts none. The
/// server's type says which one it uses, so that no server can use the wrong one.
pub(super) trait Execution: Sized + Send + 'static {
    /// Starts `program`.
    ///
    /// # Errors
    /// In words for the client.
    fn start(program: &Program) -> Result<Self, String>;

    /// The next event; output is put into `buf`. Cancel-safe.
    fn next<'a>(&mut self, buf: &'a mut [u8]) -> impl Future<Output = Event<'a>> + Send;

    /// A function that kills the command unless it has ended, and returns whether it did. The
    /// output up to then can still be read.
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
