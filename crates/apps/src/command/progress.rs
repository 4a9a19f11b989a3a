//! A sending half that does not wait for ever for a peer that does not read.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socketry_transport::{BoxSend, Credentials, Endpoint, Half, SendHalf, Shape};
use tokio::time::{Sleep, sleep};

/// Passes everything on to `send`, and fails once it has waited for `limit` without any progress.
pub(super) struct Progress {
    send: BoxSend,
    limit: Duration,
    /// Since when it waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Progress {
    pub(super) fn new(send: BoxSend, limit: Duration) -> Self {
        Progress {
            send,
            limit,
            waiting: None,
        }
    }

    /// What was `polled`, or the error if that has been pending for too long.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.waiting = None;
            return polled;
        }
        let limit = self.limit;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("the peer has read nothing for {} s", limit.as_secs()),
        )))
    }
}

impl Half for Progress {
    fn shape(&self) -> Shape {
        self.send.shape()
    }
    fn local(&self) -> &Endpoint {
        self.send.local()
    }
    fn peer(&self) -> &Endpoint {
        self.send.peer()
    }
    fn credentials(&self) -> Option<Credentials> {
        self.send.credentials()
    }
}

impl SendHalf for Progress {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.send.poll_send(cx, parts);
        self.in_time(cx, polled)
    }
    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        let polled = self.send.poll_send_run(cx, bytes, size);
        self.in_time(cx, polled)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.send.poll_flush(cx);
        self.in_time(cx, polled)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.send.poll_finish(cx);
        self.in_time(cx, polled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use socketry_transport::{BoxSocket, Listener, RecvExt, Registry, SendExt, Socket};
    use tokio::time::Instant;

    const LIMIT: Duration = Duration::from_secs(60);

    async fn pair() -> (Progress, BoxSocket) {
        let registry = Registry::standard();
        let mut listener = registry.listen("mem://*").await.unwrap();
        let peer = registry.connect(listener.local()).await.unwrap();
        let (_, send) = listener.accept().await.unwrap().split();
        (Progress::new(send, LIMIT), peer)
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_a_little_now_and_then_is_waited_for() {
        let (mut send, mut peer) = pair().await;
        let sending = tokio::spawn(async move { send.send_all(&vec![0; 1 << 20]).await });
        let start = Instant::now();
        let (mut left, mut scratch) = (1 << 20, vec![0; 64 << 10]);
        while left > 0 {
            sleep(LIMIT / 2).await;
            left -= peer.recv(&mut scratch).await.unwrap().0;
        }
        sending.await.unwrap().unwrap();
        assert!(start.elapsed() > LIMIT * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_not() {
        let (mut send, _peer) = pair().await;
        let start = Instant::now();
        let error = send.send_all(&vec![0; 16 << 20]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!((LIMIT..LIMIT * 2).contains(&start.elapsed()));
    }
}
