//! A command as a process: its output piece by piece, its end, and the end of everything that it
//! started.

use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession, ResetSigmask};
use rustix::process::{Pid, WaitId, WaitIdOptions};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::signal::unix::{self, SignalKind};
use tokio::time::{Instant, sleep_until};

use super::group::Group;
use super::orphans;
use super::wire::{Exit, Program, Stream};
use super::{JOB_VARIABLE, LEFT_BEHIND, MAX_PIECE};
use crate::serving::descriptors;

/// The most bytes that both pipes together can hold when the command ends: 64 KiB each, unless
/// their size was raised.
const PIPES: usize = 128 << 10;

/// An event of a job.
pub(super) enum Event<'a> {
    Output(Stream, &'a [u8]),
    /// There is no more output, and the command has ended so.
    Ended(Result<Exit, String>),
}

/// A running command. If it is dropped before it has [ended](Event::Ended), it and everything that
/// it started is killed.
///
/// The process stays a zombie until this is dropped. So no other process has its id as long as this
/// may kill it.
pub(super) struct Job {
    /// Reaped when it is dropped.
    _child: Box<dyn ChildWrapper>,
    group: Arc<Group>,
    changes: unix::Signal,
    pipes: Pipes,
    end: Option<End>,
}

struct End {
    how: Result<Exit, String>,
    /// When to stop reading.
    deadline: Instant,
    /// How many bytes have been read since the end.
    read: usize,
}

impl Job {
    /// Starts `program` in a session of its own, without a terminal and without input.
    ///
    /// # Errors
    /// In words for the client.
    pub(super) fn start(program: &Program) -> Result<Self, String> {
        let (name, mut command) = command(program);
        let mark = mark();
        command
            .env(JOB_VARIABLE, &mark)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let failed = |error: io::Error| match error.kind() {
            // As in `run URL 'ls | wc' -v`.
            io::ErrorKind::NotFound if name.contains(' ') => format!(
                "cannot run '{name}': no program has that name; \
                 a line for the shell is one word alone"
            ),
            _ => format!("cannot run '{name}': {error}"),
        };
        // Registered before the command starts, so that its end is not missed.
        let changes = unix::signal(SignalKind::child()).map_err(failed)?;
        let mut session = CommandWrap::from(command);
        session.wrap(ProcessSession).wrap(ResetSigmask);
        let (leader, mut child) = orphans::awaited(|| session.spawn()).map_err(failed)?;
        descriptors::restore(leader);
        Ok(Job {
            pipes: Pipes {
                stdout: child.stdout().take(),
                stderr: child.stderr().take(),
                stderr_first: false,
            },
            _child: child,
            group: Arc::new(Group::new(leader, format!("{JOB_VARIABLE}={mark}"))),
            changes,
            end: None,
        })
    }

    /// The group, for killing the command from another task.
    pub(super) fn group(&self) -> Arc<Group> {
        Arc::clone(&self.group)
    }

    /// The next event; output is put into `buf`. Cancel-safe.
    pub(super) async fn next<'a>(&mut self, buf: &'a mut [u8]) -> Event<'a> {
        let (stream, len) = loop {
            if let Some(how) = self.ended() {
                return Event::Ended(how);
            }
            let deadline = self.end.as_ref().map(|end| end.deadline);
            tokio::select! {
                // In this order, since output that was there when the command ended goes before the
                // deadline.
                biased;
                how = exited(self.group.leader(), &mut self.changes), if deadline.is_none() => {
                    let deadline = Instant::now() + LEFT_BEHIND;
                    self.end = Some(End { how, deadline, read: 0 });
                }
                (stream, len) = self.pipes.read(buf), if !self.pipes.are_closed() => {
                    if len > 0 {
                        break (stream, len);
                    }
                }
                () = passed(deadline) => self.leave_behind(),
            }
        };
        if let Some(end) = &mut self.end {
            end.read = end.read.saturating_add(len);
        }
        Event::Output(stream, &buf[..len])
    }

    /// How the command ended, once there is no more output.
    fn ended(&mut self) -> Option<Result<Exit, String>> {
        let end = self.end.as_ref()?;
        // A background process writes without end. The command's own output was read long ago.
        if end.read >= PIPES && Instant::now() >= end.deadline {
            self.leave_behind();
        }
        if !self.pipes.are_closed() {
            return None;
        }
        self.group.end();
        self.end.as_ref().map(|end| end.how.clone())
    }

    /// A background process holds the outputs open. It is killed, and nothing more is read.
    fn leave_behind(&mut self) {
        self.group.kill();
        self.pipes.close();
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.group.end() {
            self.group.kill();
        }
    }
}

fn command(program: &Program) -> (&str, tokio::process::Command) {
    match program {
        Program::Shell(line) => {
            let mut shell = tokio::process::Command::new("sh");
            // The `--` is for a line that begins with a dash.
            shell.args(["-c", "--"]).arg(line);
            ("sh", shell)
        }
        Program::Exact(words) => {
            let (name, arguments) = words
                .split_first()
                .map_or(("", &[][..]), |(name, arguments)| {
                    (name.as_str(), arguments)
                });
            let mut exact = tokio::process::Command::new(name);
            exact.args(arguments);
            (name, exact)
        }
    }
}

/// A value that marks no other job. Every process that inherits it belongs to this job.
fn mark() -> String {
    static JOBS: AtomicU64 = AtomicU64::new(0);
    let job = JOBS.fetch_add(1, Ordering::Relaxed);
    // A restarted server may have the same process id, while daemons of the old one live on.
    let random = RandomState::new().hash_one(job);
    format!("{}-{job}-{random:016x}", std::process::id())
}

/// Waits until the process has ended, and leaves it a zombie.
async fn exited(process: Pid, changes: &mut unix::Signal) -> Result<Exit, String> {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    loop {
        match rustix::process::waitid(WaitId::Pid(process), look) {
            Ok(None) | Err(rustix::io::Errno::INTR) => (),
            Ok(Some(status)) => {
                let exit = match status.terminating_signal() {
                    Some(signal) => Exit::Signal(signal),
                    None => Exit::Code(status.exit_status().unwrap_or(-1)),
                };
                return Ok(exit);
            }
            Err(error) => return Err(format!("how the command ended is unknown: {error}")),
        }
        changes.recv().await;
    }
}

/// Resolves at the deadline; never if there is none.
pub(super) async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// The command's outputs that are still open.
struct Pipes {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    /// Whether to try standard error first. It alternates, so that neither starves the other.
    stderr_first: bool,
}

impl Pipes {
    fn are_closed(&self) -> bool {
        self.stdout.is_none() && self.stderr.is_none()
    }

    fn close(&mut self) {
        self.stdout = None;
        self.stderr = None;
    }

    /// Reads from one of them. 0 bytes mean that it was closed. Cancel-safe.
    async fn read(&mut self, buf: &mut [u8]) -> (Stream, usize) {
        let most = buf.len().min(MAX_PIECE);
        let mut buf = ReadBuf::new(&mut buf[..most]);
        poll_fn(|cx| {
            let order = [self.stderr_first, !self.stderr_first];
            self.stderr_first = !self.stderr_first;
            for stderr in order {
                let polled = if stderr {
                    poll_pipe(&mut self.stderr, cx, &mut buf).map(|len| (Stream::Stderr, len))
                } else {
                    poll_pipe(&mut self.stdout, cx, &mut buf).map(|len| (Stream::Stdout, len))
                };
                if polled.is_ready() {
                    return polled;
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// An end or an error closes the pipe. A closed pipe is never ready.
fn poll_pipe<R: AsyncRead + Unpin>(
    pipe: &mut Option<R>,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<usize> {
    let Some(open) = pipe else {
        return Poll::Pending;
    };
    match Pin::new(open).poll_read(cx, buf) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(Ok(())) if !buf.filled().is_empty() => Poll::Ready(buf.filled().len()),
        Poll::Ready(_) => {
            *pipe = None;
            Poll::Ready(0)
        }
    }
}
