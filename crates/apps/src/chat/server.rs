//! The server: a listener, a hub, and an operator.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, pending};
use std::sync::Arc;

use socketry_transport::{BoxListener, BoxSocket, Endpoint, Half, Listener};
use tokio::sync::mpsc;

use super::console::Console;
use super::hub::Hub;
use super::message::{Dialect, Refusal, json, own_name, signed};
use super::names::{Names, Proved};
use super::{QUIT, bounded, guest};
use crate::matrix::App;
use crate::own::Own;
use crate::serving::{FULL, Place, Rules};
use crate::{AppError, Service, access, serving, web};

/// The operator's name if none was given.
const OPERATOR: &str = "operator";

/// A chat server that listens.
///
/// ```
/// use socketry_apps::Service;
/// use socketry_apps::chat::{Client, Console, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = Service::with_codec("line")?;
/// let server = Server::bind(&service, &"tcp://127.0.0.1:0".parse()?).await?;
/// let at = server.local().clone();
/// let (console, mut operator) = Console::channel();
/// tokio::spawn(server.run(console, std::future::pending()));
///
/// let mut ann = Client::connect(&service, &at, Some("ann")).await?;
/// ann.send("hello").await?;
/// assert_eq!(operator.next().await.as_deref(), Some("ann : hello"));
/// operator.say("welcome").await;
/// assert_eq!(ann.recv().await?.expect("an answer").text, "welcome");
/// # Ok(()) }
/// ```
pub struct Server {
    listener: BoxListener,
    own: Arc<Own>,
    operator: Option<String>,
    max_clients: usize,
    trusted: bool,
    names: Arc<Names>,
}

impl Server {
    /// Listens at `at`, with the codec and encoding of `service`.
    ///
    /// # Errors
    /// If the transport cannot listen there, or the codec's limits do not apply to it.
    pub async fn bind(service: &Service, at: &Endpoint) -> Result<Self, AppError> {
        let service = bounded(service)?;
        let own = service.own()?;
        let service = Service {
            // The page speaks JSON, and cannot prove a token.
            registry: match own.is_json() {
                true => web::with_page(service.registry, at, &own.encoded(b"{}")),
                false => service.registry,
            },
            ..service
        };
        Ok(Server {
            listener: service.listen(App::Chat, at).await?,
            own,
            operator: None,
            max_clients: serving::MAX_CLIENTS,
            trusted: false,
            names: Names::new(service.access.names()),
        })
    }

    /// Gives the operator a name of at most 64 bytes, with which messages are signed. By default it
    /// is `operator` with JSON; with other codecs the operator's messages are unsigned.
    ///
    /// # Errors
    /// If the name is empty, too long or misleading.
    pub fn operator(self, name: &str) -> Result<Self, AppError> {
        Ok(Server {
            operator: Some(own_name(name)?),
            ..self
        })
    }

    /// How many clients it serves at once, at least one. Further clients are refused. The default
    /// is 1,024, or fewer if the process may not have so many files open: each client needs one.
    /// Several servers in one process have to share that limit.
    ///
    /// A client that has half-closed, and so may be gone, makes room for a newcomer.
    #[must_use]
    pub fn max_clients(self, max: usize) -> Self {
        Server {
            max_clients: max,
            ..self
        }
    }

    /// Whether users over datagrams get all messages, wherever they are. By default a user whose
    /// address may be forged, and that has not proved it, is sent no more bytes than came from
    /// there: see the [module](super).
    #[must_use]
    pub fn trust_addresses(self, trust: bool) -> Self {
        Server {
            trusted: trust,
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

    /// Serves until `stop` resolves. It then drops the conversations that are under way, which
    /// closes their sockets.
    ///
    /// # Errors
    /// If the listener fails for good. A user cannot cause that.
    pub async fn run(
        self,
        console: Console,
        stop: impl Future<Output = ()>,
    ) -> Result<(), AppError> {
        let own = self.own;
        let (hub, said) = Hub::new(Arc::clone(&own), console, self.trusted)?;
        let hub = Arc::new(hub);
        let reserved: Arc<str> = self.operator.as_deref().unwrap_or(OPERATOR).into();
        let names = self.names;
        let operating = operate(Arc::clone(&hub), said, self.operator);
        let rules = Rules {
            places: self.max_clients,
            descriptors: 1,
            refusal: refusal(&own, hub.dialect()),
        };
        let accepting = serving::accept_until(self.listener, rules, stop, move |socket, place| {
            let proved = names.enter(access::proved_name(socket.info()));
            let own = Arc::clone(&own);
            let reserved = Arc::clone(&reserved);
            converse(Arc::clone(&hub), own, reserved, proved, socket, place)
        });
        tokio::select! {
            served = accepting => served,
            never = operating => match never {},
        }
    }
}

/// The answer to a newcomer for which there is no place, where the codec can tell it from a
/// message.
fn refusal(own: &Own, dialect: Dialect) -> Vec<u8> {
    match dialect {
        Dialect::Json => own.encoded(&json(&Refusal { error: FULL })),
        Dialect::Text(_) => Vec::new(),
    }
}

async fn converse(
    hub: Arc<Hub>,
    own: Arc<Own>,
    reserved: Arc<str>,
    proved: Proved,
    socket: BoxSocket,
    place: Place,
) {
    let framed = own.framed(socket);
    guest::talk(hub, own, reserved, proved, framed, place).await;
}

/// Relays the operator's lines. An operator that has no more lines stays as a reader.
async fn operate(
    hub: Arc<Hub>,
    mut said: mpsc::Receiver<String>,
    name: Option<String>,
) -> Infallible {
    while let Some(line) = said.recv().await {
        if let Err(error) = say(&hub, &line, name.as_deref()).await {
            tracing::warn!(%error, "not sent");
        }
    }
    pending().await
}

async fn say(hub: &Hub, line: &str, name: Option<&str>) -> Result<(), AppError> {
    let from = name.unwrap_or(OPERATOR);
    match (line, hub.dialect()) {
        ("", _) => Ok(()),
        (QUIT, _) => hub.dismiss(from),
        (text, Dialect::Json) => hub.announce(from, text).await,
        (text, Dialect::Text(_)) => hub.announce(from, &signed(text, name)).await,
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.local())
    }
}
