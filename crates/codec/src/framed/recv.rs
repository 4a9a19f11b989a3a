//! Receiving frames.

use std::future::poll_fn;
use std::ops::Range;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use socketry_transport::RecvHalf;

use super::input::{Asked, Refused, Step};
use super::quick::{First, Quick};
use super::{FrameError, FrameFault, Framed};
use crate::Codec;

impl<S: RecvHalf, C: Codec> Framed<S, C> {
    /// Receives the next frame, in place: it is there until the next call. `None` is the end.
    ///
    /// Cancel-safe: a frame that was not given out is there for the next call.
    ///
    /// # Errors
    /// An error that [is not fatal](FrameError::is_fatal) concerns one frame or datagram; the next call goes on behind
    /// it. After a fatal one there is only `None`.
    #[inline(always)]
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<&[u8]>, FrameError>> {
        Quick::new(Recv(self), |(framed, asked)| framed.recv_waiting(asked))
    }

    async fn recv_waiting(&mut self, asked: Asked) -> Result<Option<&[u8]>, FrameError> {
        let frame = match self.look(asked)? {
            Step::Frame(range) => Some(range),
            Step::More(mut need) => poll_fn(|cx| self.poll_frame(cx, &mut need)).await?,
            Step::Over => None,
        };
        Ok(frame.map(|range| self.input.slice(range)))
    }

    /// Receives the next frame as [`Bytes`] of its own, cut from the buffer without a copy. `None` is the end.
    ///
    /// It keeps the whole buffer that it was cut from in memory (up to 64 KiB, or the largest frame): copy small frames
    /// that you keep for long. Cancel-safe.
    ///
    /// # Errors
    /// As [`recv`](Framed::recv).
    pub async fn recv_bytes(&mut self) -> Result<Option<Bytes>, FrameError> {
        poll_fn(|cx| self.poll_recv_bytes(cx)).await
    }

    /// [`recv_bytes`](Framed::recv_bytes), to poll.
    ///
    /// # Errors
    /// As [`recv`](Framed::recv).
    #[inline]
    pub fn poll_recv_bytes(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, FrameError>> {
        let frame = match self.input.frame_here(&mut self.codec) {
            Ok(range) => Some(range),
            Err(asked) => match self.look(asked)? {
                Step::Frame(range) => Some(range),
                Step::More(mut need) => ready!(self.poll_frame(cx, &mut need))?,
                Step::Over => None,
            },
        };
        Poll::Ready(Ok(frame.map(|range| self.input.cut(range))))
    }

    /// What there is without receiving, from what was [asked](super::input::Input::frame_here) already.
    #[inline(never)]
    fn look(&mut self, asked: Asked) -> Result<Step, FrameError> {
        if self.input.body > 0 {
            return Err(self.recv_error(FrameFault::BodyUnread(self.input.body)));
        }
        let step = self.input.step(&mut self.codec, asked);
        step.map_err(|error| self.codec_error(error))
    }

    /// Receives until a frame is here, of which `need` bytes are missing; where it lies in the buffer.
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        need: &mut usize,
    ) -> Poll<Result<Option<Range<usize>>, FrameError>> {
        loop {
            let in_step = self.codec.in_step();
            let filled = ready!(self.input.poll_fill(cx, &mut self.socket, *need, in_step));
            filled.map_err(|fault| self.recv_error(fault))?;
            match self.look(None)? {
                Step::Frame(range) => return Poll::Ready(Ok(Some(range))),
                Step::More(more) => *need = more,
                Step::Over => return Poll::Ready(Ok(None)),
            }
        }
    }

    fn codec_error(&self, refused: Refused) -> FrameError {
        let fatal = refused.error.is_fatal();
        let error = FrameError::new(refused.error, "receive from", self.socket.peer(), fatal);
        error.about(refused.found)
    }

    #[cold]
    pub(super) fn recv_error(&self, fault: impl Into<FrameFault>) -> FrameError {
        FrameError::new(
            fault,
            "receive from",
            self.socket.peer(),
            self.input.is_over(),
        )
    }
}

/// A frame that is here already.
struct Recv<'a, S, C>(&'a mut Framed<S, C>);

impl<'a, S, C: Codec> First for Recv<'a, S, C> {
    type Output = Result<Option<&'a [u8]>, FrameError>;
    type Rest = (&'a mut Framed<S, C>, Asked);

    #[inline(always)]
    fn first(self) -> Result<Self::Output, Self::Rest> {
        let Recv(framed) = self;
        match framed.input.frame_here(&mut framed.codec) {
            Ok(range) => Ok(Ok(Some(framed.input.slice(range)))),
            Err(asked) => Err((framed, asked)),
        }
    }
}
