//! The steps of the laws, each with a deadline.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{BoxFuture, Endpoint, Listener, Result, SendExt, Socket, Transport};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Subject;
use super::verdict::{Failure, Verdict, ensure};

/// The socket that a transport's listener accepts.
pub(crate) type Accepted<T> = <<T as Transport>::Listener as Listener>::Socket;

/// How long nothing must happen before a law assumes that nothing will.
pub(crate) const QUIET: Duration = Duration::from_millis(20);

impl<T: Transport> Subject<T> {
    pub(crate) fn connect(&self, to: &Endpoint) -> BoxFuture<'static, Result<T::Socket>> {
        let (transport, to) = (Arc::clone(&self.transport), to.clone());
        Box::pin(async move { transport.connect(&to).await })
    }

    pub(crate) async fn listen(&self) -> Verdict<T::Listener> {
        self.listen_at(&self.at).await
    }

    pub(crate) async fn listen_at(&self, at: &Endpoint) -> Verdict<T::Listener> {
        self.within("listening", self.transport.listen(at)).await
    }

    /// The result of listening at `at`.
    pub(crate) async fn try_listen(&self, at: &Endpoint) -> Verdict<Result<T::Listener>> {
        self.within("listening", async {
            Ok::<_, Failure>(self.transport.listen(at).await)
        })
        .await
    }

    /// A client and the socket that the listener accepted.
    pub(crate) async fn meet(
        &self,
        listener: &mut T::Listener,
    ) -> Verdict<(T::Socket, Accepted<T>)> {
        let at = listener.local().clone();
        self.meet_at(&at, listener).await
    }

    /// The same, where the client connects to `at`.
    pub(crate) async fn meet_at(
        &self,
        at: &Endpoint,
        listener: &mut T::Listener,
    ) -> Verdict<(T::Socket, Accepted<T>)> {
        // At once, for a transport whose connect waits for the accept.
        let (client, server) = tokio::join!(
            self.within("connecting", self.connect(at)),
            self.within("accepting", listener.accept()),
        );
        Ok((client?, server?))
    }

    /// A client, the accepted socket, and their listener, which the caller has to keep.
    pub(crate) async fn pair(&self) -> Verdict<(T::Socket, Accepted<T>, T::Listener)> {
        let mut listener = self.listen().await?;
        let (client, server) = self.meet(&mut listener).await?;
        Ok((client, server, listener))
    }

    /// The result of `step`, which must come within the time for one step.
    pub(crate) async fn within<V, E: fmt::Display>(
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

    /// The result of a task, which must come within the time for one step.
    pub(crate) async fn joined<V, E: fmt::Display>(
        &self,
        what: &str,
        task: JoinHandle<std::result::Result<V, E>>,
    ) -> Verdict<V> {
        let done = self.within(what, task).await?;
        done.map_err(|error| Failure::new(format_args!("{what}: {error}")))
    }

    /// An error if `step` becomes ready: it must wait.
    pub(crate) async fn waits<V>(&self, what: &str, step: impl Future<Output = V>) -> Verdict {
        let waited = timeout(QUIET, step).await.is_err();
        ensure(waited, format_args!("{what}: it did not wait"))
    }

    /// Ends the sending direction of `socket`, and returns the socket if it can still be used.
    pub(crate) async fn hang_up<S: Socket>(&self, mut socket: S) -> Verdict<Option<S>> {
        self.within("finishing", socket.finish()).await?;
        Ok(self.half_close.then_some(socket))
    }
}
