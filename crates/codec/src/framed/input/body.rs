//! The bytes of a body.

use std::ops::Range;
use std::task::{Context, Poll, ready};

use socketry_transport::{Received, RecvHalf, poll_recv_into};

use super::room::{READ_MAX, whole_message};
use super::{Input, State, spare};
use crate::framed::{FrameFault, poll_turn};

impl Input {
    /// Begins a body of `len` bytes, behind the last frame that was taken.
    pub(in crate::framed) fn begin_body(&mut self, len: u64) -> Result<(), FrameFault> {
        if !self.reliable {
            return Err(FrameFault::NoBody);
        }
        if self.body > 0 {
            return Err(FrameFault::BodyUnread(self.body));
        }
        if self.looked || self.skip > 0 {
            return Err(FrameFault::BodyLate);
        }
        // The frames that were found behind its header are bytes of the body.
        self.forget_frames();
        self.body = len;
        Ok(())
    }

    /// The bytes of the body that are still to be read.
    pub(in crate::framed) fn body_left(&self) -> u64 {
        self.body
    }

    /// All bytes of the body that have arrived. Receives if there are none. An empty range is the
    /// end of the body.
    pub(in crate::framed) fn poll_body<R: RecvHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut R,
    ) -> Poll<Result<Range<usize>, FrameFault>> {
        while self.body > 0 && self.here() == 0 {
            ready!(self.poll_fill_body(cx, socket))?;
        }
        let here = self.here();
        let len = usize::try_from(self.body).map_or(here, |left| left.min(here));
        Poll::Ready(Ok(self.pos..self.pos + len))
    }

    fn poll_fill_body<R: RecvHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut R,
    ) -> Poll<Result<(), FrameFault>> {
        let room = match self.state {
            State::Stream => usize::try_from(self.body).map_or(READ_MAX, |left| left.min(READ_MAX)),
            State::NoMessage | State::Message => whole_message(socket),
            State::Ended | State::Over => {
                let missing = self.body;
                self.fail();
                return Poll::Ready(Err(FrameFault::BodyCut(missing)));
            }
        };
        ready!(poll_turn(cx));
        self.compact();
        self.reserve(room);
        match poll_recv_into(socket, cx, &mut self.buf, room) {
            Poll::Ready(Ok(received)) => {
                if self.state != State::Stream {
                    self.fit();
                }
                match self.account() {
                    Ok(()) => Poll::Ready(self.received_of_body(received)),
                    Err(error) => Poll::Ready(Err(self.refused(error))),
                }
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.failed(error))),
            Poll::Pending => {
                spare::give(std::mem::take(&mut self.buf));
                self.restored = None;
                if let Some(hooks) = &mut self.hooks {
                    hooks.free();
                }
                Poll::Pending
            }
        }
    }

    /// A message of the body was received. Without the bytes of one that was cut, no later byte has
    /// its place. An empty one brings nothing.
    fn received_of_body(&mut self, received: Received) -> Result<(), FrameFault> {
        if self.state == State::Stream {
            return self.received(received);
        }
        self.state = State::NoMessage;
        match self.received(received) {
            Err(cut) => {
                self.fail();
                Err(cut)
            }
            Ok(()) => {
                self.consume(0);
                Ok(())
            }
        }
    }

    /// Takes `len` of the bytes that [`poll_body`](Input::poll_body) gave.
    pub(in crate::framed) fn take_body(&mut self, len: usize) {
        self.pos += len;
        self.body -= len as u64;
    }
}
