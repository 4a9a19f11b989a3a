//! The kernel's sockets: TCP, UDP and both Unix kinds share one type, for to the kernel they are one thing.
//!
//! A `socket2` socket in tokio's `AsyncFd`, and not tokio's four types: they hide the flags that this crate needs
//! (`MSG_NOSIGNAL` to send, `MSG_TRUNC` when received), and would need four copies of everything here.

#![expect(
    unsafe_code,
    reason = "receiving into memory that was not cleared first; see each block"
)]

use std::fmt;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{MaybeUninitSlice, SockAddr};
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, ReadBuf, Ready};

use crate::addr::{self, Scheme};
use crate::{
    BoxFuture, Credentials, Endpoint, Half, PeerAddr, Received, RecvHalf, SendHalf, Shape, Socket,
};

/// Errors too: a datagram socket that waits to receive learns of a refusal by nothing else.
const INTEREST: Interest = Interest::READABLE
    .add(Interest::WRITABLE)
    .add(Interest::ERROR);
/// How many parts one call takes (`IOV_MAX` on Linux).
const MAX_PARTS: usize = 1024;

/// Makes the runtime tell when `socket` is ready.
pub(crate) fn register(socket: socket2::Socket) -> io::Result<AsyncFd<socket2::Socket>> {
    // SAFETY: the `AsyncFd` owns the socket, and a `socket2::Socket` has one descriptor, open and the same, until it is
    // dropped.
    Ok(unsafe { AsyncFd::register_with_interest(socket, INTEREST) }?)
}

/// A socket registered with the runtime, and what is known about it.
#[derive(Debug)]
pub(crate) struct Os {
    fd: AsyncFd<socket2::Socket>,
    scheme: Scheme,
    shape: Shape,
    // Asked of the kernel when somebody wants to know: servers that accept a lot rarely do.
    local: OnceLock<Endpoint>,
}

impl Os {
    /// Registers `socket` with the current runtime, without blocking from now on.
    pub(crate) fn new(socket: socket2::Socket, scheme: Scheme) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let shape = scheme.shape(&socket)?;
        let fd = register(socket)?;
        let local = OnceLock::new();
        Ok(Os {
            fd,
            scheme,
            shape,
            local,
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

    pub(crate) fn local(&self) -> &Endpoint {
        self.local.get_or_init(|| match self.socket().local_addr() {
            Ok(address) => addr::endpoint(self.scheme, &address),
            Err(_) => addr::unknown(self.scheme),
        })
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
        } else {
            self.poll_read_io(cx, |socket| recv_datagram(socket, buf))
        }
    }

    fn poll_recv_stream(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        loop {
            let mut guard = ready!(self.fd.poll_read_ready(cx))?;
            let room = buf.remaining();
            match guard.try_io(|fd| recv_some(fd.get_ref(), buf)) {
                Ok(Ok(0)) => return Poll::Ready(Ok(Received::End)),
                Ok(Ok(len)) => {
                    // A short read has emptied the kernel's buffer: the next wait need not begin with a call that
                    // would only say so. (Readiness is edge-triggered, so what comes later sets it again. As with tokio's
                    // own streams, what lies behind TCP's urgent mark waits for more to come; only a peer that uses
                    // urgent data delays itself.)
                    if len < room && cfg!(target_os = "linux") {
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

    /// Waits for an error that concerns no call of ours: a datagram that was refused elsewhere.
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

    fn poll_send(&self, cx: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        check_len(self.shape, parts)?;
        loop {
            let mut guard = ready!(self.fd.poll_write_ready(cx))?;
            match guard.try_io(|fd| send_parts(fd.get_ref(), parts, self.shape.is_stream())) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(result) => return Poll::Ready(result),
                Err(_would_block) => {}
            }
        }
    }

    fn set_abort_on_drop(&self, on: bool) -> io::Result<()> {
        // A Unix socket knows no reset.
        if !self.shape.is_stream() || self.scheme.is_unix() {
            return Ok(());
        }
        self.socket().set_linger(on.then_some(Duration::ZERO))
    }

    fn finish(&self) -> io::Result<()> {
        if !self.shape.is_stream() {
            return Ok(());
        }
        match self.socket().shutdown(Shutdown::Write) {
            // The peer is gone already: nothing is left to close.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        }
    }
}

impl AsFd for Os {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

/// Refuses a datagram that the system would refuse, in words that say how long it is and how long it may be.
pub(crate) fn check_len(shape: Shape, parts: &[IoSlice<'_>]) -> io::Result<()> {
    let Shape::Datagram { max_len } = shape else {
        return Ok(());
    };
    let len: usize = parts.iter().map(|part| part.len()).sum();
    if len <= max_len {
        return Ok(());
    }
    let words =
        format!("a datagram of {len} bytes is above this socket's {max_len}; nothing was sent");
    Err(io::Error::new(io::ErrorKind::InvalidInput, words))
}

fn recv_some(socket: &socket2::Socket, buf: &mut ReadBuf<'_>) -> io::Result<usize> {
    // SAFETY: `recv` only writes into the slice, and never makes an initialised byte uninitialised.
    let len = socket.recv(unsafe { buf.unfilled_mut() })?;
    // SAFETY: the kernel wrote the first `len` bytes of the slice.
    unsafe { buf.assume_init(len) };
    buf.advance(len);
    Ok(len)
}

fn recv_datagram(socket: &socket2::Socket, buf: &mut ReadBuf<'_>) -> io::Result<Received> {
    // SAFETY: `recvmsg` only writes into the slice, and never makes an initialised byte uninitialised.
    let room = unsafe { buf.unfilled_mut() };
    let (len, flags) = socket.recv_vectored(&mut [MaybeUninitSlice::new(room)])?;
    Ok(filled(buf, len, flags.is_truncated()))
}

/// One datagram of an unconnected socket, and who sent it.
pub(crate) fn recv_datagram_from(
    socket: &socket2::Socket,
    buf: &mut ReadBuf<'_>,
) -> io::Result<(Received, PeerAddr)> {
    // SAFETY: `recvmsg` only writes into the slice, and never makes an initialised byte uninitialised.
    let room = unsafe { buf.unfilled_mut() };
    let (len, flags, from) = socket.recv_from_vectored(&mut [MaybeUninitSlice::new(room)])?;
    Ok((
        filled(buf, len, flags.is_truncated()),
        addr::peer_addr(&from),
    ))
}

fn filled(buf: &mut ReadBuf<'_>, len: usize, cut: bool) -> Received {
    let len = len.min(buf.remaining());
    // SAFETY: the caller's `recvmsg` wrote the first `len` bytes of the unfilled part.
    unsafe { buf.assume_init(len) };
    buf.advance(len);
    if cut { Received::Cut } else { Received::Data }
}

fn send_parts(socket: &socket2::Socket, parts: &[IoSlice<'_>], stream: bool) -> io::Result<usize> {
    match parts {
        [part] => socket.send_with_flags(part, libc::MSG_NOSIGNAL),
        // More parts than the system takes at once are EMSGSIZE; of a stream it can have the first.
        parts if stream => {
            let parts = &parts[..parts.len().min(MAX_PARTS)];
            socket.send_vectored_with_flags(parts, libc::MSG_NOSIGNAL)
        }
        parts => socket.send_vectored_with_flags(parts, libc::MSG_NOSIGNAL),
    }
}

/// Sends all `parts` as one datagram to `to`.
pub(crate) fn send_parts_to(
    socket: &socket2::Socket,
    parts: &[IoSlice<'_>],
    to: &SockAddr,
) -> io::Result<usize> {
    match parts {
        [part] => socket.send_to_with_flags(part, to, libc::MSG_NOSIGNAL),
        parts => socket.send_to_vectored_with_flags(parts, to, libc::MSG_NOSIGNAL),
    }
}

/// What both halves share: the socket, and whom it is connected to.
#[derive(Debug)]
struct Connected {
    os: Os,
    peer: Endpoint,
}

/// A connected socket of the kernel's: [`TcpTransport`](crate::TcpTransport), [`UdpTransport`](crate::UdpTransport),
/// [`UnixTransport`](crate::UnixTransport) and [`UnixDgramTransport`](crate::UnixDgramTransport) all give it.
#[derive(Debug)]
pub struct OsSocket {
    recv: OsRecv,
    send: OsSend,
}

/// The receiving half of an [`OsSocket`].
pub struct OsRecv {
    shared: Arc<Connected>,
    /// The wait for an error, on a datagram socket that has waited to receive.
    trouble: Option<BoxFuture<'static, io::Result<()>>>,
}

/// The sending half of an [`OsSocket`].
#[derive(Debug)]
pub struct OsSend(Arc<Connected>);

impl OsSocket {
    pub(crate) fn new(os: Os, peer: Endpoint) -> Self {
        let shared = Arc::new(Connected { os, peer });
        OsSocket {
            recv: OsRecv {
                shared: Arc::clone(&shared),
                trouble: None,
            },
            send: OsSend(shared),
        }
    }

    /// The socket itself, for options that this crate does not name.
    pub fn as_socket(&self) -> socket2::SockRef<'_> {
        socket2::SockRef::from(self.recv.shared.os.socket())
    }
}

impl AsFd for OsSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.recv.shared.os.socket().as_fd()
    }
}

impl Half for Connected {
    fn shape(&self) -> Shape {
        self.os.shape
    }
    fn local(&self) -> &Endpoint {
        self.os.local()
    }
    fn peer(&self) -> &Endpoint {
        &self.peer
    }
    fn credentials(&self) -> Option<Credentials> {
        if self.os.scheme.is_unix() {
            crate::credentials::of_peer(self.os.socket())
        } else {
            None
        }
    }
}

macro_rules! half_of_os {
    ($half:ty, |$this:ident| $shared:expr) => {
        impl Half for $half {
            fn shape(&self) -> Shape {
                let $this = self;
                $shared.shape()
            }
            fn local(&self) -> &Endpoint {
                let $this = self;
                $shared.local()
            }
            fn peer(&self) -> &Endpoint {
                let $this = self;
                $shared.peer()
            }
            fn credentials(&self) -> Option<Credentials> {
                let $this = self;
                $shared.credentials()
            }
        }
    };
}

half_of_os!(OsSocket, |this| this.recv.shared);
half_of_os!(OsRecv, |this| this.shared);
half_of_os!(OsSend, |this| this.0);

impl OsRecv {
    /// A datagram that was refused wakes nobody who waits to receive: its error is asked for beside.
    fn poll_trouble(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Received>> {
        let shared = &self.shared;
        let trouble = self.trouble.get_or_insert_with(|| {
            let shared = Arc::clone(shared);
            Box::pin(async move { shared.os.trouble().await })
        });
        let error = ready!(trouble.as_mut().poll(cx));
        self.trouble = None;
        Poll::Ready(error.map(|()| Received::Data))
    }
}

impl fmt::Debug for OsRecv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OsRecv").field(&self.shared).finish()
    }
}

impl RecvHalf for OsRecv {
    fn recv_room(&self) -> usize {
        self.shared.os.recv_room()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        match self.shared.os.poll_recv(cx, buf) {
            Poll::Pending if !self.shared.os.shape.is_stream() => self.poll_trouble(cx),
            received => received,
        }
    }
}

impl SendHalf for OsSend {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.os.poll_send(cx, parts)
    }
    fn set_abort_on_drop(&self, on: bool) -> io::Result<()> {
        self.0.os.set_abort_on_drop(on)
    }
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.os.finish())
    }
}

impl RecvHalf for OsSocket {
    fn recv_room(&self) -> usize {
        self.recv.recv_room()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        self.recv.poll_recv(cx, buf)
    }
}

impl SendHalf for OsSocket {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.send.poll_send(cx, parts)
    }
    fn set_abort_on_drop(&self, on: bool) -> io::Result<()> {
        self.send.set_abort_on_drop(on)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.send.poll_finish(cx)
    }
}

impl Socket for OsSocket {
    type Recv = OsRecv;
    type Send = OsSend;

    fn split(self) -> (OsRecv, OsSend) {
        (self.recv, self.send)
    }
}
