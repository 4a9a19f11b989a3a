//! What a client asks, and whether it is still there.

use std::collections::VecDeque;

use socketry_codec::{CodecName, FrameError, FrameFault, Framed};
use socketry_transport::BoxRecv;
use tokio::time::{Duration, Instant, timeout_at};

use super::process::passed;
use super::{FIRST_REQUEST, HALF_CLOSED, IDLE, MAX_WAITING, MAX_WAITING_BYTES};
use crate::opening::{First, Opening};
use crate::serving::{Place, part};

/// The keys of a JSON request.
const KEYS: &[&str] = &["run", "argv"];

/// Why a command is not waited for any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// [`HALF_CLOSED`] has passed since nothing came any more, or nothing was heard any more.
    Closed,
    /// More than [`MAX_WAITING`] or [`MAX_WAITING_BYTES`] of commands.
    TooFarAhead,
}

/// What arrived in place of a request.
#[derive(Debug)]
pub(super) struct Odd {
    /// For the client.
    pub(super) words: String,
    /// Whether a request may follow.
    pub(super) goes_on: bool,
}

impl From<FrameError> for Odd {
    fn from(error: FrameError) -> Self {
        Odd {
            words: error.fault().to_string(),
            goes_on: !error.is_fatal(),
        }
    }
}

type Request = Result<Vec<u8>, Odd>;

/// The receiving half of a conversation. Whatever becomes of the sending half, what has arrived
/// whole is given out.
pub(super) struct Requests {
    recv: Framed<BoxRecv>,
    /// Before the first request.
    opening: Option<Opening>,
    /// What arrived while a command ran.
    waiting: VecDeque<Request>,
    bytes: usize,
    /// Nothing more can arrive.
    is_over: bool,
    /// Since when there may be nobody to answer.
    alone: Option<Instant>,
    /// How long to wait for the next one.
    patience: Duration,
    place: Place,
}

impl Requests {
    pub(super) fn new(recv: Framed<BoxRecv>, own: CodecName, place: Place) -> Self {
        Requests {
            recv,
            opening: Some(Opening::new(own, KEYS)),
            waiting: VecDeque::new(),
            bytes: 0,
            is_over: false,
            alone: None,
            patience: FIRST_REQUEST,
            place,
        }
    }

    /// The next request; an error concerns this one only, unless it is fatal. `None` is the end, or
    /// a client that has been silent for too long. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Request> {
        if let Some(request) = self.waiting.pop_front() {
            self.bytes -= request.as_ref().map_or(0, Vec::len);
            return Some(request);
        }
        if self.is_over {
            return None;
        }
        // A client that says nothing would keep its place for ever.
        let deadline = self
            .deadline()
            .unwrap_or_else(|| Instant::now() + self.patience);
        let received = timeout_at(deadline, self.receive()).await;
        received.unwrap_or_else(|_silent| {
            tracing::info!(peer = %self.recv.peer(), "nothing was asked for too long");
            None
        })
    }

    /// What arrives next. Cancel-safe.
    async fn receive(&mut self) -> Option<Request> {
        let Some(opening) = &mut self.opening else {
            return receive(&mut self.recv).await;
        };
        let first = opening.next(&mut self.recv).await;
        let words = opening.words(&first);
        if !matches!(first, First::Unfinished) {
            self.opening = None;
            self.patience = IDLE;
        }
        let goes_on = match first {
            First::Frame(frame) => return frame.map(Ok),
            First::Refused(error, _) if is_lost(&error) => return None,
            First::Refused(error, _) => !error.is_fatal(),
            First::Unfinished => true,
            First::Foreign(_) | First::Stranger(_) => false,
        };
        Some(Err(Odd { words, goes_on }))
    }

    /// The client cannot be answered any more. What it has asked is still to be received.
    pub(super) fn unheard(&mut self) {
        self.alone.get_or_insert_with(Instant::now);
        self.place.leave();
    }

    /// Resolves when a command is not to be waited for any longer, and says why. Meanwhile it keeps
    /// what arrives. Cancel-safe.
    ///
    /// Who has sent too much ahead counts as gone: to read no further would be to miss that he
    /// disconnects, and his command would outlive him.
    pub(super) async fn gone(&mut self) -> Gone {
        loop {
            let deadline = self.deadline();
            tokio::select! {
                biased;
                request = receive(&mut self.recv), if !self.is_over => {
                    if request.is_some() && self.is_full() {
                        return Gone::TooFarAhead;
                    }
                    self.keep(request);
                }
                () = passed(deadline) => return Gone::Closed,
            }
        }
    }

    fn keep(&mut self, request: Option<Request>) {
        // Nothing is found behind a fatal error, which itself is for the client.
        let more = matches!(&request, Some(Ok(_) | Err(Odd { goes_on: true, .. })));
        if !more {
            self.is_over = true;
            self.unheard();
        }
        if let Some(request) = request {
            self.bytes += request.as_ref().map_or(0, Vec::len);
            self.waiting.push_back(request);
        }
    }

    /// When nobody is waited for any longer.
    fn deadline(&self) -> Option<Instant> {
        self.alone.map(|since| since + HALF_CLOSED)
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING || self.bytes >= MAX_WAITING_BYTES
    }

    /// Waits a little for the client to close, once the server has said its last.
    pub(super) async fn part(self) {
        self.place.leave();
        part(self.recv.into_socket()).await;
    }
}

/// What arrives next. A connection that is lost is at its end.
async fn receive(recv: &mut Framed<BoxRecv>) -> Option<Request> {
    match recv.recv().await {
        // A copy: the buffer that it lies in may be much larger.
        Ok(frame) => frame.map(|frame| Ok(frame.to_vec())),
        Err(error) => (!is_lost(&error)).then(|| Err(error.into())),
    }
}

/// Whether the connection is lost.
fn is_lost(error: &FrameError) -> bool {
    let lost = error.is_fatal() && matches!(error.fault(), FrameFault::Io(_));
    if lost {
        tracing::debug!("{error}");
    }
    lost
}
