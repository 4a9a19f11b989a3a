//! The users that are connected, and how a message of one reaches all others.
//!
//! A message is encoded once, and the [hub](socketry_service::Hub) of the service gives it to all
//! users. It never waits. The sender of a message waits [before](super::pacing) it is relayed, at
//! the pace of the readers: while a message is on its way to a user that reads, the hub holds its
//! pass.
//!
//! Nothing is logged while the lock is held, since the reader of the log may be slow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use socketry_codec::{BoxCodec, Codec, CodecError, Raw};
use socketry_service::{Format, HubLimits, Joining, Publication, Reader};
use socketry_transport::{BoxSend, Encoding, Endpoint, Half, TextPolicy};
use tokio::sync::{mpsc, watch};

use super::QUIT;
use super::budget::Budget;
use super::console::{Console, Screen, Unshown};
use super::cookie::Cookies;
use super::limits::{LEAST, PATIENCE, WAITING};
use super::message::{self, Dialect, Message, RELAYED, Relayed};
use super::pacing::{Common, Pass, Speaker};
use crate::opening::inside;
use crate::own::Own;
use crate::{AppError, wrong_codec};

/// The one topic of a chat.
const TOPIC: &str = "chat";
/// The mark of the operator's messages. A person types slowly, so that no [budget](Budget) is
/// needed.
const OPERATOR: u8 = 1;

/// Where all users of a server meet.
pub(super) struct Hub {
    dialect: Dialect,
    /// Whether addresses cannot be forged on this network.
    pub(super) trusted: bool,
    pub(super) cookies: Cookies,
    users: socketry_service::Hub,
    /// Messages are encoded here, before the hub has them: the text may have to change.
    encoded: Format,
    room: Mutex<Room>,
    /// Changes when the operator ends all conversations.
    dismissed: watch::Sender<()>,
    common: Common,
    operator: Speaker,
    shown: Screen,
    /// How many messages the operator was not shown since its console is full.
    unseen: AtomicU64,
}

/// The state under the lock. So all users get the messages in one order, that of `seq`.
struct Room {
    seq: u64,
    own: Arc<Own>,
    codec: BoxCodec,
}

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
        let users = socketry_service::Hub::new(HubLimits {
            queue_bytes: WAITING,
            patience: PATIENCE,
            least: LEAST,
            ..HubLimits::default()
        });
        let hub = Hub {
            dialect: Dialect::of(&own),
            trusted,
            cookies: Cookies::new()?,
            encoded: users.format(Raw),
            users,
            room: Mutex::new(Room {
                seq: 0,
                codec: own.codec(),
                own,
            }),
            dismissed: watch::Sender::new(()),
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
    pub(super) fn seat(self: &Arc<Self>, half: BoxSend) -> Seat {
        let budget = Arc::new(Budget::of(&half, self.trusted));
        let (peer, reliable) = (half.peer().clone(), half.shape().is_reliable());
        let joining = self.users.join(half, self.encoded);
        let joining = match reliable {
            // A gap would be worse than its end.
            true => joining.paces().cut_when_late(),
            false => of_datagrams(joining, &peer, Arc::clone(&budget)),
        };
        let reader = Arc::new(joining.start());
        // One topic is never too many.
        let _ = reader.subscribe(TOPIC);
        Seat {
            hub: Arc::clone(self),
            reader,
            budget,
            peer,
            reliable,
            dismissed: self.dismissed.subscribe(),
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
        let said = self.relay(None, from, QUIT, None);
        self.dismissed.send_replace(());
        said
    }

    /// Relays what `from` says to all users but `by`. Without `by` it is the operator.
    fn relay(
        &self,
        by: Option<&Reader>,
        from: &str,
        text: &str,
        pass: Option<Pass>,
    ) -> Result<(), AppError> {
        let mut room = self.room();
        let frame = room.message(self.dialect, from, text)?;
        if wrong_codec::of_bytes(&frame).is_some() {
            return Err(misleading());
        }
        room.seq += 1;
        let message = Publication::to_topic(TOPIC, &frame);
        let message = match by {
            Some(reader) => message.except(reader),
            None => message.mark(OPERATOR),
        };
        let message = pass.into_iter().fold(message, Publication::receipt);
        self.users.put(message).map(drop).map_err(AppError::failed)
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

/// How a user over datagrams gets messages: as many as its [budget](Budget) allows, and no sender
/// waits for it.
fn of_datagrams(joining: Joining, peer: &Endpoint, budget: Arc<Budget>) -> Joining {
    let (slow, unproven) = (peer.clone(), peer.clone());
    let told = move |missed| {
        tracing::debug!(user = %slow, missed, "dropped messages: the user is slow");
        None
    };
    let filter = move |len, mark| {
        let allowed = is_allowed(&budget, len, mark);
        if !allowed {
            tracing::debug!(user = %unproven, "dropped a message: the address is unproven");
        }
        allowed
    };
    joining.told(told).filter(filter)
}

fn is_allowed(budget: &Budget, len: usize, mark: u8) -> bool {
    mark == OPERATOR || budget.spend(len)
}

/// A user's membership of the hub.
pub(super) struct Seat {
    pub(super) hub: Arc<Hub>,
    pub(super) reader: Arc<Reader>,
    pub(super) budget: Arc<Budget>,
    pub(super) peer: Endpoint,
    pub(super) reliable: bool,
    /// Changes when the operator ends the conversation.
    pub(super) dismissed: watch::Receiver<()>,
    speaker: Speaker,
    /// The passes for answers to this user alone.
    answers: Speaker,
}

impl Seat {
    /// Relays `message` to all others. Shows it to the operator even if it cannot be relayed.
    pub(super) async fn say(&self, message: &Message) -> Result<(), AppError> {
        let from = message.from.as_deref().unwrap_or_default();
        let pass = self.speaker.pass(from.len() + message.text.len()).await;
        let by = Some(&*self.reader);
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
            let answer = Publication::to_reader(&self.reader, &bytes);
            let answer = pass.into_iter().fold(answer, Publication::receipt);
            // A hub that has ended has no user that could be answered.
            let _ = self.hub.users.put(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unproven_peer_is_sent_as_much_as_it_sent_and_what_the_operator_says() {
        let budget = Budget::limited();
        assert!(!is_allowed(&budget, 1, 0));
        assert!(is_allowed(&budget, 1000, OPERATOR));
        budget.earn(10);
        assert!(!is_allowed(&budget, 11, 0));
        assert!(is_allowed(&budget, 6, 0));
        assert!(is_allowed(&budget, 4, 0));
        assert!(!is_allowed(&budget, 1, 0));
    }
}
