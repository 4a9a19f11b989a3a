//! The steps of the laws, each with a deadline.

use std::fmt::{Debug, Display};
use std::future::Future;
use std::time::Duration;

use socketry_codec::{FrameError, Framed, Struct};
use socketry_service::{Limits, Observer, Request, Server, Stopper, Summary};
use socketry_transport::{BoxListener, BoxSocket, Endpoint, Listener, Result as Made};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Subject, Tamper};
use crate::law::Verdict;

/// How long a step may take. It is less than the default times of a server (30 seconds), so that
/// none of these stands in for what a law waits for.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

/// The frames of a test's client.
pub(super) type Client = Framed<BoxSocket, Struct>;

/// A server that is not running yet.
pub(super) struct Unstarted {
    server: Server<BoxListener>,
    tamper: Tamper,
}

impl Unstarted {
    pub(super) fn observer(mut self, observer: impl Observer) -> Self {
        if !matches!(self.tamper, Tamper::Deaf) {
            self.server = self.server.observer(observer);
        }
        self
    }
}

/// A server that runs, in a task.
pub(super) struct Running {
    pub(super) at: Endpoint,
    stopper: Stopper,
    tamper: Tamper,
    pub(super) task: JoinHandle<Made<Summary>>,
}

impl Subject {
    /// A server with these limits, which is not running yet.
    pub(super) async fn server(&self, limits: Limits) -> Result<Unstarted, String> {
        let listening = self.registry.listen(self.at.clone());
        let listener = within("listening", listening).await?.map_err(words)?;
        let mut limits = limits;
        if let Tamper::Limits(tamper) = self.tamper {
            tamper(&mut limits);
        }
        Ok(Unstarted {
            server: Server::new(listener).limits(limits),
            tamper: self.tamper,
        })
    }

    /// A server that answers each request with itself.
    pub(super) async fn echo(&self, limits: Limits) -> Result<Running, String> {
        self.server(limits).await.map(Running::echo)
    }

    pub(super) async fn client(&self, at: &Endpoint) -> Result<Client, String> {
        let connecting = self.registry.connect(at.clone());
        let socket = within("connecting", connecting).await?.map_err(words)?;
        Ok(Framed::new(socket, Struct::default()))
    }
}

impl Running {
    pub(super) fn start<F>(
        unstarted: Unstarted,
        serve: impl FnOnce(Server<BoxListener>) -> F,
    ) -> Self
    where
        F: Future<Output = Made<Summary>> + Send + 'static,
    {
        let Unstarted { server, tamper } = unstarted;
        let (at, stopper) = (server.listener().local().clone(), server.stopper());
        let serving = serve(server);
        let task = match tamper {
            Tamper::Detached => {
                let detached = tokio::spawn(serving);
                tokio::spawn(async { detached.await.unwrap_or_else(|error| panic!("{error}")) })
            }
            _ => tokio::spawn(serving),
        };
        Running {
            at,
            stopper,
            tamper,
            task,
        }
    }

    pub(super) async fn stop(&self) {
        match self.tamper {
            Tamper::StopsOnce if self.stopper.is_stopping() => {}
            Tamper::StopsTwice => {
                self.stopper.stop();
                self.stopper.stop();
                // No law can be faster than that.
                while !self.task.is_finished() {
                    tokio::task::yield_now().await;
                }
            }
            _ => self.stopper.stop(),
        }
    }

    /// Answers each request with itself.
    pub(super) fn echo(server: Unstarted) -> Self {
        Running::start(server, |server| {
            server.answer(async |request: Request| Ok::<_, FrameError>(request.frame))
        })
    }

    /// Waits until the server has ended.
    pub(super) async fn ended(self) -> Result<Summary, String> {
        let ended = within("the server's end", self.task).await?;
        ended.map_err(words)?.map_err(words)
    }
}

/// The result of `step`, which must come before the deadline.
pub(super) async fn within<T>(what: &str, step: impl Future<Output = T>) -> Result<T, String> {
    let done = timeout(DEADLINE, step).await;
    done.map_err(|_| format!("{what} took longer than {DEADLINE:?}"))
}

/// Sends a frame.
pub(super) async fn send(client: &mut Client, frame: &str) -> Verdict {
    within("a send", client.send(frame.as_bytes()))
        .await?
        .map_err(words)
}

/// The next frame must be `wanted`.
pub(super) async fn expect(client: &mut Client, wanted: &str) -> Verdict {
    let frame = within("an answer", client.recv()).await?.map_err(words)?;
    same("the answer", frame, Some(wanted.as_bytes()))
}

/// A question and its answer by an echo.
pub(super) async fn ask(client: &mut Client, question: &str) -> Verdict {
    send(client, question).await?;
    expect(client, question).await
}

/// The next receive must be the orderly end.
pub(super) async fn expect_end(client: &mut Client) -> Verdict {
    let frame = within("the end", client.recv()).await?.map_err(words)?;
    same("the end", frame, None)
}

/// The connection must be over, by an end or an error.
pub(super) async fn expect_gone(client: &mut Client) -> Verdict {
    match within("the end of the connection", client.recv()).await? {
        Ok(Some(frame)) => Err(format!("a frame of {} bytes came", frame.len())),
        Ok(None) | Err(_) => Ok(()),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "values that are written where it is called"
)]
pub(super) fn same<T: PartialEq + Debug>(what: &str, found: T, wanted: T) -> Verdict {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what} is {found:?}, and not {wanted:?}"))
}

pub(super) fn words(error: impl Display) -> String {
    error.to_string()
}

/// Limits that no law meets by accident, with one of them changed.
pub(super) fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// A deadline that a law waits for.
pub(super) const SOON: Duration = Duration::from_millis(60);
