//! The sending side, and what of it a receiving half needs.

use std::io::{self, IoSlice, Write};
use std::task::{Context, Poll, Waker};

use rustls::Connection;
use socketry_transport::SendHalf;

use super::records::Records;

/// The socket inside, for ciphertext. The receiving half has it too, to send an alert.
pub(super) struct Writing<W> {
    pub(super) socket: W,
    /// Follows what was sent.
    pub(super) records: Records,
    /// The task that waits at the socket: an alert does not take its place.
    waker: Option<Waker>,
}

impl<W: SendHalf> Writing<W> {
    pub(super) fn new(socket: W) -> Self {
        Writing {
            socket,
            records: Records::default(),
            waker: None,
        }
    }

    /// Hands on all ciphertext that there is.
    pub(super) fn poll_out(
        &mut self,
        cx: &mut Context<'_>,
        conn: &mut Connection,
    ) -> Poll<io::Result<()>> {
        while conn.wants_write() {
            match conn.write_tls(&mut self.out(cx)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Has the socket inside polled, and notes the task that waits there.
    pub(super) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut W, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let polled = poll(&mut self.socket, cx);
        if polled.is_pending() {
            match &mut self.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
        polled
    }

    /// The socket inside as a writer, for as long as one poll.
    pub(super) fn out<'a, 'b>(&'a mut self, cx: &'a mut Context<'b>) -> Out<'a, 'b, W> {
        Out { writing: self, cx }
    }
}

/// A sending side of any socket, for alerts.
pub(super) trait LastWords: Send {
    /// Sends what `conn` has to say, as far as that needs no wait. The rest leaves with the next
    /// send, if there is one.
    fn last_words(&mut self, conn: &mut Connection);
}

impl<W: SendHalf> LastWords for Writing<W> {
    fn last_words(&mut self, conn: &mut Connection) {
        let waker = self.waker.clone();
        let cx = &mut Context::from_waker(waker.as_ref().unwrap_or(Waker::noop()));
        // The failure that led here is told, and not that of this.
        let _ = self.poll_out(cx, conn);
    }
}

pub(super) struct Out<'a, 'b, W> {
    writing: &'a mut Writing<W>,
    cx: &'a mut Context<'b>,
}

impl<W: SendHalf> Write for Out<'_, '_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let polled = self
            .writing
            .poll(self.cx, |socket, cx| socket.poll_send(cx, parts));
        let Poll::Ready(sent) = polled else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let sent = sent?;
        let mut left = sent;
        for part in parts {
            let len = part.len().min(left);
            self.writing.records.pass(&part[..len]);
            left -= len;
        }
        Ok(sent)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
