//! The state that the two ends of a connection share.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::wakers::Wakers;
use crate::contract::connection::closed::Closed;
use crate::mem::pipe::Pipe;
use crate::waking::wake;

/// The most datagrams that wait at one end; further ones are dropped.
const DATAGRAMS: usize = 256;

/// The end that connected.
pub(super) const CLIENT: usize = 0;
/// The end that accepted.
pub(super) const SERVER: usize = 1;

/// The limits that one end sets for the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The most streams that the other may have open at once.
    pub(super) streams: usize,
    /// The most bytes of each stream that wait to be read.
    pub(super) window: usize,
}

/// Wakers run, and are dropped, once the lock is released: a waker may run a task that uses this
/// link, or may own the last handle of an end.
#[derive(Debug)]
pub(super) struct Link {
    limits: [Limits; 2],
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    ends: [End; 2],
    /// The streams that at least one end still has.
    streams: HashMap<u64, Live>,
    next_id: u64,
    /// The end that closed, with its code and reason.
    closed: Option<(usize, u64, String)>,
}

#[derive(Debug, Default)]
struct End {
    /// The handles, streams and datagram sockets that are left.
    held: usize,
    /// Streams that this end opened, and that are not gone at both ends.
    opened: usize,
    /// Streams that the other end opened, and that wait to be accepted.
    backlog: VecDeque<u64>,
    datagrams: VecDeque<Vec<u8>>,
    opening: Wakers,
    accepting: Wakers,
    receiving: Wakers,
}

#[derive(Debug)]
struct Live {
    opener: usize,
    /// The pipe from each end to the other.
    pipes: [Arc<Pipe>; 2],
    /// The number of ends that have it. An end that has not accepted it yet counts.
    ends: usize,
}

/// One end of a stream, before it is a socket.
pub(super) struct Opened {
    pub(super) id: u64,
    pub(super) outgoing: Arc<Pipe>,
    pub(super) incoming: Arc<Pipe>,
}

impl Link {
    pub(super) fn new(client: Limits, server: Limits) -> Arc<Self> {
        Arc::new(Link {
            limits: [client, server],
            state: Mutex::default(),
        })
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock. Should that change, the counts are still right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn poll_open(
        &self,
        end: usize,
        handle: u64,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Opened>> {
        let mut state = self.locked();
        if let Some(closed) = state.closed(end) {
            return Poll::Ready(Err(closed.into()));
        }
        let other = 1 - end;
        if state.ends[end].opened >= self.limits[other].streams {
            let replaced = state.ends[end].opening.wait(handle, cx);
            drop(state);
            drop(replaced);
            return Poll::Pending;
        }
        let id = state.next_id;
        state.next_id += 1;
        // The window of an end bounds the bytes that are sent to it.
        let pipes = [1, 0].map(|to: usize| Arc::new(Pipe::new(self.limits[to].window)));
        let live = Live {
            opener: end,
            pipes,
            ends: 2,
        };
        let opened = live.opened(id, end);
        state.streams.insert(id, live);
        state.ends[end].opened += 1;
        state.ends[other].backlog.push_back(id);
        let accepting = state.ends[other].accepting.take();
        drop(state);
        wake(accepting);
        Poll::Ready(Ok(opened))
    }

    pub(super) fn poll_accept(
        &self,
        end: usize,
        handle: u64,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Opened>>> {
        let mut state = self.locked();
        while let Some(id) = state.ends[end].backlog.pop_front() {
            if let Some(live) = state.streams.get(&id) {
                return Poll::Ready(Ok(Some(live.opened(id, end))));
            }
        }
        match state.closed(end) {
            Some(closed) if closed.by_peer && closed.code != 0 => Poll::Ready(Err(closed.into())),
            Some(_) => Poll::Ready(Ok(None)),
            None => {
                let replaced = state.ends[end].accepting.wait(handle, cx);
                drop(state);
                drop(replaced);
                Poll::Pending
            }
        }
    }

    pub(super) fn close(&self, end: usize, code: u64, reason: &str) {
        let mut state = self.locked();
        if state.closed.is_some() {
            return;
        }
        state.closed = Some((end, code, reason.to_owned()));
        let pipes: Vec<_> = state.streams.values().map(|l| l.pipes.clone()).collect();
        let waiting = state.waiting();
        drop(state);
        let sides = [CLIENT, SERVER].map(|side| Closed {
            by_peer: side != end,
            ..Closed::by_us(code, reason)
        });
        for pipes in pipes {
            pipes[CLIENT].cut_off(&sides[SERVER], &sides[CLIENT]);
            pipes[SERVER].cut_off(&sides[CLIENT], &sides[SERVER]);
        }
        wake(waiting);
    }

    /// Counts one more handle, stream or datagram socket at `end`.
    pub(super) fn hold(&self, end: usize) {
        self.locked().ends[end].held += 1;
    }

    /// Counts one less, which waits no more. The last one closes the connection in order, and
    /// breaks off the streams that were not accepted there.
    pub(super) fn let_go(&self, end: usize, handle: u64) {
        let mut state = self.locked();
        let forgotten = state.ends[end].forget(handle);
        state.ends[end].held -= 1;
        let last = state.ends[end].held == 0;
        let (abandoned, waiting) = match last {
            true => (state.abandon(end), state.waiting()),
            false => Default::default(),
        };
        drop(state);
        drop(forgotten);
        for pipes in abandoned {
            pipes[end].reset(0);
            pipes[1 - end].close();
        }
        wake(waiting);
    }

    /// One end of a stream is gone.
    pub(super) fn leave(&self, id: u64) {
        let mut state = self.locked();
        let opener = state.leave(id);
        let opening = opener.map(|end| state.ends[end].opening.take());
        drop(state);
        wake(opening.into_iter().flatten());
    }

    /// Gives a datagram to the other end, or drops it if there is no room.
    pub(super) fn send_datagram(&self, end: usize, bytes: Vec<u8>) -> io::Result<()> {
        let mut state = self.locked();
        if let Some(closed) = state.closed(end) {
            return Err(closed.into());
        }
        let other = &mut state.ends[1 - end];
        if other.datagrams.len() < DATAGRAMS {
            other.datagrams.push_back(bytes);
            let receiving = other.receiving.take();
            drop(state);
            wake(receiving);
        }
        Ok(())
    }

    /// The next datagram; `None` after an orderly close.
    pub(super) fn poll_datagram(
        &self,
        end: usize,
        handle: u64,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Vec<u8>>>> {
        let mut state = self.locked();
        if let Some(datagram) = state.ends[end].datagrams.pop_front() {
            return Poll::Ready(Ok(Some(datagram)));
        }
        match state.closed(end) {
            Some(closed) if closed.code != 0 || !closed.by_peer => Poll::Ready(Err(closed.into())),
            Some(_) => Poll::Ready(Ok(None)),
            None => {
                let replaced = state.ends[end].receiving.wait(handle, cx);
                drop(state);
                drop(replaced);
                Poll::Pending
            }
        }
    }
}

impl End {
    /// The wakers of the tasks that waited at `handle`.
    fn forget(&mut self, handle: u64) -> [Option<Waker>; 3] {
        [&mut self.opening, &mut self.accepting, &mut self.receiving]
            .map(|wakers| wakers.forget(handle))
    }
}

impl State {
    /// The close, as `end` sees it, if the connection is closed.
    fn closed(&self, end: usize) -> Option<Closed> {
        let (by, code, reason) = self.closed.as_ref()?;
        Some(match *by == end {
            true => Closed::by_us(*code, reason),
            false => Closed::by_peer(*code, reason),
        })
    }

    /// One end of the stream is gone. If both are, gives the end that opened it, which now has room
    /// for another stream.
    fn leave(&mut self, id: u64) -> Option<usize> {
        let live = self.streams.get_mut(&id)?;
        live.ends -= 1;
        if live.ends > 0 {
            return None;
        }
        let opener = live.opener;
        self.streams.remove(&id);
        self.ends[opener].opened -= 1;
        Some(opener)
    }

    /// `end` is gone. Gives the pipes of the streams that it did not accept, for the caller to
    /// break off.
    fn abandon(&mut self, end: usize) -> Vec<[Arc<Pipe>; 2]> {
        let mut abandoned = Vec::new();
        for id in std::mem::take(&mut self.ends[end].backlog) {
            abandoned.extend(self.streams.get(&id).map(|live| live.pipes.clone()));
            self.leave(id);
        }
        if self.closed.is_none() {
            self.closed = Some((end, 0, String::new()));
        }
        abandoned
    }

    /// The wakers of all tasks that wait at either end.
    fn waiting(&mut self) -> Vec<Waker> {
        let mut all = Vec::new();
        for end in &mut self.ends {
            for wakers in [&mut end.opening, &mut end.accepting, &mut end.receiving] {
                all.extend(wakers.take());
            }
        }
        all
    }
}

impl Live {
    /// The stream as `end` has it.
    fn opened(&self, id: u64, end: usize) -> Opened {
        Opened {
            id,
            outgoing: Arc::clone(&self.pipes[end]),
            incoming: Arc::clone(&self.pipes[1 - end]),
        }
    }
}
