//! Two serial lines that are joined by a cable: pseudo terminals, and a thread that carries the
//! bytes. When a program closes its end, the other one is hung up.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// How often the thread looks for what wakes nobody: at first, and at most.
const LOOK: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(2));

/// The most bytes that a program is given before it has received those before: they fit into the
/// line's own buffer, which can be looked into, and not into the kernel's queue before that.
const AT_ONCE: usize = 4000;

/// A cable with two ends, 0 and 1. Its thread ends with the first hang-up, or when this is dropped
/// before both ends are [in use](NullModem::in_use).
pub(crate) struct NullModem {
    paths: [PathBuf; 2],
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    in_use: [AtomicBool; 2],
    dropped: AtomicBool,
}

impl NullModem {
    pub(crate) fn new() -> Self {
        let ends = [End::new(), End::new()];
        let paths = [ends[0].path.clone(), ends[1].path.clone()];
        let state = Arc::new(State::default());
        let mut cable = Cable {
            ends,
            state: Arc::clone(&state),
        };
        std::thread::spawn(move || cable.run());
        NullModem { paths, state }
    }

    pub(crate) fn path(&self, end: usize) -> &Path {
        &self.paths[end]
    }

    pub(crate) fn url(&self, end: usize) -> String {
        format!("serial://{}", self.path(end).display())
    }

    /// A program has opened this end. Before that, what came for it is kept.
    pub(crate) fn in_use(&self, end: usize) {
        self.state.in_use[end].store(true, Ordering::SeqCst);
    }
}

impl Drop for NullModem {
    fn drop(&mut self) {
        self.state.dropped.store(true, Ordering::SeqCst);
    }
}

struct End {
    master: OwnedFd,
    path: PathBuf,
    /// The bytes that this end is to be given.
    bytes: Vec<u8>,
}

impl End {
    fn new() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a pseudo terminal");
        grantpt(&master).expect("a pseudo terminal of this user");
        unlockpt(&master).expect("a pseudo terminal that can be opened");
        rustix::io::ioctl_fionbio(&master, true).expect("a master that does not wait");
        // Otherwise it would send back what comes before a program has opened it.
        let mut termios = tcgetattr(&master).expect("its settings");
        termios.make_raw();
        tcsetattr(&master, OptionalActions::Now, &termios).expect("raw mode");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let path = PathBuf::from(OsString::from_vec(name.into_bytes()));
        End {
            master,
            path,
            bytes: Vec::new(),
        }
    }

    /// Takes what the program has sent. `false` if it has closed this end, and all is taken.
    fn read(&self, bytes: &mut Vec<u8>) -> bool {
        let mut buf = [0; AT_ONCE];
        match rustix::io::read(&self.master, &mut buf) {
            Ok(len) => bytes.extend_from_slice(&buf[..len]),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
        true
    }

    /// Gives the program what there is for it, once it has received all before.
    fn write(&mut self) {
        if !self.bytes.is_empty()
            && self.is_read()
            && let Ok(len) = rustix::io::write(&self.master, &self.bytes)
        {
            self.bytes.drain(..len);
        }
    }

    fn is_hung_up(&self) -> bool {
        let mut fds = [PollFd::new(&self.master, PollFlags::empty())];
        let polled = poll(&mut fds, Some(&Timespec::default()));
        polled.is_ok() && fds[0].revents().contains(PollFlags::HUP)
    }

    /// Whether the program has received all: the kernel throws away the rest at a hang-up.
    fn is_read(&self) -> bool {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let line = match rustix::fs::open(&self.path, flags, Mode::empty()) {
            Ok(line) => line,
            // It is locked, and only root could look.
            Err(rustix::io::Errno::BUSY) => return true,
            Err(_) => return false,
        };
        let mut fds = [PollFd::new(&line, PollFlags::IN)];
        let _ = poll(&mut fds, Some(&Timespec::default()));
        !fds[0].revents().contains(PollFlags::IN)
    }
}

struct Cable {
    ends: [End; 2],
    state: Arc<State>,
}

impl Cable {
    fn run(&mut self) {
        let mut pause = LOOK.0;
        while !self.is_unused() {
            for from in [0, 1] {
                if !self.carry(from) {
                    self.hang_up(1 - from);
                    return;
                }
            }
            pause = self.wait(pause);
        }
    }

    /// Waits until there are bytes to carry, or for a moment. Gives the length of the next one.
    fn wait(&self, pause: Duration) -> Duration {
        if self.ends.iter().any(|end| !end.bytes.is_empty()) {
            std::thread::sleep(pause);
            return (pause * 2).min(LOOK.1);
        }
        let [zero, one] = &self.ends;
        let mut fds = [
            PollFd::from_borrowed_fd(zero.master.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(one.master.as_fd(), PollFlags::IN),
        ];
        let time = Timespec::try_from(LOOK.1 * 10).expect("a short time");
        let _ = poll(&mut fds, Some(&time));
        LOOK.0
    }

    /// Carries bytes from this end. `false` if it is closed, and the other has all its bytes.
    fn carry(&mut self, from: usize) -> bool {
        let mut bytes = std::mem::take(&mut self.ends[1 - from].bytes);
        let more = !bytes.is_empty() || self.ends[from].read(&mut bytes);
        let in_use = self.in_use(1 - from);
        let to = &mut self.ends[1 - from];
        to.bytes = bytes;
        if in_use {
            to.write();
            if to.is_hung_up() {
                // Nobody is there to receive them. What came from there is still carried.
                to.bytes.clear();
            }
        }
        more
    }

    /// Waits until this end has received all, or is closed, too.
    fn hang_up(&self, end: usize) {
        let is_done = || {
            let to = &self.ends[end];
            self.in_use(end) && (to.is_hung_up() || to.is_read())
        };
        while !self.is_unused() && !is_done() {
            std::thread::sleep(LOOK.1);
        }
    }

    fn in_use(&self, end: usize) -> bool {
        self.state.in_use[end].load(Ordering::SeqCst)
    }

    fn is_unused(&self) -> bool {
        self.state.dropped.load(Ordering::SeqCst) && !(self.in_use(0) && self.in_use(1))
    }
}
