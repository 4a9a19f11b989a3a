//! Listening stream sockets: accept connections, and wait until a temporary failure is over.

use std::future::Future;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockAddr, SockRef};
use tokio::time::Sleep;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::transport::listener::Listener;
use crate::kernel::addr;
use crate::kernel::apply;
use crate::kernel::hint;
use crate::kernel::os::{self, Os, OsSocket, Place};
use crate::kernel::unix::file::SocketFile;
use crate::options::SocketOptions;

/// How long to wait where the system has no descriptor or memory for one more connection: at first,
/// and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// After five shorter waits, at this one, the shortage counts as lasting: connections that cannot
/// be served are then refused, and do not wait any longer.
const LASTING: Duration = Duration::from_millis(160);

/// A listening socket: TCP, or Unix streams or packets.
#[derive(Debug)]
pub struct OsListener {
    // Dropped before the socket: while the socket is open, no other server takes its file for a
    // stale one and replaces it.
    file: Option<SocketFile>,
    os: Os,
    local: Endpoint,
    /// Whether each accepted socket may be at another address of this machine.
    wildcard: bool,
    /// The most descriptors that wait in each accepted socket, if it takes descriptors.
    descriptors: Option<usize>,
    /// Whether the accepted sockets may be MPTCP.
    multipath: bool,
    /// The options that accepted sockets do not inherit, if there are any.
    given: Option<Box<SocketOptions>>,
    /// The number of accepted sockets that refused some of these.
    unapplied: u64,
    rest: Option<Pin<Box<Sleep>>>,
    next_rest: Duration,
    /// A descriptor to close, so that a connection can be accepted and refused.
    reserve: Option<OwnedFd>,
    /// The number of connections that were refused so.
    refusals: u64,
}

impl OsListener {
    pub(crate) fn new(os: Os, local: &SockAddr, file: Option<SocketFile>) -> Self {
        let ip = local.as_socket().map(|at| at.ip().to_canonical());
        OsListener {
            multipath: apply::is_multipath(&SockRef::from(os.socket())),
            given: None,
            unapplied: 0,
            reserve: reserve(&os),
            // The program that made it may have it accept connections to other addresses
            // (IP_TRANSPARENT).
            wildcard: ip.is_some_and(|ip| ip.is_unspecified() || os.is_foreign()),
            local: addr::endpoint(os.scheme(), local),
            os,
            descriptors: None,
            rest: None,
            next_rest: BACK_OFF.0,
            refusals: 0,
            file,
        }
    }

    /// The accepted sockets take descriptors, if a bound is given.
    pub(crate) fn passing_at_most(self, descriptors: Option<usize>) -> Self {
        OsListener {
            descriptors,
            ..self
        }
    }

    /// The accepted sockets get those of these options that they do not inherit.
    pub(crate) fn giving(self, options: &SocketOptions) -> Self {
        let given = options.for_accepted(self.multipath);
        OsListener {
            given: (given != SocketOptions::default()).then(|| Box::new(given)),
            ..self
        }
    }

    /// The number of accepted sockets without some of this listener's options, since MPTCP refused
    /// them. [`Mptcp::refused`](crate::Mptcp::refused) of a socket names them. A `tracing` event of
    /// level `WARN` tells of the first, and then each time that the number has doubled.
    pub fn unapplied(&self) -> u64 {
        self.unapplied
    }

    /// Leaves the file of a Unix socket where it is when this is dropped: another process goes on
    /// at the same socket.
    pub fn leave_file(&mut self) {
        if let Some(file) = self.file.take() {
            file.leave();
        }
    }

    /// The file of a Unix socket, for the caller to remove.
    #[cfg(target_os = "linux")]
    pub(crate) fn take_file(&mut self) -> Option<SocketFile> {
        self.file.take()
    }

    fn accepted(&mut self, (socket, peer): (socket2::Socket, SockAddr)) -> io::Result<OsSocket> {
        let scheme = self.os.scheme();
        let local = if self.wildcard {
            Place::Unasked
        } else {
            Place::Known(self.local.clone())
        };
        let refused = self.give(&socket);
        let os = Os::connection(socket, scheme)?
            .made_elsewhere(self.os.is_foreign())
            .passing_at_most(self.descriptors);
        let os = match self.multipath {
            true => os.over_multipath(refused),
            false => os,
        };
        Ok(OsSocket::connected(os, local, Place::of(scheme, &peer)))
    }

    /// Gives an accepted socket the options that it has not inherited, and returns those that it
    /// refused.
    fn give(&mut self, socket: &socket2::Socket) -> Vec<&'static str> {
        let Some(options) = &self.given else {
            return Vec::new();
        };
        let refused = options.apply_to_accepted(socket, &self.local);
        if !refused.is_empty() {
            self.unapplied += 1;
            // Clients decide how often this happens.
            if self.unapplied.is_power_of_two() {
                let (listener, sockets) = (&self.local, self.unapplied);
                tracing::warn!(%listener, sockets, ?refused, "accepted sockets refused options");
            }
        }
        refused
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(rest) = &mut self.rest {
            ready!(rest.as_mut().poll(cx));
            self.rest = None;
        }
        Poll::Ready(())
    }

    /// Accepts a connection and closes it, while there is no descriptor to serve it: its client
    /// learns of it, and does not wait for ever.
    fn poll_refuse(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.reserve = None;
        let refused = self.os.poll_read_io(cx, os::accept).map_ok(|(socket, _)| {
            // A reset cannot be taken for an orderly end. Where there is none, it is an end.
            let _ = socket.set_linger(Some(Duration::ZERO));
        });
        self.reserve = reserve(&self.os);
        refused
    }

    fn back_off(&mut self, error: &io::Error) {
        tracing::warn!(listener = %self.local, %error, wait = ?self.next_rest, "cannot accept");
        self.rest = Some(Box::pin(tokio::time::sleep(self.next_rest)));
        self.next_rest = (self.next_rest * 2).min(BACK_OFF.1);
    }
}

impl AsFd for OsListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.os.as_fd()
    }
}

impl Listener for OsListener {
    type Socket = OsSocket;

    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn refusals(&self) -> u64 {
        self.refusals
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<OsSocket>> {
        loop {
            ready!(self.poll_rest(cx));
            let answer = ready!(self.os.poll_read_io(cx, os::accept));
            match answer.and_then(|accepted| self.accepted(accepted)) {
                Ok(socket) => {
                    self.next_rest = BACK_OFF.0;
                    return Poll::Ready(Ok(socket));
                }
                Err(error) if is_of_the_client(&error) => {}
                Err(error) if is_of_the_listener(&error) => {
                    return Poll::Ready(Err(hint::failed("accept at", &self.local, error)));
                }
                // After EMFILE and similar errors the listener stays readable: an immediate retry
                // would spin.
                Err(error) if self.next_rest < LASTING => self.back_off(&error),
                Err(error) => match ready!(self.poll_refuse(cx)) {
                    Ok(()) => {
                        self.refusals += 1;
                        tracing::warn!(listener = %self.local, %error, "a connection was refused");
                        // Other tasks run in between, even if there are many connections to refuse.
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Err(error) => self.back_off(&error),
                },
            }
        }
    }
}

fn reserve(os: &Os) -> Option<OwnedFd> {
    os.as_fd().try_clone_to_owned().ok()
}

/// The error concerns one client, which is gone, and the next may be waiting. Linux also reports
/// pending network errors here (accept(2)).
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotConnected
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
    ) || error.raw_os_error() == Some(libc::EPROTO)
}

/// The listening socket itself cannot be used any more.
fn is_of_the_listener(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EBADF | libc::EINVAL | libc::ENOTSOCK | libc::EOPNOTSUPP)
    )
}
