//! The users that are connected, and how a message of one reaches all others.
//!
//! A message is encoded once and put into the [outbox](super::outbox) of each user, from which a
//! task of that user writes it. The hub never waits. The sender of a message waits
//! [before](super::pacing) it is relayed, at the pace of the readers.
//!
//! Nothing is logged while the lock is held, since the reader of the log may be slow.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use socketry_codec::{BoxCodec, Codec, CodecError};
use socketry_transport::{Encoding, TextPolicy};
use tokio::sync::{Notify, mpsc};

use super::QUIT;
use super::console::{Console, Screen, Unshown};
use super::cookie::Cookies;
use super::message::{self, Dialect, Message, RELAYED, Relayed};
use super::outbox::{Letter, Outbox, Put, Sender};
use super::pacing::{Common, Pass, Speaker};
use crate::opening::inside;
use crate::own::Own;
use crate::{AppError, wrong_codec};

/// Where all users of a server meet.
pub(super) struct Hub {
    dialect: Dialect,
    /// Whether addresses cannot be forged on this network.
    pub(super) trusted: bool,
    pub(super) cookies: Cookies,
    room: Mutex<Room>,
    common: Common,
    operator: Speaker,
    shown: Screen,
    /// How many messages the operator was not shown since its console is full.
    unseen: AtomicU64,
}

/// The state under the lock. So all users get the messages in one order, that of `seq`.
struct Room {
    members: HashMap<u64, Arc<Member>>,
    next_member: u64,
    seq: u64,
    own: Arc<Own>,
    codec: BoxCodec,
}

/// A user, as the hub sees it.
pub(super) struct Member {
    pub(super) outbox: Outbox,
    dismissed: Notify,
}

type Members = Vec<Arc<Member>>;

/// A frame in its encoded form, or why it has none.
type Encoded = Result<Bytes, CodecError>;

impl Hub {
    /// A hub with no users, which shows its messages at `console`, and the operator's own lines.
    pub(super) fn new(
        own: Arc<Own>,
        console: Console,
        trusted: bool,
    ) -> Result<(Self, mpsc::Receiver<String>), AppError> {
        let common = Common::new();
        let hub = Hub {
            dialect: Dialect::of(&own),
            trusted,
            cookies: Cookies::new()?,
            room: Mutex::new(Room {
                members: HashMap::new(),
                next_member: 0,
                seq: 0,
                codec: own.codec(),
                own,
            }),
            operator: common.speaker(),
            common,
            shown: console.shown,
            unseen: AtomicU64::new(0),
        };
        Ok((hub, console.said))
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Adds a user. Dropping the seat removes it.
    pub(super) fn seat(self: &Arc<Self>, outbox: Outbox) -> Seat {
        let member = Arc::new(Member {
            outbox,
            dismissed: Notify::new(),
        });
        let mut room = self.room();
        let number = room.next_member;
        room.next_member += 1;
        room.members.insert(number, Arc::clone(&member));
        Seat {
            hub: Arc::clone(self),
            number,
            member,
            speaker: self.common.speaker(),
            answers: self.common.speaker(),
        }
    }

    /// Relays the operator's words to all users.
    pub(super) async fn announce(&self, from: &str, text: &str) -> Result<(), AppError> {
        let pass = self.operator.pass(from.len() + text.len()).await;
        self.relay(None, from, text, pass)
    }

    /// Sends `q` to all users that have room for it, and ends all conversations.
    pub(super) fn dismiss(&self, from: &str) -> Result<(), AppError> {
        let mut room = self.room();
        let said = room.relay(self.dialect, None, from, QUIT, None);
        for member in room.members.values() {
            member.dismissed.notify_one();
        }
        said.map(drop)
    }

    /// Relays what `from` says to all users but `by`.
    fn relay(
        &self,
        by: Option<u64>,
        from: &str,
        text: &str,
        pass: Option<Pass>,
    ) -> Result<(), AppError> {
        let missed = self.room().relay(self.dialect, by, from, text, pass)?;
        for member in missed {
            let user = &member.outbox.peer;
            tracing::debug!(%user, "dropped a message: the user is slow, or its address unproven");
        }
        Ok(())
    }

    /// Shows a message to the operator. An operator that does not read delays no user. The log says
    /// so once: if it was told each message, it would be as slow as the console.
    fn show(&self, message: &Message) {
        match self.shown.try_show(message.brief()) {
            Ok(()) => self.seen(),
            Err(Unshown::Full) => {
                if self.unseen.fetch_add(1, Ordering::Relaxed) == 0 {
                    tracing::warn!("the console is too slow: messages are not shown");
                }
            }
            Err(Unshown::Closed) => {}
        }
    }

    /// Ends a stall of the console once half of it is free. With less it would stall again at the
    /// next line.
    fn seen(&self) {
        if !self.shown.is_half_free() {
            return;
        }
        let unseen = self.unseen.swap(0, Ordering::Relaxed);
        if unseen > 0 {
            tracing::warn!(unseen, "messages are shown again");
        }
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        // A panic elsewhere leaves the table of members and the counter whole.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn others(&self, by: Option<u64>) -> impl Iterator<Item = &Arc<Member>> {
        let others = self.members.iter().filter(move |(id, _)| Some(**id) != by);
        others.map(|(_, member)| member)
    }

    /// Relays what `from` says to all users but `by`. Returns the users that missed it, since their
    /// outbox is full.
    fn relay(
        &mut self,
        dialect: Dialect,
        by: Option<u64>,
        from: &str,
        text: &str,
        pass: Option<Pass>,
    ) -> Result<Members, AppError> {
        let frame = self.message(dialect, from, text)?;
        if wrong_codec::of_bytes(&frame).is_some() {
            return Err(misleading());
        }
        self.seq += 1;
        let letter = Letter::new(frame, pass);
        let sender = if by.is_none() {
            Sender::Operator
        } else {
            Sender::User
        };
        let others = self.others(by);
        let missed = others.filter(|member| member.outbox.put(&letter, sender) == Put::Missed);
        Ok(missed.cloned().collect())
    }

    fn message(&mut self, dialect: Dialect, from: &str, text: &str) -> Result<Bytes, AppError> {
        let encoded = match dialect {
            Dialect::Json => {
                let (seq, time) = (self.seq + 1, message::now());
                let relayed = Relayed {
                    from,
                    text,
                    seq,
                    time,
                };
                self.encode(&message::json(&relayed))
            }
            Dialect::Text(encoding) => self.text(encoding, text)?,
        };
        encoded.map_err(|error| AppError::failed(format_args!("cannot relay a message: {error}")))
    }

    /// A text that ends in line ends does not fit into a line; it is relayed without them.
    fn text(&mut self, encoding: Encoding, text: &str) -> Result<Encoded, AppError> {
        let encoded = self.plain(encoding, text)?;
        let cleaned = text.trim_end_matches(['\r', '\n']);
        if encoded.is_err() && cleaned.len() < text.len() {
            return self.plain(encoding, cleaned);
        }
        Ok(encoded)
    }

    fn plain(&mut self, encoding: Encoding, text: &str) -> Result<Encoded, AppError> {
        let bytes = encoding.encode(text, TextPolicy::Replace);
        let bytes = bytes.map_err(AppError::failed)?;
        match inside(&bytes, &self.own, RELAYED) {
            Some(_) => Err(misleading()),
            None => Ok(self.encode(&bytes)),
        }
    }

    fn encode(&mut self, frame: &[u8]) -> Encoded {
        let mut out = BytesMut::new();
        self.codec.encode(frame, &mut out)?;
        Ok(out.freeze())
    }
}

/// A user that receives it first would take the server for one of another codec, and leave.
fn misleading() -> AppError {
    AppError::failed("cannot relay a message: it would be taken for another codec's")
}

impl Member {
    /// Resolves when the operator ends this user's conversation.
    pub(super) async fn dismissed(&self) {
        self.dismissed.notified().await;
    }
}

/// A user's membership of the hub.
pub(super) struct Seat {
    pub(super) hub: Arc<Hub>,
    number: u64,
    pub(super) member: Arc<Member>,
    speaker: Speaker,
    /// The passes for answers to this user alone.
    answers: Speaker,
}

impl Seat {
    /// Relays `message` to all others. Shows it to the operator even if it cannot be relayed.
    pub(super) async fn say(&self, message: &Message) -> Result<(), AppError> {
        let from = message.from.as_deref().unwrap_or_default();
        let pass = self.speaker.pass(from.len() + message.text.len()).await;
        let by = Some(self.number);
        let relayed = self.hub.relay(by, from, &message.text, pass);
        self.hub.show(message);
        relayed
    }

    /// Answers this user alone, as soon as there is room. Only this user waits for that. Over
    /// datagrams the answer may be lost.
    pub(super) async fn answer(&self, frame: &[u8]) {
        let pass = self.answers.own_pass(frame.len()).await;
        let encoded = self.hub.room().encode(frame);
        if let Ok(bytes) = encoded {
            let letter = Letter::new(bytes, pass);
            self.member.outbox.put(&letter, Sender::Program);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.room().members.remove(&self.number);
    }
}
