//! One reader of a hub, and how it joins.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use socketry_transport::BoxSend;

use super::Shared;
use super::publication::{Publication, Unpublished};
use super::seat::{Door, ReaderEnd};
use super::writer::{Filter, Telling, Writer};

/// A reader that is about to join a [`Hub`](super::Hub): what it is told, and whether it paces.
#[must_use = "it joins with `start`"]
pub struct Joining {
    pub(super) shared: Arc<Shared>,
    pub(super) socket: BoxSend,
    pub(super) format: usize,
    pub(super) options: Options,
}

#[derive(Default)]
pub(super) struct Options {
    telling: Option<Telling>,
    filter: Option<Filter>,
    paces: bool,
    cut_when_late: bool,
}

impl Joining {
    /// Calls `telling` with the number of messages that the reader has missed, when the messages
    /// before them are written. The frame that it gives is written next, before the messages that
    /// follow; `None` tells the peer nothing. [`Reader::missed`] counts them in any case.
    pub fn told(mut self, telling: impl FnMut(u64) -> Option<Vec<u8>> + Send + 'static) -> Self {
        self.options.telling = Some(Box::new(telling));
        self
    }

    /// Cuts the reader as soon as it has missed a message: a gap would be worse.
    pub fn cut_when_late(mut self) -> Self {
        self.options.cut_when_late = true;
        self
    }

    /// [Receipts](Publication::receipt) wait for this reader, as long as it takes something. By
    /// default they do not.
    pub fn paces(mut self) -> Self {
        self.options.paces = true;
        self
    }

    /// Asks `filter` whether a message of so many encoded bytes, and with this
    /// [mark](Publication::mark), is sent to this reader. A message that is not does not count as
    /// missed. Messages then are written one by one.
    pub fn filter(mut self, filter: impl FnMut(usize, u8) -> bool + Send + 'static) -> Self {
        self.options.filter = Some(Box::new(filter));
        self
    }

    /// Joins the hub. In a hub that has ended, the reader has ended too.
    pub fn start(self) -> Reader {
        let Joining {
            shared,
            socket,
            format,
            options,
        } = self;
        let door = Arc::new(Door::default());
        let mut writer = Writer::new(socket, Arc::clone(&door));
        writer.telling = options.telling.map(|telling| {
            let codec = shared.with(|state| state.codecs[format].clone());
            Box::new((telling, codec))
        });
        writer.filter = options.filter;
        let key = shared.enter(format, options.paces, options.cut_when_late, writer);
        Reader { shared, key, door }
    }
}

impl fmt::Debug for Joining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Joining")
    }
}

/// A reader's place in a [`Hub`](super::Hub).
///
/// Dropping it ends the reader at once: a message that is being written may be cut, and the half of
/// the socket is dropped. [`finish`](Reader::finish) writes what waits.
pub struct Reader {
    pub(super) shared: Arc<Shared>,
    pub(super) key: usize,
    pub(super) door: Arc<Door>,
}

/// A reader has as many topics as
/// [`HubLimits::topics_per_reader`](super::HubLimits::topics_per_reader) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this reader has too many topics already")]
pub struct TooManyTopics;

impl Reader {
    /// From now on the reader gets what is published to `topic`, in the order of publishing. To
    /// subscribe again changes nothing.
    ///
    /// # Errors
    /// If the reader has too many topics.
    pub fn subscribe(&self, topic: &str) -> Result<(), TooManyTopics> {
        match self.shared.with(|state| state.subscribe(self.key, topic)) {
            true => Ok(()),
            false => Err(TooManyTopics),
        }
    }

    /// The reader gets nothing more of `topic`, nor what waits of it.
    pub fn unsubscribe(&self, topic: &str) {
        self.shared.with(|state| state.unsubscribe(self.key, topic));
    }

    /// Sends a frame to this reader alone, in its place among the topics' messages. It never waits.
    ///
    /// # Errors
    /// As [`Hub::put`](super::Hub::put).
    pub fn send(&self, frame: &[u8]) -> Result<(), Unpublished> {
        let message = Publication::to_reader(self, frame);
        self.shared.with(|state| state.publish(&message)).map(drop)
    }

    /// Publishes a frame to all other readers of `topic`. Gives their number. It never waits.
    ///
    /// # Errors
    /// As [`Hub::put`](super::Hub::put).
    pub fn publish(&self, topic: &str, frame: &[u8]) -> Result<usize, Unpublished> {
        let message = Publication::to_topic(topic, frame).except(self);
        self.shared.with(|state| state.publish(&message))
    }

    /// How many messages it has missed, and was told of: because it fell behind, or because a
    /// message or datagram of its socket cannot be so long.
    pub fn missed(&self) -> u64 {
        self.door.missed.load(Ordering::Relaxed)
    }

    /// Takes nothing more, writes what was published until now, half-closes, and drops the socket's
    /// half. It waits as long as the peer does not read: bound its time. Cancel-safe: the reader
    /// goes on finishing.
    pub async fn finish(&self) -> ReaderEnd {
        self.shared.with(|state| state.finish(self.key));
        self.ended().await
    }

    /// Waits until the reader has ended, and gives the reason. Cancel-safe.
    pub async fn ended(&self) -> ReaderEnd {
        loop {
            let mut closed = pin!(self.door.closed.notified());
            closed.as_mut().enable();
            if let Some(ended) = self.door.ended.get() {
                return ended.clone();
            }
            closed.await;
        }
    }

    /// Whether it has ended.
    pub fn is_ended(&self) -> bool {
        self.door.ended.get().is_some()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.with(|state| {
            state.end(self.key, ReaderEnd::Cut);
            state.seats[self.key].held = false;
            state.forget(self.key);
        });
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({})", self.key)
    }
}
