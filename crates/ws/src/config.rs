//! How WebSocket is spoken, as it is set in code.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{Registry, Result, UpgradeFailure, UpgradeLimits};

use crate::handshake::Answer;
use crate::origins::Origins;
use crate::session::Settings;

/// The longest message, in bytes, unless [`Ws::max_message`] says otherwise: 1,048,576. CPython's
/// `websockets` takes no more by default; aiohttp takes less than 4 MiB, Node's `ws` 100 MiB.
pub const MAX_MESSAGE: usize = 1 << 20;

/// How often a peer is pinged, unless [`Ws::ping`] says otherwise: every 45 seconds. HAProxy cuts a
/// silent connection after 50 in Debian's configuration, and nginx after 60 by default.
pub const PING: Duration = Duration::from_secs(45);

/// How long a peer has for a sign of life after a ping, unless [`Ws::ping`] says otherwise: 20
/// seconds.
pub const PONG: Duration = Duration::from_secs(20);

/// WebSocket (RFC 6455), as a [layer](socketry_transport::Layer) over any stream transport.
///
/// What is set here holds for all URLs; what a URL says comes before it. The crate's page has the
/// keys.
#[derive(Clone)]
pub struct Ws {
    pub(crate) settings: Settings,
    pub(crate) protocols: Vec<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) kept: Vec<String>,
    pub(crate) origins: Origins,
    pub(crate) page: Option<Arc<Page>>,
    pub(crate) limits: UpgradeLimits,
    pub(crate) observer: Option<Observer>,
    pub(crate) places: Places,
}

pub(crate) type Observer = Arc<dyn Fn(&UpgradeFailure<'_>) + Send + Sync>;

/// What the address of a URL means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Places {
    /// As it looks: a URL with a host has the request's path, and one without has a socket's.
    Either,
    /// A host, perhaps a port, and the request's path.
    Hosts {
        /// Where the URL has no port.
        port: u16,
    },
    /// All of it is the address of the transport inside.
    Local,
}

impl Default for Ws {
    fn default() -> Self {
        Ws::new()
    }
}

impl Ws {
    /// WebSocket with the defaults of this crate.
    pub fn new() -> Self {
        Ws {
            settings: Settings {
                max_message: MAX_MESSAGE,
                ping: Some(PING),
                pong: PONG,
                text: false,
            },
            protocols: Vec::new(),
            headers: Vec::new(),
            kept: Vec::new(),
            origins: Origins::default(),
            page: None,
            limits: UpgradeLimits::default(),
            observer: None,
            places: Places::Either,
        }
    }

    /// The longest message, in bytes, to send and to receive; default [`MAX_MESSAGE`]. A longer one
    /// is not sent. A peer that sends one is told so (1009), and the connection ends.
    #[must_use]
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.settings.max_message = bytes;
        self
    }

    /// How often the peer is pinged, and how long it has for a sign of life; defaults [`PING`] and
    /// [`PONG`]. `None` for no pings, and then no peer is given up. Any bytes of the peer are a
    /// sign of life, and so are bytes that it takes after a sender had to wait for it.
    ///
    /// A ping leaves while a task waits in a receive, and at no other time. After this end's close
    /// none leaves, and the peer has to answer the close by the same time.
    #[must_use]
    pub fn ping(mut self, every: Option<Duration>, patience: Duration) -> Self {
        self.settings.ping = every;
        self.settings.pong = patience;
        self
    }

    /// Sends messages as text, which has to be UTF-8: a script in a page then gets a string. By
    /// default they are sent as binary. Both are received alike.
    #[must_use]
    pub fn text(mut self, on: bool) -> Self {
        self.settings.text = on;
        self
    }

    /// Subprotocols, best first. A client offers them. A server takes the first that the client
    /// offers, and refuses a client that offers none of them. Names that are no tokens (RFC 9110)
    /// are an error of the connect or listen.
    #[must_use]
    pub fn protocols<P: Into<String>>(mut self, names: impl IntoIterator<Item = P>) -> Self {
        self.protocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// One more header of a client's request: `Authorization`, say. `Host` and `Origin` take the
    /// place of those that the URL has or had none of. Names and values that do not fit into a line
    /// are an error of the connect, and so are headers of the handshake itself, such as `Upgrade`.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The headers of requests that a server keeps in [`WsInfo`](crate::WsInfo), by their names in
    /// any case: `Cookie`, `User-Agent`. None by default: a client may send 16 KiB of them, which
    /// each connection would hold as long as it lives.
    #[must_use]
    pub fn keep_headers<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.kept = names.into_iter().map(Into::into).collect();
        self
    }

    /// The origins whose pages a server lets in, as browsers write them: `https://example.org`.
    /// `*` lets in all.
    ///
    /// By default a page talks to the host and port that it came from, and not by a name of the
    /// Internet to a loopback address. A client that sends no `Origin` is no browser, and is let
    /// in.
    #[must_use]
    pub fn origins<O: Into<String>>(mut self, list: impl IntoIterator<Item = O>) -> Self {
        self.origins = Origins::of(list.into_iter().map(Into::into));
        self
    }

    /// What a server answers to a plain `GET /`. By default such a request gets the answer 426.
    #[must_use]
    pub fn page(mut self, page: Page) -> Self {
        self.page = Some(Arc::new(page));
        self
    }

    /// The bounds of handshakes: at once, and in time.
    #[must_use]
    pub fn limits(mut self, limits: UpgradeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Is called for each handshake that a server refuses, in that handshake's task. It must not
    /// block. A plain request that was answered is among them
    /// ([`WsError::is_plain_request`](crate::WsError::is_plain_request)).
    #[must_use]
    pub fn on_failure(
        mut self,
        observer: impl Fn(&UpgradeFailure<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The registry with `ws` over its `tcp`, `wss` over its `tls`, and `ws+unix` over its `unix`,
    /// as far as it has these.
    ///
    /// # Errors
    /// [`UnknownScheme`](socketry_transport::ErrorKind::UnknownScheme) if it has none of them.
    pub fn register(&self, registry: Registry) -> Result<Registry> {
        let schemes = [
            ("ws", "tcp", Places::Hosts { port: 80 }),
            ("wss", "tls", Places::Hosts { port: 443 }),
            ("ws+unix", "unix", Places::Local),
        ];
        let there = |inside: &str| registry.get(inside).is_some();
        let has_some = schemes.iter().any(|(_, inside, _)| there(inside));
        // Without any, the first one tells what is missing.
        let chosen = |at: usize, inside: &str| there(inside) || (!has_some && at == 0);
        let all = schemes.into_iter().enumerate();
        let chosen: Vec<_> = all.filter(|(at, scheme)| chosen(*at, scheme.1)).collect();
        chosen
            .into_iter()
            .try_fold(registry, |registry, (_, (outside, inside, places))| {
                let layer = Ws {
                    places,
                    ..self.clone()
                };
                registry.layer_as(outside, inside, layer)
            })
    }
}

impl fmt::Debug for Ws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ws")
            .field("settings", &self.settings)
            .field("protocols", &self.protocols)
            .field("origins", &self.origins)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A page that a server answers to a plain `GET /`.
#[derive(Clone, Debug)]
pub struct Page {
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
}

impl Page {
    /// A page of HTML in UTF-8.
    pub fn html(body: impl Into<Vec<u8>>) -> Self {
        let page = Page {
            body: body.into(),
            headers: Vec::new(),
        };
        page.header("Content-Type", "text/html; charset=utf-8")
            .header("X-Content-Type-Options", "nosniff")
    }

    /// One more header of the answer, such as `Content-Security-Policy`. A value that does not fit
    /// into a line is cut at its first control character.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let mut value = value.into();
        if let Some(end) = value.find(|c: char| c.is_control()) {
            value.truncate(end);
        }
        self.headers.push((name, value));
        self
    }

    pub(crate) fn answer(&self) -> Answer {
        Answer {
            status: 200,
            headers: self.headers.clone(),
            body: self.body.clone(),
        }
    }
}
