//! The settings of a client, before it starts.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use socketry_codec::{Codec, Struct};
use socketry_transport::{Endpoint, Error, ErrorKind, Registry, Result};

use super::correlate::Correlate;
use super::driver::{Dialer, Settings, Shared, run};
use super::pushes::Publisher;
use super::{Client, ClientLimits, Pushes};

/// The settings of a [`Client`]: made by [`Client::builder`].
#[derive(Clone)]
pub struct ClientBuilder<C = Struct> {
    endpoint: Endpoint,
    registry: Registry,
    limits: ClientLimits,
    codec: C,
    correlate: Option<Arc<dyn Correlate>>,
    probe: Option<Bytes>,
}

impl ClientBuilder {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        ClientBuilder {
            endpoint,
            registry: Registry::standard(),
            limits: ClientLimits::default(),
            codec: Struct::default(),
            correlate: None,
            probe: None,
        }
    }
}

impl<C: Codec + Clone> ClientBuilder<C> {
    /// The codec of all connections. Default [`Struct`].
    #[must_use]
    pub fn codec<D: Codec + Clone>(self, codec: D) -> ClientBuilder<D> {
        ClientBuilder {
            endpoint: self.endpoint,
            registry: self.registry,
            limits: self.limits,
            codec,
            correlate: self.correlate,
            probe: self.probe,
        }
    }

    /// The transports. Default [`Registry::standard`].
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// What the client may hold, and how long it waits.
    #[must_use]
    pub fn limits(mut self, limits: ClientLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Matches answers with requests by an id, so that they may come in any order, and over
    /// datagrams. Default: they come in the order of the requests.
    #[must_use]
    pub fn correlate(mut self, correlate: impl Correlate) -> Self {
        self.correlate = Some(Arc::new(correlate));
        self
    }

    /// A request that does nothing, such as a `PING`. It is sent when nothing has arrived for
    /// [`probe_interval`](ClientLimits::probe_interval), and if nothing arrives within
    /// [`probe_timeout`](ClientLimits::probe_timeout) either, the connection is given up. So a
    /// server that is gone is noticed within the sum of both, 40 seconds by default.
    ///
    /// The server has to answer it as it answers any request. With answers in order, that comes
    /// after all that are due before: the sum has to be longer than the slowest request takes.
    /// While the reader of a [stream](Client::stream) has no room, the time stands still.
    ///
    /// There is none by default. Then a server that vanishes without a word is noticed when the
    /// transport notices it: after some 15 minutes if bytes were sent over TCP, and never on an
    /// idle connection, unless the URL asks for `keepalive`.
    #[must_use]
    pub fn probe(mut self, frame: impl Into<Bytes>) -> Self {
        self.probe = Some(frame.into());
        self
    }

    /// Starts the client, in a task of the current runtime, which needs its timers. It connects at
    /// once, and this does not wait for it: [`Client::connected`] does.
    ///
    /// # Errors
    /// [`UnknownScheme`](ErrorKind::UnknownScheme), or [`Unsupported`](ErrorKind::Unsupported) if
    /// the codec cannot carry the [probe](ClientBuilder::probe) or there is no place for an id in
    /// it.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(self) -> Result<Client> {
        self.start_listening().map(|(client, _)| client)
    }

    /// [`start`](ClientBuilder::start), with the frames that the server sends unasked from the
    /// first on: a greeting, say.
    ///
    /// # Errors
    /// As [`start`](ClientBuilder::start).
    pub fn start_listening(self) -> Result<(Client, Pushes)> {
        self.check()?;
        let publisher = Publisher::new(self.limits.pushes);
        let shared = Arc::new(Shared::new(self.limits, publisher.subscriptions()));
        let pushes = shared.pushes.subscribe();
        let dialer = Dialer::new(self.registry, self.endpoint);
        let settings = Settings {
            codec: self.codec,
            correlate: self.correlate,
            probe: self.probe,
            pushes: publisher,
        };
        tokio::spawn(run(Arc::clone(&shared), dialer, settings));
        Ok((Client::of(shared), pushes))
    }

    /// Whether a client could start.
    pub(super) fn check(&self) -> Result<()> {
        let scheme = self.endpoint.scheme();
        if self.registry.get(scheme).is_none() {
            let known: Vec<_> = self.registry.schemes().collect();
            let error = Error::new(ErrorKind::UnknownScheme, "connect to", &self.endpoint)
                .because(format!("no transport is registered for '{scheme}'"))
                .hint(format!("the schemes here are {}", known.join(", ")));
            return Err(error);
        }
        self.check_probe()
    }

    /// A probe that can never be sent would only be noticed when it is needed.
    fn check_probe(&self) -> Result<()> {
        let Some(probe) = &self.probe else {
            return Ok(());
        };
        let refused = |why: &dyn fmt::Display| {
            let error = Error::new(ErrorKind::Unsupported, "probe", &self.endpoint);
            error.because(format!("the probe cannot be sent: {why}"))
        };
        let mut frame = BytesMut::from(&probe[..]);
        if let Some(correlate) = &self.correlate {
            let stamped = correlate.stamp(&mut frame, 1);
            stamped.map_err(|error| refused(&error))?;
        }
        let encoded = self.codec.clone().encode(&frame, &mut BytesMut::new());
        encoded.map_err(|error| refused(&error))
    }
}

impl<C> fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientBuilder({})", self.endpoint.redacted())
    }
}
