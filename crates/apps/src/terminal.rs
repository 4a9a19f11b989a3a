//! Standard input, for a program that may be in the background of its terminal.
//!
//! A job in the background that reads its terminal is stopped by SIGTTIN, and one that writes to
//! it, where the user has set `stty tostop`, by SIGTTOU. A server would stop serving. Here both
//! signals are blocked: the kernel then lets writes pass, and answers a read by an error, after
//! which the reader waits until the program is in the foreground (again).

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

/// How often a job in the background looks whether it is in the foreground. Nothing tells it: the
/// shell sends SIGCONT only to a job that was stopped.
const LOOK: Duration = Duration::from_millis(500);

/// How often a read is tried again that was refused, though the program is in the foreground.
const AGAIN: u32 = 3;

/// Has the whole process run on in the background of its terminal, whatever it reads or writes
/// there. To be called while there is one thread, from which the others inherit it.
pub(crate) fn outlive_the_foreground() {
    let mut stopping = SigSet::empty();
    stopping.add(Signal::SIGTTIN);
    stopping.add(Signal::SIGTTOU);
    // It fails for signals that do not exist.
    let _ = stopping.thread_block();
}

/// The lines of standard input, without their endings; what is no UTF-8 becomes U+FFFD. They end
/// with standard input. To be asked for once, by a program that [runs on](outlive_the_foreground).
pub(crate) fn lines() -> mpsc::Receiver<String> {
    let (say, said) = mpsc::channel(1);
    // Not one of the runtime's threads: nobody waits for the end of a read that is under way.
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

/// Reads from a descriptor, and waits while there is nothing to read, blocking or not, and while
/// the program is in the background.
struct Patient<F>(F);

impl<F: AsFd> Read for Patient<F> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut refused = 0;
        loop {
            match rustix::io::read(&self.0, &mut *buf) {
                Ok(len) => return Ok(len),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => drop(poll(&mut [PollFd::new(&self.0, PollFlags::IN)], None)),
                // What a read of a terminal answers in the background, SIGTTIN being blocked.
                Err(Errno::IO) if is_in_background(&self.0) => thread::sleep(LOOK),
                // It may have come to the foreground since.
                Err(Errno::IO) if refused < AGAIN => refused += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether `terminal` is this process's terminal, and belongs to another job.
fn is_in_background(terminal: &impl AsFd) -> bool {
    match tcgetpgrp(terminal) {
        Ok(foreground) => foreground != getpgrp(),
        // It belongs to nobody.
        Err(error) => error == Errno::OPNOTSUPP,
    }
}
