//! The server that a client talks to, and the connections to it.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use socketry_codec::FrameFault;
use socketry_transport::Endpoint;
use tokio::time::timeout;

use super::STALL;
use super::header::Answer;
use super::wire::{Trouble, Wire, hear, is_quiet, say};
use crate::matrix::App;
use crate::{AppError, Service};

/// The address of the server, and the service that it offers.
pub(super) struct Host {
    pub(super) service: Service,
    pub(super) url: Endpoint,
    /// Whether a kept connection had ended, and there is a new one.
    pub(super) again: AtomicBool,
}

impl Host {
    pub(super) async fn connect(&self) -> Result<Wire, AppError> {
        self.service.connect(App::File, &self.url).await
    }

    /// The kept connection if it can still be used, or else a new one. The caller puts it back once
    /// it stands between two requests.
    pub(super) async fn reuse(&self, kept: &mut Option<Wire>) -> Result<Wire, AppError> {
        let had_one = kept.is_some();
        match usable(kept).await {
            Some(wire) => Ok(wire),
            None if had_one => self.connect_again().await,
            None => self.connect().await,
        }
    }

    /// Connects in place of a kept connection that has ended.
    pub(super) async fn connect_again(&self) -> Result<Wire, AppError> {
        let wire = self.connect().await?;
        self.again.store(true, Ordering::Relaxed);
        Ok(wire)
    }

    /// Sends a request that may be repeated. If the kept connection ends before the answer, as
    /// after a restart of the server, the request is sent again over a new one.
    pub(super) async fn ask(
        &self,
        kept: &mut Option<Wire>,
        request: &Value,
    ) -> Result<(Wire, Answer), AppError> {
        let had_one = kept.is_some();
        if let Some(mut wire) = usable(kept).await
            && let Some(answer) = ask_again(&mut wire, request).await
        {
            return answered(wire, answer?, kept);
        }
        let mut wire = match had_one {
            true => self.connect_again().await?,
            false => self.connect().await?,
        };
        say(&mut wire, request).await?;
        let answer = hear(&mut wire).await?;
        answered(wire, answer, kept)
    }
}

async fn usable(kept: &mut Option<Wire>) -> Option<Wire> {
    let mut wire = kept.take()?;
    is_quiet(&mut wire).await.then_some(wire)
}

/// Sends a request over a connection that was used before. `None` if that connection ends before
/// the answer.
async fn ask_again(wire: &mut Wire, request: &Value) -> Option<Result<Answer, AppError>> {
    let asking = async {
        wire.send_json(request).await?;
        wire.recv_json().await
    };
    match timeout(STALL, asking).await {
        Ok(Ok(answer)) => answer.map(Ok),
        Ok(Err(error)) => match error.fault() {
            FrameFault::Io(_) | FrameFault::Over => None,
            _ => Some(Err(error.into())),
        },
        Err(_) => Some(Err(Trouble::Stalled.into())),
    }
}

/// Keeps the connection for the next request if the answer is an error. Otherwise returns it with
/// the answer.
fn answered(
    wire: Wire,
    answer: Answer,
    kept: &mut Option<Wire>,
) -> Result<(Wire, Answer), AppError> {
    match answer.or_error() {
        Ok(answer) => Ok((wire, answer)),
        Err(error) => {
            *kept = Some(wire);
            Err(error)
        }
    }
}
