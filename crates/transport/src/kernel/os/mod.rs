//! The kernel's sockets: TCP, UDP and all Unix kinds share one type, since the kernel has the same
//! calls for all.
//!
//! It is a `socket2` socket in tokio's `AsyncFd`. Tokio's four types hide the flags that this crate
//! needs (`MSG_NOSIGNAL` to send, `MSG_TRUNC` when received), and would need four copies of all
//! code here.

#![expect(
    unsafe_code,
    reason = "registering a descriptor with the runtime; see the block"
)]

mod abort;
mod calls;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod control;
mod ends;
mod halves;
mod open;
#[cfg(target_os = "linux")]
mod packets;
#[cfg_attr(not(target_os = "linux"), path = "no_passing.rs")]
mod passing;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod rights;
mod tcp;
mod udp;

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
#[cfg(target_os = "linux")]
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll, ready};

use socket2::SockAddr;
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, ReadBuf, Ready};

use crate::contract::datagram::PeerAddr;
use crate::contract::socket::{Received, Shape};
use crate::kernel::addr::Scheme;
pub(crate) use calls::{check_len, send_parts_to};
pub(crate) use ends::Place;
pub use halves::{OsRecv, OsSend, OsSocket};
pub(crate) use open::{accept, open};
#[cfg(target_os = "linux")]
pub use passing::Descriptors;
#[cfg(target_os = "linux")]
pub use process::PeerProcess;
#[cfg(target_os = "linux")]
pub(crate) use rights::refuse as refuse_descriptors;
#[cfg(target_os = "linux")]
pub use tcp::Mptcp;
use tcp::{Opened, or_waits};
#[cfg(feature = "batch")]
use udp::batches::Merging;
pub(crate) use udp::batches::Named;
use udp::runs::Runs;

/// Errors too, since only an error tells a datagram socket that waits to receive of a refusal.
const COMMON: Interest = Interest::READABLE
    .add(Interest::WRITABLE)
    .add(Interest::ERROR);
/// Urgent data too, since a read stops at it.
#[cfg(target_os = "linux")]
const INTEREST: Interest = COMMON.add(Interest::PRIORITY);
#[cfg(not(target_os = "linux"))]
const INTEREST: Interest = COMMON;

/// Makes the runtime tell when `socket` is ready.
fn register(socket: socket2::Socket) -> io::Result<AsyncFd<socket2::Socket>> {
    // SAFETY: the `AsyncFd` owns the socket, and a `socket2::Socket` has one descriptor, open and
    // the same, until it is dropped.
    Ok(unsafe { AsyncFd::register_with_interest(socket, INTEREST) }?)
}

/// A socket that is registered with the runtime, and its properties.
#[derive(Debug)]
pub(crate) struct Os {
    fd: AsyncFd<socket2::Socket>,
    scheme: Scheme,
    shape: Shape,
    /// Whether it was made outside of this crate, with options that this crate does not know.
    foreign: bool,
    /// How it was opened, where that is not the usual way.
    opened: Option<Box<Opened>>,
    /// Whether reads of a Unix socket may stop early. The kernel is asked after the first short
    /// read.
    #[cfg(target_os = "linux")]
    may_stop: OnceLock<bool>,
    /// Whether the kernel has told of a reset, which it does once.
    #[cfg(target_os = "linux")]
    reset: AtomicBool,
    /// The descriptors that are passed with the bytes, if the option is given.
    #[cfg(target_os = "linux")]
    passing: Option<Descriptors>,
    /// Whether the kernel tells which address of this machine a datagram was sent to.
    told_asked: bool,
    runs: Runs,
    #[cfg(feature = "batch")]
    merging: OnceLock<Box<Merging>>,
}

impl Os {
    /// Registers a socket of streams or packets, which does not block, with the current runtime.
    pub(crate) fn connection(socket: socket2::Socket, scheme: Scheme) -> io::Result<Self> {
        let shape = scheme.shape_of_connection(&socket)?;
        Os::of(socket, scheme, shape)
    }

    /// Registers a socket of any kind, and gives its local address.
    pub(crate) fn located(socket: socket2::Socket, scheme: Scheme) -> io::Result<(Self, SockAddr)> {
        let local = socket.local_addr()?;
        let shape = scheme.shape(&socket, &local)?;
        Ok((Os::of(socket, scheme, shape)?, local))
    }

    /// Notes whether the socket, or the listener that accepted it, was made outside of this crate.
    pub(crate) fn made_elsewhere(self, foreign: bool) -> Self {
        Os { foreign, ..self }
    }

    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign
    }

    fn of(socket: socket2::Socket, scheme: Scheme, shape: Shape) -> io::Result<Self> {
        debug_assert!(socket.nonblocking()?, "it would hold up a thread");
        let fd = register(socket)?;
        Ok(Os {
            fd,
            scheme,
            shape,
            foreign: false,
            opened: None,
            #[cfg(target_os = "linux")]
            may_stop: OnceLock::new(),
            #[cfg(target_os = "linux")]
            reset: AtomicBool::new(false),
            #[cfg(target_os = "linux")]
            passing: None,
            told_asked: false,
            runs: Runs::default(),
            #[cfg(feature = "batch")]
            merging: OnceLock::new(),
        })
    }

    pub(crate) fn socket(&self) -> &socket2::Socket {
        self.fd.get_ref()
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    pub(crate) fn recv_room(&self) -> usize {
        self.scheme.recv_room(self.shape)
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.fd
            .writable()
            .await
            .map(|mut guard| guard.retain_ready())
    }

    /// Runs `send` if the socket is thought writable, and remembers when it is not.
    pub(crate) fn try_send<R>(
        &self,
        send: impl FnOnce(&socket2::Socket) -> io::Result<R>,
    ) -> io::Result<R> {
        self.fd.try_io(Interest::WRITABLE, send)
    }

    /// Waits until `read` gives something other than `WouldBlock`.
    pub(crate) fn poll_read_io<R>(
        &self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(&socket2::Socket) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let mut guard = ready!(self.fd.poll_read_ready(cx))?;
            match guard.try_io(|fd| read(fd.get_ref())) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(result) => return Poll::Ready(result),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<Received>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(Received::Data));
        }
        if self.shape.is_stream() {
            self.poll_recv_stream(cx, buf)
        } else if self.shape.is_reliable() {
            self.poll_recv_packet(cx, buf)
        } else if self.merges() {
            self.poll_recv_staged(cx, buf)
                .map_ok(|(received, _)| received)
        } else {
            self.poll_read_io(cx, |socket| self.recv_one(socket, buf))
        }
    }

    /// Receives one datagram of an unconnected socket.
    pub(crate) fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>> {
        if self.merges() {
            return self.poll_recv_staged(cx, buf);
        }
        self.poll_read_io(cx, |socket| self.recv_from(socket, buf))
    }

    fn poll_recv_stream(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        loop {
            let Poll::Ready(guard) = self.fd.poll_read_ready(cx) else {
                self.open_to_receive()?;
                return Poll::Pending;
            };
            let mut guard = guard?;
            let room = buf.remaining();
            match guard.try_io(|fd| self.recv_stream(fd.get_ref(), buf)) {
                Ok(Ok(0)) => return Poll::Ready(Ok(Received::End)),
                Ok(Ok(len)) => {
                    if len < room && self.short_is_empty() {
                        guard.clear_ready();
                    }
                    return Poll::Ready(Ok(Received::Data));
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }

    /// Whether a short read has emptied the kernel's buffer. The next wait then needs no call that
    /// finds it empty, which would be a fifteenth of a round trip's instructions. (Readiness is
    /// edge-triggered: bytes that arrive later set it again.)
    ///
    /// Linux promises it for TCP, except at bytes that the peer marked as urgent, of which the
    /// kernel tells (`PRIORITY`). It also promises it for a Unix stream that takes no descriptors
    /// and notes no senders. Any other stream is read until it is empty: otherwise bytes that are
    /// left could wait until more arrive.
    #[cfg(target_os = "linux")]
    fn short_is_empty(&self) -> bool {
        if self.scheme.is_unix() {
            let may_stop = || rights::may_stop(self.socket());
            if *self.may_stop.get_or_init(may_stop) {
                return false;
            }
        } else if self.foreign || self.opened.is_some() {
            // It may be MPTCP, or, from elsewhere, TLS in the kernel, where a read stops at each
            // record of another kind.
            return false;
        }
        self.fd.try_io(Interest::PRIORITY, |_| Ok(())).is_err()
    }

    #[cfg(not(target_os = "linux"))]
    fn short_is_empty(&self) -> bool {
        false
    }

    /// Waits for an error that no call returns: that of a datagram that was refused.
    async fn trouble(&self) -> io::Result<()> {
        loop {
            self.fd
                .ready(Interest::ERROR)
                .await?
                .clear_ready_matching(Ready::ERROR);
            if let Some(error) = self.socket().take_error()? {
                return Err(error);
            }
        }
    }

    /// Waits until `write` gives something other than `WouldBlock`.
    fn poll_write_io<R>(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&socket2::Socket) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let mut guard = ready!(self.fd.poll_write_ready(cx))?;
            match guard.try_io(|fd| or_waits(write(fd.get_ref()))) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(result) => return Poll::Ready(result),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_send(&self, cx: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        check_len(self.shape, parts)?;
        let sent = self.poll_write_io(cx, |socket| self.send(socket, parts));
        sent.map_err(|error| self.noting(error))
    }

    fn finish(&self) -> io::Result<()> {
        if !self.shape.is_reliable() {
            return Ok(());
        }
        match self.socket().shutdown(Shutdown::Write) {
            // The peer is gone already, and there is nothing to close. A reset that was not
            // reported yet says that the peer may not have read all bytes.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                self.socket().take_error()?.map_or(Ok(()), Err)
            }
            done => done,
        }
    }
}

impl AsFd for Os {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}
