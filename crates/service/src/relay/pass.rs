//! One direction of a relay.

use socketry_codec::{Codec, FrameError, FrameFault, Framed, limits::FRAMES_AT_ONCE};
use socketry_transport::{RecvHalf, SendHalf};

use super::{Flow, RelayError};

/// A frame of this many bytes is written from where it lies: to copy it costs more than a write.
const ALONE: usize = 16 << 10;

/// The frames that come from one half and go to another.
pub(super) struct Pass<'a, R, C, W, D> {
    pub(super) from: Framed<R, C>,
    pub(super) to: Framed<W, D>,
    pub(super) toll: Toll<'a>,
}

/// What is counted, and whether a fault of one frame is.
#[derive(Clone, Copy)]
pub(super) struct Toll<'a> {
    pub(super) flow: &'a Flow,
    /// The flow of the other direction.
    pub(super) back: &'a Flow,
    pub(super) passing_over: bool,
}

impl<R: RecvHalf, C: Codec, W: SendHalf, D: Codec> Pass<'_, R, C, W, D> {
    /// Passes frames on until the end, and passes on the end.
    pub(super) async fn run(&mut self) -> Result<(), RelayError> {
        let passed = self.frames().await;
        passed.map_err(|error| self.failed(error))?;
        self.finish().await
    }

    /// Passes on an end.
    pub(super) async fn finish(&mut self) -> Result<(), RelayError> {
        let finished = self.to.finish().await;
        finished.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: FrameError) -> RelayError {
        RelayError {
            after: self.toll.flow.frames(),
            error,
            from: self.from.peer().redacted().to_string(),
            to: self.to.peer().redacted().to_string(),
        }
    }

    /// Whether the connection that it sends to is broken off when the relay is dropped.
    pub(super) fn abort_on_drop(&mut self, on: bool) {
        // Where the system refuses, the peer sees an end.
        let _ = self.to.socket_mut().abort_on_drop(on);
    }

    async fn frames(&mut self) -> Result<(), FrameError> {
        while self.some().await? {}
        Ok(())
    }

    /// Passes on the frames that have arrived, at least one. False at the end.
    async fn some(&mut self) -> Result<bool, FrameError> {
        let Pass { from, to, toll } = self;
        toll.flow.waits(true);
        let received = from.recv_many(FRAMES_AT_ONCE).await;
        toll.flow.waits(false);
        let frames = match toll.of_received(received)? {
            Some(Some(frames)) => frames,
            Some(None) => return Ok(false),
            None => return Ok(true),
        };
        for frame in frames {
            let fed = match frame.len() {
                ..ALONE => to.feed(frame).await,
                _ => to.send(frame).await,
            };
            match toll.of(fed) {
                Ok(Some(())) => toll.flow.passed(frame.len()),
                Ok(None) => {}
                Err(error) => {
                    // The frames before it count as passed on, and may still wait.
                    let _ = to.flush().await;
                    return Err(error);
                }
            }
        }
        toll.of(to.flush().await)?;
        Ok(true)
    }
}

impl Toll<'_> {
    /// `None` for a fault that is passed over.
    fn of<T>(self, result: Result<T, FrameError>) -> Result<Option<T>, FrameError> {
        self.at(self.flow, result)
    }

    /// The same of what was received. A datagram socket tells there what became of a datagram that
    /// was sent, which is one of the other direction.
    fn of_received<T>(self, result: Result<T, FrameError>) -> Result<Option<T>, FrameError> {
        match &result {
            Err(error) if matches!(error.fault(), FrameFault::Io(_)) => self.at(self.back, result),
            _ => self.of(result),
        }
    }

    fn at<T>(self, flow: &Flow, result: Result<T, FrameError>) -> Result<Option<T>, FrameError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.passing_over && !error.is_fatal() => {
                flow.lose();
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
