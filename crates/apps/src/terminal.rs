//! Standard input of a program that may be in the background of its terminal.
//!
//! The kernel stops a background job with SIGTTIN when it reads its terminal. If the user has set
//! `stty tostop`, it stops the job with SIGTTOU when it writes. A server would stop serving. So
//! both signals are blocked here. The kernel then lets writes pass, and a read fails with an error,
//! after which the reader waits until the program is in the foreground.

use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;
use tokio::sync::mpsc;

/// How often a background job checks whether it is in the foreground. Nothing notifies it: the
/// shell sends SIGCONT only to a stopped job.
const LOOK: Duration = Duration::from_millis(500);

/// How often a refused read is tried again although the program is in the foreground.
const AGAIN: u32 = 3;

/// Lets the whole process run on in the background of its terminal, even if it reads or writes
/// there. Call it while there is one thread, from which all others inherit it.
pub(crate) fn outlive_the_foreground() {
    let mut stopping = SigSet::empty();
    stopping.add(Signal::SIGTTIN);
    stopping.add(Signal::SIGTTOU);
    // It fails only for signals that do not exist.
    let _ = stopping.thread_block();
}

/// The lines of standard input without their line ends. Bytes that are not UTF-8 become U+FFFD. The
/// channel closes at the end of standard input. Call it once, in a program that [runs on in the
/// background](outlive_the_foreground).
pub(crate) fn lines() -> mpsc::Receiver<String> {
    let (say, said) = mpsc::channel(1);
    // Not a thread of the runtime, since nothing may wait for a read that is under way.
    thread::spawn(move || {
        if let Err(error) = read_lines(BufReader::new(Patient(io::stdin())), &say) {
            tracing::warn!("cannot read standard input: {error}");
        }
    });
    said
}

fn read_lines(mut input: impl BufRead, say: &mpsc::Sender<String>) -> io::Result<()> {
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        if say.blocking_send(without_ending(&line)).is_err() {
            break;
        }
        line.clear();
    }
    Ok(())
}

fn without_ending(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
}

/// Reads from a descriptor. It waits while there is nothing to read, in blocking and in
/// non-blocking mode, and while the program is in the background.
struct Patient<F>(F);

impl<F: AsFd> Read for Patient<F> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut refused = 0;
        loop {
            match rustix::io::read(&self.0, &mut *buf) {
                Ok(len) => return Ok(len),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => drop(poll(&mut [PollFd::new(&self.0, PollFlags::IN)], None)),
                // A read of the terminal in the background fails so, since SIGTTIN is blocked.
                Err(Errno::IO) if is_in_background(&self.0) => thread::sleep(LOOK),
                // The program may be in the foreground by now.
                Err(Errno::IO) if refused < AGAIN => refused += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Waits until this program is in the foreground of its terminal.
pub(crate) fn wait_for_foreground() {
    while is_behind() {
        thread::sleep(LOOK);
    }
}

/// Whether another job is in the foreground of the terminal.
pub(crate) fn is_behind() -> bool {
    is_in_background(&io::stdin())
}

/// Whether `terminal` is this process's terminal, and another job is in its foreground.
fn is_in_background(terminal: &impl AsFd) -> bool {
    match tcgetpgrp(terminal) {
        Ok(foreground) => foreground != getpgrp(),
        // No job is in its foreground.
        Err(error) => error == Errno::OPNOTSUPP,
    }
}
