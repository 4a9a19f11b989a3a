//! The transport that the layer makes, and its listener.

use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{
    Endpoint, Error, ErrorKind, Half, Joined, Keys, Listener, ListenerExt, Prefixed, Relabelled,
    Result, Socket, SocketOptions, Transport, UpgradeLimits, Upgrading, async_trait,
};
use tokio::time::{Instant, timeout};

use super::{Auth, PATIENCE};
use crate::exchange::{self, AuthSocket, Rules};

const CONNECT: &str = "connect to";
const LISTEN: &str = "listen at";

/// What is left behind the deadline, to tell a client that it is refused.
const REFUSING: Duration = Duration::from_secs(3);

/// A transport under [`Auth`].
#[derive(Debug)]
pub struct AuthTransport<T> {
    inner: T,
    auth: Auth,
}

impl<T> AuthTransport<T> {
    pub(super) fn new(inner: T, auth: Auth) -> Self {
        AuthTransport { inner, auth }
    }
}

#[async_trait]
impl<T: Transport> Transport for AuthTransport<T> {
    type Socket = AuthSocket<T::Socket>;
    type Listener = AuthListener<T::Listener>;

    fn keys(&self) -> Keys {
        self.inner.keys()
    }

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        let Some(token) = &self.auth.token else {
            return Ok(plain(self.inner.connect(to).await?));
        };
        let options = SocketOptions::from_query(to, self.keys())?;
        let begun = Instant::now();
        let socket = self.inner.connect(to).await?;
        let place = to.clone().without_query();
        if !socket.shape().is_stream() {
            return Err(Error::new(ErrorKind::Unsupported, CONNECT, &place)
                .because(format!(
                    "a token is proved over a stream, and this carries {}",
                    socket.shape()
                ))
                .hint("use a stream, or leave the token out"));
        }
        let whole = options.connect_timeout.unwrap_or(Duration::MAX);
        let left = whole.saturating_sub(begun.elapsed());
        let left = left.min(self.auth.limits.deadline);
        match timeout(left, exchange::connect(socket, token)).await {
            Ok(socket) => socket.map_err(|error| error.into_error(CONNECT, place.as_str())),
            Err(_) => Err(Error::new(ErrorKind::TimedOut, CONNECT, &place)
                .because(format!("no answer to the token within {left:?}"))
                .hint("does the server take tokens?")),
        }
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        let authenticator = self.auth.authenticator.clone().ok_or_else(|| {
            Error::new(ErrorKind::InvalidOption, LISTEN, at.clone().without_query())
                .because("nothing says who may connect")
                .hint("Auth::require does")
        })?;
        let UpgradeLimits { at_once, deadline } = self.auth.limits;
        let patience = self.auth.patience.unwrap_or(PATIENCE);
        let rules = Arc::new(Rules {
            authenticator,
            deadline,
            patience: patience.min(deadline / 2),
        });
        let limits = UpgradeLimits {
            at_once,
            deadline: deadline.saturating_add(REFUSING),
        };
        let listener = self.inner.listen(at).await?;
        let upgrading = listener.upgrading(limits, move |socket| {
            exchange::accept(socket, Arc::clone(&rules))
        });
        Ok(match self.auth.observer.clone() {
            Some(observer) => upgrading.on_failure(move |failure| observer(failure)),
            None => upgrading,
        })
    }
}

/// A socket of a client that has proved nothing.
fn plain<S: Socket>(socket: S) -> AuthSocket<S> {
    let info = socket.info().clone();
    let (recv, send) = socket.split();
    let recv = Relabelled::new(Prefixed::new(recv, Vec::new()), info.clone());
    Joined::new(recv, Relabelled::new(send, info))
}

/// Accepts sockets that have an [`Identity`](crate::Identity). Exchanges run beside one another,
/// each within its deadline.
pub type AuthListener<L> = Upgrading<L, AuthSocket<<L as Listener>::Socket>>;
