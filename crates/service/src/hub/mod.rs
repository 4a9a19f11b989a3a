//! One message to many readers.
//!
//! Every message of a topic is encoded once for each format into a [log](log) that all its readers
//! share. One [task](pump) writes to all sockets: each takes what is new for it, and writes it at
//! once. So a message costs next to nothing for each reader but the write itself, and a reader that
//! takes nothing costs nothing.

mod limits;
mod log;
mod publication;
mod pump;
mod reader;
mod ready;
mod seat;
mod state;
mod take;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socketry_codec::{BoxCodec, Codec};
use socketry_transport::{BoxSend, SendHalf};
use tokio::sync::Notify;
use tokio::time::timeout;

pub use limits::HubLimits;
pub use publication::{Publication, Receipt, Unpublished};
pub use reader::{Joining, Reader, TooManyTopics};
pub use seat::ReaderEnd;

use ready::Ready;
use seat::Seat;
use state::State;
use take::{Part, Took};
use writer::Writer;

/// One message to many readers, over any mix of sockets and codecs.
///
/// ```
/// use socketry_codec::{Framed, Line, Struct};
/// use socketry_service::{Hub, HubLimits};
/// use socketry_transport::{Listener, connect, listen};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hub = Hub::new(HubLimits::default());
/// let (lines, frames) = (hub.format(Line::new()), hub.format(Struct::default()));
///
/// let (mut tcp, mut mem) = (listen("tcp://127.0.0.1:0").await?, listen("mem://*").await?);
/// let mut ann = Framed::new(connect(tcp.local()).await?, Line::new());
/// let mut bob = Framed::new(connect(mem.local()).await?, Struct::default());
///
/// let first = hub.join(tcp.accept().await?, lines).start();
/// let second = hub.join(mem.accept().await?, frames).start();
/// first.subscribe("prices")?;
/// second.subscribe("prices")?;
///
/// assert_eq!(hub.publish("prices", b"EURUSD 1.0834")?, 2);
/// assert_eq!(ann.recv().await?, Some(&b"EURUSD 1.0834"[..]));
/// assert_eq!(bob.recv().await?, Some(&b"EURUSD 1.0834"[..]));
///
/// hub.close(std::time::Duration::from_secs(5)).await;
/// assert_eq!(ann.recv().await?, None);
/// # Ok(()) }
/// ```
///
/// # What is promised
///
/// * To publish never waits, whatever the readers do, and a reader that does not read delays no
///   other one.
/// * All readers get the messages in one order, that of publishing.
/// * A message is encoded once for each [`Format`], and its bytes are shared by all readers.
/// * At most [`HubLimits::queue_bytes`] of a topic wait, for all readers together, and at most 64
///   KiB more, or one message, are being written to each. A reader that is further behind misses
///   the oldest messages. It is [told](Joining::told) how many, at the place where they are
///   missing.
/// * A reader whose socket fails or panics ends alone.
///
/// It sets no time for a peer that takes nothing: the layer `deadlines` does, and the limits of a
/// [`Server`](crate::Server).
///
/// The clones of a hub are one hub. When the last is dropped, its readers are cut;
/// [`close`](Hub::close) drains it. All sockets are written to by one task, and so by one core at a
/// time.
#[derive(Clone)]
pub struct Hub {
    handle: Arc<Handle>,
}

struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// The way in which messages are encoded for some readers. Readers with the same format share the
/// bytes, so a program makes one for each codec, and not for each reader. See [`Hub::format`].
#[derive(Clone, Copy)]
pub struct Format {
    hub: u64,
    index: usize,
}

/// How a hub has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HubSummary {
    /// Readers that got all messages, or ended before.
    pub drained: usize,
    /// Readers that were cut after the grace time.
    pub cut: usize,
}

impl Hub {
    /// A hub without readers, and its task.
    ///
    /// # Panics
    /// Outside of a runtime of tokio.
    pub fn new(limits: HubLimits) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(0);
        let shared = Arc::new(Shared {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            patience: limits.patience,
            state: Mutex::new(State::new(limits)),
            ready: Arc::default(),
            emptied: Notify::new(),
        });
        tokio::spawn(pump::Pump::new(Arc::clone(&shared)));
        Hub {
            handle: Arc::new(Handle(shared)),
        }
    }

    /// A format for readers of this hub. `codec` encodes all of their messages, so it must not
    /// have a state that depends on one reader's messages.
    pub fn format(&self, codec: impl Codec) -> Format {
        let shared = self.shared();
        let codec: BoxCodec = Box::new(codec);
        let index = shared.with(|state| {
            state.codecs.push(codec);
            state.codecs.len() - 1
        });
        Format {
            hub: shared.id,
            index,
        }
    }

    /// A new reader: the sending half of a socket, or a socket. Of a whole socket the receiving
    /// half is dropped when the reader ends, with what the peer sent.
    ///
    /// # Panics
    /// If the format is of another hub.
    pub fn join(&self, socket: impl SendHalf + 'static, format: Format) -> Joining {
        let shared = self.shared();
        assert_eq!(shared.id, format.hub, "a format of another hub");
        Joining {
            shared: Arc::clone(shared),
            socket: Box::new(socket) as BoxSend,
            format: format.index,
            options: reader::Options::default(),
        }
    }

    /// Publishes `frame` to all readers of `topic`. Gives their number. It never waits.
    ///
    /// # Errors
    /// As [`put`](Hub::put).
    pub fn publish(&self, topic: &str, frame: &[u8]) -> Result<usize, Unpublished> {
        self.put(Publication::to_topic(topic, frame))
    }

    /// Publishes a message. Gives the number of its readers. It never waits.
    ///
    /// # Errors
    /// If the codec of a reader cannot carry the frame. Then nobody gets it. Or if the hub has
    /// ended.
    ///
    /// # Panics
    /// If it names a reader of another hub.
    #[expect(clippy::needless_pass_by_value, reason = "made for this call")]
    pub fn put(&self, message: Publication<'_>) -> Result<usize, Unpublished> {
        let shared = self.shared();
        let named = match message.to {
            publication::To::Topic(_) => None,
            publication::To::Reader(reader) => Some(reader),
        };
        for reader in named.into_iter().chain(message.except) {
            assert!(
                Arc::ptr_eq(&reader.shared, shared),
                "a reader of another hub"
            );
        }
        shared.with(|state| state.publish(&message))
    }

    /// Takes no more messages and readers, writes what waits, and half-closes each socket. What is
    /// not written after `grace` is cut. Dropped half-way, it has begun, and goes on without a
    /// bound.
    pub async fn close(&self, grace: Duration) -> HubSummary {
        let shared = self.shared();
        let readers = shared.with(|state| {
            state.close();
            state.seats.iter().filter(|(_, seat)| seat.written).count()
        });
        let _ = timeout(grace, shared.emptied()).await;
        let cut = shared.cut();
        HubSummary {
            drained: readers.saturating_sub(cut),
            cut,
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.0
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hub")
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({})", self.index)
    }
}

/// What the handles and the task of a hub share.
struct Shared {
    id: u64,
    patience: Duration,
    state: Mutex<State>,
    ready: Arc<Ready>,
    /// Told when a reader has ended.
    emptied: Notify,
}

impl Shared {
    /// Uses the state. What follows of it, wakers and receipts, waits until the lock is free.
    fn with<T>(&self, use_state: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = use_state(&mut state);
        let mut woken = std::mem::take(&mut state.news.woken);
        let released = std::mem::take(&mut state.news.released);
        let closed = std::mem::take(&mut state.closed);
        let overrun = state.news.overrun && state.cutting > 0;
        let rouse = std::mem::take(&mut state.news.rouse) || overrun;
        drop(state);
        if rouse || !woken.is_empty() {
            self.ready.push(&mut woken);
        }
        drop(released);
        for door in closed {
            door.closed.notify_waiters();
        }
        result
    }

    /// A new reader, to which `writer` writes.
    fn enter(&self, format: usize, paces: bool, cut_when_late: bool, mut writer: Writer) -> usize {
        let (key, unused) = self.with(|state| {
            state.cutting += usize::from(cut_when_late);
            let key = state.seats.insert(Seat {
                format,
                cursors: Vec::new(),
                direct: None,
                paces,
                stalled: false,
                cut_when_late,
                until: u64::MAX,
                over: false,
                written: state.open,
                held: true,
                since: state.tick,
                taken: 0,
                door: Arc::clone(&writer.door),
            });
            if !state.open {
                state.end(key, ReaderEnd::Cut);
                return (key, Some(writer));
            }
            writer.key = key;
            // The lock is held, so that a task which ends does not miss it.
            self.ready.admit(writer);
            state.news.rouse = true;
            (key, None)
        });
        drop(unused);
        key
    }

    fn take(&self, key: usize, apart: bool, parts: &mut VecDeque<Part>) -> Took {
        self.with(|state| state.take(key, apart, parts))
    }

    /// The writer of this reader has ended.
    fn written(&self, key: usize, ended: ReaderEnd) {
        self.with(|state| {
            state.end(key, ended);
            state.seats[key].written = false;
            state.forget(key);
        });
        self.emptied.notify_waiters();
    }

    async fn emptied(&self) {
        loop {
            let mut emptied = pin!(self.emptied.notified());
            emptied.as_mut().enable();
            if self.with(|state| state.is_empty()) {
                return;
            }
            emptied.await;
        }
    }

    fn cut(&self) -> usize {
        let cut = self.with(State::cut);
        self.ready.pump.wake();
        cut
    }

    fn judge(&self) -> bool {
        self.with(State::judge)
    }

    /// Cuts readers that are late, and says whether the pace of readers is to be looked at.
    fn pump_is_due(&self) -> bool {
        self.with(|state| {
            state.cut_late();
            state.ticking
        })
    }

    /// Whether no reader is left, and none will come.
    fn is_over(&self) -> bool {
        self.with(|state| !state.open && state.is_empty())
    }
}
