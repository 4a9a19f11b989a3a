//! TCP Fast Open on the side of the client (RFC 7413).
//!
//! If the kernel has a cookie of the server, connecting only notes its address, and the first send
//! opens the connection. So three calls need more than usual (Linux 6.18): a receive would wait for
//! a connection that is never opened; a half-close would throw away the connection, and bytes on
//! the way, until the server has answered; and a send may answer that it has begun to connect.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use super::super::Os;

/// Whether the connection was opened, for all that a receiver knows.
#[derive(Debug, Default)]
pub(super) struct FastOpen(AtomicBool);

impl Os {
    /// Opens the connection, if no call has. It is called before a receive waits.
    pub(in super::super) fn open_to_receive(&self) -> io::Result<()> {
        let Some(fast) = self.fast_open() else {
            return Ok(());
        };
        if fast.0.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        match send_nothing(self.socket()) {
            Err(error) if waits(&error) => Ok(()),
            done => done,
        }
    }

    /// Opens the connection, if no call has, and waits until the server has answered.
    pub(in super::super) fn poll_open(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(fast) = self.fast_open() else {
            return Poll::Ready(Ok(()));
        };
        match ready!(self.poll_write_io(cx, send_nothing)) {
            // This end has finished before.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            done => done?,
        }
        fast.0.store(true, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }

    fn fast_open(&self) -> Option<&FastOpen> {
        self.opened.as_ref()?.fast.as_ref()
    }
}

/// Opens the connection. If it is open, this does nothing.
fn send_nothing(socket: &socket2::Socket) -> io::Result<()> {
    socket.send_with_flags(&[], libc::MSG_NOSIGNAL).map(drop)
}

fn waits(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// A send that has begun to connect has taken no bytes.
pub(in super::super) fn or_waits<R>(sent: io::Result<R>) -> io::Result<R> {
    match sent {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        sent => sent,
    }
}
