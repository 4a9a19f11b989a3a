//! The task of one connection: the handler, the close in order, and the report of the end.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::lazy;
use socketry_codec::limits::{CLOSE_BYTES, CLOSE_TIME};
use socketry_codec::{Codec, Framed};
use socketry_transport::{Deadlines, Half, Info, SendHalf, Socket, close};
use tokio::time::Instant;

use super::crowd::Member;
use super::gate::Gate;
use super::home::Home;
use super::observer::{Ending, Observer};
use super::stop::Stopper;
use super::tie::Tie;
use super::{Failure, Lending, Served};
use crate::Limits;
use crate::limits::bound;

/// The settings of all connections of a server.
pub(super) struct Settings {
    pub(super) limits: Limits,
    pub(super) stop: Stopper,
    pub(super) observer: Option<Arc<dyn Observer>>,
}

/// Serves `socket` until the handler is done.
pub(super) async fn run<S, C, F, Fut, E>(
    socket: S,
    codec: C,
    member: Member,
    settings: Arc<Settings>,
    handler: Arc<F>,
) where
    S: Socket,
    C: Codec,
    F: Fn(Served<S, C>, Arc<Tie>) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: Into<Failure>,
{
    let mut report = Report::new(&socket, &member);
    let (home, framed) = frame(socket, codec, &member, &settings);
    let tie = Arc::clone(&member.tie);
    // Boxed, and not an async block: those have room for what they move, twice.
    let handled = lazy(move |_| handler(framed, tie)).flatten();
    let handled = Box::pin(AssertUnwindSafe(handled).catch_unwind());
    // The handler is dropped here, and gives the socket back.
    let handled = handled.await.map_err(drop);
    let handled = handled.map(|ended| ended.map_err(Into::into));
    match handled {
        Ok(Ok(())) => {
            if let Some(socket) = home.take() {
                // The answers are on their way, or the peer is gone: nothing is left to do.
                let _ = Box::pin(close(socket, CLOSE_BYTES, CLOSE_TIME)).await;
            }
            report.end(&Ending::Done);
        }
        Ok(Err(error)) => {
            reset(home.take());
            report.end(&Ending::Failed(&*error));
        }
        Err(_) => {
            reset(home.take());
            report.end(&Ending::Panicked);
        }
    }
}

/// Frames over a socket that is lent, with the deadlines of the limits.
fn frame<S: Socket, C: Codec>(
    socket: S,
    codec: C,
    member: &Member,
    settings: &Settings,
) -> (Lending<S>, Served<S, C>) {
    let limits = &settings.limits;
    let mut deadlines = Deadlines::default();
    if let Some(time) = bound(limits.stalled_write) {
        deadlines = deadlines.send_within(time);
    }
    let tie = &member.tie;
    // Without an observer nothing is counted.
    let counting = tie.observer.is_some().then(|| Arc::clone(tie));
    let (home, lent) = Home::of(deadlines.over(socket), counting);
    let gate = Gate::new(limits, &settings.stop, tie);
    let framed = Framed::new(lent, codec)
        .frame_time(bound(limits.whole_frame))
        .watched(gate)
        .metered(Arc::clone(tie) as _);
    (home, framed)
}

/// A reset tells the peer that this is no orderly end.
fn reset(socket: Option<impl SendHalf>) {
    if let Some(mut socket) = socket {
        // A transport without resets shows the peer an end.
        let _ = socket.abort(0);
    }
}

/// Tells the observer how the connection has ended, also when its task is dropped.
struct Report {
    tie: Arc<Tie>,
    info: Info,
    begun: Instant,
    told: bool,
}

impl Report {
    fn new(socket: &impl Half, member: &Member) -> Self {
        let report = Report {
            tie: Arc::clone(&member.tie),
            info: socket.info().clone(),
            begun: Instant::now(),
            told: false,
        };
        report
            .tie
            .tell(|observer, id| observer.accepted(id, &report.info));
        report
    }

    fn end(&mut self, how: &Ending<'_>) {
        tracing::debug!("ended: {how}");
        self.tie.tell(|observer, id| {
            observer.ended(id, &self.info, how, self.begun.elapsed());
        });
        self.told = true;
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !self.told {
            self.end(&Ending::Cut);
        }
    }
}
