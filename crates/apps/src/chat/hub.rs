//! Who is here, and how what one says reaches all others.
//!
//! A message is encoded once. For each user it is put into a bounded buffer, which a writer of that user's own empties.
//! It is put into all of them or, while one has no room, into none: who speaks waits then, and the next one to speak
//! behind. A user who makes them wait for too long is disconnected.
//!
//! Nothing is logged while a lock or the turn to speak is held: who reads the log may be slow.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, FrameError, Sender};
use socketry_transport::{Shape, Undecodable};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::QUIT;
use super::console::{Console, Screen, Unshown};
use super::limits::PATIENCE;
use super::message::{self, Dialect, Message, Relayed};
use crate::{AppError, Service};

/// The place where all meet.
pub(super) struct Hub {
    dialect: Dialect,
    /// Whose turn it is to speak. It is held while a member without room is waited for, in the order of asking.
    turn: tokio::sync::Mutex<()>,
    room: Mutex<Room>,
    shown: Screen,
    /// How many messages the operator was not shown since the console stalled.
    unseen: AtomicU64,
}

/// What is under the lock, so that all users get messages in one order: that of `seq`.
struct Room {
    members: HashMap<u64, Arc<Member>>,
    next_member: u64,
    seq: u64,
    codec: BoxCodec,
}

/// A user, as the hub knows one. What is put into its buffer is put there under the lock of the room.
pub(super) struct Member {
    pub(super) sender: Sender,
    stream: bool,
    /// Somebody found no room.
    full: Notify,
    dismissed: Notify,
}

/// How an attempt to relay went.
enum Attempt {
    Relayed {
        missed: Members,
    },
    /// Nobody got anything: these have no room.
    Full(Members),
}

type Members = Vec<Arc<Member>>;

impl Hub {
    /// A hub, and what the operator says.
    pub(super) fn new(
        service: &Service,
        console: Console,
    ) -> Result<(Self, mpsc::Receiver<String>), AppError> {
        let hub = Hub {
            dialect: Dialect::of(service),
            turn: tokio::sync::Mutex::default(),
            room: Mutex::new(Room {
                members: HashMap::new(),
                next_member: 0,
                seq: 0,
                codec: service.codec.build().map_err(AppError::usage)?,
            }),
            shown: console.shown,
            unseen: AtomicU64::new(0),
        };
        Ok((hub, console.said))
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Takes a user in; dropping the seat is leaving.
    pub(super) fn seat(self: &Arc<Self>, sender: Sender, shape: Shape) -> Seat {
        let member = Arc::new(Member {
            sender,
            stream: shape.is_stream(),
            full: Notify::new(),
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
        }
    }

    /// What the operator says goes to all.
    pub(super) async fn announce(&self, from: &str, text: &str) -> Result<(), AppError> {
        self.relay(None, from, text).await
    }

    /// Says the end to all who have room for it, and ends all conversations.
    pub(super) fn dismiss(&self, from: &str) -> Result<(), AppError> {
        let mut room = self.room();
        let said = room.relay(self.dialect, None, from, QUIT);
        for member in room.members.values() {
            member.dismissed.notify_one();
        }
        said.map(drop)
    }

    /// Sends what `from` says to all but `by`, once all have room for it.
    async fn relay(&self, by: Option<u64>, from: &str, text: &str) -> Result<(), AppError> {
        let turn = self.turn.lock().await;
        let relayed = loop {
            match self.attempt(by, from, text) {
                Ok(Attempt::Full(members)) => room_of(&members).await,
                Ok(Attempt::Relayed { missed }) => break Ok(missed),
                Err(error) => break Err(error),
            }
        };
        drop(turn);
        for member in relayed? {
            let user = member.sender.peer();
            tracing::debug!(%user, "a message was dropped: reads too slowly");
        }
        Ok(())
    }

    fn attempt(&self, by: Option<u64>, from: &str, text: &str) -> Result<Attempt, AppError> {
        let mut room = self.room();
        let full: Members = room
            .others(by)
            .filter(|member| member.stream && member.is_full())
            .cloned()
            .collect();
        if !full.is_empty() {
            return Ok(Attempt::Full(full));
        }
        let missed = room.relay(self.dialect, by, from, text)?;
        Ok(Attempt::Relayed { missed })
    }

    /// Shows a message to the operator. One who does not look holds up nobody, and is told so once: a log that is told of
    /// each message would be as slow as the console.
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

    /// The console is over a stall when half of it is free: it would else be in and out of one with every line.
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
        // Whatever panicked, a table of members and a counter are whole.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn others(&self, by: Option<u64>) -> impl Iterator<Item = &Arc<Member>> {
        let others = self.members.iter().filter(move |(id, _)| Some(**id) != by);
        others.map(|(_, member)| member)
    }

    /// Sends what `from` says to all but `by`. Returns those who missed it, since they have no room.
    fn relay(
        &mut self,
        dialect: Dialect,
        by: Option<u64>,
        from: &str,
        text: &str,
    ) -> Result<Members, AppError> {
        let frame = self.encode(dialect, from, text)?;
        self.seq += 1;
        // One that cannot be sent to at all is about to leave.
        let others = self.others(by);
        let missed =
            others.filter(|member| matches!(member.sender.try_send_encoded(&frame), Ok(false)));
        Ok(missed.cloned().collect())
    }

    fn encode(&mut self, dialect: Dialect, from: &str, text: &str) -> Result<BytesMut, AppError> {
        let mut out = BytesMut::new();
        let encoded = match dialect {
            Dialect::Json => {
                let (seq, time) = (self.seq + 1, message::now());
                let relayed = Relayed {
                    from,
                    text,
                    seq,
                    time,
                };
                self.codec.encode(&message::json(&relayed), &mut out)
            }
            Dialect::Text(encoding) => {
                let bytes = encoding
                    .encode(text, Undecodable::Replace)
                    .map_err(AppError::failed)?;
                self.codec.encode(&bytes, &mut out)
            }
        };
        encoded
            .map_err(|error| AppError::failed(format_args!("cannot relay a message: {error}")))?;
        Ok(out)
    }
}

/// Waits until each of these members had room, or is disconnected since it had none for too long.
async fn room_of(members: &[Arc<Member>]) {
    for member in members {
        member.room().await;
    }
}

impl Member {
    /// Whether there is no room; one that is about to leave is in nobody's way.
    fn is_full(&self) -> bool {
        // Nothing, put into a stream, changes nothing.
        let full = matches!(self.sender.try_send_encoded(&[]), Ok(false));
        if full {
            self.full.notify_one();
        }
        full
    }

    async fn room(&self) {
        let _ = self.sender.send_encoded(&[]).await;
    }

    /// Resolves when somebody found no room, and there was none for all the patience after. The user is disconnected
    /// then: a stream with a gap would be worse than none. The time is taken here and not by those who wait, since they
    /// may leave.
    pub(super) async fn tries_patience(&self) {
        loop {
            self.full.notified().await;
            if timeout(PATIENCE, self.room()).await.is_err() {
                break;
            }
        }
        self.sender.abort();
        let user = self.sender.peer();
        tracing::warn!(%user, "disconnected: reads too slowly");
    }

    /// Resolves when the operator sends this user away.
    pub(super) async fn dismissed(&self) {
        self.dismissed.notified().await;
    }
}

/// A user's place in the hub.
pub(super) struct Seat {
    hub: Arc<Hub>,
    number: u64,
    pub(super) member: Arc<Member>,
}

impl Seat {
    /// Says `message` to all others, and shows it to the operator.
    pub(super) async fn say(&self, message: &Message) -> Result<(), AppError> {
        let from = message.from.as_deref().unwrap_or_default();
        let by = Some(self.number);
        self.hub.relay(by, from, &message.text).await?;
        self.hub.show(message);
        Ok(())
    }

    /// Says something to this user alone, who alone waits until there is room for it. Over datagrams it may be lost.
    pub(super) async fn answer(&self, frame: &[u8]) {
        while let Ok(false) = self.try_answer(frame) {
            if !self.member.stream {
                return;
            }
            self.member.full.notify_one();
            self.member.room().await;
        }
    }

    fn try_answer(&self, frame: &[u8]) -> Result<bool, FrameError> {
        // Under this lock, so that room that somebody has found is still there.
        let _room = self.hub.room();
        self.member.sender.try_send(frame)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.room().members.remove(&self.number);
    }
}
