//! The loop of every server: accept, talk to each in a task of its own, stop when told to.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use socketry_transport::{BoxListener, BoxSocket, Half, Listener};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::AppError;

/// The exit code of a server that was told to end twice, as a shell has it for SIGINT.
const SECOND_SIGNAL: i32 = 130;

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

/// Resolves when the process is told to end: SIGINT, SIGTERM, SIGQUIT, or the SIGHUP of a terminal that was closed. The call
/// itself takes the signals over, so that none that comes after it is missed. A second one ends the process at once.
pub(crate) fn told_to_end() -> impl Future<Output = ()> {
    let mut kinds = vec![
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::quit(),
    ];
    if !hangup_is_ignored() {
        kinds.push(SignalKind::hangup());
    }
    // A signal that cannot be taken over ends the process by itself.
    let signals: Vec<Signal> = kinds
        .into_iter()
        .filter_map(|kind| signal(kind).ok())
        .collect();
    async move {
        let mut signals = signals;
        next_of(&mut signals).await;
        tokio::spawn(async move {
            next_of(&mut signals).await;
            std::process::exit(SECOND_SIGNAL);
        });
    }
}

/// The next of any of these signals.
async fn next_of(signals: &mut [Signal]) {
    poll_fn(|cx| {
        let came = signals
            .iter_mut()
            .any(|signal| signal.poll_recv(cx).is_ready());
        if came { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Whether whoever started this process wants it to outlive the terminal, as `nohup` does.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}
