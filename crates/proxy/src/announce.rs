//! The layer of clients that send a PROXY header, as a balancer does.

use socketry_transport::{
    Endpoint, Error, ErrorKind, Half, Keys, Layer, Registry, Result, SocketOptions, Transport,
    async_trait,
};
use tokio::time::{Duration, Instant, timeout};

use crate::error::ProxyError;
use crate::header::{Header, Origin, Version};

/// What a client sends, in its URL.
const SEND_PROXY: &str = "send_proxy";

const CONNECT: &str = "connect to";

/// Clients that send a PROXY header before anything else: a [layer](socketry_transport::Layer) over
/// any stream transport, below the one that encrypts. Servers listen as without it.
///
/// The header is a segment of its own. A program whose connections each carry another client sends
/// their headers itself: [`Header::send`].
///
/// ```
/// use socketry_proxy::{Announce, Behind, Header, Origin, Sources, Version};
/// use socketry_transport::{Half, Listener, MemTransport, Stack, Transport};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let origin = Origin::Client {
///     source: "tcp://192.0.2.1:56324".parse()?,
///     destination: "tcp://198.51.100.7:443".parse()?,
/// };
/// let mem = Stack::new(MemTransport::default())
///     .with(Behind::new().trust(Sources::this_machine()))
///     .with(Announce::header(Header::new(Version::V2, origin)));
/// let mut server = mem.listen(&"mem://balanced".parse()?).await?;
/// let _client = mem.connect(server.local()).await?;
/// let accepted = server.accept().await?;
/// assert_eq!(accepted.peer().to_string(), "tcp://192.0.2.1:56324");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Announce(Option<What>);

#[derive(Clone, Debug)]
enum What {
    /// The ends of the connection itself.
    Own(Version),
    /// Always the same.
    Header(Box<Header>),
}

impl Announce {
    /// The URL of a connect says what is sent, with `send_proxy`: `v1` and `v2` for the
    /// [own](Announce::own) addresses, `local` for [`local`](Announce::local). Where it says
    /// nothing, no header is sent.
    pub fn new() -> Self {
        Announce::default()
    }

    /// The addresses of the connection itself, where the URL says nothing.
    pub fn own(version: Version) -> Self {
        Announce(Some(What::Own(version)))
    }

    /// `LOCAL`, where the URL says nothing: the client speaks for itself, as a check does.
    pub fn local() -> Self {
        Announce::header(Header::new(Version::V2, Origin::Local))
    }

    /// This header, where the URL says nothing.
    pub fn header(header: Header) -> Self {
        Announce(Some(What::Header(header.into())))
    }

    /// `registry` with this over its `tcp` and its `unix`, where it has those.
    ///
    /// # Errors
    /// None that a registry's own schemes can cause.
    pub fn register(&self, registry: Registry) -> Result<Registry> {
        crate::over_streams(registry, self)
    }

    /// What is sent to `to`.
    fn at(&self, to: &Endpoint) -> Result<Self> {
        let mut chosen = self.clone();
        for (_, value) in to.query().filter(|(key, _)| *key == SEND_PROXY) {
            chosen = match value {
                "v1" => Announce::own(Version::V1),
                "v2" => Announce::own(Version::V2),
                "local" => Announce::local(),
                _ => {
                    let place = to.clone().without_query();
                    return Err(Error::new(ErrorKind::InvalidOption, CONNECT, place)
                        .because(format!("option '{SEND_PROXY}': it is v1, v2 or local")));
                }
            };
        }
        Ok(chosen)
    }
}

impl<T: Transport> Layer<T> for Announce {
    type Transport = AnnounceTransport<T>;

    fn layer(&self, inner: T) -> AnnounceTransport<T> {
        let announce = self.clone();
        AnnounceTransport { inner, announce }
    }
}

/// A transport under [`Announce`].
#[derive(Debug)]
pub struct AnnounceTransport<T> {
    inner: T,
    announce: Announce,
}

#[async_trait]
impl<T: Transport> Transport for AnnounceTransport<T> {
    type Socket = T::Socket;
    type Listener = T::Listener;

    fn keys(&self) -> Keys {
        self.inner.keys().and([SEND_PROXY])
    }

    async fn connect(&self, to: &Endpoint) -> Result<T::Socket> {
        let whole = SocketOptions::from_query(to, self.keys())?.connect_timeout;
        let Announce(Some(what)) = self.announce.at(to)? else {
            return self.inner.connect(to).await;
        };
        let begun = Instant::now();
        let mut socket = self
            .inner
            .connect(&to.clone().without_key(SEND_PROXY))
            .await?;
        let place = to.clone().without_query();
        if !socket.shape().is_stream() {
            let words = "a PROXY header stands before a stream, and this carries datagrams";
            return Err(ProxyError::new(ErrorKind::Unsupported, words).into_error(CONNECT, place));
        }
        let header = match what {
            What::Own(version) => Header::of(version, socket.info()),
            What::Header(header) => *header,
        };
        let left = whole
            .unwrap_or(Duration::MAX)
            .saturating_sub(begun.elapsed());
        match timeout(left, header.send(&mut socket)).await {
            Ok(sent) => sent.map_err(|error| Error::io(CONNECT, &place, error))?,
            Err(_) => {
                return Err(Error::new(ErrorKind::TimedOut, CONNECT, &place)
                    .because("it takes no bytes, not even a PROXY header"));
            }
        }
        Ok(socket)
    }

    async fn listen(&self, at: &Endpoint) -> Result<T::Listener> {
        SocketOptions::from_query(at, self.keys())?;
        if at.query().any(|(key, _)| key == SEND_PROXY) {
            let place = at.clone().without_query();
            return Err(Error::new(ErrorKind::InvalidOption, "listen at", place)
                .because(format!("{SEND_PROXY}= is for connecting")));
        }
        self.inner.listen(at).await
    }
}
