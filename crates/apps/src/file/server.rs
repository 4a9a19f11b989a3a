//! The server: one directory, for every client that connects.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use socketry_codec::{FrameError, FrameFault};
use socketry_transport::{BoxListener, BoxSocket, Endpoint, Half, Listener};
use tokio::time::timeout;
use tracing::Instrument;

use super::flow::{Flow, heard, refuse};
use super::grant::{Grant, Grants};
use super::header::{self, Answer, Follows, Refused, Request};
use super::limits::{Limits, Ways};
use super::root::Root;
use super::wire::{KEYS, Wire, leave, within_stall};
use super::{QUIET, Rules, download, no_uploads, raw_server, tree, upload};
use crate::matrix::App;
use crate::opening::{First, Opening};
use crate::own::Own;
use crate::serving::{FULL, Place};
use crate::{AppError, Service, Shown, access, serving};

/// Serves the files of one directory: see [the protocol](super).
///
/// ```no_run
/// # async fn serve() -> Result<(), socketry_apps::AppError> {
/// use socketry_apps::{Service, file::Server};
///
/// let at = "tcp://127.0.0.1:0".parse()?;
/// let server = Server::bind(&Service::default(), &at, "/srv/files".as_ref()).await?;
/// println!("listening on {}", server.local());
/// server.run(std::future::pending()).await
/// # }
/// ```
pub struct Server {
    listener: BoxListener,
    own: Arc<Own>,
    grants: Grants,
    max_clients: usize,
}

impl Server {
    /// Listens at `url` and serves the files below `root`. Part files in `root` itself are removed
    /// if a killed process left them.
    ///
    /// # Errors
    /// If the app does not run over this transport and codec, `root` is no directory, or listening
    /// fails.
    pub async fn bind(service: &Service, url: &Endpoint, root: &Path) -> Result<Self, AppError> {
        let opened = Root::open(root).map_err(|error| {
            AppError::usage(format_args!("cannot serve {}: {error}", root.display()))
        })?;
        let listener = service.listen(App::File, url).await?;
        // An error there is logged, and does not stop the server.
        let sweep = |root: &Root| {
            root.sweep();
            Ok(())
        };
        let _ = opened.run(sweep).await;
        Ok(Server {
            listener,
            own: service.own()?,
            grants: Grants::all(opened),
            max_clients: serving::MAX_CLIENTS,
        })
    }

    /// Whether an upload is on disk, with its name, before the client is told that it is stored.
    /// The default is true. If it is false, small files are stored faster, and a power failure may
    /// lose those of the last seconds.
    #[must_use]
    pub fn syncing(mut self, yes: bool) -> Self {
        self.grants = self.grants.syncing(yes);
        self
    }

    /// What each client may do, by its identity. By default each may do everything.
    ///
    /// # Errors
    /// If a folder of the rules is no directory in the served one.
    pub fn rules(mut self, rules: &Rules) -> Result<Self, AppError> {
        self.grants = self.grants.ruled(rules)?;
        Ok(self)
    }

    /// What its clients may use.
    ///
    /// # Errors
    /// A [usage](AppError::is_usage) error over `raw` if it takes uploads only, since `raw` has
    /// none.
    pub fn limits(mut self, limits: Limits) -> Result<Self, AppError> {
        if limits.ways == Ways::UploadOnly && !self.own.is_json() {
            return Err(no_uploads());
        }
        self.grants = self.grants.limited(limits);
        Ok(self)
    }

    /// How many clients it serves at once, at least one. Further clients are refused. The default
    /// is 1,024, or fewer if the process may not have so many files open: each client needs up to
    /// four. Several servers in one process have to share that limit.
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

    /// Serves until `stop` resolves. It then drops all transfers, which leave nothing under a final
    /// name.
    ///
    /// # Errors
    /// If no client can be accepted any more.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        let Server {
            listener,
            own,
            grants,
            max_clients,
        } = self;
        let rules = serving::Rules {
            places: max_clients,
            // The connection, the file, and two directories on the way to it.
            descriptors: 4,
            refusal: refusal(&own),
        };
        serving::accept_until(listener, rules, stop, move |socket, place| {
            talk(Arc::clone(&own), grants.clone(), socket, place)
        })
        .await
    }
}

/// The answer to a newcomer for which there is no place. Over raw it would be taken for a file.
fn refusal(own: &Own) -> Vec<u8> {
    if !own.is_json() {
        return Vec::new();
    }
    let answer = Answer::error(&AppError::failed(FULL));
    own.encoded(&serde_json::to_vec(&answer).unwrap_or_default())
}

async fn talk(own: Arc<Own>, grants: Grants, socket: BoxSocket, place: Place) {
    let who = access::who(socket.info());
    let grant = grants.of(socket.info());
    let span = tracing::info_span!("client", peer = %socket.peer(), who);
    let talking = async {
        let wire = own.framed(socket);
        let ended = match own.is_json() {
            true => converse(wire, &grant, own, &place).await,
            false => raw_server::talk(wire, &grant, own, &place).await,
        };
        if let Err(error) = ended {
            tracing::info!("dropped: {error}");
        }
    };
    talking.instrument(span).await;
}

async fn converse(
    mut wire: Wire,
    grant: &Grant,
    own: Arc<Own>,
    place: &Place,
) -> Result<(), AppError> {
    let bare = own.is_bare_json();
    let mut opening = Some(Opening::new(own, KEYS));
    while let Some(header) = next_header(&mut wire, &mut opening, grant.idle()).await? {
        let flow = match header.and_then(|header| header::parse(&header, bare)) {
            Ok(request) => answer(&mut wire, grant, request).await?,
            Err(Refused { error, follows }) => refuse(&mut wire, &error, follows).await?,
        };
        if flow == Flow::Close {
            break;
        }
    }
    leave(wire, place).await
}

/// A header, or why these bytes are none.
type Header = Result<Vec<u8>, Refused>;

/// The next header; `None` at the end, or after too long a silence. Queued answers are sent first,
/// once the client is quiet.
async fn next_header(
    wire: &mut Wire,
    opening: &mut Option<Opening>,
    idle: Duration,
) -> Result<Option<Header>, AppError> {
    if opening.is_none() {
        if let Ok(next) = timeout(QUIET, header_here(wire)).await {
            return next;
        }
        heard(within_stall(wire.flush()).await)?;
    }
    let next = async {
        match opening {
            Some(first) => {
                let header = first_header(wire, first).await;
                *opening = None;
                header
            }
            None => header_here(wire).await,
        }
    };
    timeout(idle, next).await.unwrap_or(Ok(None))
}

async fn header_here(wire: &mut Wire) -> Result<Option<Header>, AppError> {
    match wire.recv().await {
        Ok(header) => Ok(header.map(|header| Ok(header.to_vec()))),
        Err(error) => not_understood(error.fault().to_string(), error),
    }
}

async fn first_header(wire: &mut Wire, opening: &mut Opening) -> Result<Option<Header>, AppError> {
    let first = opening.next(wire).await;
    let words = opening.words(&first);
    match first {
        First::Frame(header) => Ok(header.map(Ok)),
        First::Refused(error, _) => not_understood(words, error),
        First::Foreign(_) | First::Stranger(_) | First::Unfinished => Ok(Some(Err(unknown(words)))),
    }
}

fn not_understood(words: String, error: FrameError) -> Result<Option<Header>, AppError> {
    match error.fault() {
        FrameFault::Codec(_) => Ok(Some(Err(unknown(words)))),
        _ => Err(error.into()),
    }
}

/// A refusal after which it cannot be known what the client sends.
fn unknown(words: String) -> Refused {
    Refused {
        error: AppError::failed(words),
        follows: Follows::Unknown,
    }
}

async fn answer(wire: &mut Wire, grant: &Grant, request: Request) -> Result<Flow, AppError> {
    let (verb, name) = request.title();
    let span = tracing::info_span!("request", verb, name = %Shown(name));
    let answering = async {
        let answered = obey_in_time(wire, grant, request).await;
        answered.inspect_err(|error| tracing::info!("broken off: {error}"))
    };
    answering.instrument(span).await
}

async fn obey_in_time(wire: &mut Wire, grant: &Grant, request: Request) -> Result<Flow, AppError> {
    let Some(limit) = grant.max_time() else {
        return obey(wire, grant, request).await;
    };
    match timeout(limit, obey(wire, grant, request)).await {
        Ok(done) => done,
        // A client that is sent a file can only be told by its end.
        Err(_) if wire.body_owed() > 0 => Err(Limits::late(limit)),
        Err(_) => refuse(wire, &Limits::late(limit), Follows::Unknown).await,
    }
}

async fn obey(wire: &mut Wire, grant: &Grant, request: Request) -> Result<Flow, AppError> {
    match request {
        Request::Upload(upload) => upload::receive(wire, grant, upload).await,
        Request::Download { name, pieces } => download::send(wire, grant, name, pieces).await,
        Request::List { path } => download::list(wire, grant, path).await,
        Request::Stat { name } => download::stat(wire, grant, name).await,
        Request::Tree(request) => tree::serve::answer(wire, grant, request).await,
    }
}
