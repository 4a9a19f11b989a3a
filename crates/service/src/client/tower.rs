//! A client as a service of tower.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tower_service::Service;

use super::place::Place;
use super::{Call, CallError, Client, call};

/// A [`Client`] as a `tower::Service`, made by [`Client::service`]: for tower's layers that limit,
/// retry, time out or balance.
///
/// It is ready when one more request may wait, as
/// [`ClientLimits::waiting_requests`](crate::ClientLimits::waiting_requests) says, and keeps that
/// place until it is called. So a small limit pushes back early. Clones keep places of their own.
/// For a retry, [`CallError::may_be_done`] tells which calls are safe.
///
/// ```
/// use std::future::poll_fn;
/// use socketry_codec::FrameError;
/// use socketry_service::{Call, Client, Server};
/// use socketry_transport::{Listener, listen};
/// use tower_service::Service;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = listen("mem://*").await?;
/// let client = Client::builder(listener.local())?.start()?;
/// tokio::spawn(Server::new(listener).answer(async |request| Ok::<_, FrameError>(request.frame)));
///
/// let mut service = client.service();
/// poll_fn(|cx| service.poll_ready(cx)).await?;
/// assert_eq!(service.call(Call::new("echo")).await?, "echo");
/// # Ok(()) }
/// ```
pub struct ClientService {
    client: Client,
    /// A place among the requests that wait.
    place: Place,
}

impl Client {
    /// This client as a `tower::Service`.
    pub fn service(&self) -> ClientService {
        ClientService {
            client: self.clone(),
            place: Place::default(),
        }
    }
}

impl Service<Call> for ClientService {
    type Response = Bytes;
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<Bytes, CallError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        let shared = self.client.shared();
        let kept = self.place.poll(&shared.places, cx);
        kept.map_err(|_| shared.closed())
    }

    /// Calls. If it was not ready, and no further request may wait, that is an error.
    fn call(&mut self, request: Call) -> Self::Future {
        let place = self.place.take();
        Box::pin(call::call(self.client.clone(), place, request))
    }
}

impl Clone for ClientService {
    fn clone(&self) -> Self {
        self.client.service()
    }
}

impl fmt::Debug for ClientService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientService").field(&self.client).finish()
    }
}
