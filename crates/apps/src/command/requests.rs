//! What a client asks, and whether it is still there.

use std::collections::VecDeque;
use std::fmt;

use socketry_codec::{FrameError, Framed};
use socketry_transport::{BoxRecv, RecvExt};
use tokio::time::{Duration, Instant, sleep_until, timeout};

use super::{FIRST_REQUEST, HALF_CLOSED, IDLE, MAX_WAITING, MAX_WAITING_BYTES};

/// How much a client may still have sent when the server ends the connection, and how long the server waits for the
/// client to close too. Closing with unread bytes would destroy the last answer.
const LINGER_BYTES: usize = 1 << 20;
const LINGER: Duration = Duration::from_secs(2);

/// Why a client is answered no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    Disconnected,
    /// More than [`MAX_WAITING`] or [`MAX_WAITING_BYTES`] of commands.
    TooFarAhead,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gone::Disconnected => f.write_str("the client disconnected"),
            Gone::TooFarAhead => write!(
                f,
                "the client sent more than {MAX_WAITING} commands or {} KiB of them ahead",
                MAX_WAITING_BYTES >> 10
            ),
        }
    }
}

/// The receiving half of a conversation.
pub(super) struct Requests {
    recv: Framed<BoxRecv>,
    /// What arrived while a command ran.
    waiting: VecDeque<Result<Vec<u8>, FrameError>>,
    bytes: usize,
    /// The client has finished sending.
    ended: Option<Instant>,
    /// How long to wait for the next one.
    patience: Duration,
}

impl Requests {
    pub(super) fn new(recv: Framed<BoxRecv>) -> Self {
        Requests {
            recv,
            waiting: VecDeque::new(),
            bytes: 0,
            ended: None,
            patience: FIRST_REQUEST,
        }
    }

    /// The next request; an error concerns this one only, unless it is fatal. `None` is the end, or a client that has
    /// been silent for too long. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Result<Vec<u8>, FrameError>> {
        if let Some(request) = self.waiting.pop_front() {
            self.bytes -= request.as_ref().map_or(0, Vec::len);
            return Some(request);
        }
        if self.ended.is_some() {
            return None;
        }
        // A client that says nothing would keep its place for ever.
        let received = timeout(self.patience, receive(&mut self.recv)).await;
        self.patience = IDLE;
        received.unwrap_or_else(|_silent| {
            tracing::info!(peer = %self.recv.peer(), "nothing was asked for too long");
            None
        })
    }

    /// Resolves when there is nobody to answer any more, and says why. Meanwhile it keeps what arrives. Cancel-safe.
    ///
    /// Who has sent too much ahead counts as gone: to read no further would be to miss that he disconnects, and his
    /// command would outlive him.
    pub(super) async fn gone(&mut self) -> Gone {
        while self.ended.is_none() {
            match receive(&mut self.recv).await {
                Some(Err(error)) if error.is_fatal() => return Gone::Disconnected,
                Some(_) if self.is_full() => return Gone::TooFarAhead,
                Some(request) => {
                    self.bytes += request.as_ref().map_or(0, Vec::len);
                    self.waiting.push_back(request);
                }
                None => self.ended = Some(Instant::now()),
            }
        }
        if let Some(ended) = self.ended {
            sleep_until(ended + HALF_CLOSED).await;
        }
        Gone::Disconnected
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING || self.bytes >= MAX_WAITING_BYTES
    }

    /// Waits a little for the client to close, once the server has said its last.
    pub(super) async fn linger(self) {
        let mut socket = self.recv.into_socket();
        let closed = async {
            let mut scratch = vec![0; 4096];
            let mut left = LINGER_BYTES;
            while left > 0 {
                match socket.recv(&mut scratch).await {
                    Ok((len, _)) if len > 0 => left = left.saturating_sub(len),
                    _ => return,
                }
            }
        };
        let _ = timeout(LINGER, closed).await;
    }
}

async fn receive(recv: &mut Framed<BoxRecv>) -> Option<Result<Vec<u8>, FrameError>> {
    match recv.recv().await {
        // A copy: the buffer that it lies in may be much larger.
        Ok(frame) => frame.map(|frame| Ok(frame.to_vec())),
        Err(error) => Some(Err(error)),
    }
}
