//! The transport that the layer makes.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use socketry_transport::{
    BoxSocket, Endpoint, Error, ErrorKind, Keys, Result, SocketOptions, Transport, async_trait,
};
use tokio::time::timeout;

use super::chain::{Chain, Failure};
use super::hop::Hop;
use super::{MOST_HOPS, Passed, Via};
use crate::error::ProxyError;

/// A proxy, in the URL of a connect.
const VIA: &str = "via";
/// No proxy.
const DIRECT: &str = "direct";

const CONNECT: &str = "connect to";

/// A transport under [`Via`].
#[derive(Debug)]
pub struct ViaTransport<T> {
    inner: T,
    via: Via,
}

impl<T> ViaTransport<T> {
    pub(super) fn new(inner: T, via: Via) -> Self {
        ViaTransport { inner, via }
    }

    /// The proxies on the way to `to`.
    fn hops(&self, to: &Endpoint) -> std::result::Result<Cow<'_, [Hop]>, ProxyError> {
        let named: Vec<_> = to.query().filter(|(key, _)| *key == VIA).collect();
        let hops: Cow<'_, [Hop]> = match &named[..] {
            [] if !self.via.hops.is_empty() => Cow::Borrowed(&self.via.hops),
            [] => match (&self.via.rules, to.host_port()) {
                (Some(rules), Some((host, port))) if rules.apply_to(&host, port) => {
                    Cow::Borrowed(std::slice::from_ref(&rules.hop))
                }
                _ => Cow::Borrowed(&[]),
            },
            [(_, DIRECT)] => Cow::Borrowed(&[]),
            named => {
                let hops = named.iter().map(|(_, text)| text.parse());
                Cow::Owned(hops.collect::<std::result::Result<_, _>>()?)
            }
        };
        match hops.len() <= MOST_HOPS {
            true => Ok(hops),
            false => Err(ProxyError::new(
                ErrorKind::InvalidOption,
                format!("a chain has at most {MOST_HOPS} proxies"),
            )),
        }
    }
}

#[async_trait]
impl<T: Transport> Transport for ViaTransport<T> {
    type Socket = BoxSocket;
    type Listener = T::Listener;

    fn keys(&self) -> Keys {
        self.inner.keys().and_lists([VIA])
    }

    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        let options = SocketOptions::from_query(to, self.keys())?;
        let place = to.clone().without_query();
        let refused = |error: ProxyError| error.into_error(CONNECT, &place);
        let hops = self.hops(to).map_err(refused)?;
        let inside = to.clone().without_key(VIA);
        let Some(first) = hops.first() else {
            // The socket as it is, which costs nothing where its type is hidden already.
            return self.inner.connect(&inside).await.map(BoxSocket::new);
        };
        let (host, port) = to.require_host_port(CONNECT)?;
        let first = first_place(first, &inside)?;

        let stage = AtomicUsize::new(0);
        let connecting = async {
            let chain = Chain::to(&hops, first, (&host, port), &*self.via.names).await?;
            chain.connect(&self.inner, &stage).await
        };
        let whole = options.connect_timeout.unwrap_or(self.via.deadline);
        let (wire, seen_as) = match timeout(whole, connecting).await {
            Ok(connected) => connected.map_err(|failure| explained(failure, &hops, &place))?,
            Err(_) => {
                let hop = named(&hops, stage.load(Ordering::Relaxed));
                return Err(Error::new(ErrorKind::TimedOut, CONNECT, &place)
                    .because(format!("{hop} was not done within {whole:?}"))
                    .hint("connect_timeout= in the URL gives it more time"));
            }
        };
        let passed = Passed {
            proxies: hops.iter().map(ToString::to_string).collect(),
            seen_as,
        };
        let socket = wire.finish(|info| info.with_peer(place).with(passed));
        Ok(BoxSocket::new(socket))
    }

    async fn listen(&self, at: &Endpoint) -> Result<T::Listener> {
        SocketOptions::from_query(at, self.keys())?;
        if at.query().any(|(key, _)| key == VIA) {
            let place = at.clone().without_query();
            return Err(Error::new(ErrorKind::InvalidOption, "listen at", place)
                .because(format!("{VIA}= is for connecting")));
        }
        self.inner.listen(at).await
    }
}

/// Where the first proxy is, with the options of the URL.
fn first_place(hop: &Hop, to: &Endpoint) -> Result<Endpoint> {
    let place = Endpoint::new(to.scheme(), (hop.host.as_str(), hop.port))?;
    let with = |place: Endpoint, (key, value): (&str, &str)| place.with(key, value);
    Ok(to.query().fold(place, with))
}

/// The hop, as an error names it.
fn named(hops: &[Hop], at: usize) -> String {
    let hop = hops.get(at).map(ToString::to_string).unwrap_or_default();
    match hops.len() {
        1 => format!("the proxy {hop}"),
        all => format!("the proxy {hop} ({} of {all})", at + 1),
    }
}

fn explained(failure: Failure, hops: &[Hop], place: &Endpoint) -> Error {
    match failure {
        // It is about the URL, and not about the proxy.
        Failure::First(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidOption | ErrorKind::InvalidEndpoint | ErrorKind::UnknownScheme
            ) =>
        {
            error
        }
        Failure::First(error) => {
            let words = match error.get_ref() {
                Some(held) => held.to_string(),
                None => error.kind().to_string(),
            };
            let hop = named(hops, 0);
            Error::new(error.kind(), CONNECT, place)
                .because(format!("{hop} cannot be reached: {}", words.escape_debug()))
                .hint("is the proxy running, and is this its address?")
                .caused_by(error)
        }
        Failure::Hop(at, error) => error
            .before(|reason| format!("{}: {reason}", named(hops, at)))
            .into_error(CONNECT, place),
    }
}
