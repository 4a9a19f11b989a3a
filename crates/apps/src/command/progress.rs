//! A sending half that notices when its peer has stopped reading, and does not wait for it for
//! ever.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use socketry_transport::{Aborted, BoxSend, Half, Info, SendHalf};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

use super::{IDLE, STALL};

/// Passes everything on to `send`. After [`STALL`] without any progress it reports a stall, and
/// after [`IDLE`] more it fails.
pub(super) struct Progress {
    send: BoxSend,
    /// Reports a stall.
    stalled: watch::Sender<bool>,
    /// The deadline of the current wait.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Progress {
    /// The half, and the receiver of its stalls.
    pub(super) fn new(send: BoxSend) -> (Self, Stalled) {
        let (stalled, says) = watch::channel(false);
        let progress = Progress {
            send,
            stalled,
            waiting: None,
        };
        (progress, Stalled(says))
    }

    /// The result `polled`, or an error if it has been pending for too long.
    fn within_patience<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.waiting = None;
            self.stalled.send_if_modified(std::mem::take);
            return polled;
        }
        loop {
            let limit = if *self.stalled.borrow() { IDLE } else { STALL };
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(limit)));
            ready!(waiting.as_mut().poll(cx));
            self.waiting = None;
            if self.stalled.send_replace(true) {
                break;
            }
        }
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!(
                "the peer has read nothing for {} s",
                (STALL + IDLE).as_secs()
            ),
        )))
    }
}

/// Tells whether a [`Progress`] has stalled.
#[derive(Clone)]
pub(super) struct Stalled(watch::Receiver<bool>);

impl Stalled {
    /// Resolves when the half has stalled. Cancel-safe.
    pub(super) async fn begun(&mut self) {
        // If the sending half was dropped, no stall will come.
        let _ = self.0.wait_for(|stalled| *stalled).await;
    }
}

impl Half for Progress {
    fn info(&self) -> &Info {
        self.send.info()
    }
}

impl SendHalf for Progress {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.send.poll_send(cx, parts);
        self.within_patience(cx, polled)
    }
    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        let polled = self.send.poll_send_run(cx, bytes, size);
        self.within_patience(cx, polled)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.send.poll_flush(cx);
        self.within_patience(cx, polled)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.send.poll_finish(cx);
        self.within_patience(cx, polled)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.send.abort(code)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.send.abort_on_drop(on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use socketry_transport::{BoxSocket, Listener, RecvExt, Registry, SendExt, Socket};
    use tokio::time::Instant;

    async fn pair() -> (Progress, Stalled, BoxSocket) {
        let registry = Registry::standard();
        let mut listener = registry.listen("mem://*").await.unwrap();
        let peer = registry.connect(listener.local()).await.unwrap();
        let (_, send) = listener.accept().await.unwrap().split();
        let (progress, stalled) = Progress::new(send);
        (progress, stalled, peer)
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_a_little_now_and_then_is_waited_for() {
        let (mut send, stalled, mut peer) = pair().await;
        let sending = tokio::spawn(async move { send.send_all(&vec![0; 1 << 20]).await });
        let start = Instant::now();
        let (mut left, mut scratch) = (1 << 20, vec![0; 64 << 10]);
        while left > 0 {
            sleep(STALL / 2).await;
            assert!(!*stalled.0.borrow());
            left -= peer.recv(&mut scratch).await.unwrap().0;
        }
        sending.await.unwrap().unwrap();
        assert!(start.elapsed() > STALL * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_stalls_and_then_fails() {
        let (mut send, mut stalled, _peer) = pair().await;
        let start = Instant::now();
        let sending = tokio::spawn(async move { send.send_all(&vec![0; 16 << 20]).await });
        stalled.begun().await;
        assert!((STALL..STALL * 2).contains(&start.elapsed()));
        let error = sending.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!((STALL + IDLE..IDLE + STALL * 2).contains(&start.elapsed()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_again_ends_the_stall() {
        let (mut send, mut stalled, mut peer) = pair().await;
        let sending = tokio::spawn(async move { send.send_all(&vec![0; 1 << 20]).await });
        stalled.begun().await;
        let (mut left, mut scratch) = (1 << 20, vec![0; 64 << 10]);
        while left > 0 {
            left -= peer.recv(&mut scratch).await.unwrap().0;
        }
        sending.await.unwrap().unwrap();
        assert!(!*stalled.0.borrow());
    }
}
