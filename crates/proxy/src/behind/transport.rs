//! The transport that the layer makes, and its listener.

use std::sync::Arc;
use std::task::{Context, Poll};

use socketry_transport::{
    BoxSocket, Endpoint, Error, ErrorKind, Keys, Listener, ListenerExt, Result, SocketOptions,
    Transport, UpgradeStats, Upgrading, async_trait,
};

use super::Behind;
use super::read::{Rules, accept};

/// The sources whose headers are believed, in the URL of a listener.
const PROXY_FROM: &str = "proxy_from";

const LISTEN: &str = "listen at";

/// A transport under [`Behind`].
#[derive(Debug)]
pub struct BehindTransport<T> {
    inner: T,
    behind: Behind,
}

impl<T> BehindTransport<T> {
    pub(super) fn new(inner: T, behind: Behind) -> Self {
        BehindTransport { inner, behind }
    }
}

#[async_trait]
impl<T: Transport> Transport for BehindTransport<T> {
    type Socket = T::Socket;
    type Listener = BehindListener<T::Listener>;

    fn keys(&self) -> Keys {
        self.inner.keys().and([PROXY_FROM])
    }

    async fn connect(&self, to: &Endpoint) -> Result<T::Socket> {
        SocketOptions::from_query(to, self.keys())?;
        if to.query().any(|(key, _)| key == PROXY_FROM) {
            let place = to.clone().without_query();
            return Err(Error::new(ErrorKind::InvalidOption, "connect to", place)
                .because(format!("{PROXY_FROM}= is for listening")));
        }
        self.inner.connect(to).await
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        SocketOptions::from_query(at, self.keys())?;
        let mut trusted = self.behind.trusted.clone();
        let place = at.clone().without_query();
        for (_, value) in at.query().filter(|(key, _)| *key == PROXY_FROM) {
            let sources = value.parse();
            trusted =
                Some(sources.map_err(|error: crate::ProxyError| error.into_error(LISTEN, &place))?);
        }
        let listener = self
            .inner
            .listen(&at.clone().without_key(PROXY_FROM))
            .await?;
        let Some(trusted) = trusted else {
            return Ok(BehindListener(Inner::Plain(listener)));
        };
        let rules = Arc::new(Rules {
            trusted,
            only: self.behind.only,
            longest: self.behind.longest,
        });
        let upgrading = listener.upgrading(self.behind.limits, move |socket| {
            let rules = Arc::clone(&rules);
            async move { accept(socket, &rules).await }
        });
        let upgrading = match self.behind.observer.clone() {
            Some(observer) => upgrading.on_failure(move |failure| observer(failure)),
            None => upgrading,
        };
        Ok(BehindListener(Inner::Behind(Box::new(upgrading))))
    }
}

/// Accepts sockets behind a balancer. Headers are read beside one another, each within its
/// deadline.
#[derive(Debug)]
pub struct BehindListener<L: Listener>(Inner<L>);

#[derive(Debug)]
enum Inner<L: Listener> {
    /// No header is expected.
    Plain(L),
    Behind(Box<Upgrading<L, BoxSocket>>),
}

impl<L: Listener> BehindListener<L> {
    /// What the headers came to so far.
    pub fn stats(&self) -> UpgradeStats {
        match &self.0 {
            Inner::Plain(_) => UpgradeStats::default(),
            Inner::Behind(upgrading) => upgrading.stats(),
        }
    }

    fn inner(&self) -> &L {
        match &self.0 {
            Inner::Plain(inner) => inner,
            Inner::Behind(upgrading) => upgrading.get_ref(),
        }
    }
}

impl<L: Listener> Listener for BehindListener<L> {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        self.inner().local()
    }

    fn locals(&self) -> Vec<Endpoint> {
        self.inner().locals()
    }

    fn refusals(&self) -> u64 {
        self.inner().refusals()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        match &mut self.0 {
            // The socket as it is, which costs nothing where its type is hidden already.
            Inner::Plain(inner) => inner.poll_accept(cx).map_ok(BoxSocket::new),
            Inner::Behind(upgrading) => upgrading.poll_accept(cx),
        }
    }
}
