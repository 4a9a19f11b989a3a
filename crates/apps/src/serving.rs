//! The loop of every server: accept, serve each client in a task of its own, stop on request.

pub(crate) mod descriptors;
mod parting;
mod places;
mod stop;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{BoxListener, BoxSocket, Half, Listener, SendExt, SendHalf};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::AppError;
use descriptors::Room;
pub(crate) use parting::{PARTING, part};
pub(crate) use places::Place;
use places::{Places, Seat};
pub(crate) use stop::{end_signal, shutdown_signal};

/// How many conversations a server has at once by default. Further clients are refused.
pub(crate) const MAX_CLIENTS: usize = 1024;

/// How long a newcomer waits for a place before it is refused. In that time the server notices
/// clients that have closed already.
const MOMENT: Duration = Duration::from_millis(50);

/// How much longer a newcomer waits if others leave meanwhile, since more may follow.
const GRACE: Duration = Duration::from_millis(500);

/// The words for a newcomer for which there is no place.
pub(crate) const FULL: &str = "the server is full; try again later";

/// How a server treats newcomers.
pub(crate) struct Rules {
    /// How many conversations there may be at once, if the limit of open files allows it.
    pub(crate) places: usize,
    /// How many descriptors a conversation may need.
    pub(crate) descriptors: usize,
    /// The encoded bytes for a newcomer on a stream for which there is no place. If they are empty,
    /// the connection is reset, so that it does not look like an orderly end.
    pub(crate) refusal: Vec<u8>,
}

/// Accepts until `stop` resolves, and serves each client with `talk`. When it stops, it drops the
/// conversations that are under way, which closes their sockets. It also drops a conversation whose
/// [`Place`] is taken over.
pub(crate) async fn accept_until<T, F>(
    mut listener: BoxListener,
    rules: Rules,
    stop: impl Future<Output = ()>,
    talk: T,
) -> Result<(), AppError>
where
    T: Fn(BoxSocket, Place) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let Room { places, door } = descriptors::room(rules.places, rules.descriptors);
    let door = Places::new(door);
    let house = Arc::new(House {
        places: Places::new(places),
        refusal: rules.refusal,
        talk,
    });
    let mut conversations = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    let ended = loop {
        tokio::select! {
            arrived = arrival(&door, &mut listener) => match arrived {
                Ok((at_door, socket)) => {
                    let house = Arc::clone(&house);
                    conversations.spawn(async move { house.welcome(at_door, socket).await });
                }
                Err(error) => break Err(error),
            },
            Some(_) = conversations.join_next() => {}
            () = &mut stop => break Ok(()),
        }
    };
    // The process may end right after this. Resources of a conversation, such as a running command,
    // must be released before.
    conversations.shutdown().await;
    ended
}

/// The next newcomer, once there is room for one more that waits. Cancel-safe.
async fn arrival(door: &Places, listener: &mut BoxListener) -> Result<(Seat, BoxSocket), AppError> {
    let at_door = door.seat().await;
    Ok((at_door, listener.accept().await?))
}

/// The common state of all conversations.
struct House<T> {
    places: Places,
    refusal: Vec<u8>,
    talk: T,
}

impl<T, F> House<T>
where
    T: Fn(BoxSocket, Place) -> F,
    F: Future<Output = ()>,
{
    async fn welcome(&self, at_door: Seat, socket: BoxSocket) {
        match self.places.seat_soon(MOMENT, GRACE).await {
            Some(seat) => {
                drop(at_door);
                seat.hold(|place| (self.talk)(socket, place)).await;
            }
            None => at_door.hold(|place| self.turn_away(socket, place)).await,
        }
    }

    /// Tells a newcomer that there is no place, unless other newcomers need its room.
    async fn turn_away(&self, mut socket: BoxSocket, place: Place) {
        tracing::warn!(peer = %socket.peer(), "refused: all places are taken");
        place.leave();
        // An address that has proved nothing is sent nothing.
        if !socket.shape().is_reliable() {
            return;
        }
        if self.refusal.is_empty() {
            // Where there is no reset, the newcomer sees an end.
            let _ = socket.abort(0);
            return;
        }
        let told = timeout(PARTING, async {
            socket.send_all(&self.refusal).await?;
            socket.finish().await
        });
        if let Ok(Ok(())) = told.await {
            part(socket).await;
        }
    }
}
