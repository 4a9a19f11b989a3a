//! One user's conversation with the server.
//!
//! Most users are silent most of the time. So what is done for a moment, as to hear a message or to
//! part, has a box of its own, and is no part of the task that waits.

use std::borrow::Cow;
use std::future::pending;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use socketry_codec::{FrameError, FrameFault, Framed};
use socketry_service::{Reader, ReaderEnd};
use socketry_transport::{BoxRecv, BoxSocket, Endpoint, Half, Shape, TextPolicy};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

use super::hub::{Hub, Seat};
use super::limits::FIRST_WORD;
use super::message::{self, Challenge, Dialect, KEYS, Message, PROGRAM, Refusal, Said};
use super::names::Proved;
use super::peer_text::PeerText;
use crate::access;
use crate::opening::{First, Opening};
use crate::own::Own;
use crate::serving::{PARTING, Place, part};

/// How long a user that has half-closed is still sent messages, as `echo hello | chat join` needs
/// it. That is long enough for an answer. It is not longer, since a closed connection looks the
/// same. It is shorter where a newcomer needs the place.
const HALF_CLOSED: Duration = Duration::from_secs(3);

/// The name of a user that gave none.
const ANONYMOUS: &str = "anonymous";

/// The server's state for one user.
struct Guest {
    seat: Seat,
    own: Arc<Own>,
    dialect: Dialect,
    texts: PeerText,
    name: Option<String>,
    proved: Proved,
    /// The operator's name. No user may have it, in upper or lower case.
    reserved: Arc<str>,
}

/// Serves one user until either side ends the conversation.
pub(super) async fn talk(
    hub: Arc<Hub>,
    own: Arc<Own>,
    reserved: Arc<str>,
    proved: Proved,
    framed: Framed<BoxSocket>,
    place: Place,
) {
    let (user, shape) = (framed.peer().clone(), framed.shape());
    let who = access::who(framed.socket().info());
    tracing::info!(%user, who, "came");
    let (mut receiving, sending) = framed.split();
    let seat = hub.seat(sending.into_socket());
    let (reader, mut dismissed) = (Arc::clone(&seat.reader), seat.dismissed.clone());
    let mut guest = Guest {
        seat,
        own: Arc::clone(&own),
        dialect: hub.dialect(),
        texts: PeerText::new(&own, shape),
        name: proved.name.clone().filter(|name| {
            message::fault_of_name(name).is_none() && !message::is_reserved(name, &reserved)
        }),
        proved,
        reserved,
    };
    let late = tokio::select! {
        () = guest.listen(&mut receiving, &place) => false,
        _ = dismissed.changed() => false,
        () = late(&reader, &user) => true,
    };
    drop(guest);
    if late {
        tracing::warn!(%user, "disconnected: reads too slowly");
        return;
    }
    place.leave();
    let _ = timeout(PARTING, reader.finish()).await;
    Box::pin(part(receiving.into_socket())).await;
    tracing::info!(%user, "left");
}

/// Resolves when a user has missed a message. Another end of writing does not end the conversation:
/// a user that reads nothing any more may have sent much that is still to be received.
async fn late(reader: &Reader, user: &Endpoint) {
    match reader.ended().await {
        ReaderEnd::Late => {}
        ended => {
            tracing::debug!(%user, %ended, "nothing more is written");
            pending::<()>().await;
        }
    }
}

/// The result of `future`, if it comes before the deadline.
async fn by<F: Future>(deadline: Option<Instant>, future: F) -> Result<F::Output, Elapsed> {
    match deadline {
        Some(deadline) => timeout_at(deadline, future).await,
        None => Ok(future.await),
    }
}

/// Parses a JSON frame. The error says in words what is wrong with it.
fn parse(frame: &[u8]) -> Result<Said<'_>, Cow<'static, str>> {
    serde_json::from_slice(frame).map_err(|error| format!("not a message: {error}").into())
}

/// Whether the server goes on receiving after an error. After an I/O error it never does, even if
/// the error is not fatal: the socket might fail for ever.
fn flow_behind(error: &FrameError) -> ControlFlow<()> {
    match error.is_fatal() || matches!(error.fault(), FrameFault::Io(_)) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

impl Guest {
    /// Receives all that the user sends.
    async fn listen(&mut self, frames: &mut Framed<BoxRecv>, place: &Place) {
        let deadline = self.first_word(frames.shape());
        let Ok(mut flow) = by(deadline, Box::pin(self.first(frames))).await else {
            return Box::pin(self.refuse("nothing was said for too long")).await;
        };
        while let Some(heard) = flow {
            if heard.is_break() {
                return;
            }
            flow = self.next(frames).await;
        }
        if let Some(text) = self.texts.rest() {
            Box::pin(self.say(&Message::plain(text))).await;
        }
        if frames.shape().is_reliable() {
            place.leave();
            // A user that reads nothing any more is not waited for.
            let _ = timeout(HALF_CLOSED, self.seat.reader.ended()).await;
        }
    }

    /// Receives the next frame; `None` at the end.
    async fn next(&mut self, frames: &mut Framed<BoxRecv>) -> Option<ControlFlow<()>> {
        match frames.recv().await {
            Ok(frame) => Some(Box::pin(self.hear(frame?)).await),
            Err(error) => Some(Box::pin(self.misheard(&error)).await),
        }
    }

    /// Receives the first frame, which may be another codec's; `None` at the end.
    async fn first(&mut self, frames: &mut Framed<BoxRecv>) -> Option<ControlFlow<()>> {
        let mut opening = Opening::of_person(Arc::clone(&self.own), KEYS);
        if !frames.shape().is_reliable() {
            return match opening.of_unproven(frames).await {
                First::Frame(frame) => Some(Box::pin(self.hear(&frame?)).await),
                First::Refused(error, _) => Some(Box::pin(self.misheard(&error)).await),
                _ => Some(ControlFlow::Break(())),
            };
        }
        loop {
            let first = opening.next(frames).await;
            let words = opening.words(&first);
            match first {
                First::Frame(frame) => return Some(Box::pin(self.hear(&frame?)).await),
                First::Refused(error, _) => {
                    tracing::info!(%error, "not understood");
                    Box::pin(self.tell(&words)).await;
                    return Some(flow_behind(&error));
                }
                First::Foreign(_) | First::Stranger(_) => {
                    tracing::info!("speaks another codec");
                    Box::pin(self.tell(&words)).await;
                    return Some(ControlFlow::Break(()));
                }
                First::Unfinished => Box::pin(self.tell(&words)).await,
            }
        }
    }

    /// The deadline for the user's first frame, where a client that only connects can be told from
    /// a user that only reads. A silent client must not keep a place.
    fn first_word(&self, shape: Shape) -> Option<Instant> {
        let due = self.dialect == Dialect::Json && shape.is_reliable();
        due.then(|| Instant::now() + FIRST_WORD)
    }

    async fn hear(&mut self, frame: &[u8]) -> ControlFlow<()> {
        self.seat.budget.earn(frame.len());
        let heard = match self.dialect {
            Dialect::Text(_) => Ok(self.texts.text(frame).map(Message::plain)),
            Dialect::Json => match parse(frame) {
                Ok(said) => {
                    self.check(&said).await;
                    self.message(said)
                }
                Err(words) => Err(words),
            },
        };
        match heard {
            Ok(Some(message)) if message.is_quit() => return ControlFlow::Break(()),
            Ok(Some(message)) => self.say(&message).await,
            Ok(None) => {}
            Err(words) => self.refuse(&words).await,
        }
        ControlFlow::Continue(())
    }

    /// Handles a frame that was not accepted. It concerns no other user. If the error is not fatal,
    /// not even the next frame suffers.
    async fn misheard(&self, error: &FrameError) -> ControlFlow<()> {
        if self.dialect == Dialect::Json || matches!(error.fault(), FrameFault::Io(_)) {
            tracing::info!(%error, "not understood");
        } else {
            // With these codecs the sender cannot be told.
            tracing::warn!(%error, "not understood");
        }
        self.refuse(&error.fault().to_string()).await;
        flow_behind(error)
    }

    /// Checks whether a datagram proves the address that it came from. A user that only introduces
    /// itself gets the cookie, an answer of the same length. A user that sends a text gets an
    /// answer only where the datagram proves nothing.
    async fn check(&self, said: &Said<'_>) {
        let Seat { budget, peer, .. } = &self.seat;
        let cookies = &self.seat.hub.cookies;
        let Some(cookie) = said.cookie.as_deref().filter(|_| !self.seat.reliable) else {
            return;
        };
        if cookies.holds(cookie, peer) {
            budget.prove();
        }
        if said.text.is_none() || !budget.is_proven() {
            let cookie = &cookies.of(peer);
            self.seat
                .answer(&message::json(&Challenge { cookie }))
                .await;
        }
    }

    /// Turns what was parsed into a message; `None` if it only gives the user's name. The error
    /// says in words why it is not accepted.
    fn message(&mut self, said: Said<'_>) -> Result<Option<Message>, Cow<'static, str>> {
        if let Some(from) = &said.from {
            self.name = Some(self.accepted(from)?);
        }
        let from = self.name.as_deref().unwrap_or(ANONYMOUS).to_owned();
        match said.text {
            Some(text) => Ok(Some(Message {
                from: Some(from),
                ..Message::plain(text.into_owned())
            })),
            None if said.from.is_some() || said.cookie.is_some() => Ok(None),
            None => Err("this is a chat server: a message needs the key `text`".into()),
        }
    }

    fn accepted(&self, name: &str) -> Result<String, Cow<'static, str>> {
        if let Some(fault) = message::fault_of_name(name) {
            return Err(fault.into());
        }
        if message::is_reserved(name, &self.reserved) {
            return Err("that name (`from`) is the server's own".into());
        }
        if self.proved.is_anothers(name) {
            return Err("that name (`from`) belongs to another user".into());
        }
        Ok(name.to_owned())
    }

    async fn say(&self, message: &Message) {
        let signed = matches!(self.dialect, Dialect::Text(_));
        if signed && self.proved.is_forged(&message.text) {
            let user = &self.seat.peer;
            tracing::warn!(%user, "not relayed: signed with a name that belongs to another user");
            return;
        }
        if let Err(error) = self.seat.say(message).await {
            let user = &self.seat.peer;
            tracing::warn!(%user, %error, "shown here, and to nobody else");
            self.refuse(&error.to_string()).await;
        }
    }

    /// Sends this user some words of the program itself, over any codec.
    async fn tell(&self, words: &str) {
        match self.dialect {
            Dialect::Json => self.refuse(words).await,
            Dialect::Text(encoding) => {
                let text = format!("{PROGRAM}: {words}");
                // Decoding with replacement cannot fail.
                let text = encoding.encode(&text, TextPolicy::Replace);
                self.seat.answer(&text.unwrap_or_default()).await;
            }
        }
    }

    /// Tells the user that a frame was not accepted, where the codec can tell that from a message.
    async fn refuse(&self, words: &str) {
        let Dialect::Json = self.dialect else { return };
        let frame = message::json(&Refusal { error: words });
        self.seat.answer(&frame).await;
    }
}
