//! The server that a client talks to, over one connection after the other.

use socketry_transport::Endpoint;

use super::wire::Wire;
use crate::matrix::App;
use crate::{AppError, Service};

/// Where the server is, and what it speaks.
pub(super) struct Host {
    pub(super) service: Service,
    pub(super) url: Endpoint,
}

impl Host {
    pub(super) async fn connect(&self) -> Result<Wire, AppError> {
        self.service.connect(App::File, &self.url).await
    }

    /// The connection that was kept, or a new one. It is put back by whoever has brought it to a point between requests.
    pub(super) async fn reuse(&self, kept: &mut Option<Wire>) -> Result<Wire, AppError> {
        match kept.take() {
            Some(wire) => Ok(wire),
            None => self.connect().await,
        }
    }
}
