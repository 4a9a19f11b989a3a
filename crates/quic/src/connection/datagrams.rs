//! The datagrams of a connection as a socket (RFC 9221).

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use quinn::{ConnectionError, SendDatagramError};
use socketry_transport::{
    Aborted, BoxFuture, BoxSocket, Half, Info, Joined, Received, RecvHalf, SendHalf, Shape,
};
use tokio::io::ReadBuf;
use tokio::task::coop::poll_proceed;

use super::Inner;

/// The most bytes of a datagram that a peer may send: all that fits into one of UDP.
const LONGEST: usize = 65_527;

/// The most bytes that fit on any path and for ever, since a path may become narrower: the 1,200
/// bytes that each carries (RFC 9000, section 14), less a short header (1 byte, at most 20 of an id
/// and 4 of a number), the tag of the cipher (16), and the type and length of a datagram (9).
const FITS: usize = 1200 - (1 + 20 + 4) - 16 - 9;

struct Recv {
    held: Held,
    receiving: Option<BoxFuture<'static, Result<Bytes, ConnectionError>>>,
}

struct Send(Held);

#[derive(Clone)]
struct Held {
    inner: Arc<Inner>,
    info: Info,
    max_len: usize,
}

/// The datagrams, if both ends have them.
pub(super) fn socket(inner: &Arc<Inner>) -> Option<BoxSocket> {
    let max_len = inner.quinn.max_datagram_size()?.min(FITS);
    let info = inner.info.clone();
    let held = Held {
        inner: Arc::clone(inner),
        info: info.with_shape(Shape::Datagram { max_len }),
        max_len,
    };
    let recv = Recv {
        held: held.clone(),
        receiving: None,
    };
    Some(BoxSocket::new(Joined::new(recv, Send(held))))
}

impl Half for Recv {
    fn info(&self) -> &Info {
        &self.held.info
    }
}

impl Half for Send {
    fn info(&self) -> &Info {
        &self.0.info
    }
}

impl RecvHalf for Recv {
    fn recv_room(&self) -> usize {
        LONGEST
    }

    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(Received::Data));
        }
        let turn = ready!(poll_proceed(cx));
        let quinn = &self.held.inner.quinn;
        let receiving = self.receiving.get_or_insert_with(|| {
            let quinn = quinn.clone();
            Box::pin(async move { quinn.read_datagram().await })
        });
        let received = ready!(receiving.as_mut().poll(cx));
        self.receiving = None;
        turn.made_progress();
        let datagram = match received {
            Ok(datagram) => datagram,
            Err(ConnectionError::ApplicationClosed(close))
                if close.error_code.into_inner() == 0 =>
            {
                return Poll::Ready(Ok(Received::End));
            }
            Err(error) => return Poll::Ready(Err(self.held.inner.gone(&error))),
        };
        Poll::Ready(Ok(Received::whole(&datagram, buf)))
    }
}

impl SendHalf for Send {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Sending never waits, so a task that only sends would keep its thread to itself.
        let turn = ready!(poll_proceed(cx));
        turn.made_progress();
        let len = parts.iter().map(|part| part.len()).sum();
        let most = self.0.max_len;
        let too_long = |most| {
            let words = format!("a datagram of {len} bytes, and at most {most} fit");
            Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidInput, words)))
        };
        if len > most {
            return too_long(most);
        }
        let mut datagram = BytesMut::with_capacity(len);
        parts
            .iter()
            .for_each(|part| datagram.extend_from_slice(part));
        let quinn = &self.0.inner.quinn;
        match quinn.send_datagram(datagram.freeze()) {
            Ok(()) => Poll::Ready(Ok(len)),
            Err(SendDatagramError::ConnectionLost(error)) => {
                Poll::Ready(Err(self.0.inner.gone(&error)))
            }
            // The peer takes shorter ones only.
            Err(SendDatagramError::TooLarge) => too_long(quinn.max_datagram_size().unwrap_or(0)),
            Err(error) => {
                let words = error.to_string();
                Poll::Ready(Err(io::Error::new(io::ErrorKind::Unsupported, words)))
            }
        }
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The connection goes on, and so do its datagrams.
    fn abort(&mut self, _: u64) -> io::Result<Aborted> {
        Ok(Aborted::Nothing)
    }
}
