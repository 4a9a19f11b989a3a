//! The task that writes to all readers of a hub, in turns.
//!
//! A task for each reader was slower: to wake a thousand tasks for one message costs as much as the
//! writes. Here a message wakes one task, and a reader that has nothing to write is an entry in a
//! list. A reader whose socket takes nothing is not looked at before the socket wakes it.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::task::coop::consume_budget;
use tokio::time::{Sleep, sleep};

use super::Shared;
use super::ready::{Bell, Work, waker};
use super::seat::ReaderEnd;
use super::take::TICKS;
use super::writer::{Turn, Writer};

/// See the [module](self).
pub(super) struct Pump {
    shared: Arc<Shared>,
    places: Vec<Option<Place>>,
    /// Readers that are to be looked at, in this order.
    queue: VecDeque<usize>,
    work: Work,
    tick: Option<Pin<Box<Sleep>>>,
}

struct Place {
    writer: Box<Writer>,
    bell: Arc<Bell>,
    waker: Waker,
}

impl Pump {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Pump {
            shared,
            places: Vec::new(),
            queue: VecDeque::new(),
            work: Work::default(),
            tick: None,
        }
    }

    /// Takes newcomers, and readers that were woken.
    fn listen(&mut self) {
        self.shared.ready.swap(&mut self.work);
        for writer in self.work.newcomers.drain(..) {
            let key = writer.key;
            let bell = Bell::new(key, &self.shared.ready);
            if self.places.len() <= key {
                self.places.resize_with(key + 1, || None);
            }
            self.places[key] = Some(Place {
                waker: waker(&bell),
                writer: Box::new(writer),
                bell,
            });
            self.queue.push_back(key);
        }
        self.queue.extend(self.work.keys.drain(..));
    }

    /// Looks at the pace of readers when it is time.
    fn judge(&mut self, cx: &mut Context<'_>) {
        if self.shared.pump_is_due() {
            self.tick
                .get_or_insert_with(|| Box::pin(sleep(self.shared.patience / TICKS)));
        }
        while let Some(tick) = &mut self.tick
            && tick.as_mut().poll(cx).is_ready()
        {
            let again = self.shared.judge();
            self.tick = again.then(|| Box::pin(sleep(self.shared.patience / TICKS)));
        }
    }

    /// One turn of a reader. `false` if it waits for its socket or a message.
    fn turn(&mut self, key: usize) -> bool {
        let Some(place) = self.places.get_mut(key).and_then(Option::as_mut) else {
            return false;
        };
        place.bell.answer();
        let (writer, shared) = (&mut place.writer, &self.shared);
        let mut cx = Context::from_waker(&place.waker);
        // A panic in a third party's socket or codec is this reader's alone.
        let turned = catch_unwind(AssertUnwindSafe(|| writer.poll_turn(&mut cx, shared)));
        let ended = match turned {
            Ok(Poll::Pending | Poll::Ready(Ok(Turn::Rest))) => return false,
            Ok(Poll::Ready(Ok(Turn::Again))) => return true,
            Ok(Poll::Ready(Err(ended))) => ended,
            Err(_) => ReaderEnd::Failed(Arc::new(io::Error::other("its socket panicked"))),
        };
        let place = self.places[key].take();
        drop(place);
        self.shared.written(key, ended);
        false
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let pump = &mut *self;
        loop {
            pump.shared.ready.pump.register(cx.waker());
            pump.listen();
            pump.judge(cx);
            if pump.queue.is_empty() {
                return match pump.shared.is_over() {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                };
            }
            // Those that come meanwhile are for the next round.
            for _ in 0..pump.queue.len() {
                ready!(pin!(consume_budget()).poll(cx));
                let Some(key) = pump.queue.pop_front() else {
                    break;
                };
                if pump.turn(key) {
                    pump.queue.push_back(key);
                }
            }
        }
    }
}

/// Without its task a hub writes nothing: its runtime has ended, say.
impl Drop for Pump {
    fn drop(&mut self) {
        self.shared.cut();
        self.listen();
        for place in std::mem::take(&mut self.places).into_iter().flatten() {
            self.shared.written(place.writer.key, ReaderEnd::Cut);
        }
    }
}
