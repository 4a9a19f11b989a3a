//! The loop of every server: accept, talk to each in a task of its own, stop when told to.

use std::future::Future;
use std::sync::Arc;

use socketry_transport::{BoxListener, BoxSocket, Half, Listener};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::AppError;

/// How many conversations a server has at once; the next one is refused.
pub(crate) const MAX_CONNECTIONS: usize = 1024;

/// Accepts until `stop` resolves, and talks to each with `talk`. Conversations that are under way when it stops are
/// dropped, which closes their sockets.
pub(crate) async fn accept_until<F>(
    mut listener: BoxListener,
    stop: impl Future<Output = ()>,
    talk: impl Fn(BoxSocket) -> F,
) -> Result<(), AppError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut conversations = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    let ended = loop {
        let socket = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(socket) => socket,
                Err(error) => break Err(error.into()),
            },
            Some(_) = conversations.join_next() => continue,
            () = &mut stop => break Ok(()),
        };
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                let talking = talk(socket);
                conversations.spawn(async move {
                    talking.await;
                    drop(place);
                });
            }
            Err(_) => {
                tracing::warn!(peer = %socket.peer(), "refused: {MAX_CONNECTIONS} connections are open");
            }
        }
    };
    // The process may end right after this, and what they hold (a running command, say) must be let go of before.
    conversations.shutdown().await;
    ended
}

/// Resolves when the process is told to end: SIGINT or SIGTERM. The call itself takes the signals over, so that none
/// that comes after it is missed.
pub(crate) fn told_to_end() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
            // Without handlers the signals end the process by themselves.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
