//! The subject of the laws: a transport, where it listens, and its declarations.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{
    BoxFuture, BoxListener, BoxSocket, DatagramSocket, Endpoint, Error, Keys, Listener, Result,
    SocketOptions, Transport, async_trait, erase,
};

use super::steps::Steps;

/// The erased form of any transport.
pub type Erased = dyn Transport<Socket = BoxSocket, Listener = BoxListener>;

/// The socket that a transport's listener accepts.
pub(super) type Accepted<T> = <<T as Transport>::Listener as Listener>::Socket;
/// An unconnected socket.
pub(super) type Bound = Arc<dyn DatagramSocket>;
type Bind = Arc<dyn Fn(Endpoint) -> BoxFuture<'static, Result<Bound>> + Send + Sync>;
type ReadBack<T> = fn(&<T as Transport>::Socket) -> io::Result<SocketOptions>;

/// A datagram transport to check by the [laws](super::laws), and its declarations.
///
/// A transport declares what it cannot or need not do. If it neither describes nor declares a
/// feature, it breaks the law that needs it. So no law is skipped silently.
///
/// A law has one listener at a time. So an endpoint may allow only one listener, as long as each
/// test makes a subject with another endpoint: [`datagram_laws!`](crate::datagram_laws) evaluates
/// its expression for each test. The network between two sockets must not lose or reorder
/// datagrams, as loopback does not.
pub struct Subject<T: Transport + ?Sized> {
    transport: Arc<T>,
    at: Endpoint,
    form: &'static str,
    unconnected: Unconnected,
    read_back: Option<ReadBack<T>>,
    options: Vec<(&'static str, &'static str)>,
    short_sender: Vec<(&'static str, &'static str)>,
    limits: bool,
    exceptions: Vec<&'static str>,
    patience: Duration,
    kept: Vec<Arc<dyn Any + Send + Sync>>,
}

/// Whether there is an unconnected form.
#[derive(Clone)]
enum Unconnected {
    BoundBy(Bind),
    Without,
    Untold,
}

impl<T: Transport> Subject<T> {
    /// `transport`, whose listeners listen at `at`: an [`Endpoint`] or a URL. Use port 0, or
    /// another form of a free address, so that tests do not share one.
    ///
    /// # Panics
    /// If `at` is no endpoint.
    pub fn new<E>(transport: T, at: E) -> Self
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        let at = at
            .try_into()
            .unwrap_or_else(|error| panic!("{}", Error::from(error)));
        Subject {
            transport: Arc::new(transport),
            at,
            form: "",
            unconnected: Unconnected::Untold,
            read_back: None,
            options: Vec::new(),
            short_sender: Vec::new(),
            limits: true,
            exceptions: Vec::new(),
            patience: Duration::from_secs(10),
            kept: Vec::new(),
        }
    }
}

impl<T: Transport + ?Sized> Subject<T> {
    /// The same subject in its erased form. Options cannot be read back through a box, so that law
    /// is excepted.
    #[must_use]
    pub fn erased(mut self) -> Subject<Erased> {
        self.exceptions.push("options_are_read_back");
        Subject {
            transport: erase(Shared(self.transport)),
            at: self.at,
            form: ", erased",
            unconnected: self.unconnected,
            read_back: None,
            options: self.options,
            short_sender: self.short_sender,
            limits: self.limits,
            exceptions: self.exceptions,
            patience: self.patience,
            kept: self.kept,
        }
    }

    /// How the transport binds an unconnected socket.
    #[must_use]
    pub fn unconnected<D, F>(mut self, bind: impl Fn(Endpoint) -> F + Send + Sync + 'static) -> Self
    where
        D: DatagramSocket,
        F: Future<Output = Result<D>> + Send + 'static,
    {
        self.unconnected = Unconnected::BoundBy(Arc::new(move |at| {
            let binding = bind(at);
            Box::pin(async move { Ok(Arc::new(binding.await?) as Bound) })
        }));
        self
    }

    /// It has no unconnected form. The laws about that form pass without a check.
    #[must_use]
    pub fn without_unconnected(mut self) -> Self {
        self.unconnected = Unconnected::Without;
        self
    }

    /// Its listeners do not have the options `max_peers`, `peer_idle`, `peer_queue`,
    /// `peer_queue_bytes` and `backlog`, with which the laws set small bounds of a [session
    /// listener](socketry_transport::SessionListener). Those laws pass without a check.
    #[must_use]
    pub fn without_limits(mut self) -> Self {
        self.limits = false;
        self
    }

    /// Options to connect with, and how a connected socket reads them back. For the kernel's
    /// sockets that is [`SocketOptions::read_back`].
    #[must_use]
    pub fn reads_back(
        mut self,
        options: &[(&'static str, &'static str)],
        read: fn(&T::Socket) -> io::Result<SocketOptions>,
    ) -> Self {
        self.options = options.to_vec();
        self.read_back = Some(read);
        self
    }

    /// With the option `key=value`, a socket sends shorter datagrams than it may receive.
    #[must_use]
    pub fn short_sender(mut self, key: &'static str, value: &'static str) -> Self {
        self.short_sender.push((key, value));
        self
    }

    /// Excepts the law of this name, for a reason that is only documentation.
    ///
    /// # Panics
    /// If there is no such law, or no reason.
    #[must_use]
    pub fn except(mut self, law: &str, reason: &str) -> Self {
        assert!(!reason.is_empty(), "an exception has a reason");
        self.exceptions.push(super::law::<T>(law).name());
        self
    }

    /// How long one step may take before it counts as hanging; default 10 s.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// Keeps `thing` as long as the subject, for instance the directory of a socket file.
    #[must_use]
    pub fn keeping(mut self, thing: impl Any + Send + Sync) -> Self {
        self.kept.push(Arc::new(thing));
        self
    }
}

/// The questions of the laws.
impl<T: Transport + ?Sized> Subject<T> {
    pub(super) fn transport(&self) -> &T {
        &self.transport
    }

    pub(super) fn at(&self) -> &Endpoint {
        &self.at
    }

    pub(super) fn steps(&self) -> Steps {
        Steps(self.patience)
    }

    pub(super) fn has_limits(&self) -> bool {
        self.limits
    }

    pub(super) fn is_excepted(&self, law: &str) -> bool {
        self.exceptions.contains(&law)
    }

    pub(super) fn options(&self) -> &[(&'static str, &'static str)] {
        &self.options
    }

    pub(super) fn options_of_short_senders(&self) -> &[(&'static str, &'static str)] {
        &self.short_sender
    }

    pub(super) fn read_back(&self) -> Option<ReadBack<T>> {
        self.read_back
    }

    /// An unconnected socket at `at`; `None` if there is no such form.
    pub(super) async fn bind(&self, at: &Endpoint) -> std::result::Result<Option<Bound>, String> {
        let bind = match &self.unconnected {
            Unconnected::BoundBy(bind) => bind,
            Unconnected::Without => return Ok(None),
            Unconnected::Untold => {
                let words = "the subject says neither .unconnected(…) nor .without_unconnected()";
                return Err(words.to_owned());
            }
        };
        let bound = self.steps().wait("binding", bind(at.clone())).await?;
        bound.map(Some).map_err(|error| error.to_string())
    }
}

impl<T: Transport + ?Sized> Clone for Subject<T> {
    fn clone(&self) -> Self {
        Subject {
            transport: Arc::clone(&self.transport),
            at: self.at.clone(),
            unconnected: self.unconnected.clone(),
            options: self.options.clone(),
            short_sender: self.short_sender.clone(),
            exceptions: self.exceptions.clone(),
            kept: self.kept.clone(),
            ..*self
        }
    }
}

impl<T: Transport + ?Sized> fmt::Display for Subject<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.at, self.form)
    }
}

impl<T: Transport + ?Sized> fmt::Debug for Subject<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({self})")
    }
}

/// A transport that others use, too.
struct Shared<T: ?Sized>(Arc<T>);

#[async_trait]
impl<T: Transport + ?Sized> Transport for Shared<T> {
    type Socket = T::Socket;
    type Listener = T::Listener;

    fn keys(&self) -> Keys {
        self.0.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<T::Socket> {
        self.0.connect(to).await
    }
    async fn listen(&self, at: &Endpoint) -> Result<T::Listener> {
        self.0.listen(at).await
    }
}
