//! The transport that the layer makes.

use std::time::Duration;

use socketry_transport::{
    Endpoint, Error, ErrorKind, Keys, Result, Service, SocketOptions, Transport, async_trait,
};
use tokio::time::{Instant, timeout};

use crate::order::ordered;
use crate::srv::Srv;
use crate::url::Asked;

const CONNECT: &str = "connect to";
const LISTEN: &str = "listen at";

/// The most servers of one service that a connect tries. A service may have more.
const MOST_SERVERS: usize = 32;
/// Of how many servers an error has the reason.
const TOLD: usize = 3;

/// A transport under [`Srv`].
#[derive(Debug)]
pub struct SrvTransport<T> {
    pub(crate) inner: T,
    pub(crate) srv: Srv,
}

#[async_trait]
impl<T: Transport> Transport for SrvTransport<T> {
    type Socket = T::Socket;
    type Listener = T::Listener;

    /// Those of the transport inside.
    fn keys(&self) -> Keys {
        self.inner.keys()
    }

    /// The socket is that of the transport inside: its peer has that scheme, and an address.
    async fn connect(&self, to: &Endpoint) -> Result<T::Socket> {
        let asked = Asked::of(to, CONNECT)?;
        let options = SocketOptions::from_query(to, self.keys())?;
        let whole = options
            .connect_timeout
            .unwrap_or(SocketOptions::DEFAULT_CONNECT_TIMEOUT);
        let begun = Instant::now();
        let place = to.clone().without_query();
        let found = match timeout(whole, self.srv.names.services(&asked.service)).await {
            Ok(found) => found.map_err(|error| error.part_of(CONNECT, &place))?,
            Err(_) => return Err(silent(&place, whole)),
        };
        let servers = self.chosen(found, &asked.service, &place)?;
        let mut failures = Vec::new();
        for (at, server) in servers.iter().enumerate() {
            // What is left is shared out, so that a silent server leaves time for the next.
            let left = whole.saturating_sub(begun.elapsed());
            let share = left / u32::try_from(servers.len() - at).unwrap_or(u32::MAX);
            match self.attempt(&asked, to, server, share).await {
                Ok(socket) => return Ok(socket),
                Err(error) if is_about_the_url(error.kind()) => return Err(error),
                Err(error) => failures.push((server, error)),
            }
        }
        Err(unreached(&place, failures))
    }

    async fn listen(&self, at: &Endpoint) -> Result<T::Listener> {
        Asked::of(at, LISTEN)?;
        let place = at.clone().without_query();
        Err(Error::new(ErrorKind::Unsupported, LISTEN, place)
            .because("the records of a service say where its servers are")
            .hint("listen at an address that one of them has, as in tcp://0.0.0.0:9000"))
    }
}

impl<T: Transport> SrvTransport<T> {
    /// Those that are tried, in this order.
    fn chosen(&self, found: Vec<Service>, name: &str, place: &Endpoint) -> Result<Vec<Service>> {
        let none = |reason: String| Error::new(ErrorKind::NotFound, CONNECT, place).because(reason);
        if found.is_empty() {
            return Err(none(format!("{name} has no SRV records")));
        }
        let mut servers = found;
        servers.retain(|server| !["", "."].contains(&&*server.target));
        if servers.is_empty() {
            let words = format!("the record of {name} says that there is no such service");
            return Err(none(words).hint("its target is '.' (RFC 2782)"));
        }
        let mut servers = ordered(servers, self.srv.next_seed());
        servers.truncate(MOST_SERVERS);
        Ok(servers)
    }

    async fn attempt(
        &self,
        asked: &Asked<'_>,
        to: &Endpoint,
        server: &Service,
        share: Duration,
    ) -> Result<T::Socket> {
        let there = asked.server(to, server, &self.inner.keys())?;
        match timeout(share, self.inner.connect(&there)).await {
            Ok(done) => done,
            Err(_) => Err(silent(&there.without_query(), share)),
        }
    }
}

fn silent(place: &Endpoint, limit: Duration) -> Error {
    Error::new(ErrorKind::TimedOut, CONNECT, place)
        .because(format!("no answer within {limit:.1?}"))
        .hint("allow more with connect_timeout=60s, say")
}

/// Whether another server will fail in the same way.
fn is_about_the_url(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidOption | ErrorKind::UnknownScheme | ErrorKind::Unsupported
    )
}

/// No server was reached. The kind is that of the first, which the records have as the best.
fn unreached(place: &Endpoint, failures: Vec<(&Service, Error)>) -> Error {
    let reasons = failures.iter().take(TOLD).map(|(server, error)| {
        let host = server.target.strip_suffix('.').unwrap_or(&server.target);
        format!(
            "{}:{}: {}",
            host.escape_debug(),
            server.port,
            error.reason()
        )
    });
    let mut words = reasons.collect::<Vec<_>>().join(", ");
    if failures.len() > TOLD {
        words += &format!(", and {} more", failures.len() - TOLD);
    }
    let Some((_, first)) = failures.into_iter().next() else {
        return Error::new(ErrorKind::NotFound, CONNECT, place);
    };
    Error::new(first.kind(), CONNECT, place)
        .because(format!("none of its servers can be reached: {words}"))
        .hint("are they running, and are the records right?")
        .caused_by(first)
}
