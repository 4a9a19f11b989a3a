//! One command that runs: its output piece by piece, its end, and the certain end of everything that it started.

use std::fs;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdout};
use tokio::signal::unix::{self, SignalKind};
use tokio::time::{Instant, sleep_until};

use super::wire::{Exit, Program, Stream};
use super::{JOB_VARIABLE, LEFT_BEHIND, MAX_PIECE};

/// What both pipes together can hold when the command ends (64 KiB each, if nobody enlarged them), in bytes.
const PIPES: usize = 128 << 10;

/// How often at most a killed command's processes are looked for: one that forks all the time may be faster for ever.
const MAX_SEARCHES: usize = 16;

/// What happened.
pub(super) enum Event<'a> {
    Output(Stream, &'a [u8]),
    /// There is no more output, and this is how the command ended.
    Ended(Result<Exit, String>),
}

/// A command that runs. Dropped before it has [ended](Event::Ended), it is killed with all that it started.
///
/// The process stays a zombie until this is dropped: so its id belongs to nobody else as long as anyone may kill it.
pub(super) struct Job {
    /// Reaped by its own drop.
    _child: Child,
    group: Arc<Group>,
    changes: unix::Signal,
    pipes: Pipes,
    end: Option<End>,
}

struct End {
    how: Result<Exit, String>,
    /// When to stop reading.
    deadline: Instant,
    /// How much has been read since.
    read: usize,
}

impl Job {
    /// Starts `program` in a process group of its own, without input.
    ///
    /// # Errors
    /// In words for the client.
    pub(super) fn start(program: &Program) -> Result<Self, String> {
        let (name, mut command) = command(program);
        let mark = mark();
        command
            .env(JOB_VARIABLE, &mark)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let failed = |error: io::Error| format!("cannot run '{name}': {error}");
        // Before the command starts, so that its end is not missed.
        let changes = unix::signal(SignalKind::child()).map_err(failed)?;
        let mut child = tokio::process::Command::from(command)
            .spawn()
            .map_err(failed)?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let leader = id
            .and_then(Pid::from_raw)
            .ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        Ok(Job {
            pipes: Pipes {
                stdout: child.stdout.take(),
                stderr: child.stderr.take(),
                stderr_first: false,
            },
            _child: child,
            group: Arc::new(Group {
                leader,
                mark: format!("{JOB_VARIABLE}={mark}"),
                ended: AtomicBool::new(false),
                overdue: AtomicBool::new(false),
            }),
            changes,
            end: None,
        })
    }

    /// To end it from elsewhere.
    pub(super) fn group(&self) -> Arc<Group> {
        Arc::clone(&self.group)
    }

    /// Whether [its time was over](Group::time_is_over) before it ended.
    pub(super) fn is_overdue(&self) -> bool {
        self.group.overdue.load(Ordering::Acquire)
    }

    /// The next that happens; output comes in `buf`. Cancel-safe.
    pub(super) async fn next<'a>(&mut self, buf: &'a mut [u8]) -> Event<'a> {
        let (stream, len) = loop {
            if let Some(how) = self.ended() {
                return Event::Ended(how);
            }
            let deadline = self.end.as_ref().map(|end| end.deadline);
            tokio::select! {
                // In this order: output that was there when the command ended goes before the deadline.
                biased;
                how = exited(self.group.leader, &mut self.changes), if deadline.is_none() => {
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

    /// How it ended, once all is over.
    fn ended(&mut self) -> Option<Result<Exit, String>> {
        let end = self.end.as_ref()?;
        // Somebody in the background writes without end: what the command itself wrote has been read long ago.
        if end.read >= PIPES && Instant::now() >= end.deadline {
            self.leave_behind();
        }
        if !self.pipes.are_closed() {
            return None;
        }
        self.group.ended.store(true, Ordering::Release);
        self.end.as_ref().map(|end| end.how.clone())
    }

    /// Something in the background holds the output; nobody will read it any more.
    fn leave_behind(&mut self) {
        self.group.kill();
        self.pipes.close();
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.group.ended.swap(true, Ordering::AcqRel) {
            self.group.kill();
        }
    }
}

fn command(program: &Program) -> (&str, std::process::Command) {
    match program {
        Program::Shell(line) => {
            let mut shell = std::process::Command::new("sh");
            // A line may begin with a dash.
            shell.args(["-c", "--"]).arg(line);
            ("sh", shell)
        }
        Program::Exact(words) => {
            let (name, arguments) = words
                .split_first()
                .map_or(("", &[][..]), |(name, arguments)| {
                    (name.as_str(), arguments)
                });
            let mut exact = std::process::Command::new(name);
            exact.args(arguments);
            (name, exact)
        }
    }
}

/// What no other job is marked with: whoever inherits it belongs to this one.
fn mark() -> String {
    static JOBS: AtomicU64 = AtomicU64::new(0);
    let job = JOBS.fetch_add(1, Ordering::Relaxed);
    // The process id may come again after a restart, while daemons of the server before live on.
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

async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// The command's outputs, as long as they are open.
struct Pipes {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    /// Whose turn it is, so that neither starves the other.
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

    /// Reads from one of them; 0 bytes say that it was closed. Cancel-safe.
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

/// An end or an error closes the pipe; one that is closed is never ready.
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

/// The processes of a [`Job`].
pub(super) struct Group {
    leader: Pid,
    /// `NAME=VALUE`, in the environment of all of them.
    mark: String,
    /// Nothing of it is to be killed any more.
    ended: AtomicBool,
    overdue: AtomicBool,
}

impl Group {
    /// Kills all of it because its time is over, unless it has ended. What it wrote can still be read.
    ///
    /// For the task that holds the [`Job`], so that it does not end meanwhile.
    pub(super) fn time_is_over(&self) {
        if !self.ended.load(Ordering::Acquire) {
            self.overdue.store(true, Ordering::Release);
            self.kill();
        }
    }

    /// Kills all of it. Only while its [`Job`] is there: then the ids are still its own.
    fn kill(&self) {
        // Whoever made a group or session of his own is found by descent, as long as his parents live.
        let mut killed = Vec::new();
        descendants(self.leader, &mut killed);
        let _ = rustix::process::kill_process_group(self.leader, Signal::KILL);
        for &process in &killed {
            let _ = rustix::process::kill_process(process, Signal::KILL);
        }
        // And whoever has lost his parents too, by his environment. Somebody may fork meanwhile: until nobody is new.
        killed.push(self.leader);
        for _ in 0..MAX_SEARCHES {
            let mut found = marked(&self.mark);
            found.retain(|process| !killed.contains(process));
            if found.is_empty() {
                return;
            }
            for &process in &found {
                let _ = rustix::process::kill_process(process, Signal::KILL);
            }
            killed.append(&mut found);
        }
    }
}

/// The processes that have `mark` in their environment, as far as Linux shows this user; elsewhere nobody.
fn marked(mark: &str) -> Vec<Pid> {
    let mut environment = Vec::new();
    let mut marked = Vec::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = process.file_name();
        let id = name.to_str().and_then(|name| name.parse().ok());
        let Some(id) = id.and_then(Pid::from_raw) else {
            continue;
        };
        environment.clear();
        // Who is gone meanwhile, or is another user's, is none of ours.
        let _ = fs::File::open(process.path().join("environ"))
            .and_then(|mut file| file.read_to_end(&mut environment));
        if environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == mark.as_bytes())
        {
            marked.push(id);
        }
    }
    marked
}

/// Adds the children of `process` and theirs, as Linux lists them; elsewhere nobody.
fn descendants(process: Pid, all: &mut Vec<Pid>) {
    let mut at = all.len();
    add_children(process, all);
    while let Some(&next) = all.get(at) {
        add_children(next, all);
        at += 1;
    }
}

fn add_children(process: Pid, all: &mut Vec<Pid>) {
    let tasks = format!("/proc/{}/task", process.as_raw_nonzero());
    for task in fs::read_dir(tasks).into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let ids = children.split_ascii_whitespace();
        all.extend(ids.filter_map(|id| id.parse().ok().and_then(Pid::from_raw)));
    }
}
