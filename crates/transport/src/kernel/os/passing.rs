//! Descriptors that both ends agreed to pass: a queue beside the bytes, in each direction.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use socket2::{SockAddr, Socket};
use tokio::io::ReadBuf;

use super::calls::{
    WHOLE_LEN, check_len, filled, recv_datagram, recv_some, send_parts, stream_parts,
};
use super::halves::{OsSend, OsSocket};
use super::{Os, rights};
use crate::contract::socket::Received;

/// The descriptors that are passed over a Unix socket with the option `descriptors`. They are in
/// its [`Info`](crate::Info), also under layers.
///
/// They are a queue of their own beside the bytes, in each direction. A descriptor is sent with a
/// byte, and arrives no later than that byte. So a frame says how many descriptors belong to it.
/// The sender [attaches](Descriptors::attach) them and sends the frame. The receiver
/// [takes](Descriptors::take) as many once it has the frame. The descriptors of a datagram are in
/// the queue when it is received.
///
/// At most as many as the option says wait to be taken. If more arrive, they are closed, and so are
/// all that arrive later, since the receiver could not know to which frame those belong. Taking
/// them fails.
///
/// Clones share the queues. Dropping the last clone closes the descriptors that were not taken.
///
/// ```
/// use std::io::{Read, Seek, Write};
/// use std::os::fd::AsFd;
/// use socketry_transport::{Descriptors, Half, Listener, RecvExt, SendExt, connect, listen};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("s").display().to_string();
/// let mut server = listen(&*format!("unix://{path}?descriptors=4")).await?;
/// let mut client = connect(&*format!("unix://{path}?descriptors=4")).await?;
///
/// let mut file = tempfile::tempfile()?;
/// file.write_all(b"in the file")?;
/// file.rewind()?;
/// let passed = client.info().get::<Descriptors>().expect("the option is set");
/// passed.attach(file)?;
/// client.send_all(&[1]).await?; // a frame of one byte: how many descriptors it takes
///
/// let mut socket = server.accept().await?;
/// let mut frame = [0];
/// socket.recv(&mut frame).await?;
/// let arrived = socket.info().get::<Descriptors>().expect("the option is set");
/// let mut text = String::new();
/// for descriptor in arrived.take(frame[0].into())? {
///     std::fs::File::from(descriptor).read_to_string(&mut text)?;
/// }
/// assert_eq!(text, "in the file");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Descriptors(Arc<Mutex<Queues>>);

#[derive(Debug)]
struct Queues {
    arrived: VecDeque<OwnedFd>,
    /// The most descriptors in `arrived`.
    most: usize,
    /// Whether some that arrived were closed, so that the order of those after them is lost.
    closed: bool,
    /// The descriptors to send with the next byte.
    attached: Vec<OwnedFd>,
}

impl Descriptors {
    /// The most descriptors that can be sent with one byte, or with one datagram (`SCM_MAX_FD` of
    /// Linux).
    pub const MOST_AT_ONCE: usize = rights::MOST;

    fn new(most: usize) -> Self {
        Descriptors(Arc::new(Mutex::new(Queues {
            arrived: VecDeque::new(),
            most,
            closed: false,
            attached: Vec::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next `count` descriptors that have arrived, in the order in which they were sent.
    ///
    /// # Errors
    /// `InvalidData` if fewer have arrived; then none is taken. Waiting does not help, since they
    /// arrive no later than their bytes: the peer sent fewer than it said, or more than may wait.
    pub fn take(&self, count: usize) -> io::Result<Vec<OwnedFd>> {
        let mut queues = self.lock();
        let here = queues.arrived.len();
        if count <= here {
            return Ok(queues.arrived.drain(..count).collect());
        }
        let words = match queues.closed {
            true => format!(
                "{count} descriptors are due and {here} are here: others were closed, since \
                 at most {} may wait (the option descriptors), or this process has no room \
                 for more",
                queues.most
            ),
            false => format!("{count} descriptors are due, and {here} came with the bytes"),
        };
        Err(io::Error::new(io::ErrorKind::InvalidData, words))
    }

    /// The number of descriptors that have arrived and were not taken.
    pub fn waiting(&self) -> usize {
        self.lock().arrived.len()
    }

    /// Sends `descriptor` with the next byte, or the next datagram, and then closes it here.
    /// Sending fails with `PermissionDenied` if the peer takes no descriptors, and then closes all
    /// that are attached.
    ///
    /// # Errors
    /// `InvalidInput` if [`MOST_AT_ONCE`](Descriptors::MOST_AT_ONCE) are attached already.
    pub fn attach(&self, descriptor: impl Into<OwnedFd>) -> io::Result<()> {
        let mut queues = self.lock();
        if queues.attached.len() >= rights::MOST {
            return Err(too_many(rights::MOST + 1));
        }
        queues.attached.push(descriptor.into());
        Ok(())
    }

    pub(super) fn arrive(&self, came: rights::Came) {
        if came.descriptors.is_empty() && !came.lost {
            return;
        }
        let mut queues = self.lock();
        for descriptor in came.descriptors {
            queues.closed |= queues.arrived.len() >= queues.most;
            if !queues.closed {
                queues.arrived.push_back(descriptor);
            }
        }
        queues.closed |= came.lost;
    }
}

impl Os {
    /// Passes descriptors with the bytes, if a bound is given: the most that wait to be taken.
    pub(crate) fn passing_at_most(mut self, most: Option<usize>) -> Self {
        self.passing = most.map(Descriptors::new);
        self
    }

    pub(super) fn passing(&self) -> Option<&Descriptors> {
        self.passing.as_ref()
    }

    pub(super) fn recv_stream(&self, socket: &Socket, buf: &mut ReadBuf<'_>) -> io::Result<usize> {
        let Some(passing) = &self.passing else {
            return recv_some(socket, buf);
        };
        let came = rights::recv(socket, buf, 0)?;
        let len = came.len;
        let _ = filled(buf, len, false);
        passing.arrive(came);
        Ok(len)
    }

    pub(super) fn recv_one(&self, socket: &Socket, buf: &mut ReadBuf<'_>) -> io::Result<Received> {
        let Some(passing) = &self.passing else {
            return recv_datagram(socket, buf);
        };
        let came = rights::recv(socket, buf, WHOLE_LEN)?;
        let received = filled(buf, came.len, came.cut);
        passing.arrive(came);
        Ok(received)
    }

    /// Sends `parts`, and with them the attached descriptors.
    pub(super) fn send(&self, socket: &Socket, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let stream = self.shape.is_stream();
        let Some(passing) = &self.passing else {
            return send_parts(socket, parts, stream);
        };
        let mut queues = passing.lock();
        let parts = if stream { stream_parts(parts) } else { parts };
        let nothing = stream && parts.iter().all(|part| part.is_empty());
        if queues.attached.is_empty() || nothing {
            return send_parts(socket, parts, stream);
        }
        let attached: Vec<_> = queues.attached.iter().map(AsFd::as_fd).collect();
        let sent = rights::send(socket, parts, None, &attached);
        if !sent.as_ref().is_err_and(passes_by) {
            queues.attached.clear();
        }
        sent
    }

    /// Sends `parts` to `to`, or to the peer, with `descriptors`.
    pub(crate) fn send_with(
        &self,
        socket: &Socket,
        parts: &[IoSlice<'_>],
        to: Option<&SockAddr>,
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<usize> {
        check_len(self.shape, parts)?;
        let invalid = |words: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        if !self.scheme.is_unix() {
            return invalid("only Unix sockets pass descriptors");
        }
        if descriptors.len() > rights::MOST {
            return Err(too_many(descriptors.len()));
        }
        let stream = self.shape.is_stream();
        let parts = if stream { stream_parts(parts) } else { parts };
        if stream && parts.iter().all(|part| part.is_empty()) {
            return invalid("descriptors travel with at least one byte");
        }
        rights::send(socket, parts, to, descriptors)
    }

    /// The most descriptors that wait, if the socket takes descriptors.
    pub(crate) fn passes_at_most(&self) -> Option<usize> {
        self.passing.as_ref().map(|passing| passing.lock().most)
    }

    /// Receives one datagram with its sender and its descriptors.
    pub(crate) fn poll_recv_with(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, rights::Came)>> {
        self.poll_read_io(cx, |socket| {
            let came = rights::recv(socket, buf, WHOLE_LEN)?;
            Ok((filled(buf, came.len, came.cut), came))
        })
    }
}

/// The socket is full for now, or a signal interrupted the call: the caller will try again.
fn passes_by(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

fn too_many(count: usize) -> io::Error {
    let most = rights::MOST;
    let words = format!("{count} descriptors are more than the {most} that travel at once");
    io::Error::new(io::ErrorKind::InvalidInput, words)
}

impl OsSend {
    /// Sends some of `bytes` (a datagram whole), and with the first byte the `descriptors`, of
    /// which the peer gets copies. Gives the number of bytes that were sent. Cancel-safe: bytes and
    /// descriptors are sent together or not at all.
    ///
    /// # Errors
    /// `InvalidInput` if the socket is not a Unix one, for more than 253 descriptors, and on a
    /// stream if `bytes` is empty. `PermissionDenied` if the peer takes no descriptors. No bytes
    /// are sent then. Else as [`poll_send`](crate::SendHalf::poll_send).
    pub async fn send_with(
        &mut self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<usize> {
        let parts = [IoSlice::new(bytes)];
        poll_fn(|cx| self.poll_send_with(cx, &parts, descriptors)).await
    }

    fn poll_send_with(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
        descriptors: &[BorrowedFd<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_with_peer(cx, |os, cx| {
            os.poll_write_io(cx, |socket| os.send_with(socket, parts, None, descriptors))
        })
    }
}

impl OsSocket {
    /// As [`OsSend::send_with`].
    ///
    /// # Errors
    /// As [`OsSend::send_with`].
    pub async fn send_with(
        &mut self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<usize> {
        self.halves_mut().1.send_with(bytes, descriptors).await
    }
}
