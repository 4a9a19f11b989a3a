//! Chat: each message of a user goes to all other users.
//!
//! ```text
//! socketry chat serve tcp://127.0.0.1:9000             what is typed here goes to all users
//! socketry chat join tcp://localhost:9000 --name ann   in as many other terminals as you like
//! ```
//!
//! # On the wire
//!
//! * **raw**, **line**, **struct**: a message is a text in the service's encoding. A user that has
//!   a name signs with it, `NAME : TEXT`. The server relays the text as it came. Bytes that are no
//!   text in the encoding become U+FFFD, both for the operator and for the users (`?` in an
//!   encoding that lacks it). Over raw on a stream, a character that arrives in two pieces is put
//!   together first. Extra line ends (`hello\\r\\r\\n`) are left out where a line cannot hold them.
//!   Some messages cannot be relayed: one that would be too long, and one that a new user would
//!   take for another codec's. The server shows them to the operator alone, with a warning, since
//!   these codecs have no way to tell the sender.
//! * **json**, **json:bare**: a message is an object. A client sends
//!   `{"from": NAME, "text": TEXT}`. The other users get it with `seq`, which counts the messages
//!   of this server, and `time`, in milliseconds since the Unix epoch. `{"from": NAME}` alone only
//!   gives the user's name. Later messages may leave the name out. Without any, the name is
//!   `anonymous`. A name has no invisible characters, no ` : `, and no space around it. It is
//!   neither the operator's nor `socketry`, in any case. Two users may have the same name, unless
//!   it is [proved](#proved-names). The server answers a frame that it does not accept with
//!   `{"error": WORDS}`, and the conversation goes on. Unknown keys are ignored.
//!
//! If a user's first bytes on a stream look like another codec's, the server says so in a message,
//! in its own codec: `socketry: this server speaks the codec`, its name, and what the bytes look
//! like. The user then leaves. Over `line`, the server sends this message when a first text has not
//! ended within one second; the text may still end later.
//!
//! A text that is exactly `q` ends a conversation, over every codec and from either side. It is not
//! relayed and never signed. A user that sends it leaves. An operator that types it ends all
//! conversations, and the server goes on. Only messages are ever sent, and the errors and cookies
//! described here. An empty line of input is no message.
//!
//! Over datagrams a server learns of a user from its first datagram. It forgets a user after a time
//! without traffic in either direction, which the transport sets (`peer_idle`, by default 5
//! minutes). With JSON, [`Client`] sends its name at once. With other codecs a user receives
//! nothing before it has sent something.
//!
//! # The program `join`
//!
//! At a terminal the end of input (Ctrl-D) leaves, as a line `q` does. After the end of other
//! input, `join` goes on receiving. On a stream it does so until the server ends the conversation,
//! but after [`limits::FAREWELL`] only while messages still come; our own chat server does not end
//! it earlier. Over datagrams it does so until nothing comes for a second. Over raw on a stream,
//! two texts may become one. So `join` sends a line only after the line before was answered, or
//! after [`limits::TURN`] or [`limits::PAUSE`] without an answer.
//!
//! It exits with 0 if the user left, or if the server ended the conversation and nothing was lost:
//! the server sent `q`, or closed the stream between two messages. It exits with 1 and prints
//! "disconnected" where a message may be lost:
//!
//! * the connection was reset, which an error of either half or a failing half-close tells;
//! * the stream ended inside a message;
//! * a line of input waited when the stream ended, or came within [`limits::DOUBT`] after that;
//! * the last thing received was a refusal: an error of the server, or a datagram that was refused.
//!
//! TCP cannot tell more. A server that is killed after it has read everything looks like one that
//! closes. If a distant server closes while the last line and the end of input are on their way to
//! it, its reset comes too late to be seen.
//!
//! # Over datagrams
//!
//! A datagram's sender can be forged, but for loopback addresses and Unix sockets. So the server
//! sends no more bytes to any other address than it received from there as messages, errors
//! included. Bytes that do not fit are dropped. The operator's messages and the end are exempt. A
//! user that only reads therefore receives little until it has proved its address. Where addresses
//! cannot be forged on the network, [`Server::trust_addresses`] (`--trust-addresses`) lifts this
//! limit.
//!
//! With JSON, a user proves its address by sending back the cookie that the server sent there:
//!
//! ```text
//! user    {"from": NAME, "cookie": "000…"}    64 zeros: room for the answer
//! server  {"cookie": COOKIE}                  64 hexadecimal digits
//! user    {"from": NAME, "cookie": COOKIE}
//! server  {"cookie": COOKIE}                  accepted: from now on the user receives everything
//! ```
//!
//! * The server answers with a cookie whenever a frame has a `cookie` but no `text`, or a cookie
//!   that is not the one of this address. The answer counts against the limit above; where it does
//!   not fit it is not sent. A user that sends no `cookie` gets none.
//! * A cookie holds for one to two minutes ([`limits::PROOF_RENEWAL`]), and a proof for three
//!   ([`limits::PROOF`]). Both are for one address and port. The server stores no cookies: a cookie
//!   is a hash keyed with a secret, which the server chooses when it starts.
//! * [`Client`] does all this inside of [`Client::recv`]. It introduces itself again when no answer
//!   came for [`limits::PROOF_WAIT`], at most [`limits::PROOF_TRIES`] times. A server that sent no
//!   cookie is then left alone. With one that did, the client renews the proof every
//!   [`limits::PROOF_RENEWAL`]. It also sends the cookie with each text, where there is room, since
//!   the server may have forgotten it.
//!
//! With other codecs nothing can be proved.
//!
//! # What is bounded
//!
//! A message is at most 64 KiB, unless another limit of the codec was chosen. A name is at most 64
//! bytes. A server has at most 1,024 users.
//!
//! All users share one queue, each at its own place in it, and the server never waits for one. A
//! user that sends waits for those that read: at most [`limits::IN_FLIGHT`] bytes of all messages
//! are on their way to them, and [`limits::OWN`] bytes more of each sender. So a pasted text
//! reaches all readers whole, and a short message does not wait behind another user's flood.
//! Senders do not wait for a user that takes next to nothing for [`limits::PATIENCE`]. On a stream
//! such a user is disconnected once [`limits::WAITING`] bytes wait for it, since a gap would be
//! worse. Over datagrams senders wait for no user: one that has no room for a message misses it.
//! The messages that are being written to a user count no longer: at most 64 KiB, or one message.
//!
//! A user that reads nothing any more, or is gone, is still received: everything that it sent is
//! relayed. A user that half-closes still receives messages for 3 seconds.
//!
//! # Proved names
//!
//! Where the server asks users who they are ([`Service::access`], or client certificates), a user
//! that has proved a name speaks under it as long as it gives no other. Nobody else may: the names
//! of the server's tokens, and those that users who are here have proved, are refused to all others
//! with JSON. With other codecs a text is not relayed if a line of it is signed with such a name.
//! Names are compared without regard to case; one that only looks alike is another one. Over
//! datagrams nobody can prove a name.
//!
//! # Silent users
//!//!
//! On a stream with JSON the first frame must come within [`limits::FIRST_WORD`]; an introduction
//! is enough. After it, and with other codecs always, a user may be silent for as long as it likes
//! and keeps its place: to listen is to take part. A dead peer does not keep its place where the
//! kernel's keepalive finds it (`tcp`). Over datagrams `peer_idle` is the bound.

mod budget;
mod client;
mod console;
mod cookie;
mod guest;
mod hub;
mod join;
pub mod limits;
mod message;
mod names;
mod pacing;
mod peer_text;
mod proof;
#[cfg(test)]
mod properties;
mod server;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Subcommand;

pub use client::Client;
pub use console::{Console, Operator};
pub use message::Message;
pub use server::Server;

use crate::admission::{Asked, Start, Typed};
use crate::cli::CommandLine;
use crate::common::{Common, ServeArgs, hint, reachable};
use crate::matrix::App;
use crate::serving::shutdown_signal;
use crate::{AppError, Service, output, terminal};

/// The text that ends a conversation.
const QUIT: &str = "q";

/// The longest message in bytes, as the codec counts them, if no other limit was chosen. A JSON
/// header has the same limit.
const MAX_MESSAGE: usize = 64 << 10;

/// The arguments of `chat`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Be the place where all users meet; lines typed here go to all of them
    Serve {
        /// Where to listen
        #[arg(value_name = "URL", default_value = crate::service::DEFAULT_URL)]
        url: String,
        /// The name that others see: with json "operator" if not given, else messages are then
        /// unsigned
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Over udp, send users all that others say, though a sender's address may be forged
        #[arg(long)]
        trust_addresses: bool,
        #[command(flatten)]
        limits: ServeArgs,
    },
    /// Take part: a line is a message, and a line "q" leaves
    Join {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
        /// The name that others see: with json, if not given, that of the token or "anonymous";
        /// else messages are then unsigned
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
}

pub(crate) async fn run(
    args: Args,
    offered: &CommandLine,
    typed: &Typed,
) -> Result<ExitCode, AppError> {
    let common = args.common;
    match args.verb {
        Verb::Serve {
            url,
            name,
            trust_addresses,
            limits,
        } => {
            let service = common.serving(offered, &limits)?;
            let asked = Asked {
                app: App::Chat,
                url,
                insecure: limits.insecure,
                has_rules: false,
            };
            let start = Start::new(asked, &service, typed)?;
            let server = Server::bind(&service, &start.place()?)
                .await?
                .max_clients(limits.max_clients)
                .trust_addresses(trust_addresses);
            serve(server, &start, name.as_deref()).await?;
        }
        Verb::Join { url, name } => {
            let service = common.connecting(offered)?;
            join(&service, &url, name.as_deref()).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(mut server: Server, start: &Start, name: Option<&str>) -> Result<(), AppError> {
    if let Some(name) = name {
        server = server.operator(name)?;
    }
    let end = shutdown_signal();
    start.announce(&server.locals())?;
    hint("what you type goes to all; a line that is just q sends everybody away");
    let (shown, printing) = console::stdout_lines();
    let console = Console::new(terminal::lines(), shown);
    let served = server.run(console, end).await;
    // Lines that were shown before the end are printed, unless the terminal delays that.
    let _ = printing.within(console::LAST_WORDS).await;
    served
}

async fn join(service: &Service, url: &str, name: Option<&str>) -> Result<(), AppError> {
    let url = reachable(url)?;
    let end = shutdown_signal();
    let (shown, printing) = console::stdout_lines();
    let conversation = async {
        let client = Client::connect(service, &url, name).await?;
        hint("joined; what you type is said, and a line that is just q leaves");
        if client.is_unknown() {
            hint("the server knows of you, and you hear others, once you have said something");
        }
        let input = join::Input {
            lines: terminal::lines(),
            leaves: std::io::stdin().is_terminal(),
        };
        join::converse(client, input, shown).await
    };
    let done = tokio::select! {
        done = conversation => done,
        () = end => Ok(()),
    };
    let printed = printing.within(console::LAST_WORDS).await;
    printed.map_err(|error| output::failed(&error))?;
    done
}

/// The service with the limit of a message.
fn bounded(service: &Service) -> Result<Service, AppError> {
    let mut service = service.clone();
    if service.named()?.limits().contains(&"max_frame") {
        service.codec.max_frame.get_or_insert(MAX_MESSAGE);
    }
    Ok(service)
}
