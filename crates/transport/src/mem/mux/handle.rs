//! One end of a connection, as a handle.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::task::coop::poll_proceed;

use super::datagrams;
use super::link::{CLIENT, Limits, Link, Opened, SERVER};
use crate::contract::boxed::BoxSocket;
use crate::contract::connection::Connection;
use crate::contract::endpoint::Endpoint;
use crate::contract::socket::Shape;
use crate::contract::socket::info::Info;
use crate::mem::socket::{self, MemSocket};

/// A connection inside this process. Made by [`MemMux`](crate::MemMux).
///
/// Streams and datagrams are copied once, into the receiver's window. Datagrams carry up to 1,200
/// bytes, as those of QUIC may; 256 wait at each end, and further ones are dropped.
pub struct MemConnection {
    held: Held,
}

/// Holds one end of a link. Its name tells its wakers from those of others.
pub(super) struct Held {
    pub(super) link: Arc<Link>,
    pub(super) end: usize,
    pub(super) name: u64,
    pub(super) info: Info,
}

static NAMES: AtomicU64 = AtomicU64::new(0);

impl Held {
    fn new(link: Arc<Link>, end: usize, info: Info) -> Self {
        link.hold(end);
        let name = NAMES.fetch_add(1, Ordering::Relaxed);
        Held {
            link,
            end,
            name,
            info,
        }
    }

    /// A stream as a socket, which holds this end too.
    fn stream(&self, opened: Opened) -> MemSocket {
        let Opened {
            id,
            outgoing,
            incoming,
        } = opened;
        let held = self.clone();
        let place = Box::new(Place { id, held });
        socket::end(self.info.clone(), incoming, outgoing, Some(place))
    }
}

/// The place of a stream in its connection.
struct Place {
    id: u64,
    held: Held,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.held.link.leave(self.id);
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Held::new(Arc::clone(&self.link), self.end, self.info.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.link.let_go(self.end, self.name);
    }
}

/// The two ends of a new connection: the client's and the server's.
pub(super) fn pair(
    (client, at_client): (Endpoint, Limits),
    (server, at_server): (Endpoint, Limits),
) -> (MemConnection, MemConnection) {
    let link = Link::new(at_client, at_server);
    let connection = |end, local: &Endpoint, peer: &Endpoint| MemConnection {
        held: Held::new(
            Arc::clone(&link),
            end,
            Info::new(Shape::Stream, local.clone(), peer.clone()),
        ),
    };
    (
        connection(CLIENT, &client, &server),
        connection(SERVER, &server, &client),
    )
}

impl Clone for MemConnection {
    fn clone(&self) -> Self {
        MemConnection {
            held: self.held.clone(),
        }
    }
}

impl Connection for MemConnection {
    type Stream = MemSocket;

    fn info(&self) -> &Info {
        &self.held.info
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<MemSocket>> {
        // A peer may be as fast as this task, which would then keep its thread for itself.
        let turn = ready!(poll_proceed(cx));
        let Held {
            link, end, name, ..
        } = &self.held;
        let opened = ready!(link.poll_open(*end, *name, cx));
        turn.made_progress();
        Poll::Ready(opened.map(|opened| self.held.stream(opened)))
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<MemSocket>>> {
        let turn = ready!(poll_proceed(cx));
        let Held {
            link, end, name, ..
        } = &self.held;
        let accepted = ready!(link.poll_accept(*end, *name, cx));
        turn.made_progress();
        Poll::Ready(accepted.map(|opened| opened.map(|opened| self.held.stream(opened))))
    }

    fn close(&self, code: u64, reason: &str) {
        self.held.link.close(self.held.end, code, reason);
    }

    fn datagrams(&self) -> Option<BoxSocket> {
        Some(BoxSocket::new(datagrams::socket(&self.held)))
    }
}

impl fmt::Debug for MemConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, peer) = (self.local().redacted(), self.peer().redacted());
        write!(f, "MemConnection({local} to {peer})")
    }
}
