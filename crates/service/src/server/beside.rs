//! What runs beside a server: the causes that stop it, and what its service manager is told.

use std::future::{Future, pending};
use std::pin::Pin;

use futures_util::StreamExt;
use futures_util::future::join;
use futures_util::stream::FuturesUnordered;
use socketry_codec::Codec;
use socketry_transport::Listener;

use super::{Server, Stopper};
#[cfg(unix)]
use crate::Notify;

/// Futures that are polled by the task that accepts, so that they stop when that hangs.
#[derive(Default)]
pub(super) struct Beside {
    /// Dropped when the server has ended.
    works: FuturesUnordered<Work>,
    /// Done when the server has ended, or soon after.
    reports: FuturesUnordered<Work>,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Beside {
    fn work(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.works.push(Box::pin(work));
    }

    /// `serving`, and the rest beside it.
    pub(super) async fn run<T>(mut self, serving: impl Future<Output = T>) -> T {
        let works = async {
            while self.works.next().await.is_some() {}
            pending().await
        };
        let reported = async { while self.reports.next().await.is_some() {} };
        tokio::select! {
            // Before the first client is served, the handlers of signals are there.
            biased;
            never = works => never,
            (served, ()) = join(serving, reported) => served,
        }
    }
}

impl<L: Listener, C: Codec + Clone> Server<L, C> {
    /// Stops it in order when `cause` is ready: a successor that has
    /// [arrived](socketry_transport::Successor::arrived), say. A server that is stopping already
    /// goes on with that.
    ///
    /// ```
    /// use socketry_codec::FrameError;
    /// use socketry_service::Server;
    /// use socketry_transport::listen;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    /// let server = Server::new(listen("mem://*").await?).stop_when(async {
    ///     let _ = stopped.await;
    /// });
    /// drop(stop);
    /// server.answer(async |request| Ok::<_, FrameError>(request.frame)).await?; // at once
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn stop_when(mut self, cause: impl Future<Output = ()> + Send + 'static) -> Self {
        let stop = self.stop.clone();
        self.beside.work(async move {
            cause.await;
            stop.begin();
        });
        self
    }

    /// Stops it in order at the first SIGINT (Ctrl-C) or SIGTERM, and cuts all connections at the
    /// second. The process itself goes on. Until the server runs, the signals do what they did
    /// before.
    ///
    /// If the system takes no handler, an error is logged. Needs a runtime with I/O.
    #[must_use]
    pub fn stop_on_signals(mut self) -> Self {
        let stop = self.stop.clone();
        self.beside.work(async move {
            if let Err(error) = at_each_signal(&stop).await {
                tracing::error!(%error, "signals do not stop the server");
            }
        });
        self
    }

    /// Tells the service manager that the server is ready when it begins to accept, that it lives
    /// as often as that wants to hear it, and that it stops.
    ///
    /// The beats come from the task that accepts: when it hangs, or a handler that blocks keeps it
    /// from running, there are none, and the service manager starts the service anew. They go on
    /// while the server ends. [`Notify::healthy_if`] asks for more.
    ///
    /// ```
    /// use socketry_codec::FrameError;
    /// use socketry_service::{Notify, Server};
    /// use socketry_transport::listen;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::new(listen("mem://*").await?).notify(Notify::from_env()?);
    /// # let server = server.stop_when(async {});
    /// server.answer(async |request| Ok::<_, FrameError>(request.frame)).await?;
    /// # Ok(()) }
    /// ```
    #[cfg(unix)]
    #[must_use]
    pub fn notify(mut self, notify: Notify) -> Self {
        let stop = self.stop.clone();
        self.beside.work(notify.clone().beats());
        self.beside.reports.push(Box::pin(async move {
            notify.tell_ready().await;
            stop.stopping().await;
            notify.tell_stopping().await;
        }));
        self
    }
}

#[cfg(unix)]
async fn at_each_signal(stop: &Stopper) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stop.stop();
    }
}

#[cfg(not(unix))]
async fn at_each_signal(stop: &Stopper) -> std::io::Result<()> {
    loop {
        tokio::signal::ctrl_c().await?;
        stop.stop();
    }
}
