//! Receiving frames.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use socketry_transport::RecvHalf;

use super::frames::in_batches;
use super::input::{Ask, Refused, Step};
use super::meter::tell;
use super::quick::{First, Quick};
use super::{FrameError, FrameFault, Framed, Frames};
use crate::Codec;

impl<S: RecvHalf, C: Codec> Framed<S, C> {
    /// Receives the next frame, borrowed from the buffer until the next call. `None` is the end.
    ///
    /// Cancel-safe: the next call gives a frame that was not given out.
    ///
    /// # Errors
    /// An error that [is not fatal](FrameError::is_fatal) concerns one frame or datagram, and the
    /// next call goes on after it. After a fatal error each call gives `None`.
    #[inline(always)]
    pub fn recv(&mut self) -> impl Future<Output = Result<Option<&[u8]>, FrameError>> {
        Quick::new(Recv(self), Framed::recv_waiting)
    }

    async fn recv_waiting(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let mut need = None;
        poll_fn(|cx| self.poll_frames(cx, Ask::Many, &mut need)).await?;
        match self.input.take() {
            Some(range) => Ok(Some(self.input.slice(range))),
            None => Ok(self.input.take_restored()),
        }
    }

    /// Receives the next frame as [`Bytes`], cut from the buffer without a copy. `None` is the end.
    ///
    /// It keeps the whole buffer that it was cut from in memory (up to 64 KiB, or the largest
    /// frame): copy small frames that you keep for long. Cancel-safe.
    ///
    /// # Errors
    /// As [`recv`](Framed::recv).
    pub async fn recv_bytes(&mut self) -> Result<Option<Bytes>, FrameError> {
        poll_fn(|cx| self.poll_recv_bytes(cx)).await
    }

    /// Receives frames that have arrived, at least one and at most `most` (at least 1), borrowed
    /// from the buffer. `None` is the end. For many small frames this is the fastest way: each
    /// costs a few instructions, with any codec, boxed or not.
    ///
    /// ```
    /// use socketry_codec::{Framed, Struct, limits::FRAMES_AT_ONCE};
    /// use socketry_transport::{Listener, connect, listen};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut server = listen("tcp://127.0.0.1:0").await?;
    /// let mut client = Framed::new(connect(server.local()).await?, Struct::default());
    /// let mut accepted = Framed::new(server.accept().await?, Struct::default());
    /// client.feed_many(["one", "two", "three"]).await?;
    /// client.finish().await?;
    ///
    /// let mut bytes = 0;
    /// while let Some(frames) = accepted.recv_many(FRAMES_AT_ONCE).await? {
    ///     for frame in frames {
    ///         bytes += frame.len();
    ///     }
    /// }
    /// assert_eq!(bytes, 11);
    /// # Ok(()) }
    /// ```
    ///
    /// It waits only for the first frame, so there are often fewer than `most`. There are never
    /// more than [`FRAMES_AT_ONCE`](crate::limits::FRAMES_AT_ONCE), whose positions take 3 KiB
    /// while this connection has frames to receive. With a codec that finds no [whole
    /// frames](Codec::whole) there is one. On a datagram socket they are the frames of one
    /// datagram.
    ///
    /// Cancel-safe: the next call gives the frames that were not given out, by this call or by its
    /// iterator.
    ///
    /// # Errors
    /// As [`recv`](Framed::recv), about the first frame. A fault behind other frames is the error
    /// of a later call, once those are taken.
    #[inline(always)]
    pub fn recv_many(
        &mut self,
        most: usize,
    ) -> impl Future<Output = Result<Option<Frames<'_, C>>, FrameError>> {
        let most = most.max(1);
        Quick::new(RecvMany(self, most), |(framed, most)| {
            framed.recv_many_waiting(most)
        })
    }

    async fn recv_many_waiting(
        &mut self,
        most: usize,
    ) -> Result<Option<Frames<'_, C>>, FrameError> {
        let ask = if in_batches::<C>() {
            Ask::Many
        } else {
            Ask::One
        };
        let mut need = None;
        poll_fn(|cx| self.poll_frames(cx, ask, &mut need)).await?;
        match self.input.has_restored() {
            true => Ok(self.input.lend_restored(&mut self.codec)),
            false => Ok(self.input.lend(most, &mut self.codec)),
        }
    }

    /// Receives frames that have arrived, at least one and at most `most` (at least 1), as
    /// [`recv_bytes`](Framed::recv_bytes) does. Appends them to `into`, and gives their number: 0
    /// is the end. Otherwise as [`recv_many`](Framed::recv_many), but frames in `into` count as
    /// received.
    ///
    /// # Errors
    /// As [`recv_many`](Framed::recv_many); then no frame is added.
    pub async fn recv_many_bytes(
        &mut self,
        into: &mut Vec<Bytes>,
        most: usize,
    ) -> Result<usize, FrameError> {
        if !self.input.has_frames() {
            let mut need = None;
            poll_fn(|cx| self.poll_frames(cx, Ask::Many, &mut need)).await?;
        }
        if let Some(frame) = self.input.cut_restored() {
            into.push(frame);
            return Ok(1);
        }
        Ok(self.input.cut_many(most.max(1), into))
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
        let mut frame = self.input.take();
        if frame.is_none() {
            ready!(self.poll_frames(cx, Ask::Many, &mut None))?;
            frame = self.input.take();
        }
        match frame {
            Some(range) => Poll::Ready(Ok(Some(self.input.cut(range)))),
            None => Poll::Ready(Ok(self.input.cut_restored())),
        }
    }

    /// Receives until there are frames to take, one that was restored, or the end. `need` is the
    /// number of missing bytes, once the codec has been asked.
    #[inline(never)]
    fn poll_frames(
        &mut self,
        cx: &mut Context<'_>,
        ask: Ask,
        need: &mut Option<usize>,
    ) -> Poll<Result<(), FrameError>> {
        if self.input.has_restored() {
            return Poll::Ready(Ok(()));
        }
        let ask = match self.input.is_counted() {
            true => Ask::One,
            false => ask,
        };
        loop {
            if let Some(need) = *need {
                let at_boundary = self.codec.at_boundary();
                let filled = ready!(
                    self.input
                        .poll_fill(cx, &mut self.socket, need, at_boundary)
                );
                filled.map_err(|fault| self.recv_error(fault))?;
            }
            match self.look(ask)? {
                Step::Frames => {
                    self.input.tell_found();
                    return Poll::Ready(Ok(()));
                }
                Step::Restored => {
                    let accounted = self.input.account();
                    accounted.map_err(|error| {
                        let fault = self.input.refused(error);
                        self.recv_error(fault)
                    })?;
                    self.input.tell_found();
                    return Poll::Ready(Ok(()));
                }
                Step::Over => return Poll::Ready(Ok(())),
                Step::More(more) => *need = Some(more),
            }
        }
    }

    /// The next step, without receiving.
    fn look(&mut self, ask: Ask) -> Result<Step, FrameError> {
        if self.input.body_left() > 0 {
            return Err(self.recv_error(FrameFault::BodyUnread(self.input.body_left())));
        }
        let step = self.input.step(&mut self.codec, ask);
        step.map_err(|error| self.codec_error(error))
    }

    fn codec_error(&self, refused: Refused) -> FrameError {
        let fatal = refused.error.is_fatal();
        let error = FrameError::new(refused.error, "receive from", self.socket.peer(), fatal);
        self.tell_recv_error(error.about(refused.found))
    }

    #[cold]
    pub(super) fn recv_error(&self, fault: impl Into<FrameFault>) -> FrameError {
        let fatal = self.input.is_over();
        self.tell_recv_error(FrameError::new(
            fault,
            "receive from",
            self.socket.peer(),
            fatal,
        ))
    }

    fn tell_recv_error(&self, error: FrameError) -> FrameError {
        tell(self.input.hooks.as_deref(), |meter| meter.failed(&error));
        error
    }
}

/// The first step of `recv`: a frame that was found already.
struct Recv<'a, S, C>(&'a mut Framed<S, C>);

impl<'a, S, C> First for Recv<'a, S, C> {
    type Output = Result<Option<&'a [u8]>, FrameError>;
    type Rest = &'a mut Framed<S, C>;

    #[inline(always)]
    fn first(self) -> Result<Self::Output, Self::Rest> {
        let Recv(framed) = self;
        match framed.input.take() {
            Some(range) => Ok(Ok(Some(framed.input.slice(range)))),
            None => Err(framed),
        }
    }
}

/// The first step of `recv_many`: frames that were found already.
struct RecvMany<'a, S, C>(&'a mut Framed<S, C>, usize);

impl<'a, S, C: Codec> First for RecvMany<'a, S, C> {
    type Output = Result<Option<Frames<'a, C>>, FrameError>;
    type Rest = (&'a mut Framed<S, C>, usize);

    #[inline(always)]
    fn first(self) -> Result<Self::Output, Self::Rest> {
        let RecvMany(framed, most) = self;
        if framed.input.has_frames() {
            return Ok(Ok(framed.input.lend(most, &mut framed.codec)));
        }
        Err((framed, most))
    }
}
