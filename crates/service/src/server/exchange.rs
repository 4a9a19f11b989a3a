//! The requests of one client, and their answers in order.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::FuturesOrdered;
use futures_util::{Sink, Stream};
use socketry_codec::{Codec, Framed};
use socketry_transport::{Info, Socket};
use tokio::time::Instant;

use super::Failure;
use super::answer::Request;
use super::tie::Tie;

type Result<T> = std::result::Result<T, Failure>;

/// What answers the requests of one client.
pub(super) trait Ask {
    /// The future of an answer.
    type Answer: Future<Output = Result<Bytes>>;

    /// Ready when it takes one more request.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>>;

    /// Begins to answer. It is called only when it is ready.
    fn ask(&mut self, request: Request) -> Self::Answer;
}

/// The requests of one client.
pub(super) struct Exchange<S, C, A: Ask> {
    framed: Framed<S, C>,
    info: Arc<Info>,
    ask: A,
    /// The most requests at once.
    most: usize,
    /// A request that came and cannot be asked yet.
    next: Option<Request>,
    running: FuturesOrdered<A::Answer>,
    waiting: Waiting,
    /// The client sends no more.
    heard_all: bool,
}

impl<S: Socket, C: Codec, A: Ask> Exchange<S, C, A> {
    pub(super) fn new(framed: Framed<S, C>, ask: A, most: usize, tie: Arc<Tie>) -> Self {
        Exchange {
            info: Arc::new(framed.socket().info().clone()),
            framed,
            ask,
            most: most.max(1),
            next: None,
            running: FuturesOrdered::new(),
            waiting: Waiting {
                tie,
                requests: VecDeque::new(),
            },
            heard_all: false,
        }
    }

    /// Ready when the client has ended and has all answers. Answers are flushed only when there is
    /// nothing else to do, so that many leave in one write.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            let answered = self.poll_answers(cx)?;
            let asked = self.poll_requests(cx)?;
            if !answered && !asked {
                break;
            }
        }
        let flushed = Pin::new(&mut self.framed).poll_flush(cx)?;
        let idle = self.waiting.requests.is_empty();
        if self.heard_all && idle && flushed.is_ready() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    /// Feeds the answers that are ready. Gives whether there was one.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> Result<bool> {
        let mut some = false;
        while !self.running.is_empty() {
            if Pin::new(&mut self.framed).poll_ready(cx)?.is_pending() {
                break;
            }
            let Poll::Ready(Some(answer)) = Pin::new(&mut self.running).poll_next(cx) else {
                break;
            };
            Pin::new(&mut self.framed).start_send(answer?)?;
            self.waiting.answered();
            some = true;
        }
        Ok(some)
    }

    /// Begins to answer the requests that have arrived, as long as there is room. Gives whether
    /// there was one.
    fn poll_requests(&mut self, cx: &mut Context<'_>) -> Result<bool> {
        let mut some = false;
        while self.running.len() < self.most && self.poll_next_request(cx)? {
            // Asked only now: a place that it keeps must not wait for an idle client.
            if self.ask.poll_ready(cx)?.is_pending() {
                break;
            }
            if let Some(request) = self.next.take() {
                self.running.push_back(self.ask.ask(request));
                some = true;
            }
        }
        Ok(some)
    }

    /// Whether there is a request to ask.
    fn poll_next_request(&mut self, cx: &mut Context<'_>) -> Result<bool> {
        if self.next.is_none() && !self.heard_all {
            let busy = !self.running.is_empty();
            self.waiting.tie.set_busy(busy);
            let Poll::Ready(frame) = self.framed.poll_recv_bytes(cx) else {
                return Ok(false);
            };
            match frame? {
                Some(frame) => {
                    self.waiting.begin(&frame)?;
                    let info = Arc::clone(&self.info);
                    self.next = Some(Request { frame, info });
                }
                None => self.heard_all = true,
            }
        }
        Ok(self.next.is_some())
    }
}

/// The requests that wait for their answers, in order.
struct Waiting {
    tie: Arc<Tie>,
    requests: VecDeque<Come>,
}

/// A request that has come.
struct Come {
    /// Its length. It is in memory until it is answered.
    len: usize,
    /// When it came, if there is an observer.
    at: Option<Instant>,
}

impl Waiting {
    fn begin(&mut self, frame: &Bytes) -> Result<()> {
        self.tie.budget.resize(0, frame.len())?;
        let at = self.tie.observer.is_some().then(Instant::now);
        let len = frame.len();
        self.requests.push_back(Come { len, at });
        let waiting = self.requests.len();
        self.tie
            .tell(|observer, id| observer.requested(id, waiting));
        Ok(())
    }

    /// The first one is answered.
    fn answered(&mut self) {
        if let Some(come) = self.requests.pop_front() {
            self.end(&come, come.at.map(|at| at.elapsed()));
        }
    }

    fn end(&self, come: &Come, latency: Option<std::time::Duration>) {
        // To have less is never refused.
        let _ = self.tie.budget.resize(come.len, 0);
        self.tie.tell(|observer, id| observer.answered(id, latency));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        while let Some(come) = self.requests.pop_front() {
            self.end(&come, None);
        }
    }
}
