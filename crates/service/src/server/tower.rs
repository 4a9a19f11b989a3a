//! A service of tower that answers requests.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use socketry_codec::Codec;
use socketry_transport::{Listener, Result};
use tower_service::Service;

use super::answer::Request;
use super::exchange::Ask;
use super::{Failure, Server, Summary};

impl<L: Listener, C: Codec + Clone> Server<L, C> {
    /// [`answer`](Server::answer) by a `tower::Service`, of which each connection has a clone: for
    /// tower's layers that limit, time out, shed load or buffer.
    ///
    /// While the service is not ready, the request waits and no further bytes of this client are
    /// received. A service is asked whether it is ready only when a request has come, so an idle
    /// client keeps none of its places. [`requests_per_connection`] is kept to, and
    /// [`requests`](crate::Limits::requests) is left to the service.
    ///
    /// [`requests_per_connection`]: crate::Limits::requests_per_connection
    ///
    /// ```
    /// use std::time::Duration;
    /// use socketry_service::{Call, Client, Request, Server};
    /// use socketry_transport::{Listener, listen};
    /// use tower::{BoxError, ServiceBuilder};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = listen("mem://*").await?;
    /// let client = Client::builder(listener.local())?.start()?;
    /// let service = ServiceBuilder::new()
    ///     .concurrency_limit(100) // over all connections
    ///     .timeout(Duration::from_secs(1))
    ///     .service_fn(async |request: Request| Ok::<_, BoxError>(request.frame));
    /// tokio::spawn(Server::new(listener).answer_with(service));
    /// assert_eq!(client.call(Call::new("echo")).await?, "echo");
    /// # Ok(()) }
    /// ```
    ///
    /// An error of the service ends the connection with a reset, as one of `answer` does. A service
    /// that sheds load should map that error to an answer, or its client loses the connection
    /// (`ServiceExt::map_result`).
    ///
    /// # Errors
    /// As [`serve`](Server::serve).
    pub async fn answer_with<T>(self, service: T) -> Result<Summary>
    where
        T: Service<Request> + Clone + Send + 'static,
        T::Response: Into<Bytes>,
        T::Error: Into<Failure>,
        T::Future: Send + 'static,
    {
        // Services need not be `Sync`, and few connections begin at once.
        let service = Mutex::new(service);
        self.exchange(move || {
            let service = service.lock().unwrap_or_else(PoisonError::into_inner);
            Asked(service.clone())
        })
        .await
    }
}

/// The clone of one connection.
struct Asked<T>(T);

impl<T> Ask for Asked<T>
where
    T: Service<Request>,
    T::Response: Into<Bytes>,
    T::Error: Into<Failure>,
    T::Future: Send + 'static,
{
    type Answer = Pin<Box<dyn Future<Output = std::result::Result<Bytes, Failure>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<std::result::Result<(), Failure>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn ask(&mut self, request: Request) -> Self::Answer {
        let answer = self.0.call(request);
        Box::pin(async move {
            match answer.await {
                Ok(answer) => Ok(answer.into()),
                Err(error) => Err(error.into()),
            }
        })
    }
}
