//! The faults of sending.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

use socketry_transport::SendHalf;

use super::Fault;
use super::lane::Lane;

/// The faults of a sending half.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) lane: Lane,
}

impl Sending {
    pub(super) fn poll<W: SendHalf>(
        &mut self,
        inner: &mut W,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = parts.iter().map(|part| part.len()).sum();
        let limit = match ready!(self.poll_turn(cx, len)) {
            Ok(limit) => limit,
            Err(answer) => return Poll::Ready(answer),
        };
        let polled = match inner.shape().is_stream() && limit < len {
            true => inner.poll_send(cx, &first(parts, limit)),
            false => inner.poll_send(cx, parts),
        };
        self.answered(cx, polled)
    }

    pub(super) fn poll_run<W: SendHalf>(
        &mut self,
        inner: &mut W,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        if !self.lane.faults.are_none() {
            let datagram = &bytes[..size.min(bytes.len())];
            return self.poll(inner, cx, &[IoSlice::new(datagram)]);
        }
        inner.poll_send_run(cx, bytes, size)
    }

    /// Flushing and finishing, which do not reach a peer that has vanished.
    pub(super) fn poll_done<W: SendHalf>(
        &mut self,
        inner: &mut W,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut W, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        match ready!(self.poll_turn(cx, 0)) {
            Ok(_) => {
                let polled = poll(inner, cx).map_ok(|()| 0);
                self.answered(cx, polled).map_ok(drop)
            }
            Err(answer) => Poll::Ready(answer.map(drop)),
        }
    }

    /// How many bytes may be sent. Or the answer to a send of `len` bytes, without asking the
    /// socket.
    fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        len: usize,
    ) -> Poll<Result<usize, io::Result<usize>>> {
        match ready!(self.lane.poll_turn(cx, len)) {
            Ok(limit) => Poll::Ready(Ok(limit)),
            Err(Fault::Reset) => Poll::Ready(Err(Err(self.lane.failed()))),
            Err(Fault::HalfOpen) => Poll::Ready(Err(Ok(len))),
            Err(_stall) => Poll::Pending,
        }
    }

    fn answered(
        &mut self,
        cx: &Context<'_>,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &polled {
            Poll::Pending => self.lane.waits(cx),
            Poll::Ready(sent) => self.lane.done(*sent.as_ref().unwrap_or(&0)),
        }
        polled.map_err(|error| self.lane.seen(error))
    }
}

/// The first `limit` bytes of `parts`.
fn first<'a>(parts: &'a [IoSlice<'_>], limit: usize) -> Vec<IoSlice<'a>> {
    let mut left = limit;
    let mut some = Vec::new();
    for part in parts {
        let take = part.len().min(left);
        left -= take;
        some.push(IoSlice::new(&part[..take]));
    }
    some
}
