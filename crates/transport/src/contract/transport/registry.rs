//! From schemes to transports: `connect(url)` and `listen(url)`, open to third parties.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::contract::boxed::{BoxListener, BoxSocket, BoxTransport, erase};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::Transport;
use crate::contract::transport::layer::Layer;
use crate::contract::transport::renamed::Renamed;

/// Transports by scheme.
#[derive(Clone)]
pub struct Registry {
    transports: BTreeMap<String, BoxTransport>,
}

impl Registry {
    /// No transports.
    pub fn empty() -> Self {
        Registry {
            transports: BTreeMap::new(),
        }
    }

    /// The same with `transport` for `scheme`, which replaces one that was registered before.
    #[must_use]
    pub fn with(mut self, scheme: &str, transport: impl Transport) -> Self {
        self.transports
            .insert(scheme.to_ascii_lowercase(), erase(transport));
        self
    }

    /// The transport of `scheme`, if there is one. It is the registered one, shared.
    pub fn get(&self, scheme: &str) -> Option<BoxTransport> {
        self.transports.get(&scheme.to_ascii_lowercase()).cloned()
    }

    /// The same with `layer` around the transport of `scheme`.
    ///
    /// ```
    /// use socketry_transport::Registry;
    ///
    /// let registry = Registry::standard().layer("tcp", |tcp| tcp)?; // a layer that adds nothing
    /// assert!(Registry::standard().layer("tpc", |tcp| tcp).is_err());
    /// # let _ = registry;
    /// # Ok::<(), socketry_transport::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`UnknownScheme`](ErrorKind::UnknownScheme) if no transport is registered for `scheme`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a layer is made where it is given"
    )]
    pub fn layer<L: Layer<BoxTransport>>(self, scheme: &str, layer: L) -> Result<Self> {
        let inner = self.get_or_say(scheme)?;
        Ok(self.with(scheme, layer.layer(inner)))
    }

    /// The same with a new scheme, `outside`: the transport of `inside` with `layer` around it.
    /// `inside` itself stays as it is. So `tls` is added over `tcp`.
    ///
    /// A layer names no scheme: the transport that it wraps takes endpoints of `outside`, and its
    /// sockets and listeners give such endpoints, and its errors name them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use socketry_transport::{Deadlines, Half, Listener, Registry};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let hasty = Deadlines::default().silence(Duration::from_secs(1));
    /// let registry = Registry::standard().layer_as("hasty", "tcp", hasty)?;
    /// let server = registry.listen("hasty://127.0.0.1:0?backlog=16").await?;
    /// let client = registry.connect(server.local()).await?;
    /// assert_eq!(client.peer().scheme(), "hasty");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`UnknownScheme`](ErrorKind::UnknownScheme) if no transport is registered for `inside`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a layer is made where it is given"
    )]
    pub fn layer_as<L: Layer<BoxTransport>>(
        self,
        outside: &str,
        inside: &str,
        layer: L,
    ) -> Result<Self> {
        let renamed = Renamed {
            inner: self.get_or_say(inside)?,
            inside: inside.to_owned(),
            outside: outside.to_owned(),
        };
        let inner: BoxTransport = Arc::new(renamed);
        Ok(self.with(outside, layer.layer(inner)))
    }

    fn get_or_say(&self, scheme: &str) -> Result<BoxTransport> {
        self.get(scheme).ok_or_else(|| {
            Error::new(ErrorKind::UnknownScheme, "put a layer over", scheme)
                .because(unknown(scheme))
                .hint(self.known())
        })
    }

    /// The schemes that are registered.
    pub fn schemes(&self) -> impl Iterator<Item = &str> {
        self.transports.keys().map(String::as_str)
    }

    /// Connects to `to`, a URL or an [`Endpoint`].
    ///
    /// Cancel-safe: dropping the future abandons the attempt.
    ///
    /// # Errors
    /// As [`Transport::connect`]. Before it, [`UnknownScheme`](ErrorKind::UnknownScheme) and
    /// [`InvalidOption`](ErrorKind::InvalidOption).
    pub async fn connect<E>(&self, to: E) -> Result<BoxSocket>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        let to = to.try_into()?;
        self.transport(&to, "connect to")?.connect(&to).await
    }

    /// Listens at `at`, a URL or an [`Endpoint`].
    ///
    /// # Errors
    /// As [`Transport::listen`]. Before it, the same as [`connect`](Registry::connect).
    pub async fn listen<E>(&self, at: E) -> Result<BoxListener>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        let at = at.try_into()?;
        self.transport(&at, "listen at")?.listen(&at).await
    }

    /// The transport for an endpoint. It takes all query keys of that endpoint.
    fn transport(&self, endpoint: &Endpoint, action: &'static str) -> Result<&BoxTransport> {
        let transport = self.transports.get(endpoint.scheme()).ok_or_else(|| {
            Error::new(ErrorKind::UnknownScheme, action, endpoint)
                .because(unknown(endpoint.scheme()))
                .hint(self.known())
        })?;
        // Keys that a transport does not take are refused before it is called, since a third
        // party's transport may forget to check them.
        let known = |key: &str| self.transports.values().any(|all| all.keys().contains(key));
        transport.keys().check(endpoint, known)?;
        Ok(transport)
    }

    fn known(&self) -> String {
        let known: Vec<_> = self.schemes().collect();
        format!("the schemes here are {}", known.join(", "))
    }
}

fn unknown(scheme: &str) -> String {
    format!("no transport is registered for '{scheme}'")
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.schemes()).finish()
    }
}
