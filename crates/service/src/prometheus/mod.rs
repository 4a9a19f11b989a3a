//! Metrics as Prometheus text, at a URL of any transport.

mod buckets;
mod http;
mod registry;

use std::fmt;
use std::sync::Arc;

use socketry_codec::{BoxError, Codec, Line};
use socketry_transport::{Listener, Result};

use crate::{Metrics, Server, Summary};
use registry::{Registry, Shared};

/// A recorder of metrics, and the server at which Prometheus reads them, over any transport.
///
/// ```
/// use socketry_codec::FrameError;
/// use socketry_service::{Prometheus, Server};
/// use socketry_transport::listen;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let prometheus = Prometheus::new();
/// let server = Server::new(listen("tcp://127.0.0.1:0").await?);
/// let server = server.observer(prometheus.observer("echo"));
/// tokio::spawn(server.answer(async |request| Ok::<_, FrameError>(request.frame)));
///
/// // curl http://127.0.0.1:PORT/metrics
/// let at = listen("tcp://127.0.0.1:0").await?;
/// tokio::spawn(prometheus.clone().serve(Server::new(at)));
/// assert!(prometheus.text().contains("socketry_server_connections"));
/// # Ok(()) }
/// ```
///
/// It keeps at most 10,000 series (a metric with one set of labels each), and counts no others.
/// Histograms have buckets from 0.1 ms to a minute.
#[derive(Clone, Default)]
pub struct Prometheus {
    registry: Arc<Registry>,
}

impl Prometheus {
    /// A recorder that nothing is recorded in yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An observer that records here, for the server that is called `server`.
    pub fn observer(&self, server: impl Into<String>) -> Metrics {
        let recorder = Shared(Arc::clone(&self.registry));
        metrics::with_local_recorder(&recorder, || Metrics::new(server.into()))
    }

    /// Records the metrics of the whole program here: all that its libraries count by the facade.
    ///
    /// # Errors
    /// If the program has a recorder already.
    pub fn install(&self) -> std::result::Result<(), BoxError> {
        let installed = metrics::set_global_recorder(Shared(Arc::clone(&self.registry)));
        installed.map_err(|error| error.to_string().into())
    }

    /// All metrics as Prometheus reads them (text format 0.0.4).
    pub fn text(&self) -> String {
        self.registry.text()
    }

    /// Answers `GET /metrics` until `server` is stopped. The server's limits hold, and its codec
    /// does not matter. Each connection has one request, whose head has at most 8 KiB and has to
    /// come within 10 seconds.
    ///
    /// The text tells how busy the program is. Listen where only Prometheus can connect: a loopback
    /// address, a Unix socket, TLS with client certificates.
    ///
    /// # Errors
    /// As [`Server::serve`].
    pub async fn serve<L, C>(self, server: Server<L, C>) -> Result<Summary>
    where
        L: Listener,
        C: Codec + Clone,
    {
        let codec = Line::crlf().max_frame(http::HEAD).max_discard(0);
        let answered = server.codec(codec).serve(move |client| {
            let registry = Arc::clone(&self.registry);
            http::answer(client, move || registry.text())
        });
        answered.await
    }
}

impl fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prometheus")
    }
}
