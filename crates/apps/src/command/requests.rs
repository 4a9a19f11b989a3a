//! A client's requests, and whether the client is still there.

use std::collections::VecDeque;
use std::sync::Arc;

use socketry_codec::{FrameError, FrameFault, Framed};
use socketry_transport::BoxRecv;
use tokio::time::{Duration, Instant, timeout_at};

use super::process::passed;
use super::{FIRST_REQUEST, HALF_CLOSED, IDLE, MAX_WAITING, MAX_WAITING_BYTES};
use crate::opening::{First, Opening};
use crate::own::Own;
use crate::serving::{Place, part};

/// The keys of a JSON request.
const KEYS: &[&str] = &["run", "argv"];

/// Why the server does not wait for a command any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// [`HALF_CLOSED`] has passed since the client's end, or since an answer could not be sent.
    Closed,
    /// More than [`MAX_WAITING`] commands or [`MAX_WAITING_BYTES`] bytes wait.
    TooFarAhead,
}

/// Something other than a request arrived.
#[derive(Debug)]
pub(super) struct Odd {
    /// The error, for the client.
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

/// The receiving half of a conversation. It gives out every request that has arrived whole,
/// whatever happens to the sending half.
pub(super) struct Requests {
    recv: Framed<BoxRecv>,
    /// `Some` before the first request.
    opening: Option<Opening>,
    /// The requests that arrived while a command ran.
    waiting: VecDeque<Request>,
    bytes: usize,
    /// Nothing more can arrive.
    is_over: bool,
    /// Since when the client may be gone.
    alone: Option<Instant>,
    /// How long to wait for the next request.
    patience: Duration,
    place: Place,
}

impl Requests {
    pub(super) fn new(recv: Framed<BoxRecv>, own: Arc<Own>, place: Place) -> Self {
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

    /// The next request. An error concerns this request only, unless it is fatal. `None` means that
    /// the client has ended, or has been silent for too long. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Request> {
        if let Some(request) = self.waiting.pop_front() {
            self.bytes -= request.as_ref().map_or(0, Vec::len);
            return Some(request);
        }
        if self.is_over {
            return None;
        }
        // A silent client would keep its place for ever.
        let deadline = self
            .deadline()
            .unwrap_or_else(|| Instant::now() + self.patience);
        let received = timeout_at(deadline, self.receive()).await;
        received.unwrap_or_else(|_silent| {
            tracing::info!(peer = %self.recv.peer(), "nothing was asked for too long");
            None
        })
    }

    /// Receives the next request. Cancel-safe.
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

    /// Answers cannot be sent any more. Requests that the client has sent are still received.
    pub(super) fn unheard(&mut self) {
        self.alone.get_or_insert_with(Instant::now);
        self.place.leave();
    }

    /// Resolves when the running command must not be waited for any longer, and returns why.
    /// Meanwhile it keeps the requests that arrive. Cancel-safe.
    ///
    /// A client that has sent too far ahead counts as gone. Otherwise the server would have to stop
    /// reading, would miss that the client disconnects, and the command would outlive its client.
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
        // After a fatal error no frame boundary can be found. The error itself is for the client.
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

    /// When the server stops waiting for a client that may be gone.
    fn deadline(&self) -> Option<Instant> {
        self.alone.map(|since| since + HALF_CLOSED)
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING || self.bytes >= MAX_WAITING_BYTES
    }

    /// Waits a little for the client to close, after the server's last answer.
    pub(super) async fn part(self) {
        self.place.leave();
        part(self.recv.into_socket()).await;
    }
}

/// Receives the next frame. A lost connection is at its end.
async fn receive(recv: &mut Framed<BoxRecv>) -> Option<Request> {
    match recv.recv().await {
        // Copied, since the receive buffer may be much larger than the frame.
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
