//! A server: accepts, serves each client in a task of its own within limits, and ends in order.

mod answer;
mod beside;
mod budget;
mod crowd;
mod exchange;
mod gate;
mod home;
mod observer;
mod serving;
mod stop;
mod task;
mod tie;
#[cfg(feature = "tower")]
mod tower;
mod typed;
mod upgrade;
mod user;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use socketry_codec::{BoxCodec, Codec, Framed, NamedCodec, Struct};
use socketry_transport::{
    DeadlineRecv, DeadlineSend, Endpoint, Error, ErrorKind, Info, Listener, Listeners, Registry,
    Result, Socket,
};

use crate::Limits;
pub use answer::Request;
use beside::Beside;
use crowd::Crowd;
use home::Home;
pub use home::{Lent, LentRecv, LentSend};
pub use observer::{Ending, Observer, Refusal};
use serving::Serving;
pub use stop::Stopper;
use task::Settings;
use tie::Tie;
pub use typed::TypedServer;
use user::UserOf;

/// The error of a handler.
type Failure = Box<dyn StdError + Send + Sync>;

/// The frames of one client, as a handler gets them: those of the accepted socket `S`.
///
/// The handler may keep it as long as it likes, [split](Framed::split) it, and drop it: the server
/// then closes the connection in order. While the server stops, a receive that would wait gives the
/// end.
pub type Served<S, C> =
    Framed<Lent<DeadlineRecv<<S as Socket>::Recv>, DeadlineSend<<S as Socket>::Send>>, C>;

type Lending<S> = Home<DeadlineRecv<<S as Socket>::Recv>, DeadlineSend<<S as Socket>::Send>>;

/// Serves clients from one listener, or from several as
/// [`Listeners`](socketry_transport::Listeners), with a codec and [`Limits`].
///
/// ```
/// use socketry_codec::{Framed, Line};
/// use socketry_service::Server;
/// use socketry_transport::{Listener, connect, listen};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = listen("tcp://127.0.0.1:0").await?;
/// let at = listener.local().clone();
/// let server = Server::new(listener).codec(Line::new());
/// let stopper = server.stopper();
/// let serving = tokio::spawn(server.serve(async |mut client| {
///     while let Some(line) = client.recv().await? {
///         let shouted = line.to_ascii_uppercase();
///         client.send(&shouted).await?;
///     }
///     Ok::<_, socketry_codec::FrameError>(())
/// }));
///
/// let mut client = Framed::new(connect(at).await?, Line::new());
/// client.send(b"hello").await?;
/// assert_eq!(client.recv().await?, Some(&b"HELLO"[..]));
/// stopper.stop();
/// assert_eq!(client.recv().await?, None); // an orderly end
/// drop(client);
/// assert_eq!(serving.await??.cut, 0);
/// # Ok(()) }
/// ```
///
/// # How it ends
///
/// When the [stopper](Server::stopper) is used, the listener is dropped first: a later connect is
/// refused. A connection that waits at a frame boundary receives the end, and its handler
/// should return. (One that is so new that it has sent no frame yet has
/// [a moment](Limits::first_frame_at_stop) for its first.) A busy one goes on until its handler
/// returns, at most for the [grace time](Limits::grace). Then it is cut.
///
/// A handler that panics ends its own connection only. Where a handler fails or panics, the client
/// sees a reset, and not an end that could be taken for the orderly one.
///
/// # What is logged
///
/// Each connection is served within a `tracing` span `connection` of level `INFO`, with its `id`,
/// `peer` (without a password) and `codec`. Its end is an event of level `DEBUG` there, and each
/// refusal a warning. An [`Observer`] hears more.
pub struct Server<L, C = Struct> {
    listener: L,
    codec: C,
    codec_name: Arc<str>,
    limits: Limits,
    users: UserOf,
    stop: Stopper,
    observer: Option<Arc<dyn Observer>>,
    beside: Beside,
}

/// What a server has done, once it has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Connections that were accepted and served.
    pub served: u64,
    /// Clients that were refused.
    pub refused: u64,
    /// Connections that went on at the stop and ended within the grace time.
    pub drained: usize,
    /// Connections that were cut, since they were still busy after it.
    pub cut: usize,
}

impl<L: Listener> Server<L> {
    /// Serves the clients of `listener`. The codec is [`Struct`] until another is chosen.
    pub fn new(listener: L) -> Self {
        Server {
            listener,
            codec: Struct::default(),
            codec_name: type_name::<Struct>(),
            limits: Limits::default(),
            users: Arc::new(user::known),
            stop: Stopper::new(),
            observer: None,
            beside: Beside::default(),
        }
    }
}

impl Server<Listeners> {
    /// Listens at each of these URLs, with the standard transports. For others,
    /// [`Listeners::at`] takes a registry.
    ///
    /// # Errors
    /// As [`Listeners::at`], and [`InvalidEndpoint`](ErrorKind::InvalidEndpoint) if there is no
    /// URL.
    pub async fn at<E>(urls: impl IntoIterator<Item = E>) -> Result<Self>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        let listeners = Listeners::at(&Registry::standard(), urls).await?;
        if listeners.locals().is_empty() {
            return Err(
                Error::new(ErrorKind::InvalidEndpoint, "listen at", "no URL")
                    .because("none was given")
                    .hint("write tcp://127.0.0.1:9000, say, or unix:///run/app.sock"),
            );
        }
        Ok(Server::new(listeners))
    }
}

impl<L: Listener, C: Codec + Clone> Server<L, C> {
    /// The codec of all connections.
    #[must_use]
    pub fn codec<D: Codec + Clone>(self, codec: D) -> Server<L, D> {
        self.with_codec(codec, type_name::<D>())
    }

    /// The codec of all connections, chosen by its name.
    #[must_use]
    pub fn named_codec(self, codec: NamedCodec) -> Server<L, BoxCodec> {
        let name = codec.name().into();
        self.with_codec(codec.into_codec(), name)
    }

    fn with_codec<D>(self, codec: D, codec_name: Arc<str>) -> Server<L, D> {
        Server {
            listener: self.listener,
            codec,
            codec_name,
            limits: self.limits,
            users: self.users,
            stop: self.stop,
            observer: self.observer,
            beside: self.beside,
        }
    }

    /// How the user of a connection is found in the facts about its socket, for
    /// [`per_user`](Limits::per_user). By default it is the user of a Unix socket's process
    /// (`uid:1000`), and with the feature `auth` the identity that a layer of `socketry-auth` has
    /// proved. `user_of` runs where clients are accepted: it
    /// must neither block nor panic.
    #[must_use]
    pub fn users(
        mut self,
        user_of: impl Fn(&Info) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.users = Arc::new(user_of);
        self
    }

    /// What the clients may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Tells `observer` of each connection, in place of an earlier one.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Stops it, from any task.
    pub fn stopper(&self) -> Stopper {
        self.stop.clone()
    }

    /// The listener.
    pub fn listener(&self) -> &L {
        &self.listener
    }

    /// Serves each client with `handler`, in a task of its own, until the
    /// [stopper](Server::stopper) ends it.
    ///
    /// Dropping the future cuts all connections.
    ///
    /// # Errors
    /// When the listener accepts no more. The connections have ended then, as after a stop.
    pub async fn serve<F, Fut, E>(self, handler: F) -> Result<Summary>
    where
        F: Fn(Served<L::Socket, C>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        self.run(move |framed, _| handler(framed)).await
    }

    /// [`serve`](Server::serve), with a handler that may say when it is busy.
    async fn run<F, Fut, E>(self, handler: F) -> Result<Summary>
    where
        F: Fn(Served<L::Socket, C>, Arc<Tie>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        let crowd = Arc::new(Crowd::new(&self.limits, self.users, self.observer.clone()));
        let settings = Settings {
            limits: self.limits,
            stop: self.stop,
            observer: self.observer,
        };
        let mut serving = Serving::new(crowd, handler, (self.codec, self.codec_name), settings);
        let (listener, beside) = (self.listener, self.beside);
        let serving = async move {
            let accepted = serving.accept(listener).await;
            let summary = serving.end().await;
            accepted.map(|()| summary)
        };
        beside.run(serving).await
    }
}

/// The name of a codec's type, without its path.
fn type_name<C>() -> Arc<str> {
    let name = std::any::type_name::<C>();
    let parts = name.split('<').next().unwrap_or(name);
    parts.rsplit("::").next().unwrap_or(parts).into()
}

impl<L: Listener, C> fmt::Debug for Server<L, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.listener.local().redacted())
    }
}
