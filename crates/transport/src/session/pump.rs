//! The task that receives for all sessions of one socket.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use super::table::Hub;
use crate::contract::datagram::DatagramSocket;
use crate::contract::datagram::batch::Batch;
use crate::contract::datagram::batch::LARGEST_ROOM;

/// The pause after the second error in a row; it doubles with each further one, up to
/// [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause after an error.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Receives until the listener and all sessions are gone. If it ends earlier (the runtime shuts
/// down, the socket panics), the sessions end with it, so that no task waits for datagrams that
/// cannot come.
pub(super) struct Pump<D: DatagramSocket> {
    socket: Arc<D>,
    hub: Arc<Hub>,
    batch: Batch,
    /// The one timer for all sessions' idle time.
    sweep: Pin<Box<Sleep>>,
    /// The pause before the next receive, after errors that repeat.
    pause: Option<Pin<Box<Sleep>>>,
    /// Errors since the last datagram was received.
    errors: u32,
}

enum Event {
    Deserted,
    Sweep,
    Received(io::Result<()>),
}

impl<D: DatagramSocket> Pump<D> {
    pub(super) fn new(socket: Arc<D>, hub: Arc<Hub>) -> Self {
        let sweep = Box::pin(sleep(hub.sweep()));
        Pump {
            socket,
            hub,
            batch: Batch::new(),
            sweep,
            pause: None,
            errors: 0,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            match poll_fn(|cx| self.poll_event(cx)).await {
                Event::Deserted => return,
                Event::Sweep => self.sweep = Box::pin(sleep(self.hub.sweep())),
                Event::Received(result) => {
                    self.deliver();
                    self.note(result);
                }
            }
            others_first().await;
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if self.hub.poll_deserted(cx).is_ready() {
            return Poll::Ready(Event::Deserted);
        }
        if self.sweep.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Event::Sweep);
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        // A third party's batch method may not reserve room itself.
        self.batch
            .reserve(self.socket.recv_room().min(LARGEST_ROOM));
        self.socket
            .poll_recv_batch(cx, &mut self.batch)
            .map(Event::Received)
    }

    fn deliver(&mut self) {
        let now = self.hub.now();
        for datagram in self.batch.iter() {
            self.hub.deliver(&datagram, now);
        }
        self.batch.clear();
    }

    /// Counts an error. If it is not the first in a row, pauses: an error concerns one datagram,
    /// and the next may be fine, but an error that stays must not spin.
    fn note(&mut self, result: io::Result<()>) {
        let Err(error) = result else {
            self.errors = 0;
            return;
        };
        self.hub.count_error();
        tracing::debug!(%error, at = %self.socket.local(), "cannot receive");
        if let Some(doublings) = self.errors.checked_sub(1) {
            let pause = FIRST_PAUSE.saturating_mul(1 << doublings.min(10));
            self.pause = Some(Box::pin(sleep(pause.min(LONGEST_PAUSE))));
        }
        self.errors = self.errors.saturating_add(1);
    }
}

/// Lets the tasks run that are ready, above all sessions that just received. A socket that always
/// has datagrams must not hold them up, and datagrams that arrive meanwhile make the next batch
/// longer. (tokio's `yield_now` would ask the system for events each time.)
async fn others_first() {
    let mut waited = false;
    poll_fn(|cx| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<D: DatagramSocket> Drop for Pump<D> {
    fn drop(&mut self) {
        self.hub.stop_pumping();
    }
}
