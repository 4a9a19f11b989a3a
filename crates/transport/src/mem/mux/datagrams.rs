//! The datagrams of a connection as a socket.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::task::coop::poll_proceed;

use super::handle::Held;
use crate::contract::socket::info::Info;
use crate::contract::socket::joined::Joined;
use crate::contract::socket::{Aborted, Half, Received, RecvHalf, SendHalf, Shape};

/// The most bytes of a datagram. QUIC requires of each network path that it carries as many (RFC
/// 9000, section 14).
const MAX_LEN: usize = 1200;

struct DatagramRecv(Arc<Held>);

struct DatagramSend(Arc<Held>);

pub(super) fn socket(held: &Held) -> Joined<impl RecvHalf + 'static, impl SendHalf + 'static> {
    let mut held = held.clone();
    held.info = held
        .info
        .clone()
        .with_shape(Shape::Datagram { max_len: MAX_LEN });
    let held = Arc::new(held);
    Joined::new(DatagramRecv(Arc::clone(&held)), DatagramSend(held))
}

impl Half for DatagramRecv {
    fn info(&self) -> &Info {
        &self.0.info
    }
}

impl Half for DatagramSend {
    fn info(&self) -> &Info {
        &self.0.info
    }
}

impl RecvHalf for DatagramRecv {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(Received::Data));
        }
        let turn = ready!(poll_proceed(cx));
        let Held {
            link, end, name, ..
        } = &*self.0;
        let received = ready!(link.poll_datagram(*end, *name, cx));
        turn.made_progress();
        let Some(datagram) = received? else {
            return Poll::Ready(Ok(Received::End));
        };
        Poll::Ready(Ok(Received::whole(&datagram, buf)))
    }
}

impl SendHalf for DatagramSend {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Sending never waits, so a task that only sends would keep its thread to itself.
        let turn = ready!(poll_proceed(cx));
        turn.made_progress();
        let len = parts.iter().map(|part| part.len()).sum();
        if len > MAX_LEN {
            let words = format!("a datagram of {len} bytes, and at most {MAX_LEN} fit");
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidInput, words)));
        }
        let Held { link, end, .. } = &*self.0;
        let bytes = parts.iter().flat_map(|part| part.iter().copied());
        link.send_datagram(*end, bytes.collect())?;
        Poll::Ready(Ok(len))
    }
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    /// The connection goes on, and so do its datagrams.
    fn abort(&mut self, _: u64) -> io::Result<Aborted> {
        Ok(Aborted::Nothing)
    }
}
