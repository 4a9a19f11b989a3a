//! Packets in order, with an end (`SOCK_SEQPACKET`, unix(7)).

use std::io;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use socket2::Socket;
use tokio::io::ReadBuf;

use super::calls::{WHOLE_LEN, filled};
use super::{Os, rights};
use crate::contract::socket::Received;

impl Os {
    /// Has the kernel tell the sender of each packet. So an empty packet can be told from the end,
    /// which has no sender. It is asked once the socket is connected: before, the kernel would give
    /// it a name.
    pub(super) fn tell_packets_from_the_end(&self) {
        if !self.shape.is_stream() && self.shape.is_reliable() {
            // A Unix socket does not refuse it.
            let _ = self.socket().set_passcred(true);
        }
    }

    pub(super) fn poll_recv_packet(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        loop {
            match ready!(self.poll_read_io(cx, |socket| self.recv_packet(socket, buf))) {
                // The kernel tells of a reset before it gives the packets that are queued, and
                // once.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    if self.reset.swap(true, Ordering::Relaxed) {
                        return Poll::Ready(Err(error));
                    }
                }
                Ok(Received::End) if self.reset.load(Ordering::Relaxed) => {
                    return Poll::Ready(Err(io::Error::from_raw_os_error(libc::ECONNRESET)));
                }
                received => return Poll::Ready(received),
            }
        }
    }

    fn recv_packet(&self, socket: &Socket, buf: &mut ReadBuf<'_>) -> io::Result<Received> {
        let came = rights::recv(socket, buf, WHOLE_LEN)?;
        if came.len == 0 && !came.is_sent {
            return Ok(Received::End);
        }
        let received = filled(buf, came.len, came.cut);
        if let Some(passing) = self.passing() {
            passing.arrive(came);
        }
        Ok(received)
    }

    /// `error` of a send. If it tells of a reset, no receive will hear of that.
    pub(super) fn noting(&self, error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::ConnectionReset {
            self.reset.store(true, Ordering::Relaxed);
        }
        error
    }
}
