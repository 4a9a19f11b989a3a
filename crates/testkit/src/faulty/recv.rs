//! The faults of receiving.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use socketry_transport::{Cut, Received, RecvHalf, Shape};
use tokio::io::ReadBuf;
use tokio::time::{Sleep, sleep};

use super::Fault;
use super::lane::Lane;

/// The most room in bytes for a datagram, whatever the socket asks for.
pub(super) const MAX_ROOM: usize = 1 << 20;

/// The faults of a receiving half.
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) lane: Lane,
    /// Datagrams to give out next.
    ready: VecDeque<Arrived>,
    /// A datagram that waits until another overtakes it.
    held: Option<(Arrived, Option<Pin<Box<Sleep>>>)>,
}

#[derive(Clone, Debug)]
struct Arrived {
    bytes: Vec<u8>,
    cut: Option<Cut>,
}

impl Receiving {
    pub(super) fn new(lane: Lane) -> Self {
        Receiving {
            lane,
            ready: VecDeque::new(),
            held: None,
        }
    }

    pub(super) fn poll<R: RecvHalf>(
        &mut self,
        inner: &mut R,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(Received::Data));
        }
        let limit = match ready!(self.lane.poll_turn(cx, buf.remaining())) {
            Ok(limit) => limit,
            Err(Fault::Reset) => return Poll::Ready(Err(self.lane.failed())),
            Err(_silent) => return Poll::Pending,
        };
        let before = buf.filled().len();
        let polled = match inner.shape() {
            Shape::Stream => self.poll_reliable(inner, cx, buf, limit),
            Shape::Message { .. } => self.poll_reliable(inner, cx, buf, usize::MAX),
            Shape::Datagram { .. } if self.lane.faults.touch_datagrams() => {
                self.poll_datagram(inner, cx, buf)
            }
            Shape::Datagram { .. } => inner.poll_recv(cx, buf),
        };
        match &polled {
            Poll::Pending => self.lane.waits(cx),
            Poll::Ready(_) => self.lane.done(buf.filled().len() - before),
        }
        polled.map_err(|error| self.lane.seen(error))
    }

    /// Receives at most `limit` bytes, of which one bit may be flipped.
    fn poll_reliable<R: RecvHalf>(
        &mut self,
        inner: &mut R,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        limit: usize,
    ) -> Poll<io::Result<Received>> {
        let before = buf.filled().len();
        let received = if limit < buf.remaining() {
            let mut piece = ReadBuf::new(buf.initialize_unfilled_to(limit));
            let received = ready!(inner.poll_recv(cx, &mut piece))?;
            let len = piece.filled().len();
            buf.advance(len);
            received
        } else {
            ready!(inner.poll_recv(cx, buf))?
        };
        let arrived = &mut buf.filled_mut()[before..];
        if !arrived.is_empty() && self.lane.happens(Fault::StreamCorruption) {
            flip(&mut self.lane, arrived);
        }
        Poll::Ready(Ok(received))
    }

    fn poll_datagram<R: RecvHalf>(
        &mut self,
        inner: &mut R,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        loop {
            if let Some(arrived) = self.ready.pop_front() {
                return Poll::Ready(Ok(give(&arrived, buf)));
            }
            let mut room = vec![0; inner.recv_room().min(MAX_ROOM).max(buf.remaining())];
            let mut room = ReadBuf::new(&mut room);
            match inner.poll_recv(cx, &mut room) {
                Poll::Ready(Ok(Received::End)) => match self.held.take() {
                    Some((late, _)) => self.ready.push_back(late),
                    None => return Poll::Ready(Ok(Received::End)),
                },
                Poll::Ready(Ok(received)) => self.suffer(Arrived {
                    bytes: room.filled().to_vec(),
                    cut: received.cut(),
                }),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => ready!(self.poll_held(cx)),
            }
        }
    }

    /// Stops waiting for a datagram to overtake the held one.
    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((_, timer)) = &mut self.held else {
            return Poll::Pending;
        };
        if let Some(timer) = timer {
            ready!(timer.as_mut().poll(cx));
        }
        self.ready.extend(self.held.take().map(|(late, _)| late));
        Poll::Ready(())
    }

    /// Applies the faults to a datagram on its way.
    fn suffer(&mut self, mut arrived: Arrived) {
        let lane = &mut self.lane;
        if lane.happens(Fault::Loss) {
            return;
        }
        if !arrived.bytes.is_empty() {
            if lane.happens(Fault::Corruption) {
                flip(lane, &mut arrived.bytes);
            }
            if lane.happens(Fault::Truncation) {
                arrived.bytes.truncate(lane.below(arrived.bytes.len()));
            }
        }
        if !arrived.bytes.is_empty() && lane.happens(Fault::Cut) {
            let room = lane.below(arrived.bytes.len());
            let len = arrived.cut.map_or(Some(arrived.bytes.len()), |cut| cut.len);
            arrived.bytes.truncate(room);
            arrived.cut = Some(Cut { room, len });
        }
        if lane.happens(Fault::Duplication) {
            self.ready.push_back(arrived.clone());
        }
        match self.held.take() {
            Some((late, _)) => self.ready.extend([arrived, late]),
            None if lane.happens(Fault::Reordering) => {
                let patience = lane.faults.longest_delay;
                let timer = (!patience.is_zero()).then(|| Box::pin(sleep(patience)));
                self.held = Some((arrived, timer));
            }
            None => self.ready.push_back(arrived),
        }
    }
}

fn give(arrived: &Arrived, buf: &mut ReadBuf<'_>) -> Received {
    match (Received::whole(&arrived.bytes, buf), arrived.cut) {
        (Received::Cut(now), Some(before)) => Received::Cut(Cut {
            room: now.room,
            ..before
        }),
        (_, Some(before)) => Received::Cut(before),
        (received, None) => received,
    }
}

/// Flips one bit.
fn flip(lane: &mut Lane, bytes: &mut [u8]) {
    let at = lane.below(bytes.len() * 8);
    bytes[at / 8] ^= 1 << (at % 8);
}
