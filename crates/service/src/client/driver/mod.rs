//! The task that owns the connection: it dials, serves calls over what it has, and dials again.

mod dial;
mod in_flight;
mod link;
mod outbox;
mod pulse;
mod queue;
mod waiter;

use std::sync::Arc;

use bytes::Bytes;
use socketry_codec::Codec;
use socketry_transport::Half;

pub(super) use dial::Dialer;
pub(super) use queue::Shared;
pub(super) use waiter::{Last, Waiter};

use super::correlate::Correlate;
use super::error::Lost;
use super::pushes::Publisher;
use super::state::ClientState;
use dial::Dialed;
use link::Link;

/// What all connections of a client have in common.
pub(super) struct Settings<C> {
    pub(super) codec: C,
    pub(super) correlate: Option<Arc<dyn Correlate>>,
    pub(super) probe: Option<Bytes>,
    pub(super) pushes: Publisher,
}

/// Ends the client when the driver ends, also when its runtime drops it, or a codec panics.
struct Ends(Arc<Shared>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end(&Lost::Closed);
    }
}

/// Runs until the client is closed.
pub(super) async fn run<C: Codec + Clone>(
    shared: Arc<Shared>,
    mut dialer: Dialer,
    settings: Settings<C>,
) {
    let ends = Ends(shared);
    let shared = &*ends.0;
    loop {
        let socket = match dialer.dial(shared).await {
            Dialed::Connected(socket) => socket,
            Dialed::Over(why) => return shared.end(&why),
        };
        let peer = socket.peer().clone();
        let mut link = match Link::new(shared, &settings, socket) {
            Ok(link) => link,
            Err(why) => return shared.end(&why),
        };
        shared.state.send_replace(ClientState::Connected { peer });
        match link.run().await {
            Ok(()) => return link.close().await,
            Err(why) => {
                let good = link.is_good();
                link.lost(&why);
                dialer.lost(why, good);
            }
        }
    }
}
