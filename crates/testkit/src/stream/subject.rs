//! What is tested: a transport, where it listens, and what it cannot do.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{
    BoxFuture, Endpoint, Error, Listener, Result, SendExt, Socket, SocketOptions, Transport,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Law;
use super::verdict::{Failure, Verdict, ensure};
use crate::DEADLINE;

/// The socket that a transport's listener accepts.
pub(super) type Accepted<T> = <<T as Transport>::Listener as Listener>::Socket;

/// How long nothing must happen before a law believes that nothing will.
pub(super) const QUIET: Duration = Duration::from_millis(20);

/// A transport that is tested, and what there is to know about it.
///
/// A law has at most one listener at a time, so an endpoint that only one listener can have is fine, as long as each
/// test makes a subject with another: [`stream_laws!`](crate::stream_laws) evaluates its expression for each.
pub struct Subject<T: Transport> {
    transport: Arc<T>,
    at: Endpoint,
    nobody_at: Option<Endpoint>,
    half_close: bool,
    holds: usize,
    patience: Duration,
    options: Vec<(&'static str, &'static str)>,
    read_back: Option<ReadBack<T>>,
    exceptions: Vec<&'static str>,
    kept: Vec<Arc<dyn Any + Send + Sync>>,
}

type ReadBack<T> = fn(&<T as Transport>::Socket) -> io::Result<SocketOptions>;

impl<T: Transport> Subject<T> {
    /// `transport`, whose listeners listen at `at`: an [`Endpoint`] or a URL, with port 0 or what else stands for a free
    /// place, so that tests do not meet.
    ///
    /// # Panics
    /// If `at` is no endpoint.
    pub fn new<E>(transport: T, at: E) -> Self
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        Subject {
            transport: Arc::new(transport),
            at: endpoint(at),
            nobody_at: None,
            half_close: true,
            holds: 64 << 20,
            patience: DEADLINE,
            options: Vec::new(),
            read_back: None,
            exceptions: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// An endpoint where nobody ever listens. Default: one whose listener was dropped.
    ///
    /// # Panics
    /// If `at` is no endpoint.
    #[must_use]
    pub fn nobody_at<E>(mut self, at: E) -> Self
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        self.nobody_at = Some(endpoint(at));
        self
    }

    /// The transport cannot close one direction and keep the other: `finish` flushes, and only dropping the socket ends
    /// the peer's stream.
    #[must_use]
    pub fn without_half_close(mut self) -> Self {
        self.half_close = false;
        self
    }

    /// How many bytes may at most be on the way to a peer that does not read. Default: 64 MiB, far more than what a kernel
    /// buffers.
    #[must_use]
    pub fn holds_at_most(mut self, bytes: usize) -> Self {
        self.holds = bytes;
        self
    }

    /// How long one step may take before it counts as hanging. Default: [`DEADLINE`].
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// Options to connect with, and how a socket that connected tells which it has: for the kernel's sockets,
    /// [`SocketOptions::read_back`]. A transport that declares [keys](Transport::keys) needs this, or an exception.
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

    /// The law of that name does not bind this transport, for the reason given, which is for those who read it.
    ///
    /// # Panics
    /// If there is no such law, or no reason.
    #[must_use]
    pub fn except(mut self, law: &str, reason: &str) -> Self {
        let law = Law::named(law).unwrap_or_else(|| panic!("there is no law {law}"));
        assert!(!reason.is_empty(), "an exception has a reason");
        self.exceptions.push(law.name());
        self
    }

    /// Keeps `thing` as long as the subject: the directory of a socket file, say.
    #[must_use]
    pub fn keeping(mut self, thing: impl Any + Send + Sync) -> Self {
        self.kept.push(Arc::new(thing));
        self
    }
}

fn endpoint<E>(at: E) -> Endpoint
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    match at.try_into() {
        Ok(endpoint) => endpoint,
        Err(error) => panic!("{}", Error::from(error)),
    }
}

/// What laws ask.
impl<T: Transport> Subject<T> {
    pub(super) fn keys(&self) -> &[&'static str] {
        self.transport.keys()
    }

    pub(super) fn at(&self) -> &Endpoint {
        &self.at
    }

    pub(super) fn declared_nobody(&self) -> Option<&Endpoint> {
        self.nobody_at.as_ref()
    }

    pub(super) fn can_half_close(&self) -> bool {
        self.half_close
    }

    pub(super) fn most_held(&self) -> usize {
        self.holds
    }

    pub(super) fn options(&self) -> &[(&'static str, &'static str)] {
        &self.options
    }

    pub(super) fn read_back(&self) -> Option<ReadBack<T>> {
        self.read_back
    }

    pub(super) fn is_excepted(&self, law: &str) -> bool {
        self.exceptions.contains(&law)
    }

    /// A law has several steps; each is timed by itself, and together they get this much.
    pub(super) fn patience_of_a_law(&self) -> Duration {
        self.patience * 2
    }
}

/// What laws do.
impl<T: Transport> Subject<T> {
    pub(super) fn connect(&self, to: &Endpoint) -> BoxFuture<'static, Result<T::Socket>> {
        let (transport, to) = (Arc::clone(&self.transport), to.clone());
        Box::pin(async move { transport.connect(&to).await })
    }

    pub(super) async fn listen(&self) -> Verdict<T::Listener> {
        self.listen_at(&self.at).await
    }

    pub(super) async fn listen_at(&self, at: &Endpoint) -> Verdict<T::Listener> {
        self.within("listening", self.transport.listen(at)).await
    }

    /// What listening at `at` answers.
    pub(super) async fn try_listen(&self, at: &Endpoint) -> Verdict<Result<T::Listener>> {
        self.within("listening", async {
            Ok::<_, Failure>(self.transport.listen(at).await)
        })
        .await
    }

    /// A client and the socket that the listener accepted.
    pub(super) async fn meet(
        &self,
        listener: &mut T::Listener,
    ) -> Verdict<(T::Socket, Accepted<T>)> {
        let at = listener.local().clone();
        // At once, for a transport whose connect wants an answer from the one who accepts.
        let (client, server) = tokio::join!(
            self.within("connecting", self.connect(&at)),
            self.within("accepting", listener.accept()),
        );
        Ok((client?, server?))
    }

    /// A client, the socket that was accepted, and their listener, which is to be kept.
    pub(super) async fn pair(&self) -> Verdict<(T::Socket, Accepted<T>, T::Listener)> {
        let mut listener = self.listen().await?;
        let (client, server) = self.meet(&mut listener).await?;
        Ok((client, server, listener))
    }

    /// What `step` gives, within the patience for one step.
    pub(super) async fn within<V, E: fmt::Display>(
        &self,
        what: &str,
        step: impl Future<Output = std::result::Result<V, E>>,
    ) -> Verdict<V> {
        match timeout(self.patience, step).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(Failure::new(format_args!("{what}: {error}"))),
            Err(_) => Err(Failure::new(format_args!(
                "{what}: nothing happened within {:?}",
                self.patience
            ))),
        }
    }

    /// What a task gives, within the patience for one step.
    pub(super) async fn joined<V, E: fmt::Display>(
        &self,
        what: &str,
        task: JoinHandle<std::result::Result<V, E>>,
    ) -> Verdict<V> {
        let done = self.within(what, task).await?;
        done.map_err(|error| Failure::new(format_args!("{what}: {error}")))
    }

    /// Fails if `step` comes to something: it must wait.
    pub(super) async fn waits<V>(&self, what: &str, step: impl Future<Output = V>) -> Verdict {
        let waited = timeout(QUIET, step).await.is_err();
        ensure(waited, format_args!("{what}: it did not wait"))
    }

    /// Ends the stream that `socket` sends, and gives the socket back where it is still of use.
    pub(super) async fn hang_up<S: Socket>(&self, mut socket: S) -> Verdict<Option<S>> {
        self.within("finishing", socket.finish()).await?;
        Ok(self.half_close.then_some(socket))
    }
}

impl<T: Transport> Clone for Subject<T> {
    fn clone(&self) -> Self {
        Subject {
            transport: Arc::clone(&self.transport),
            at: self.at.clone(),
            nobody_at: self.nobody_at.clone(),
            options: self.options.clone(),
            exceptions: self.exceptions.clone(),
            kept: self.kept.clone(),
            ..*self
        }
    }
}

impl<T: Transport> fmt::Display for Subject<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.at, std::any::type_name::<T>())
    }
}

impl<T: Transport> fmt::Debug for Subject<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({self})")
    }
}
