//! The state of a hub, under its lock: topics, logs and readers.

use std::collections::HashMap;
use std::sync::Arc;

use slab::Slab;
use socketry_codec::BoxCodec;

use super::limits::HubLimits;
use super::log::{Log, News};
use super::publication::{Publication, To, Unpublished};
use super::seat::{Cursor, Door, ReaderEnd, Seat};

/// See the [module](self).
pub(super) struct State {
    pub(super) limits: HubLimits,
    pub(super) codecs: Vec<BoxCodec>,
    /// The logs of each topic, one for each format that its readers have.
    topics: HashMap<Arc<str>, Vec<usize>>,
    pub(super) logs: Slab<Shelf>,
    pub(super) seats: Slab<Seat>,
    /// The number of the last message. All readers get messages in this order.
    pub(super) number: u64,
    pub(super) open: bool,
    /// How many readers are to be cut when they are late.
    pub(super) cutting: usize,
    pub(super) news: News,
    /// Doors of readers that have ended, to be told once the lock is free.
    pub(super) closed: Vec<Arc<Door>>,
    /// Whether the pump looks at the pace of readers now and then.
    pub(super) ticking: bool,
    pub(super) tick: u64,
}

/// A log, and whose it is.
pub(super) struct Shelf {
    pub(super) log: Log,
    format: usize,
    /// `None` for the messages to one reader.
    topic: Option<Arc<str>>,
}

impl State {
    pub(super) fn new(limits: HubLimits) -> Self {
        State {
            limits,
            codecs: Vec::new(),
            topics: HashMap::new(),
            logs: Slab::new(),
            seats: Slab::new(),
            number: 0,
            open: true,
            cutting: 0,
            news: News::default(),
            closed: Vec::new(),
            ticking: false,
            tick: 0,
        }
    }

    /// Puts a message into the logs that it is for. Gives the number of its readers.
    pub(super) fn publish(&mut self, message: &Publication<'_>) -> Result<usize, Unpublished> {
        let direct;
        let logs = match message.to {
            _ if !self.open => return Err(Unpublished::Ended),
            To::Topic(topic) => match self.topics.get(topic) {
                Some(logs) => &logs[..],
                None => return Ok(0),
            },
            To::Reader(reader) => match self.direct(reader.key) {
                Some(log) => {
                    direct = [log];
                    &direct
                }
                None => return Ok(0),
            },
        };
        encode(&mut self.logs, &mut self.codecs, logs, message.frame)?;
        self.number += 1;
        let (mut readers, mut held) = (0, false);
        for &key in logs {
            let log = &mut self.logs[key].log;
            readers += log.readers();
            log.put(
                self.number,
                message.mark,
                message.receipt.as_ref(),
                &self.limits,
                &mut self.news,
            );
            held |= log.holds_receipts();
            let Some(except) = message.except else {
                continue;
            };
            let mut cursors = self.seats[except.key].cursors.iter_mut();
            if let Some(cursor) = cursors.find(|cursor| cursor.log == key) {
                cursor.pass_over_last(log);
                readers -= 1;
            }
        }
        // The pump has to look for readers that take too little.
        self.news.rouse |= held && !self.ticking;
        self.ticking |= held;
        Ok(readers)
    }

    /// The log of messages to this reader alone.
    fn direct(&mut self, key: usize) -> Option<usize> {
        let seat = &mut self.seats[key];
        if seat.over || seat.is_ending() {
            return None;
        }
        if seat.direct.is_none() {
            let (format, paces) = (seat.format, seat.is_pacing());
            let mut log = Log::new();
            let at = log.enter(paces);
            let log = self.logs.insert(Shelf {
                log,
                format,
                topic: None,
            });
            let seat = &mut self.seats[key];
            seat.cursors.push(Cursor::new(log, at));
            seat.direct = Some(log);
            self.news.woken.push(key);
        }
        self.seats[key].direct
    }

    /// Subscribes a reader. `false` if it has too many topics.
    pub(super) fn subscribe(&mut self, key: usize, topic: &str) -> bool {
        let State { seats, logs, .. } = self;
        let seat = &mut seats[key];
        if seat.over || seat.is_ending() || is_subscribed(seat, logs, topic) {
            return true;
        }
        let direct = usize::from(seat.direct.is_some());
        if seat.cursors.len() - direct >= self.limits.topics_per_reader {
            return false;
        }
        let format = seat.format;
        let of_topic = match self.topics.get_mut(topic) {
            Some(of_topic) => of_topic,
            None => self.topics.entry(topic.into()).or_default(),
        };
        let known = of_topic.iter().find(|log| logs[**log].format == format);
        let log = known.copied().unwrap_or_else(|| {
            let log = logs.insert(Shelf {
                log: Log::new(),
                format,
                topic: Some(topic.into()),
            });
            of_topic.push(log);
            log
        });
        let at = logs[log].log.enter(seat.is_pacing());
        seat.cursors.push(Cursor::new(log, at));
        self.news.woken.push(key);
        true
    }

    /// Ends a subscription. What was published before and not taken is not for this reader any
    /// more.
    pub(super) fn unsubscribe(&mut self, key: usize, topic: &str) {
        let State { seats, logs, .. } = self;
        let mut cursors = seats[key].cursors.iter();
        let found = cursors.position(|cursor| logs[cursor.log].topic.as_deref() == Some(topic));
        if let Some(index) = found {
            let cursor = self.seats[key].cursors.swap_remove(index);
            self.leave(key, &cursor);
        }
    }

    fn leave(&mut self, key: usize, cursor: &Cursor) {
        let paces = self.seats[key].is_pacing();
        let shelf = &mut self.logs[cursor.log];
        shelf
            .log
            .leave(cursor.at, paces, &self.limits, &mut self.news);
        if shelf.log.readers() > 0 {
            return;
        }
        let shelf = self.logs.remove(cursor.log);
        let Some(topic) = shelf.topic else { return };
        if let Some(logs) = self.topics.get_mut(&topic) {
            logs.retain(|log| *log != cursor.log);
            if logs.is_empty() {
                self.topics.remove(&topic);
            }
        }
    }

    /// Takes a reader out, with the reason. Only the first one counts.
    pub(super) fn end(&mut self, key: usize, why: ReaderEnd) {
        let seat = &mut self.seats[key];
        if seat.over {
            return;
        }
        seat.over = true;
        self.cutting -= usize::from(seat.cut_when_late);
        for cursor in std::mem::take(&mut self.seats[key].cursors) {
            self.leave(key, &cursor);
        }
        let door = &self.seats[key].door;
        if door.ended.set(why).is_ok() {
            self.closed.push(Arc::clone(door));
        }
        self.news.woken.push(key);
    }

    /// Frees the number of a reader of which nothing is left.
    pub(super) fn forget(&mut self, key: usize) {
        let seat = &self.seats[key];
        if !seat.written && !seat.held {
            self.seats.remove(key);
        }
    }

    /// The reader ends when what was published up to now is written.
    pub(super) fn finish(&mut self, key: usize) {
        let seat = &mut self.seats[key];
        seat.until = seat.until.min(self.number);
        self.news.woken.push(key);
    }

    /// Takes no more messages and readers, and ends all readers once they have what was published.
    pub(super) fn close(&mut self) {
        self.open = false;
        let keys: Vec<_> = self.seats.iter().map(|(key, _)| key).collect();
        keys.into_iter().for_each(|key| self.finish(key));
    }

    /// Ends all readers now. Gives their number.
    pub(super) fn cut(&mut self) -> usize {
        self.open = false;
        let living = self.seats.iter().filter(|(_, seat)| !seat.over);
        let keys: Vec<_> = living.map(|(key, _)| key).collect();
        for key in &keys {
            self.end(*key, ReaderEnd::Cut);
        }
        keys.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.seats.iter().any(|(_, seat)| seat.written)
    }
}

fn is_subscribed(seat: &Seat, logs: &Slab<Shelf>, topic: &str) -> bool {
    let mut cursors = seat.cursors.iter();
    cursors.any(|cursor| logs[cursor.log].topic.as_deref() == Some(topic))
}

/// Encodes a frame into each of these logs, or into none.
fn encode(
    logs: &mut Slab<Shelf>,
    codecs: &mut [BoxCodec],
    keys: &[usize],
    frame: &[u8],
) -> Result<(), Unpublished> {
    for &key in keys {
        let Shelf { log, format, .. } = &mut logs[key];
        if let Err(error) = log.encode(&mut codecs[*format], frame) {
            keys.iter().for_each(|key| logs[*key].log.take_back());
            return Err(error.into());
        }
    }
    Ok(())
}
