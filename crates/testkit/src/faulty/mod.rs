//! A socket that misbehaves on purpose, over any other: in the same way each time for the same
//! seed.
//!
//! [`Faulty`] puts the faults of a plan, [`Faults`], between a socket and its user. It needs no
//! privileges and no network, and works with everything that uses sockets. [`FaultyTransport`]
//! makes such sockets for programs that connect and listen by themselves. A [`Trace`] records the
//! faults that happened.
//!
//! [`FaultyConnection`] and [`FaultyMux`] do so to connections with many streams: to their streams,
//! to their datagrams, and to the connections themselves.
//!
//! The faults of single datagrams, such as loss, happen on receipt. To have them in both
//! directions, make both ends faulty.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use socketry_testkit::{Faults, Faulty};
//! use socketry_transport::{Listener, RecvExt, SendExt};
//!
//! let mut server = socketry_transport::listen("tcp://127.0.0.1:0").await?;
//! let client = socketry_transport::connect(server.local()).await?;
//! let mut client = Faults::harmless().seed(1).over(client);
//! client.send_all(b"hello").await?;
//! # let _ = server.accept().await?;
//! # Ok(()) }
//! ```

mod closing;
mod connection;
mod lane;
mod mux;
mod plan;
mod recv;
mod seeds;
mod send;
mod trace;
mod transport;

use std::fmt;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use socketry_transport::{
    Aborted, Batch, Half, Info, Joined, Received, RecvHalf, SendHalf, Socket,
};
use tokio::io::ReadBuf;

pub use connection::FaultyConnection;
use lane::{Lane, Link};
pub use mux::{FaultyMux, FaultyMuxListener};
pub use plan::{Fault, Faults};
use recv::Receiving;
pub use seeds::for_each_seed;
use send::Sending;
pub use trace::{Event, Trace};
pub use transport::{FaultyListener, FaultyTransport};

/// A socket with [`Faults`], as [`Faults::over`] makes it.
///
/// It needs tokio's timer if the plan has [delays](Fault::Delay) or
/// [reordering](Fault::Reordering).
pub type Faulty<S> = Joined<FaultyRecv<<S as Socket>::Recv>, FaultySend<<S as Socket>::Send>>;

/// The receiving half of a [`Faulty`].
pub struct FaultyRecv<R> {
    inner: R,
    faults: Receiving,
}

/// The sending half of a [`Faulty`].
pub struct FaultySend<W: SendHalf> {
    inner: W,
    faults: Sending,
}

impl Faults {
    /// `socket` with the faults of this plan.
    pub fn over<S: Socket>(&self, socket: S) -> Faulty<S> {
        let (link, shape) = (Arc::new(Link::default()), socket.shape());
        let lane = |sending| Lane::new(self, &link, shape, sending);
        let (recv, send) = socket.split();
        let recv = FaultyRecv {
            inner: recv,
            faults: Receiving::new(lane(false)),
        };
        let send = FaultySend {
            inner: send,
            faults: Sending { lane: lane(true) },
        };
        Joined::new(recv, send)
    }
}

impl<R: RecvHalf> RecvHalf for FaultyRecv<R> {
    fn recv_room(&self) -> usize {
        self.inner.recv_room()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        self.faults.poll(&mut self.inner, cx, buf)
    }
    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        if self.faults.lane.faults.are_none() {
            return self.inner.poll_recv_batch(cx, batch);
        }
        batch.reserve(self.inner.recv_room().min(recv::MAX_ROOM));
        let mut buf = ReadBuf::new(batch.spare());
        let received = ready!(self.faults.poll(&mut self.inner, cx, &mut buf))?;
        let len = buf.filled().len();
        if received != Received::End {
            batch.push(len, received.cut(), None);
        }
        Poll::Ready(Ok(received))
    }
}

impl<W: SendHalf> SendHalf for FaultySend<W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.faults.poll(&mut self.inner, cx, parts)
    }
    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        self.faults.poll_run(&mut self.inner, cx, bytes, size)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.faults.poll_done(&mut self.inner, cx, W::poll_flush)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.faults.poll_done(&mut self.inner, cx, W::poll_finish)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        let answered = self.inner.abort(code)?;
        if answered != Aborted::Nothing {
            self.faults.lane.link.abort();
        }
        Ok(answered)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.inner.abort_on_drop(on)
    }
}

/// A connection that broke, or whose other end is gone, does not end in order.
impl<W: SendHalf> Drop for FaultySend<W> {
    fn drop(&mut self) {
        if self.faults.lane.link.befallen().is_some() {
            // If the system refuses, the peer sees an end, as on transports without a reset.
            let _ = self.inner.abort_on_drop(true);
        }
    }
}

/// Both halves have the inner half's information, and print alike.
macro_rules! half {
    ($name:ident<$inner:ident>) => {
        impl<T: $inner> Half for $name<T> {
            fn info(&self) -> &Info {
                self.inner.info()
            }
        }

        impl<T: $inner> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (local, peer) = (self.local(), self.peer());
                write!(f, "{}({local} to {peer})", stringify!($name))
            }
        }
    };
}

half!(FaultyRecv<RecvHalf>);
half!(FaultySend<SendHalf>);
