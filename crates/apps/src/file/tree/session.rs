//! One connection whose two directions are used at the same time.

use std::pin::pin;

use socketry_codec::{Framed, FramedParts};
use socketry_transport::{BoxSocket, Socket};
use tokio::time::timeout;

use crate::AppError;
use crate::file::GRACE;
use crate::file::wire::Wire;

pub(super) type Hearing = Framed<<BoxSocket as Socket>::Recv>;
pub(super) type Speaking = Framed<<BoxSocket as Socket>::Send>;

/// Both halves as one connection again, if it stands between two requests.
pub(super) fn joined(hearing: Hearing, speaking: Speaking) -> Option<Wire> {
    let parts = hearing.reunite(speaking).ok()?.into_parts().ok()?;
    Some(Framed::from_parts(FramedParts {
        socket: BoxSocket::new(parts.socket),
        codec: parts.codec,
        received: parts.received,
        unsent: parts.unsent,
    }))
}

/// Runs both directions to their ends. If one fails, so does the other: what the server said is the
/// better error, so it is waited for if sending fails.
pub(super) async fn both<T>(
    sending: impl Future<Output = Result<(), AppError>>,
    hearing: impl Future<Output = Result<T, AppError>>,
) -> Result<T, AppError> {
    let (mut sending, mut hearing) = (pin!(sending), pin!(hearing));
    tokio::select! {
        heard = &mut hearing => {
            let heard = heard?;
            // The server has answered to the end, so all was sent.
            sending.await?;
            Ok(heard)
        }
        sent = &mut sending => match sent {
            Ok(()) => hearing.await,
            Err(error) => match timeout(GRACE, hearing).await {
                Ok(Err(said)) => Err(said),
                _ => Err(error),
            },
        },
    }
}
