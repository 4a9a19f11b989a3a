//! What a hub knows of one reader.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use super::log::Log;

/// How a reader has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReaderEnd {
    /// Everything was written, and the socket was half-closed: [`Reader::finish`] or
    /// [`Hub::close`].
    ///
    /// [`Reader::finish`]: super::Reader::finish
    /// [`Hub::close`]: super::Hub::close
    Finished,
    /// The socket failed, or its peer is gone.
    Failed(Arc<io::Error>),
    /// It fell behind, and [was to be cut](super::Joining::cut_when_late) then.
    Late,
    /// The hub has ended, or its grace time has.
    Cut,
}

impl fmt::Display for ReaderEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReaderEnd::Finished => f.write_str("everything was written"),
            ReaderEnd::Failed(error) => write!(f, "cannot be written to: {error}"),
            ReaderEnd::Late => f.write_str("reads too slowly"),
            ReaderEnd::Cut => f.write_str("cut by the end of the hub"),
        }
    }
}

/// What a reader's handle, its writer and the hub share.
#[derive(Default)]
pub(super) struct Door {
    /// Bytes that the socket took.
    pub(super) taken: AtomicUsize,
    pub(super) missed: AtomicU64,
    pub(super) ended: OnceLock<ReaderEnd>,
    /// Told once `ended` is set.
    pub(super) closed: Notify,
}

/// A reader's place in a log.
pub(super) struct Cursor {
    pub(super) log: usize,
    pub(super) at: u64,
    /// See [`Log::wait`].
    pub(super) listed: u64,
    /// Positions of messages that are not for this reader.
    echoes: VecDeque<u64>,
    /// How many of those were dropped with the front of the log.
    dropped: u64,
}

impl Cursor {
    pub(super) fn new(log: usize, at: u64) -> Self {
        Cursor {
            log,
            at,
            listed: 0,
            echoes: VecDeque::new(),
            dropped: 0,
        }
    }

    /// The message at the log's end is not for this reader.
    pub(super) fn pass_over_last(&mut self, log: &Log) {
        self.drop_echoes(log.first());
        self.echoes.push_back(log.end() - 1);
    }

    fn drop_echoes(&mut self, first: u64) {
        while self.echoes.front().is_some_and(|echo| *echo < first) {
            self.echoes.pop_front();
            self.dropped += 1;
        }
    }

    /// How many messages for this reader are gone, if any; `at` is then to be the log's first.
    pub(super) fn missed(&mut self, log: &Log) -> u64 {
        let gone = log.first().saturating_sub(self.at);
        self.drop_echoes(log.first());
        gone.saturating_sub(std::mem::take(&mut self.dropped))
    }

    /// The next position that is not for this reader.
    pub(super) fn echo(&self) -> u64 {
        self.echoes.front().copied().unwrap_or(u64::MAX)
    }

    pub(super) fn pass_echo(&mut self) {
        self.echoes.pop_front();
    }
}

/// One reader.
pub(super) struct Seat {
    pub(super) format: usize,
    pub(super) cursors: Vec<Cursor>,
    /// The log of messages for this reader alone, once there was one.
    pub(super) direct: Option<usize>,
    pub(super) paces: bool,
    /// It takes too little, so that receipts do not wait for it.
    pub(super) stalled: bool,
    pub(super) cut_when_late: bool,
    /// It ends when the messages up to this number are written.
    pub(super) until: u64,
    pub(super) over: bool,
    /// Whether its writer and its handle are there. Without both, its number is free.
    pub(super) written: bool,
    pub(super) held: bool,
    /// The tick at which its period began, and what it had taken then.
    pub(super) since: u64,
    pub(super) taken: usize,
    pub(super) door: Arc<Door>,
}

impl Seat {
    /// Whether receipts wait for it.
    pub(super) fn is_pacing(&self) -> bool {
        self.paces && !self.stalled
    }

    pub(super) fn is_ending(&self) -> bool {
        self.until != u64::MAX
    }
}
