//! Standard output and standard error of this process. Every byte is written, or the reader is
//! gone.
//!
//! The process that started this one may have made them non-blocking, and shares that setting. Then
//! a write to a full pipe fails, and `std` drops the rest. The writer here waits for room instead.

use std::io::{self, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::AppError;

/// Writes to a descriptor without a buffer. If it has no room, the writer waits, in blocking and in
/// non-blocking mode.
///
/// It blocks the calling thread. A task uses [`tokio::task::spawn_blocking`] if a slow reader must
/// not delay it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patient<F>(F);

/// A writer to another descriptor.
pub(crate) fn patient<F: AsFd>(of: F) -> Patient<F> {
    Patient(of)
}

/// Standard output.
pub(crate) fn stdout() -> Patient<io::Stdout> {
    Patient(io::stdout())
}

/// Standard error.
pub(crate) fn stderr() -> Patient<io::Stderr> {
    Patient(io::stderr())
}

/// An app's error for a failed write to standard output. It prints nothing if the reader is gone.
pub(crate) fn failed(error: &io::Error) -> AppError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => AppError::unread(),
        _ => AppError::failed(format_args!("cannot write to standard output: {error}")),
    }
}

impl<F: AsFd> Write for Patient<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(&self.0, bytes) {
                Ok(written) => return Ok(written),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => wait_for_room(&self.0)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns when a write would write something, or fail.
fn wait_for_room(fd: &impl AsFd) -> io::Result<()> {
    match poll(&mut [PollFd::new(fd, PollFlags::OUT)], None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use rustix::io::ioctl_fionbio;

    use super::*;

    #[test]
    fn a_non_blocking_pipe_takes_all_once_it_is_read() {
        let (mut reader, writer) = io::pipe().unwrap();
        ioctl_fionbio(&writer, true).unwrap();
        let said: Vec<u8> = (0..1 << 20).map(|n: u32| n.to_le_bytes()[1]).collect();
        let expected = said.clone();
        let writing = std::thread::spawn(move || Patient(writer).write_all(&said));
        let mut heard = Vec::new();
        reader.read_to_end(&mut heard).unwrap();
        writing.join().unwrap().unwrap();
        assert!(heard == expected);
    }

    #[test]
    fn a_reader_that_leaves_ends_the_wait() {
        let (reader, writer) = io::pipe().unwrap();
        ioctl_fionbio(&writer, true).unwrap();
        let writing = std::thread::spawn(move || Patient(writer).write_all(&[0; 1 << 20]));
        drop(reader);
        let error = writing.join().unwrap().unwrap_err();
        assert_eq!(failed(&error).exit_code(), 141);
    }
}
