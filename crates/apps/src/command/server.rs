//! The server: runs the commands of each client, one after another.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use socketry_codec::Framed;
use socketry_transport::{BoxListener, BoxSocket, Endpoint, Half, Listener, Socket};
use tokio::time::Instant;

use super::answer::room;
use super::execution::Execution;
use super::killed::Why;
use super::process::{Event, Job, passed};
use super::progress::Progress;
use super::replies::Replies;
use super::requests::Requests;
use super::wire::{Dialect, Program};
use super::{MAX_PIECE, MAX_RAW_COMMAND, Policy};
use crate::matrix::App;
use crate::own::Own;
use crate::serving::{FULL, Place};
use crate::{AppError, Service, access, serving};

/// A server that runs the commands of its clients. The [module](super) documents the
/// protocol.
#[derive(Debug)]
pub struct Server {
    listener: BoxListener,
    rules: Rules,
    max_clients: usize,
}

/// The common state of all conversations.
#[derive(Clone, Debug)]
struct Rules {
    own: Arc<Own>,
    dialect: Dialect,
    /// What each client may run, if not any program.
    permitted: Option<super::Rules>,
    time_limit: Option<Duration>,
}

impl Server {
    /// Listens at `at`, for the clients that `policy` lets in.
    ///
    /// # Errors
    /// If nothing at `at` makes clients prove who they are and the policy needs that, if commands
    /// do not run over this pairing of transport and codec, or if listening fails.
    pub async fn bind(service: &Service, at: &Endpoint, policy: Policy) -> Result<Self, AppError> {
        policy.check(at, &service.access)?;
        let permitted = match policy {
            Policy::Rules(rules) => Some(rules),
            Policy::AllowAny | Policy::Authenticated => None,
        };
        let listener = service.listen(App::Command, at).await?;
        let own = service.own()?;
        Ok(Server {
            listener,
            rules: Rules {
                dialect: Dialect::of(&own),
                own,
                permitted,
                time_limit: None,
            },
            max_clients: serving::MAX_CLIENTS,
        })
    }

    /// How long a command may run before it is killed. Its standard error then says so. Default
    /// `None`: for ever.
    #[must_use]
    pub fn time_limit(mut self, limit: Option<Duration>) -> Self {
        self.rules.time_limit = limit;
        self
    }

    /// How many clients it serves at once, at least one. Further clients are refused. The default
    /// is 1,024, or fewer if the process may not have so many files open: each client needs up to
    /// four while its command runs. Several servers in one process have to share that limit.
    ///
    /// A client that has half-closed, and so may be gone, makes room for a newcomer.
    #[must_use]
    pub fn max_clients(self, max: usize) -> Self {
        Server {
            max_clients: max,
            ..self
        }
    }

    /// Where it listens, with the real port if port 0 was asked for.
    pub fn local(&self) -> &Endpoint {
        self.listener.local()
    }

    /// Everywhere it listens. [`local`](Server::local) is the first: a name may stand for several
    /// addresses.
    pub fn locals(&self) -> Vec<Endpoint> {
        self.listener.locals()
    }

    /// Serves until `stop` resolves, and then kills the commands that still run.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        self.serve::<Job>(stop).await
    }

    /// As [`run`](Server::run), but runs no commands: the answer to a command is its own words. For
    /// tests with arbitrary bytes.
    ///
    /// # Errors
    /// If the listener fails.
    #[cfg(feature = "fuzz")]
    #[doc(hidden)]
    pub async fn run_nothing(self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        self.serve::<super::stub::Stub>(stop).await
    }

    async fn serve<E: Execution>(self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        let Server {
            listener,
            rules,
            max_clients,
        } = self;
        let serving = serving::Rules {
            places: max_clients,
            // The connection, two outputs and the process.
            descriptors: 4,
            refusal: rules.dialect.refusal(&rules.own, FULL),
        };
        serving::accept_until(listener, serving, stop, move |socket, place| {
            rules.clone().converse::<E>(socket, place)
        })
        .await
    }
}

impl Rules {
    async fn converse<E: Execution>(self, socket: BoxSocket, place: Place) {
        let (peer, who) = (socket.peer().clone(), access::who(socket.info()));
        tracing::info!(%peer, who, "connected");
        match self.talk::<E>(socket, place).await {
            Ok(()) => tracing::info!(%peer, "disconnected"),
            Err(error) => tracing::info!("{error}"),
        }
    }

    async fn talk<E: Execution>(&self, socket: BoxSocket, place: Place) -> Result<(), AppError> {
        let stream = socket.shape().is_stream();
        let name = access::proved_name(socket.info());
        let room = room(&self.own, self.dialect, socket.shape());
        let codec = self.own.codec();
        let (recv, send) = socket.split();
        let (send, stalled) = Progress::new(send);
        let own = Arc::clone(&self.own);
        let mut requests = Requests::new(Framed::new(recv, codec.clone()), own, place);
        let mut replies = Replies {
            send: Framed::new(send, codec),
            stalled,
            dialect: self.dialect,
            encoding: self.own.encoding,
            room,
        };
        let may_be_cut = stream && self.dialect == Dialect::Raw;
        while let Some(request) = requests.next().await {
            let (told, goes_on) = match request {
                Err(odd) => (replies.refuse(odd.words).await, odd.goes_on),
                Ok(frame) if may_be_cut && frame.len() >= MAX_RAW_COMMAND => {
                    (replies.refuse(TOO_LONG_FOR_RAW).await, false)
                }
                Ok(frame) => match self.program::<E>(&frame, name.as_deref()) {
                    Err(words) => (replies.refuse(words).await, true),
                    Ok(job) => {
                        let goes_on = self.perform(job, &mut requests, &mut replies).await?;
                        (Ok(()), goes_on)
                    }
                },
            };
            if let Err(error) = told {
                tracing::debug!("{error}");
                requests.unheard();
            }
            if !goes_on {
                break;
            }
        }
        // A client that has its answer may be gone, and over TLS an end is written, too.
        if let Err(error) = replies.send.finish().await {
            tracing::debug!("{error}");
            return Ok(());
        }
        requests.part().await;
        Ok(())
    }

    fn program<E: Execution>(&self, frame: &[u8], name: Option<&str>) -> Result<E, String> {
        let program = self.dialect.program(frame, self.own.encoding)?;
        let program = match &self.permitted {
            Some(rules) => rules.permit(name, program)?,
            None => program,
        };
        start(&program)
    }

    /// Sends a command's output to the client until the command has ended or the client is gone.
    /// Returns whether the conversation goes on.
    async fn perform<E: Execution>(
        &self,
        job: E,
        requests: &mut Requests,
        replies: &mut Replies,
    ) -> Result<bool, AppError> {
        let peer = replies.send.peer().clone();
        let why = OnceLock::new();
        let kill = job.killer();
        let kill = |reason: Why| {
            if kill() {
                tracing::info!(%peer, "a command was killed {reason}");
                let _ = why.set(reason);
            }
        };
        let mut stalled = replies.stalled.clone();
        let mut carrying = pin!(replies.carry(job, &why));
        let mut limit = pin!(passed(self.time_limit.map(|limit| Instant::now() + limit)));
        let (mut within_limit, mut reads, mut there) = (true, true, true);
        // The command's output is for the client as long as it reads, even if the command was
        // killed.
        while reads || there {
            tokio::select! {
                carried = &mut carrying => {
                    if let Err(unheard) = carried {
                        tracing::debug!("{}", unheard.error);
                        requests.unheard();
                        there &= run_on(unheard.job, requests).await;
                    }
                    return Ok(there);
                }
                () = &mut limit, if within_limit => {
                    within_limit = false;
                    kill(Why::TimeLimit(self.time_limit.unwrap_or_default()));
                }
                () = stalled.begun(), if reads => {
                    reads = false;
                    kill(Why::Stalled);
                }
                gone = requests.gone(), if there => {
                    there = false;
                    kill(Why::Gone(gone));
                }
            }
        }
        Err(AppError::failed("the client is gone, or reads nothing"))
    }
}

/// Lets a command run on whose output cannot be sent, until the client counts as gone. Returns
/// whether the client may still send requests.
async fn run_on(job: Option<impl Execution>, requests: &mut Requests) -> bool {
    let Some(mut job) = job else {
        return true;
    };
    let mut buf = vec![0; MAX_PIECE];
    let ended = async { while !matches!(job.next(&mut buf).await, Event::Ended(_)) {} };
    tokio::select! {
        () = ended => true,
        _ = requests.gone() => false,
    }
}

fn start<E: Execution>(program: &Program) -> Result<E, String> {
    // Not at `info`, since a command may hold a secret.
    tracing::debug!(?program, "run");
    E::start(program)
}

const TOO_LONG_FOR_RAW: &str =
    "a command this long may arrive in pieces on raw; use the codec line, struct or json";
