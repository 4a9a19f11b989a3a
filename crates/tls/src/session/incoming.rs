//! Receiving into a connection of rustls.

use std::io::{self, Read};
use std::task::{Context, Poll};

use socketry_transport::{Received, RecvHalf};
use tokio::io::ReadBuf;

/// Why a connection takes no more though all that it had decrypted was taken.
pub(super) const FULL: &str = "the peer's message of a handshake is longer than 64 KiB";

/// The socket inside as a reader, for as long as one poll.
struct In<'a, 'b, R, N> {
    socket: &'a mut R,
    cx: &'a mut Context<'b>,
    note: N,
    /// The answer of the socket; none if it was not asked.
    answer: Option<Poll<io::Result<Received>>>,
}

impl<R: RecvHalf, N: FnMut(&[u8])> Read for In<'_, '_, R, N> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut room = ReadBuf::new(room);
        let answer = self.socket.poll_recv(self.cx, &mut room);
        let is_data = matches!(answer, Poll::Ready(Ok(_)));
        self.answer = Some(answer);
        if !is_data {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        (self.note)(room.filled());
        Ok(room.filled().len())
    }
}

/// Has `read_tls`, that of a connection, receive from `socket` once, into the connection itself.
/// `note` sees the bytes. The answer is the socket's. It is `None` if the connection takes no more
/// for now, and did not ask the socket.
pub(super) fn poll_read<R: RecvHalf>(
    cx: &mut Context<'_>,
    socket: &mut R,
    note: impl FnMut(&[u8]),
    read_tls: impl FnOnce(&mut dyn Read) -> io::Result<usize>,
) -> Option<Poll<io::Result<Received>>> {
    let mut from = In {
        socket,
        cx,
        note,
        answer: None,
    };
    // Its error is the socket's, or says that it takes no more.
    let _ = read_tls(&mut from);
    from.answer
}
