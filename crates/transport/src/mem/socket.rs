//! The two ends of a connection in memory, and their halves.

use std::any::Any;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use super::pipe::Pipe;
use crate::contract::endpoint::Endpoint;
use crate::contract::socket::info::Info;
use crate::contract::socket::joined::Joined;
use crate::contract::socket::send::aborted_here;
use crate::contract::socket::{Aborted, Half, Received, RecvHalf, SendHalf, Shape};

/// A connected socket of [`MemTransport`](crate::MemTransport), or a stream of a
/// [`MemConnection`](crate::MemConnection).
pub type MemSocket = Joined<MemRecv, MemSend>;

/// The receiving half of a [`MemSocket`].
#[derive(Debug)]
pub struct MemRecv {
    end: Arc<End>,
}

/// The sending half of a [`MemSocket`].
#[derive(Debug)]
pub struct MemSend {
    end: Arc<End>,
}

/// The state that both halves share. Dropping it ends the connection.
#[derive(Debug)]
struct End {
    info: Info,
    incoming: Arc<Pipe>,
    outgoing: Arc<Pipe>,
    /// Whether dropping this breaks the connection off.
    aborts: AtomicBool,
    /// This end has broken the connection off.
    aborted: AtomicBool,
    /// A value to drop last: the place of a stream in its connection, say.
    _kept: Option<Kept>,
}

type Kept = Box<dyn Any + Send + Sync>;

impl End {
    /// Breaks both directions off. If this end has finished, the peer still receives all bytes and
    /// the end.
    fn abort(&self, code: u64) -> Aborted {
        self.aborted.store(true, Relaxed);
        self.incoming.reset(code);
        if self.outgoing.reset(code) {
            Aborted::Reset
        } else {
            Aborted::End
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if self.aborts.load(Relaxed) {
            let _ = self.abort(0);
        }
        // If this direction was broken off, the reader learns that instead.
        let _ = self.outgoing.finish();
        self.incoming.close();
    }
}

/// Two ends, one at `here` and one at `there`, with `room` bytes for each direction.
pub(super) fn pair(room: usize, here: &Endpoint, there: &Endpoint) -> (MemSocket, MemSocket) {
    let [up, down] = [(); 2].map(|()| Arc::new(Pipe::new(room)));
    let info =
        |local: &Endpoint, peer: &Endpoint| Info::new(Shape::Stream, local.clone(), peer.clone());
    let (ours, theirs) = (info(here, there), info(there, here));
    (
        end(ours, Arc::clone(&down), Arc::clone(&up), None),
        end(theirs, up, down, None),
    )
}

/// One end of two pipes, which keeps `kept` until both halves are dropped.
pub(super) fn end(
    info: Info,
    incoming: Arc<Pipe>,
    outgoing: Arc<Pipe>,
    kept: Option<Kept>,
) -> MemSocket {
    let end = Arc::new(End {
        info,
        incoming,
        outgoing,
        aborts: AtomicBool::new(false),
        aborted: AtomicBool::new(false),
        _kept: kept,
    });
    let recv = MemRecv {
        end: Arc::clone(&end),
    };
    Joined::new(recv, MemSend { end })
}

impl Half for MemRecv {
    fn info(&self) -> &Info {
        &self.end.info
    }
}

impl Half for MemSend {
    fn info(&self) -> &Info {
        &self.end.info
    }
}

impl RecvHalf for MemRecv {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        self.end.incoming.poll_read(cx, buf)
    }
}

impl SendHalf for MemSend {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.end.outgoing.poll_write(cx, parts)
    }
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.end.aborted.load(Relaxed) {
            return Poll::Ready(Err(aborted_here()));
        }
        Poll::Ready(self.end.outgoing.finish())
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        Ok(self.end.abort(code))
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.end.aborts.store(on, Relaxed);
        Ok(if on && !self.end.outgoing.is_finished() {
            Aborted::Reset
        } else {
            Aborted::End
        })
    }
}
