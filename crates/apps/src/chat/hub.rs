//! Who is here, and how what one says reaches all others.
//!
//! A message is encoded once. For each user it is put into a bounded buffer, without waiting, which a writer of that
//! user's own empties: nobody waits for anybody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, Sender};
use socketry_transport::{Shape, Undecodable};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc};

use super::message::{self, Dialect, Message, Relayed};
use super::{QUIT, console::Console};
use crate::{AppError, Service};

/// The place where all meet.
pub(super) struct Hub {
    dialect: Dialect,
    room: Mutex<Room>,
    shown: mpsc::Sender<String>,
}

/// What is under the lock, so that all users get messages in one order: that of `seq`.
struct Room {
    members: HashMap<u64, Arc<Member>>,
    next_member: u64,
    seq: u64,
    codec: BoxCodec,
}

/// A user, as the hub knows one.
pub(super) struct Member {
    pub(super) sender: Sender,
    stream: bool,
    dismissed: Notify,
}

impl Hub {
    /// A hub, and what the operator says.
    pub(super) fn new(
        service: &Service,
        console: Console,
    ) -> Result<(Self, mpsc::Receiver<String>), AppError> {
        let hub = Hub {
            dialect: Dialect::of(service),
            room: Mutex::new(Room {
                members: HashMap::new(),
                next_member: 0,
                seq: 0,
                codec: service.codec.build().map_err(AppError::usage)?,
            }),
            shown: console.shown,
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
    pub(super) fn announce(&self, from: &str, text: &str) -> Result<(), AppError> {
        self.room().relay(self.dialect, None, from, text)
    }

    /// Says the end to all, and ends all conversations.
    pub(super) fn dismiss(&self, from: &str) -> Result<(), AppError> {
        let mut room = self.room();
        let said = room.relay(self.dialect, None, from, QUIT);
        for member in room.members.values() {
            member.dismissed.notify_one();
        }
        said
    }

    /// Shows a message to the operator. One who does not look holds up nobody.
    fn show(&self, message: &Message) {
        if let Err(TrySendError::Full(_)) = self.shown.try_send(message.to_string()) {
            tracing::warn!("a message was not shown: the console is too slow");
        }
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        // Whatever panicked, a table of members and a counter are whole.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Sends what `from` says to all but `by`.
    fn relay(
        &mut self,
        dialect: Dialect,
        by: Option<u64>,
        from: &str,
        text: &str,
    ) -> Result<(), AppError> {
        let frame = self.encode(dialect, from, text)?;
        self.seq += 1;
        let others = self
            .members
            .iter()
            .filter(|(number, _)| Some(**number) != by);
        for (_, member) in others {
            member.deliver(&frame);
        }
        Ok(())
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

impl Member {
    /// Puts an encoded message behind those that wait for this user, if there is room.
    fn deliver(&self, frame: &[u8]) {
        match self.sender.try_send_encoded(frame) {
            Ok(true) => {}
            Ok(false) => self.has_no_room(),
            // A fatal one is about to end that user's conversation.
            Err(error) => tracing::debug!(%error, "a message did not go out"),
        }
    }

    /// A stream with a gap would be worse than none; a datagram may be lost.
    pub(super) fn has_no_room(&self) {
        let user = self.sender.peer();
        if self.stream {
            tracing::warn!(%user, "disconnected: reads too slowly");
            self.sender.abort();
        } else {
            tracing::debug!(%user, "a message was dropped: reads too slowly");
        }
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
    pub(super) fn say(&self, message: &Message) -> Result<(), AppError> {
        let from = message.from.as_deref().unwrap_or_default();
        let by = Some(self.number);
        self.hub
            .room()
            .relay(self.hub.dialect, by, from, &message.text)?;
        self.hub.show(message);
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.room().members.remove(&self.number);
    }
}
