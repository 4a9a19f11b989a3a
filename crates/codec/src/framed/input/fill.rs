//! Receiving into the buffer.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use socketry_transport::{Received, RecvHalf, poll_recv_into};

use super::{Input, State, spare};
use crate::framed::watch::Waiting;
use crate::framed::{FrameFault, poll_turn};

/// A connection that waits with at most this many unread bytes gives back a larger buffer.
const PARKED_REST: usize = 512;

impl Input {
    /// Receives once, when `need` bytes are missing. After `Ok` the codec can be asked again. While
    /// it waits, the time of a frame runs if one has begun: if bytes are here or are to be passed
    /// over, or the codec is not at a boundary (`at_boundary`).
    pub(in crate::framed) fn poll_fill<R: RecvHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut R,
        need: usize,
        at_boundary: bool,
    ) -> Poll<Result<(), FrameFault>> {
        ready!(poll_turn(cx));
        self.compact();
        let before = self.buf.len();
        let read = self.make_room(socket, need);
        match poll_recv_into(socket, cx, &mut self.buf, read) {
            Poll::Ready(Ok(received)) => {
                self.part = 0;
                if self.buf.len() - before == read {
                    self.growth.filled(received);
                }
                self.arrived = true;
                if self.state == State::NoMessage {
                    self.fit();
                }
                if let Err(error) = self.account() {
                    return Poll::Ready(Err(self.refused(error)));
                }
                Poll::Ready(self.received(received))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.failed(error))),
            Poll::Pending => {
                self.note_part(socket);
                self.parked(cx, at_boundary)
            }
        }
    }

    /// Notes what the socket holds of a message that is not whole: it counts as memory of this
    /// connection, and as bytes of a frame that has begun.
    fn note_part<R: RecvHalf>(&mut self, socket: &R) {
        let part = socket.upcoming().part();
        self.arrived |= part > self.part;
        self.part = part;
    }

    pub(super) fn received(&mut self, received: Received) -> Result<(), FrameFault> {
        match (received, self.state) {
            (Received::End, State::NoMessage) => self.state = State::Over,
            (Received::End, _) => self.state = State::Ended,
            (Received::Cut(cut), _) => {
                self.buf.clear();
                return Err(FrameFault::Cut(cut));
            }
            (Received::Data, State::NoMessage) => self.state = State::Message,
            (Received::Data, _) => {}
        }
        Ok(())
    }

    /// A datagram socket goes on after an error; a stream or a socket of messages does not.
    pub(super) fn failed(&mut self, error: io::Error) -> FrameFault {
        if self.reliable {
            self.fail();
        }
        error.into()
    }

    /// The buffer may not be so large.
    pub(in crate::framed) fn refused(&mut self, error: io::Error) -> FrameFault {
        self.fail();
        error.into()
    }

    /// The socket has no bytes: gives memory back, and checks the time of a frame that has begun.
    fn parked(&mut self, cx: &mut Context<'_>, at_boundary: bool) -> Poll<Result<(), FrameFault>> {
        let here = self.buf.len();
        self.forget_frames();
        self.restored = None;
        if here <= PARKED_REST && self.buf.capacity() > 2 * PARKED_REST {
            let rest = BytesMut::from(&self.buf[..]);
            spare::give(std::mem::replace(&mut self.buf, rest));
        }
        if let Err(error) = self.account() {
            return Poll::Ready(Err(self.refused(error)));
        }
        let begun = here + self.part > 0 || self.skip > 0 || !at_boundary;
        self.looked |= begun && self.deadline.limit.is_some();
        let arrived = std::mem::take(&mut self.arrived);
        if let Poll::Ready(late) = self.deadline.poll_late(cx, begun, arrived) {
            self.fail();
            return Poll::Ready(Err(FrameFault::TimedOut(late)));
        }
        let waiting = Waiting { begun, arrived };
        match ready!(self.watch(cx, waiting)) {
            Ok(()) => Poll::Ready(self.received(Received::End)),
            Err(error) => {
                self.fail();
                Poll::Ready(Err(error.into()))
            }
        }
    }

    /// Whether the [`Watch`](crate::Watch) ends this. It cannot end a frame that has begun, since
    /// that would look as if the peer had.
    fn watch(&mut self, cx: &mut Context<'_>, waiting: Waiting) -> Poll<io::Result<()>> {
        let Some(watch) = self.hooks.as_mut().and_then(|hooks| hooks.watch.as_mut()) else {
            return Poll::Pending;
        };
        match watch.poll_wait(cx, waiting) {
            Poll::Ready(Ok(())) if waiting.begun => Poll::Pending,
            polled => polled,
        }
    }
}
