//! A socket with faults that remembers its answers.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use socketry_testkit::{Fault, Faults, Faulty, Script, Trace};
use socketry_transport::{Aborted, Half, Info, Received, RecvHalf, SendHalf, Socket};
use tokio::io::ReadBuf;

/// The socket's answer to a receive.
#[derive(Debug)]
pub enum Answer {
    Bytes(Vec<u8>),
    /// The beginning of a datagram, whose end is missing.
    Cut,
    Failure(ErrorKind),
    End,
}

/// Clones are the same socket, and so are its halves.
#[derive(Clone)]
pub struct Witness {
    script: Script,
    trace: Trace,
    state: Arc<Mutex<State>>,
}

struct State {
    socket: Faulty<Script>,
    answers: Vec<Answer>,
    received: Vec<u8>,
    taken: Vec<u8>,
    largest_room: usize,
}

impl Witness {
    pub fn new(script: &Script, faults: Faults) -> Self {
        let trace = Trace::new();
        let state = State {
            socket: faults.traced(&trace).over(script.clone()),
            answers: Vec::new(),
            received: Vec::new(),
            taken: Vec::new(),
            largest_room: 0,
        };
        Witness {
            script: script.clone(),
            trace,
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answers to receives since the last call.
    pub fn answers(&self) -> Vec<Answer> {
        std::mem::take(&mut self.state().answers)
    }

    /// All bytes that were received.
    pub fn received(&self) -> Vec<u8> {
        self.state().received.clone()
    }

    /// All bytes that it took, wherever they went.
    pub fn taken(&self) -> Vec<u8> {
        self.state().taken.clone()
    }

    /// The most room in bytes that a receive has offered.
    pub fn largest_room(&self) -> usize {
        self.state().largest_room
    }

    /// Whether this fault has ended the connection.
    pub fn came_to(&self, fault: Fault) -> bool {
        self.trace.count(fault) > 0
    }

    /// Whether nothing more arrives, for whatever reason.
    pub fn is_silent(&self) -> bool {
        let ended = self.came_to(Fault::Stall) || self.came_to(Fault::HalfOpen);
        ended || self.has_given_all()
    }

    fn has_given_all(&self) -> bool {
        let mut byte = [0];
        let mut cx = Context::from_waker(Waker::noop());
        let received = self
            .script
            .clone()
            .poll_recv(&mut cx, &mut ReadBuf::new(&mut byte));
        received.is_pending()
    }
}

impl State {
    fn receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let before = buf.filled().len();
        self.largest_room = self.largest_room.max(buf.remaining());
        let answer = ready!(self.socket.poll_recv(cx, buf));
        let bytes = &buf.filled()[before..];
        self.received.extend_from_slice(bytes);
        self.answers.push(match &answer {
            Ok(Received::Data) => Answer::Bytes(bytes.to_vec()),
            Ok(Received::Cut(_)) => Answer::Cut,
            Ok(Received::End) => Answer::End,
            Err(error) => Answer::Failure(error.kind()),
        });
        Poll::Ready(answer)
    }

    fn send(&mut self, cx: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let taken = ready!(self.socket.poll_send(cx, parts))?;
        let mut left = taken;
        for part in parts {
            let here = left.min(part.len());
            self.taken.extend_from_slice(&part[..here]);
            left -= here;
        }
        Poll::Ready(Ok(taken))
    }
}

impl Half for Witness {
    fn info(&self) -> &Info {
        self.script.info()
    }
}

impl RecvHalf for Witness {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        self.state().receive(cx, buf)
    }
}

impl SendHalf for Witness {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.state().send(cx, parts)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state().socket.poll_flush(cx)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state().socket.poll_finish(cx)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.state().socket.abort(code)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.state().socket.abort_on_drop(on)
    }
}

impl Socket for Witness {
    type Recv = Witness;
    type Send = Witness;

    fn split(self) -> (Witness, Witness) {
        (self.clone(), self)
    }
}
