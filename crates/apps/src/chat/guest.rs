//! One user's conversation with the server.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use socketry_codec::{CodecName, FrameError, FrameFault, Framed};
use socketry_transport::{BoxRecv, BoxSocket, Shape, Undecodable};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

use super::budget::Budget;
use super::ear::Ear;
use super::hub::{Hub, Seat};
use super::limits::FIRST_WORD;
use super::message::{self, Challenge, Dialect, KEYS, Message, PROGRAM, Refusal, Said};
use super::outbox::Outbox;
use crate::Service;
use crate::opening::{First, Opening};
use crate::serving::{PARTING, Place, part};

/// How long a user still hears who has half-closed, as `echo hello | chat join` does: long enough
/// for an answer, and no longer, since a connection that was closed looks the same. Shorter, where
/// a newcomer needs the place.
const HALF_CLOSED: Duration = Duration::from_secs(3);

/// The name of a user who did not say one.
const ANONYMOUS: &str = "anonymous";

/// What the server knows of a user.
struct Guest {
    seat: Seat,
    codec: CodecName,
    dialect: Dialect,
    ear: Ear,
    name: Option<String>,
    /// The operator's name, which is nobody else's, in whatever case.
    reserved: Arc<str>,
}

/// Talks to one user until either side ends it.
pub(super) async fn talk(
    hub: Arc<Hub>,
    service: Arc<Service>,
    reserved: Arc<str>,
    framed: Framed<BoxSocket>,
    place: Place,
) {
    let (user, shape) = (framed.peer().clone(), framed.shape());
    tracing::info!(%user, "came");
    let (mut receiving, sending) = framed.split();
    let sending = sending.into_socket();
    let budget = Budget::of(&sending, hub.trusted);
    let seat = hub.seat(Outbox::new(&sending, budget));
    let member = Arc::clone(&seat.member);
    let mut guest = Guest {
        seat,
        codec: service.codec.name,
        dialect: hub.dialect(),
        ear: Ear::new(&service, shape),
        name: None,
        reserved,
    };
    let mut writing = pin!(member.outbox.write(sending));
    let conversation = async {
        tokio::select! {
            () = guest.listen(&mut receiving, &place) => false,
            () = member.dismissed() => false,
            () = member.outbox.overflowed() => true,
        }
    };
    let (overflowed, written) = beside(conversation, writing.as_mut()).await;
    drop(guest);
    if overflowed {
        tracing::warn!(%user, "disconnected: reads too slowly");
        return;
    }
    place.leave();
    member.outbox.end();
    if !written {
        let _ = timeout(PARTING, writing).await;
    }
    part(receiving.into_socket()).await;
    tracing::info!(%user, "left");
}

/// What `main` comes to, while `side` goes on; and whether that has ended. Its end does not end
/// `main`: one who takes nothing any more may have said much that is still to be heard.
async fn beside<T>(
    main: impl Future<Output = T>,
    mut side: Pin<&mut impl Future<Output = ()>>,
) -> (T, bool) {
    let (mut main, mut over) = (pin!(main), false);
    loop {
        tokio::select! {
            done = &mut main => return (done, over),
            () = &mut side, if !over => over = true,
        }
    }
}

/// What `future` comes to, if that is by the deadline.
async fn by<F: Future>(deadline: Option<Instant>, future: F) -> Result<F::Output, Elapsed> {
    match deadline {
        Some(deadline) => timeout_at(deadline, future).await,
        None => Ok(future.await),
    }
}

/// What a JSON frame says, or in words why it is nothing.
fn parse(frame: &[u8]) -> Result<Said<'_>, Cow<'static, str>> {
    serde_json::from_slice(frame).map_err(|error| format!("not a message: {error}").into())
}

/// Whether the user is heard on after an error. A socket that fails is not asked again, fatal or
/// not: it might fail for ever.
fn flow_behind(error: &FrameError) -> ControlFlow<()> {
    match error.is_fatal() || matches!(error.fault(), FrameFault::Io(_)) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

impl Guest {
    /// Hears the user out.
    async fn listen(&mut self, frames: &mut Framed<BoxRecv>, place: &Place) {
        let deadline = self.first_word(frames.shape());
        let Ok(mut flow) = by(deadline, self.first(frames)).await else {
            return self.refuse("nothing was said for too long").await;
        };
        while let Some(heard) = flow {
            if heard.is_break() {
                return;
            }
            // Frames that are here already come without a pause; those who write them to others
            // need one.
            tokio::task::yield_now().await;
            flow = self.next(frames).await;
        }
        if let Some(text) = self.ear.rest() {
            self.say(&Message::plain(text)).await;
        }
        if frames.shape().is_stream() {
            place.leave();
            // Who takes nothing any more hears nothing, either.
            let _ = timeout(HALF_CLOSED, self.seat.member.outbox.closed()).await;
        }
    }

    /// Hears the next frame; `None` at the end.
    async fn next(&mut self, frames: &mut Framed<BoxRecv>) -> Option<ControlFlow<()>> {
        match frames.recv().await {
            Ok(frame) => Some(self.hear(frame?).await),
            Err(error) => Some(self.misheard(&error).await),
        }
    }

    /// Hears the first frame, where that may be another codec's; `None` at the end.
    async fn first(&mut self, frames: &mut Framed<BoxRecv>) -> Option<ControlFlow<()>> {
        // Whoever sends datagrams has proved nothing, and is told nothing.
        if !frames.shape().is_stream() {
            return self.next(frames).await;
        }
        let mut opening = Opening::of_person(self.codec, KEYS);
        loop {
            let first = opening.next(frames).await;
            let words = opening.words(&first);
            match first {
                First::Frame(frame) => return Some(self.hear(&frame?).await),
                First::Refused(error, _) => {
                    tracing::info!(%error, "not understood");
                    self.tell(&words).await;
                    return Some(flow_behind(&error));
                }
                First::Foreign(_) | First::Stranger(_) => {
                    tracing::info!("speaks another codec");
                    self.tell(&words).await;
                    return Some(ControlFlow::Break(()));
                }
                First::Unfinished => self.tell(&words).await,
            }
        }
    }

    /// When the user must have said something. A place here is not for who only connects, where
    /// that can be told from who listens.
    fn first_word(&self, shape: Shape) -> Option<Instant> {
        let due = self.dialect == Dialect::Json && shape.is_stream();
        due.then(|| Instant::now() + FIRST_WORD)
    }

    async fn hear(&mut self, frame: &[u8]) -> ControlFlow<()> {
        self.seat.member.outbox.budget.earn(frame.len());
        let heard = match self.dialect {
            Dialect::Text(_) => Ok(self.ear.text(frame).map(Message::plain)),
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

    /// A frame that was none: it concerns nobody else, and where it is not fatal not even the next
    /// one.
    async fn misheard(&self, error: &FrameError) -> ControlFlow<()> {
        if self.dialect == Dialect::Json || matches!(error.fault(), FrameFault::Io(_)) {
            tracing::info!(%error, "not understood");
        } else {
            // There is no way to tell the speaker.
            tracing::warn!(%error, "not understood");
        }
        self.refuse(&error.fault().to_string()).await;
        flow_behind(error)
    }

    /// Looks whether a datagram proves the address that it came from. Whoever only introduces
    /// itself waits for the cookie, which is an answer of the same length; what is said besides is
    /// answered where it proves nothing.
    async fn check(&self, said: &Said<'_>) {
        let outbox = &self.seat.member.outbox;
        let (cookies, peer) = (&self.seat.hub.cookies, &outbox.peer);
        let Some(cookie) = said.cookie.as_deref().filter(|_| !outbox.stream) else {
            return;
        };
        if cookies.holds(cookie, peer) {
            outbox.budget.prove();
        }
        if said.text.is_none() || !outbox.budget.is_proven() {
            let cookie = &cookies.of(peer);
            self.seat
                .answer(&message::json(&Challenge { cookie }))
                .await;
        }
    }

    /// The message; `None` if it only says who is there. In words why it cannot be accepted.
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
            None => Err("a message needs the key `text`".into()),
        }
    }

    fn accepted(&self, name: &str) -> Result<String, Cow<'static, str>> {
        if let Some(fault) = message::fault_of_name(name) {
            return Err(fault.into());
        }
        if message::is_reserved(name, &self.reserved) {
            return Err("that name (`from`) is the server's own".into());
        }
        Ok(name.to_owned())
    }

    async fn say(&self, message: &Message) {
        if let Err(error) = self.seat.say(message).await {
            let user = &self.seat.member.outbox.peer;
            tracing::warn!(%user, %error, "shown here, and to nobody else");
            self.refuse(&error.to_string()).await;
        }
    }

    /// Says something to this user in the program's name, over any codec.
    async fn tell(&self, words: &str) {
        match self.dialect {
            Dialect::Json => self.refuse(words).await,
            Dialect::Text(encoding) => {
                let text = format!("{PROGRAM}: {words}");
                // With replacement there is nothing that could fail.
                let text = encoding.encode(&text, Undecodable::Replace);
                self.seat.answer(&text.unwrap_or_default()).await;
            }
        }
    }

    /// Answers that something was not accepted, where the codec can tell that from a message.
    async fn refuse(&self, words: &str) {
        let Dialect::Json = self.dialect else { return };
        let frame = message::json(&Refusal { error: words });
        self.seat.answer(&frame).await;
    }
}
