//! One direction of a socket: its next faults, and when the connection ends.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use fastrand::Rng;
use socketry_transport::{Shape, StreamReset};
use tokio::time::{Sleep, sleep};

use super::closing::Common;
use super::trace::Event;
use super::{Fault, Faults};

/// The common state of both directions of a connection: whether it has ended, and the wakers of
/// waiting tasks.
#[derive(Debug, Default)]
pub(super) struct Link(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    befallen: Option<Fault>,
    waiting: [Option<Waker>; 2],
}

impl Link {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn befallen(&self) -> Option<Fault> {
        self.state().befallen
    }

    /// This end has aborted the connection. After that no call waits for a vanished peer.
    pub(super) fn abort(&self) {
        self.state().befallen = None;
        self.befall(Fault::Reset);
    }

    /// Ends the connection; the first fate stays. Wakes the tasks that wait for the socket itself,
    /// which would not notice, once the lock is free: a waker may run a task that uses it.
    fn befall(&self, fate: Fault) {
        let mut state = self.state();
        state.befallen.get_or_insert(fate);
        let waiting = state.waiting.each_mut().map(Option::take);
        drop(state);
        waiting.into_iter().flatten().for_each(Waker::wake);
    }
}

/// The faults of one call. They are decided once, however often it is polled.
#[derive(Debug)]
struct Turn {
    pending: bool,
    delay: Option<Pin<Box<Sleep>>>,
    limit: usize,
}

impl Turn {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.pending) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(delay) = &mut self.delay {
            ready!(delay.as_mut().poll(cx));
            self.delay = None;
        }
        Poll::Ready(())
    }
}

/// One direction.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) faults: Faults,
    pub(super) link: Arc<Link>,
    rng: Rng,
    sending: bool,
    /// This is for the opening or accepting of a handle, and counts streams.
    handle: bool,
    /// A call may be answered in part only if it is a stream. A datagram socket goes on after a
    /// refusal.
    shape: Shape,
    turn: Option<Turn>,
    passed: u64,
    /// The fault that ends the connection in this direction, and the byte at which it does.
    fate: Option<(Fault, u64)>,
}

impl Lane {
    pub(super) fn new(faults: &Faults, link: &Arc<Link>, shape: Shape, sending: bool) -> Self {
        let mut lane = Lane {
            rng: derived(faults, sending),
            faults: faults.clone(),
            link: Arc::clone(link),
            sending,
            handle: false,
            shape,
            turn: None,
            passed: 0,
            fate: None,
        };
        lane.fate = lane.roll_fate();
        lane
    }

    /// For the calls of a handle of a connection: to open streams, or else to accept them.
    pub(super) fn of_handle(faults: &Faults, opening: bool) -> Self {
        let faults = faults.clone().without(&Fault::FATES);
        let mut lane = Lane::new(&faults, &Arc::default(), Shape::Stream, opening);
        lane.handle = true;
        // Not the random sequence of the stream with the same number.
        lane.rng = Rng::with_seed(lane.rng.u64(..));
        lane
    }

    fn roll_fate(&mut self) -> Option<(Fault, u64)> {
        let mut fates = Fault::FATES.into_iter();
        let fate = fates.find(|fate| self.faults.rolls(*fate, &mut self.rng))?;
        Some((fate, self.faults.roll_end(&mut self.rng)))
    }

    /// Whether `fault` happens now. If so, it is added to the trace.
    pub(super) fn happens(&mut self, fault: Fault) -> bool {
        let happens = self.faults.rolls(fault, &mut self.rng);
        if happens {
            self.note(fault);
        }
        happens
    }

    fn note(&self, fault: Fault) {
        if let Some(trace) = &self.faults.trace {
            trace.push(Event {
                connection: self.faults.connection.as_ref().map(|common| common.number),
                socket: self.faults.number,
                handle: self.handle,
                sending: self.sending,
                fault,
                at: self.passed,
            });
        }
    }

    /// A number below `end`, or 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.rng.usize(0..end.max(1))
    }

    /// A time up to the longest delay.
    fn some_time(&mut self) -> Duration {
        self.faults.longest_delay.mul_f64(self.rng.f64())
    }

    /// Waits for delays of the next call. Then at most so many bytes of a stream may pass, of the
    /// `len` that could. Or the connection has ended with this fault.
    pub(super) fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        len: usize,
    ) -> Poll<Result<usize, Fault>> {
        if let Some(fate) = self.meet_fate() {
            return Poll::Ready(Err(fate));
        }
        let mut turn = match self.turn.take() {
            Some(turn) => turn,
            None => self.roll_turn(len),
        };
        let ready = turn.poll(cx);
        let limit = turn.limit;
        self.turn = Some(turn);
        ready.map(|()| Ok(limit))
    }

    fn roll_turn(&mut self, len: usize) -> Turn {
        Turn {
            pending: self.happens(Fault::Pending),
            delay: self.roll_delay(),
            limit: self.roll_limit(len),
        }
    }

    fn roll_delay(&mut self) -> Option<Pin<Box<Sleep>>> {
        let delays = !self.faults.longest_delay.is_zero() && self.happens(Fault::Delay);
        delays.then(|| Box::pin(sleep(self.some_time())))
    }

    /// Limits pieces to short ones, and to the byte at which the connection ends.
    fn roll_limit(&mut self, len: usize) -> usize {
        let short = match self.sending {
            true => Fault::ShortWrite,
            false => Fault::ShortRead,
        };
        let piece = match self.shape.is_stream() && len > 1 && self.happens(short) {
            true => 1 + self.small(),
            false => usize::MAX,
        };
        match self.fate {
            Some((_, at)) if !self.faults.between_calls => {
                let left = at.saturating_sub(self.passed).max(1);
                piece.min(usize::try_from(left).unwrap_or(usize::MAX))
            }
            _ => piece,
        }
    }

    /// A number below the longest piece; every second time 0.
    fn small(&mut self) -> usize {
        match self.rng.bool() {
            true => 0,
            false => self.below(self.faults.longest_piece),
        }
    }

    /// The fault that this call has to report, if it has ended the connection, now or before.
    fn meet_fate(&mut self) -> Option<Fault> {
        if let Some((fate, at)) = self.fate
            && self.passed >= at
        {
            self.fate = None;
            self.note(fate);
            if fate == Fault::Reset && !self.shape.is_reliable() {
                return Some(fate);
            }
            self.link.befall(fate);
        }
        self.link.befallen()
    }

    /// The call was answered, and so many bytes have passed.
    pub(super) fn done(&mut self, bytes: usize) {
        self.turn = None;
        self.passed += bytes as u64;
        let closes = |common: &Arc<Common>| !self.handle && common.closes_after(bytes as u64);
        if self.faults.connection.as_ref().is_some_and(closes) {
            self.note(Fault::Close);
        }
    }

    /// The error that a call has to report, for one of the socket.
    pub(super) fn seen(&self, error: io::Error) -> io::Error {
        match &self.faults.connection {
            Some(common) => common.seen(error),
            None => error,
        }
    }

    /// The error of a broken connection.
    pub(super) fn failed(&self) -> io::Error {
        match &self.faults.connection {
            _ if !self.shape.is_reliable() => io::ErrorKind::ConnectionRefused.into(),
            Some(_) => StreamReset::new(self.faults.code).into(),
            None => io::ErrorKind::ConnectionReset.into(),
        }
    }

    /// Registers the task that waits for the socket itself, or for the end of the connection.
    pub(super) fn waits(&self, cx: &Context<'_>) {
        let mut state = self.link.state();
        let over = state.befallen.is_some();
        let replaced = state.waiting[usize::from(self.sending)].replace(cx.waker().clone());
        drop(state);
        drop(replaced);
        if over {
            cx.waker().wake_by_ref();
        }
    }
}

/// A random sequence for each direction of each socket.
fn derived(faults: &Faults, sending: bool) -> Rng {
    let seed = match &faults.connection {
        Some(common) => common.seed,
        None => faults.seed,
    };
    let mixed = Rng::with_seed(seed).u64(..) ^ faults.number;
    let mixed = Rng::with_seed(mixed).u64(..) ^ u64::from(sending);
    Rng::with_seed(mixed)
}
