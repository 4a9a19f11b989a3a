//! One direction between two ends: a bounded buffer, and the two tasks that wait at it.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::ReadBuf;
use tokio::task::coop::poll_proceed;

use crate::contract::connection::closed::{Closed, StreamReset};
use crate::contract::socket::Received;
use crate::waking::{wait, wake};

#[derive(Debug)]
pub(super) struct Pipe {
    /// The most bytes that wait.
    room: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    /// The writer will write no more.
    finished: bool,
    /// The reader is gone.
    deaf: bool,
    /// The reason for which this direction ended before it was finished.
    broken: Option<Broken>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The end of a direction that was not finished.
#[derive(Debug)]
enum Broken {
    /// One end aborted, with this code.
    Reset(u64),
    /// The connection of this stream was closed: the error for each of the two ends.
    Closed { reader: Closed, writer: Closed },
}

impl Pipe {
    pub(super) fn new(room: usize) -> Self {
        let state = Mutex::default();
        Pipe { room, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock. Should that change, the bytes are still in order.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes both tasks once the lock is released.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let wakers = {
            let mut state = self.state();
            change(&mut state);
            [state.reader.take(), state.writer.take()]
        };
        wake(wakers.into_iter().flatten());
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let turn = ready!(poll_proceed(cx));
        let writer = {
            let mut state = self.state();
            if state.bytes.is_empty() && buf.remaining() > 0 {
                if let Some(broken) = &state.broken {
                    return Poll::Ready(Err(broken.for_reader()));
                }
                if state.finished {
                    turn.made_progress();
                    return Poll::Ready(Ok(Received::End));
                }
                let replaced = wait(&mut state.reader, cx);
                drop(state);
                drop(replaced);
                return Poll::Pending;
            }
            state.read(buf);
            state.writer.take()
        };
        turn.made_progress();
        wake(writer);
        Poll::Ready(Ok(Received::Data))
    }

    pub(super) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let turn = ready!(poll_proceed(cx));
        let (taken, reader) = {
            let mut state = self.state();
            if let Some(broken) = &state.broken {
                return Poll::Ready(Err(broken.for_writer()));
            }
            if state.finished || state.deaf {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let room = self.room - state.bytes.len();
            if room == 0 && parts.iter().any(|part| !part.is_empty()) {
                let replaced = wait(&mut state.writer, cx);
                drop(state);
                drop(replaced);
                return Poll::Pending;
            }
            (state.write(parts, room), state.reader.take())
        };
        turn.made_progress();
        wake(reader);
        Poll::Ready(Ok(taken))
    }

    /// The writer has written all. Fails if the direction was broken off before, since bytes may be
    /// missing.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut finished = Ok(());
        self.change(|state| match &state.broken {
            Some(broken) => finished = Err(broken.for_writer()),
            None => state.finished = true,
        });
        finished
    }

    pub(super) fn is_finished(&self) -> bool {
        self.state().finished
    }

    /// The reader is gone, and the bytes that wait are dropped.
    pub(super) fn close(&self) {
        self.change(|state| {
            state.deaf = true;
            state.bytes = VecDeque::new();
        });
    }

    /// Breaks this direction off after the bytes that wait, unless it was finished. Gives whether
    /// the peer sees a reset.
    pub(super) fn reset(&self, code: u64) -> bool {
        let mut seen = false;
        self.change(|state| {
            seen = !state.finished || state.broken.is_some();
            if seen {
                state.broken.get_or_insert(Broken::Reset(code));
            }
        });
        seen
    }

    /// The connection is closed: this direction ends after the bytes that wait, unless it has ended
    /// before.
    pub(super) fn cut_off(&self, reader: &Closed, writer: &Closed) {
        self.change(|state| {
            if !state.finished {
                state.broken.get_or_insert_with(|| Broken::Closed {
                    reader: reader.clone(),
                    writer: writer.clone(),
                });
            }
        });
    }
}

impl Broken {
    fn for_reader(&self) -> io::Error {
        match self {
            Broken::Reset(code) => StreamReset::new(*code).into(),
            Broken::Closed { reader, .. } => reader.clone().into(),
        }
    }

    fn for_writer(&self) -> io::Error {
        match self {
            Broken::Reset(code) => StreamReset::new(*code).into(),
            Broken::Closed { writer, .. } => writer.clone().into(),
        }
    }
}

impl State {
    fn read(&mut self, buf: &mut ReadBuf<'_>) {
        let (first, second) = self.bytes.as_slices();
        let head = first.len().min(buf.remaining());
        buf.put_slice(&first[..head]);
        let tail = second.len().min(buf.remaining());
        buf.put_slice(&second[..tail]);
        self.bytes.drain(..head + tail);
    }

    fn write(&mut self, parts: &[IoSlice<'_>], room: usize) -> usize {
        let mut left = room;
        for part in parts {
            let take = part.len().min(left);
            self.bytes.extend(&part[..take]);
            left -= take;
        }
        room - left
    }
}
