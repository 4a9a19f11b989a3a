//! The server: each client's commands, one after another.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use socketry_codec::{FrameError, Framed};
use socketry_transport::units::format_duration;
use socketry_transport::{BoxListener, BoxSocket, Endpoint, Half, Listener, Socket};
use tokio::time::sleep;

use super::execution::Execution;
use super::process::Job;
use super::progress::Progress;
use super::replies::Replies;
use super::requests::Requests;
use super::wire::{Dialect, Program, room};
use super::{MAX_RAW_COMMAND, STALL};
use crate::matrix::App;
use crate::{AppError, Service, serving};

/// A server that runs the commands of whoever connects. See the [module](super) for what it speaks.
#[derive(Debug)]
pub struct Server {
    listener: BoxListener,
    rules: Rules,
}

/// What every conversation needs.
#[derive(Clone, Debug)]
struct Rules {
    service: Service,
    dialect: Dialect,
    time_limit: Option<Duration>,
}

impl Server {
    /// Listens at `at`.
    ///
    /// # Errors
    /// If commands do not run over that pairing of transport and codec, or as the transport says.
    pub async fn bind(service: &Service, at: &Endpoint) -> Result<Self, AppError> {
        let listener = service.listen(App::Command, at).await?;
        Ok(Server {
            listener,
            rules: Rules {
                service: service.clone(),
                dialect: Dialect::of(&service.codec)?,
                time_limit: None,
            },
        })
    }

    /// How long a command may run before it is killed, which its standard error then says. Default `None`: for ever.
    #[must_use]
    pub fn time_limit(mut self, limit: Option<Duration>) -> Self {
        self.rules.time_limit = limit;
        self
    }

    /// Where it listens, with the real port.
    pub fn local(&self) -> &Endpoint {
        self.listener.local()
    }

    /// Serves up to 1,024 clients at once, until `stop` resolves; then what still runs is killed.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        self.serve::<Job>(stop).await
    }

    /// As [`run`](Server::run), but nothing is ever run: a command is answered with its own words. For tests with bytes
    /// that nobody has looked at.
    ///
    /// # Errors
    /// If the listener fails.
    #[cfg(feature = "fuzz")]
    #[doc(hidden)]
    pub async fn run_nothing(self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        self.serve::<super::stub::Stub>(stop).await
    }

    async fn serve<E: Execution>(self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        let Server { listener, rules } = self;
        serving::accept_until(listener, stop, move |socket| {
            rules.clone().converse::<E>(socket)
        })
        .await
    }
}

impl Rules {
    async fn converse<E: Execution>(self, socket: BoxSocket) {
        let peer = socket.peer().clone();
        tracing::info!(%peer, "connected");
        match self.talk::<E>(socket).await {
            Ok(()) => tracing::info!(%peer, "disconnected"),
            Err(error) => tracing::info!("{error}"),
        }
    }

    async fn talk<E: Execution>(&self, socket: BoxSocket) -> Result<(), AppError> {
        let stream = socket.shape().is_stream();
        let room = room(&self.service.codec, socket.shape());
        let codec = self.service.codec.build().map_err(AppError::usage)?;
        let (recv, send) = socket.split();
        let mut requests = Requests::new(Framed::new(recv, codec.clone()));
        let mut replies = Replies {
            send: Framed::new(Progress::new(send, STALL), codec),
            dialect: self.dialect,
            encoding: self.service.encoding,
            room,
        };
        while let Some(request) = requests.next().await {
            let may_be_cut = stream && self.dialect == Dialect::Raw;
            match request {
                Err(error) if error.is_fatal() => {
                    // A peer that is gone does not hear it.
                    let _ = replies.refuse(error.fault()).await;
                    break;
                }
                Err(error) => replies.refuse(error.fault()).await?,
                Ok(frame) if may_be_cut && frame.len() >= MAX_RAW_COMMAND => {
                    replies.refuse(TOO_LONG_FOR_RAW).await?;
                    break;
                }
                Ok(frame) => {
                    self.answer::<E>(&frame, &mut requests, &mut replies)
                        .await?;
                }
            }
        }
        replies.send.finish().await?;
        if stream {
            requests.linger().await;
        }
        Ok(())
    }

    async fn answer<E: Execution>(
        &self,
        frame: &[u8],
        requests: &mut Requests,
        replies: &mut Replies,
    ) -> Result<(), AppError> {
        let program = self.dialect.program(frame, self.service.encoding);
        match program.and_then(|program| start::<E>(&program)) {
            Ok(job) => self.perform(job, requests, replies).await,
            Err(words) => Ok(replies.refuse(words).await?),
        }
    }

    /// Carries a command's output to the client, until both are done or the client is gone. Dropping the job kills it.
    async fn perform(
        &self,
        job: impl Execution,
        requests: &mut Requests,
        replies: &mut Replies,
    ) -> Result<(), AppError> {
        let mut time_is_over = Some(job.time_is_over());
        let overdue = self.overdue();
        let mut carrying = pin!(replies.carry(job, &overdue));
        let mut limit = pin!(passed(self.time_limit));
        loop {
            tokio::select! {
                carried = &mut carrying => return carried.map_err(|error: FrameError| error.into()),
                why = requests.gone() => {
                    return Err(AppError::failed(format_args!("{why}; its command was killed")));
                }
                () = &mut limit, if time_is_over.is_some() => {
                    if let Some(time_is_over) = time_is_over.take() {
                        time_is_over();
                    }
                }
            }
        }
    }

    fn overdue(&self) -> String {
        let limit = self.time_limit.map(format_duration).unwrap_or_default();
        format!("socketry: killed after the time limit of {limit}\n")
    }
}

fn start<E: Execution>(program: &Program) -> Result<E, String> {
    // Not at `info`: a command may hold a secret.
    tracing::debug!(?program, "run");
    E::start(program)
}

const TOO_LONG_FOR_RAW: &str =
    "a command this long may arrive in pieces on raw; use the codec line, struct or json";

async fn passed(limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep(limit).await,
        None => std::future::pending().await,
    }
}
