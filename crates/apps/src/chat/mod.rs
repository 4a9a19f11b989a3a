//! Chat: what one says, all others hear.
//!
//! ```text
//! socketry chat serve tcp://0.0.0.0:9000          who types here takes part, too
//! socketry chat join tcp://host:9000 --name ann   in as many other terminals as you like
//! ```
//!
//! # On the wire
//!
//! * **raw**, **line**, **struct**: a message is a text in the service's encoding. Who has a name
//!   signs with it, `NAME : TEXT`; the server relays text as it came. Bytes that are no text in the
//!   encoding become U+FFFD, for the reader at the server and for the others alike (`?` in an
//!   encoding that lacks it). Over raw on a stream a character that arrives in two pieces is put
//!   together first. What ends a line once more (`hello\\r\\r\\n`) is left out where a line cannot
//!   hold it. A message that cannot be relayed otherwise, since it would be too long, or would be
//!   taken for another codec's by who hears it first, is shown to the operator alone, with a
//!   warning: these codecs have no way to tell the speaker.
//! * **json**, **json:bare**: a message is an object. A client sends
//!   `{"from": NAME, "text": TEXT}`; others get it with `seq`, which counts the messages of this
//!   server, and `time`, in milliseconds since the Unix epoch. `{"from": NAME}` alone says who is
//!   there. A name, once said, may be left out; before, it is `anonymous`. It has nothing invisible
//!   in it, no ` : ` and no space around it, and is neither the operator's nor `socketry`, in
//!   whatever case; two users may have the same one, since nothing here proves who somebody is.
//!   What the server cannot accept it answers with `{"error": WORDS}`, and the conversation goes
//!   on. Unknown keys are ignored.
//!
//! A user on a stream whose first bytes are another codec's is told so by a message of the
//! server's, over whichever codec that speaks, and leaves:
//! `socketry: this server speaks the codec`, its name, and what the bytes look like. Over `line` a
//! first text that does not end is answered so after one second, and may still end.
//!
//! A text that is exactly `q` ends a conversation, over every codec and from either side, and is
//! not passed on: a user who says it leaves, and an operator who types it sends all users away. The
//! server stays. It is never signed. Nothing but messages (and those errors, and cookies where one
//! asks for them) is ever sent, and an empty line that is typed is none.
//!
//! Over datagrams a server knows of a user by the first datagram, and forgets one that was silent,
//! and was sent nothing, for as long as the transport says (`peer_idle`, by default 5 minutes).
//! [`Client`] sends its name at once where the codec is JSON; with other codecs a user hears
//! nothing before having said something.
//!
//! # The program `join`
//!
//! At a terminal the end of input (Ctrl-D) leaves, as a line `q` does. When other input has ended,
//! `join` goes on hearing: on a stream until the server ends the conversation, but not beyond
//! [`limits::FAREWELL`] unless messages still come (a chat server of ours does not end it before),
//! over datagrams until nothing comes for a second. Over raw on a stream it says a line only once
//! the one before was answered, or was not for [`limits::TURN`] or [`limits::PAUSE`], since two
//! would become one text.
//!
//! It exits with 0 if the user left, or the server ended the conversation and took all: it said
//! `q`, or closed the stream between two messages. It exits with 1 and says "disconnected" where
//! something may be lost:
//!
//! * the connection was reset, which an error of either half tells, or a half-close that fails;
//! * the stream ended inside a message;
//! * a line waited to be said when the stream ended, or came within [`limits::DOUBT`] after that;
//! * the last that was heard was a refusal: the server's words, or a datagram that was refused.
//!
//! TCP cannot tell more: a server that is killed when it has read all looks like one that closes.
//! And if a server far away closes just when the last line and the end of input are on their way to
//! it, the reset that it answers comes too late to be seen.
//!
//! # Over datagrams
//!
//! A datagram's sender can be forged, but for loopback addresses and Unix sockets. So a user at any
//! other address is sent no more bytes, of messages and of errors, than came from it as messages;
//! what does not fit is dropped. The operator's own words and the end are exempt. Who only listens
//! hears little of the others, therefore, until it has proved its address. Where the network lets
//! nobody forge an address, [`Server::trust_addresses`] (`--trust-addresses`) lifts this.
//!
//! An address is proved with JSON by saying what the server sent there:
//!
//! ```text
//! user    {"from": NAME, "cookie": "000…"}    64 zeros: room for the answer
//! server  {"cookie": COOKIE}                  64 hexadecimal digits
//! user    {"from": NAME, "cookie": COOKIE}
//! server  {"cookie": COOKIE}                  it is taken: from now on the user hears everything
//! ```
//!
//! * The server answers a `cookie` so whenever it comes without a `text`, or is not the one that
//!   was sent to this address. The answer counts as any other: without the room it is not sent. Who
//!   sends no `cookie` is sent none.
//! * A cookie holds for one to two minutes ([`limits::PROOF_RENEWAL`]), and a proof for three
//!   ([`limits::PROOF`]). Both are for one address and port. The server remembers no cookie: it is
//!   a hash under a secret, which a server chooses when it starts.
//! * [`Client`] does all this inside of [`Client::recv`]. It introduces itself again when nothing
//!   was answered for [`limits::PROOF_WAIT`], at most [`limits::PROOF_TRIES`] times, and then
//!   leaves a server alone that sent no cookie. With one that did it renews the proof every
//!   [`limits::PROOF_RENEWAL`], and says the cookie with each text, where there is room, since the
//!   server may have forgotten it.
//!
//! With other codecs nothing can be proved.
//!
//! # What is bounded
//!
//! A message is at most 64 KiB, unless the codec's own limit was chosen; a name at most 64 bytes;
//! 1,024 users.
//!
//! Each user has a queue of its own, and the server never waits for one. Who speaks waits, for
//! those who read: at most [`limits::IN_FLIGHT`] bytes of all messages are on their way to them,
//! and [`limits::OWN`] bytes more of each who speaks. So a paste reaches all who read, whole, and a
//! short message does not wait behind somebody's flood. Nobody waits for a user who takes next to
//! nothing for [`limits::PATIENCE`]. On a stream such a user is disconnected once
//! [`limits::WAITING`] bytes wait for it, since a gap would be worse. Over datagrams nobody is ever
//! waited for: who has no room for a message misses it.
//!
//! A user who takes nothing any more, or is gone, is still heard: all that it sent is read and
//! relayed. Who half-closes still hears for 3 seconds.
//!
//! # Who is silent
//!
//! On a stream with JSON the first frame must come within [`limits::FIRST_WORD`], an introduction
//! say. After it, and with other codecs always, a user may be silent for as long as it likes, and
//! keeps a place: to listen is to take part. Only a dead peer is not kept. The kernel's keepalive
//! finds one where the transport has it (`tcp`), and then the place is free. Over datagrams
//! `peer_idle` is the bound.

mod budget;
mod client;
mod console;
mod cookie;
mod ear;
mod guest;
mod hub;
mod join;
pub mod limits;
mod message;
mod outbox;
mod pacing;
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

use crate::common::{Common, ServeArgs, announce, hint, reachable};
use crate::serving::told_to_end;
use crate::{AppError, Service, output, terminal};

/// The text that ends a conversation.
const QUIT: &str = "q";

/// The longest message in bytes, as the codec counts them, where no other limit was chosen: that of
/// a JSON header.
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
    /// Be the place where all meet; lines typed here go to everybody
    Serve {
        /// Where to listen
        #[arg(value_name = "URL", default_value = crate::service::DEFAULT_URL)]
        url: String,
        /// What others see as your name: with json "operator" if not given, else messages are then
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
        /// What others see as your name: with json "anonymous" if not given, else messages are then
        /// unsigned
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
}

pub(crate) async fn run(args: Args) -> Result<ExitCode, AppError> {
    let service = args.common.service();
    match args.verb {
        Verb::Serve {
            url,
            name,
            trust_addresses,
            limits,
        } => {
            let server = Server::bind(&service, &reachable(&url)?)
                .await?
                .max_clients(limits.max_clients)
                .trust_addresses(trust_addresses);
            serve(server, name.as_deref()).await?;
        }
        Verb::Join { url, name } => join(&service, &url, name.as_deref()).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(mut server: Server, name: Option<&str>) -> Result<(), AppError> {
    if let Some(name) = name {
        server = server.operator(name)?;
    }
    let end = told_to_end();
    announce(server.local())?;
    hint("what you type goes to all; a line that is just q sends everybody away");
    let (shown, printing) = console::stdout_lines();
    let console = Console::new(terminal::lines(), shown);
    let served = server.run(console, end).await;
    // What was shown before the end is printed, unless the terminal holds it up.
    let _ = printing.within(console::LAST_WORDS).await;
    served
}

async fn join(service: &Service, url: &str, name: Option<&str>) -> Result<(), AppError> {
    let url = reachable(url)?;
    let end = told_to_end();
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

/// The service with the bound of a message.
fn bounded(service: &Service) -> Service {
    let mut service = service.clone();
    if service.codec.name != socketry_codec::CodecName::Raw {
        service.codec.max_frame.get_or_insert(MAX_MESSAGE);
    }
    service
}
