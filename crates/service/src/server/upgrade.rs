//! Handshakes before clients are served, within the server's limits.

use std::future::Future;
use std::sync::Arc;

use socketry_transport::{Listener, ListenerExt, Socket, Upgrading};
use tokio::time::Instant;

use super::{Failure, Server};

impl<L: Listener, C> Server<L, C> {
    /// Serves the sockets that `upgrade` makes of the accepted ones, by a handshake, a greeting, a
    /// check of the peer. Handshakes run beside one another, within
    /// [`handshakes`](crate::Limits::handshakes) and [`handshake`](crate::Limits::handshake), and
    /// are told to the observer. Connections count once their handshake is done.
    ///
    /// It uses the limits and the observer that are set before it.
    #[must_use]
    pub fn upgrading<S, E, F, Fut>(self, upgrade: F) -> Server<Upgrading<L, S>, C>
    where
        S: Socket,
        E: Into<Failure>,
        F: Fn(L::Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
    {
        let upgrade = Arc::new(upgrade);
        let succeeded = self.observer.clone();
        let failed = self.observer.clone();
        let timed = move |socket| {
            let (upgrade, observer) = (Arc::clone(&upgrade), succeeded.clone());
            async move {
                let begun = Instant::now();
                let socket = upgrade(socket).await.map_err(Into::into)?;
                if let Some(observer) = observer {
                    observer.upgraded(socket.info(), begun.elapsed());
                }
                Ok::<_, Failure>(socket)
            }
        };
        let upgrading = self.listener.upgrading(self.limits.upgrades(), timed);
        let upgrading = upgrading.on_failure(move |failure| {
            if let Some(observer) = &failed {
                observer.upgrade_failed(failure);
            }
        });
        Server {
            listener: upgrading,
            codec: self.codec,
            codec_name: self.codec_name,
            limits: self.limits,
            users: self.users,
            stop: self.stop,
            observer: self.observer,
            beside: self.beside,
        }
    }
}
