//! A server that runs: it accepts, refuses what is over a limit, and ends in order.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use socketry_codec::Codec;
use socketry_transport::{Info, Listener, Result, Socket};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::Instrument;

use super::crowd::Crowd;
use super::observer::Refusal;
use super::stop::Phase;
use super::task::{self, Settings};
use super::tie::Tie;
use super::{Failure, Served, Summary};
use crate::limits::bound;

/// A server that runs.
pub(super) struct Serving<C, F> {
    crowd: Arc<Crowd>,
    handler: Arc<F>,
    codec: C,
    codec_name: Arc<str>,
    settings: Arc<Settings>,
    tasks: JoinSet<()>,
    summary: Summary,
}

impl<C: Codec + Clone, F> Serving<C, F> {
    pub(super) fn new(
        crowd: Arc<Crowd>,
        handler: F,
        (codec, codec_name): (C, Arc<str>),
        settings: Settings,
    ) -> Self {
        Serving {
            crowd,
            handler: Arc::new(handler),
            codec,
            codec_name,
            settings: Arc::new(settings),
            tasks: JoinSet::new(),
            summary: Summary::default(),
        }
    }

    /// Accepts until the stop, and drops the listener: a later connect is refused.
    pub(super) async fn accept<L, Fut, E>(&mut self, mut listener: L) -> Result<()>
    where
        L: Listener,
        F: Fn(Served<L::Socket, C>, Arc<Tie>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        let stop = self.settings.stop.clone();
        let mut stopping = std::pin::pin!(stop.stopping());
        let mut refusals = 0;
        loop {
            tokio::select! {
                biased;
                () = &mut stopping => return Ok(()),
                Some(_) = self.tasks.join_next() => {}
                newcomer = newcomer(&mut listener, &mut refusals) => match newcomer? {
                    Newcomer::Socket(socket) => self.admit(socket),
                    Newcomer::Refused(count) => {
                        (0..count).for_each(|_| self.refused(None, Refusal::System));
                    }
                },
            }
        }
    }

    fn admit<S, Fut, E>(&mut self, mut socket: S)
    where
        S: Socket,
        F: Fn(Served<S, C>, Arc<Tie>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        match self.crowd.admit(socket.info()) {
            Ok(member) => {
                self.summary.served += 1;
                let (settings, handler) = (Arc::clone(&self.settings), Arc::clone(&self.handler));
                let codec = self.codec.clone();
                let span = tracing::info_span!(
                    "connection",
                    id = member.tie.id,
                    peer = %socket.peer().redacted(),
                    codec = &*self.codec_name,
                );
                let serving = task::run(socket, codec, member, settings, handler);
                self.tasks.spawn(serving.instrument(span));
            }
            Err(why) => {
                self.refused(Some(socket.info()), why);
                // A reset is told at once, and cannot be taken for an orderly end.
                let _ = socket.abort(0);
            }
        }
    }

    fn refused(&mut self, info: Option<&Info>, why: Refusal) {
        self.summary.refused += 1;
        let peer = info.map(|info| info.peer().redacted().to_string());
        tracing::warn!(peer = peer.as_deref(), "refused: {why}");
        if let Some(observer) = &self.settings.observer {
            observer.refused(info, why);
        }
    }

    /// Waits until all connections have ended, for the grace time, and cuts the others.
    pub(super) async fn end(mut self) -> Summary {
        self.settings.stop.begin();
        self.crowd.wake();
        let grace = bound(self.settings.limits.grace);
        let stop = self.settings.stop.clone();
        let over = async {
            match grace {
                Some(grace) => sleep(grace).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = drained(&mut self.tasks, &mut self.summary.drained) => {}
            () = over => {}
            () = stop.reached(Phase::Cutting) => {}
        }
        while self.tasks.try_join_next().is_some() {
            self.summary.drained += 1;
        }
        self.summary.cut = self.tasks.len();
        self.tasks.shutdown().await;
        self.summary
    }
}

enum Newcomer<S> {
    Socket(S),
    /// The listener has refused so many clients.
    Refused(u64),
}

/// The next client, or the number of those that the listener has refused since `refusals`.
async fn newcomer<L: Listener>(
    listener: &mut L,
    refusals: &mut u64,
) -> Result<Newcomer<L::Socket>> {
    poll_fn(|cx| {
        if let Poll::Ready(accepted) = listener.poll_accept(cx) {
            return Poll::Ready(accepted.map(Newcomer::Socket));
        }
        let now = listener.refusals();
        match now.saturating_sub(std::mem::replace(refusals, now)) {
            0 => Poll::Pending,
            more => Poll::Ready(Ok(Newcomer::Refused(more))),
        }
    })
    .await
}

async fn drained(tasks: &mut JoinSet<()>, count: &mut usize) {
    while tasks.join_next().await.is_some() {
        *count += 1;
    }
}
