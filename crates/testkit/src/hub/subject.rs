//! The hub that is tested, and over what.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use socketry_codec::BoxCodec;
use socketry_service::{Format, Hub, HubLimits, Publication, Reader, ReaderEnd, Receipt};
use socketry_transport::{BoxSend, Endpoint, Error, Registry};

/// A future of a hub under test.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a reader joins.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// It is told of missed messages: a frame `missed N`.
    pub told: bool,
    /// Receipts wait for it.
    pub paces: bool,
    /// It is cut when it is late.
    pub cut_when_late: bool,
}

/// A hub, as the laws use it: [`Hub`], or one that is broken on purpose.
pub trait AnyHub: Send + Sync {
    /// A format; its number counts from 0.
    fn format(&mut self, codec: BoxCodec) -> usize;
    /// A reader in a format of this number.
    fn join(&self, half: BoxSend, format: usize, how: How) -> Box<dyn AnyReader>;
    /// The number of readers, or in words why it was not published.
    fn publish(&self, topic: &str, frame: &[u8], receipt: Option<Receipt>)
    -> Result<usize, String>;
    /// How many readers were drained and cut.
    fn close(&self, grace: Duration) -> Later<'_, (usize, usize)>;
}

/// A reader of such a hub.
pub trait AnyReader: Send + Sync {
    /// Subscribes.
    fn subscribe(&self, topic: &str);
    /// Ends a subscription.
    fn unsubscribe(&self, topic: &str);
    /// Sends to this reader alone.
    fn send(&self, frame: &[u8]);
    /// Publishes to all others.
    fn publish(&self, topic: &str, frame: &[u8]) -> usize;
    /// How many messages it has missed.
    fn missed(&self) -> u64;
    /// Writes what waits, and ends.
    fn finish(&self) -> Later<'_, ReaderEnd>;
    /// Waits for its end.
    fn ended(&self) -> Later<'_, ReaderEnd>;
}

/// The hub of `socketry-service`, and its formats.
pub struct Ours(Hub, Vec<Format>);

impl Ours {
    /// A hub with these limits. It needs a runtime.
    pub fn new(limits: HubLimits) -> Self {
        Ours(Hub::new(limits), Vec::new())
    }
}

impl AnyHub for Ours {
    fn format(&mut self, codec: BoxCodec) -> usize {
        self.1.push(self.0.format(codec));
        self.1.len() - 1
    }
    fn join(&self, half: BoxSend, format: usize, how: How) -> Box<dyn AnyReader> {
        let mut joining = self.0.join(half, self.1[format]);
        if how.told {
            joining = joining.told(|missed| Some(format!("missed {missed}").into()));
        }
        if how.paces {
            joining = joining.paces();
        }
        if how.cut_when_late {
            joining = joining.cut_when_late();
        }
        Box::new(joining.start())
    }
    fn publish(
        &self,
        topic: &str,
        frame: &[u8],
        receipt: Option<Receipt>,
    ) -> Result<usize, String> {
        let mut message = Publication::to_topic(topic, frame);
        if let Some(receipt) = receipt {
            message = message.receipt(receipt);
        }
        self.0.put(message).map_err(|error| error.to_string())
    }
    fn close(&self, grace: Duration) -> Later<'_, (usize, usize)> {
        Box::pin(async move {
            let summary = self.0.close(grace).await;
            (summary.drained, summary.cut)
        })
    }
}

impl AnyReader for Reader {
    fn subscribe(&self, topic: &str) {
        self.subscribe(topic).expect("few topics");
    }
    fn unsubscribe(&self, topic: &str) {
        self.unsubscribe(topic);
    }
    fn send(&self, frame: &[u8]) {
        self.send(frame).expect("an open hub");
    }
    fn publish(&self, topic: &str, frame: &[u8]) -> usize {
        self.publish(topic, frame).expect("an open hub")
    }
    fn missed(&self) -> u64 {
        self.missed()
    }
    fn finish(&self) -> Later<'_, ReaderEnd> {
        Box::pin(self.finish())
    }
    fn ended(&self) -> Later<'_, ReaderEnd> {
        Box::pin(self.ended())
    }
}

type Making = Arc<dyn Fn(HubLimits) -> Box<dyn AnyHub> + Send + Sync>;

/// A transport over which a hub is tested, and the hub.
#[derive(Clone)]
pub struct Subject {
    pub(super) registry: Registry,
    pub(super) at: Endpoint,
    pub(super) make: Making,
    kept: Vec<Arc<dyn Any + Send + Sync>>,
}

impl Subject {
    /// [`Hub`] over sockets that are accepted at `at`, with the transports of `registry`. `at` has
    /// port 0 or what else stands for a free place, so that tests do not meet.
    ///
    /// # Panics
    /// If `at` is no endpoint.
    pub fn new<E>(registry: Registry, at: E) -> Self
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        let at = at.try_into().map_err(Error::from);
        Subject {
            registry,
            at: at.unwrap_or_else(|error| panic!("{error}")),
            make: Arc::new(|limits| Box::new(Ours::new(limits))),
            kept: Vec::new(),
        }
    }

    /// Another hub.
    #[must_use]
    pub fn with(self, make: impl Fn(HubLimits) -> Box<dyn AnyHub> + Send + Sync + 'static) -> Self {
        Subject {
            make: Arc::new(make),
            ..self
        }
    }

    /// Keeps `value` as long as the subject: a directory, say.
    #[must_use]
    pub fn keep(mut self, value: impl Any + Send + Sync) -> Self {
        self.kept.push(Arc::new(value));
        self
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a hub at {}", self.at)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({})", self.at)
    }
}
