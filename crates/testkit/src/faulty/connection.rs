//! A connection that misbehaves on purpose.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use socketry_transport::{BoxSocket, Connection, Info, Socket};

use super::closing::Common;
use super::lane::Lane;
use super::{Faults, Faulty};

/// A connection with [`Faults`], as [`Faults::over_connection`] makes it.
///
/// Its streams have the faults of streams, and its datagrams those of datagrams. Opening and
/// accepting are sometimes [`Pending`](super::Fault::Pending) or [late](super::Fault::Delay), and a
/// [`Close`](super::Fault::Close) ends the connection.
///
/// In the [plan](Faults::number), opened streams are numbered 0, 2, 4 and so on, accepted ones 1,
/// 3, 5, in the order of the calls; datagram sockets are numbered with the opened ones.
pub struct FaultyConnection<C> {
    inner: C,
    /// The plan of this connection, which its sockets share.
    plan: Faults,
    common: Arc<Common>,
    numbers: Arc<Numbers>,
    opening: Lane,
    accepting: Lane,
}

/// The next numbers.
#[derive(Debug, Default)]
struct Numbers {
    opened: AtomicU64,
    accepted: AtomicU64,
    handles: AtomicU64,
}

fn next(of: &AtomicU64) -> u64 {
    of.fetch_add(1, Ordering::Relaxed)
}

impl Faults {
    /// `connection` with the faults of this plan.
    pub fn over_connection<C: Connection>(&self, connection: C) -> FaultyConnection<C> {
        let common = Arc::new(Common::new(self, &connection));
        let mut plan = self.clone();
        plan.connection = Some(Arc::clone(&common));
        FaultyConnection::handle(connection, plan, common, Arc::default())
    }
}

impl<C: Connection> FaultyConnection<C> {
    fn handle(inner: C, plan: Faults, common: Arc<Common>, numbers: Arc<Numbers>) -> Self {
        let own = plan.clone().number(next(&numbers.handles));
        FaultyConnection {
            inner,
            plan,
            common,
            numbers,
            opening: Lane::of_handle(&own, true),
            accepting: Lane::of_handle(&own, false),
        }
    }

    fn over<S: Socket>(&self, number: u64, socket: S) -> Faulty<S> {
        self.plan.clone().number(number).over(socket)
    }
}

impl<C: Connection> Connection for FaultyConnection<C> {
    type Stream = Faulty<C::Stream>;

    fn info(&self) -> &Info {
        self.inner.info()
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>> {
        // No fate ends a handle: the connection inside says when it is over.
        let _ = ready!(self.opening.poll_turn(cx, 0));
        let opened = ready!(self.inner.poll_open(cx));
        self.opening.done(usize::from(opened.is_ok()));
        Poll::Ready(match opened {
            Ok(stream) => Ok(self.over(2 * next(&self.numbers.opened), stream)),
            Err(error) => Err(self.common.seen(error)),
        })
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Self::Stream>>> {
        let _ = ready!(self.accepting.poll_turn(cx, 0));
        let accepted = ready!(self.inner.poll_accept(cx));
        self.accepting
            .done(usize::from(matches!(accepted, Ok(Some(_)))));
        Poll::Ready(match accepted {
            Ok(Some(stream)) => {
                let number = 2 * next(&self.numbers.accepted) + 1;
                Ok(Some(self.over(number, stream)))
            }
            Ok(None) => self.common.befallen().map_or(Ok(None), Err),
            Err(error) => Err(self.common.seen(error)),
        })
    }

    fn close(&self, code: u64, reason: &str) {
        self.common.close(code, reason);
    }

    fn datagrams(&self) -> Option<BoxSocket> {
        let socket = self.inner.datagrams()?;
        let number = 2 * next(&self.numbers.opened);
        Some(BoxSocket::new(self.over(number, socket)))
    }
}

impl<C: Connection> Clone for FaultyConnection<C> {
    fn clone(&self) -> Self {
        FaultyConnection::handle(
            self.inner.clone(),
            self.plan.clone(),
            Arc::clone(&self.common),
            Arc::clone(&self.numbers),
        )
    }
}

impl<C: Connection> fmt::Debug for FaultyConnection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, peer) = (self.local().redacted(), self.peer().redacted());
        write!(f, "FaultyConnection({local} to {peer})")
    }
}
