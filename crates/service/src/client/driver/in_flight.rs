//! The requests that were sent, and which of them a frame answers.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::queue::Entry;
use super::waiter::{Blocked, Last, Waiter};
use crate::client::correlate::Correlate;
use crate::client::error::{CallError, Lost};

/// A request that was sent.
struct Flight {
    seq: u64,
    /// The position of its first byte among all that are sent.
    start: u64,
    /// `None` after the call was given up: its answer is dropped.
    entry: Option<Entry>,
    /// Which answer is the last one, if there are many.
    last: Option<Last>,
}

/// The table of the requests of one connection.
pub(super) struct InFlight {
    flights: Flights,
    /// Those whose calls were not given up.
    live: usize,
}

enum Flights {
    /// The first answer belongs to the first request. Numbers ascend.
    InOrder(VecDeque<Flight>),
    ById(Arc<dyn Correlate>, HashMap<u64, Flight>),
}

/// What became of a frame.
pub(super) enum Answered {
    /// A call got it.
    Call,
    /// A call gets it when there is room.
    Blocked(Blocked),
    /// It came too late.
    Late,
    /// It answers nothing.
    Push(Bytes),
}

impl InFlight {
    pub(super) fn new(correlate: Option<Arc<dyn Correlate>>) -> Self {
        let flights = match correlate {
            None => Flights::InOrder(VecDeque::new()),
            Some(correlate) => Flights::ById(correlate, HashMap::new()),
        };
        InFlight { flights, live: 0 }
    }

    pub(super) fn len(&self) -> usize {
        match &self.flights {
            Flights::InOrder(flights) => flights.len(),
            Flights::ById(_, flights) => flights.len(),
        }
    }

    /// Whether no call waits for an answer.
    pub(super) fn is_idle(&self) -> bool {
        self.live == 0
    }

    /// The id of request `seq`, and who writes it, if requests have ids.
    pub(super) fn id(&self, seq: u64) -> Option<(u64, &dyn Correlate)> {
        match &self.flights {
            Flights::InOrder(_) => None,
            Flights::ById(correlate, _) => Some((id(&**correlate, seq), &**correlate)),
        }
    }

    /// Whether the id of request `seq` is free, if all from `first` on are sent before it.
    pub(super) fn is_free(&self, seq: u64, first: u64) -> bool {
        match &self.flights {
            Flights::InOrder(_) => true,
            Flights::ById(correlate, flights) => {
                let distinct = seq - first < correlate.last_id().max(1);
                distinct && !flights.contains_key(&id(&**correlate, seq))
            }
        }
    }

    /// Notes that `entry` is sent from position `start` on.
    pub(super) fn sent(&mut self, entry: Entry, start: u64) {
        self.live += 1;
        let last = match &entry.waiter {
            Waiter::Many(many) => Some(Arc::clone(&many.last)),
            _ => None,
        };
        self.insert(Flight {
            seq: entry.seq,
            start,
            entry: Some(entry),
            last,
        });
    }

    /// Notes a request whose answer nobody waits for.
    pub(super) fn probed(&mut self, seq: u64, start: u64) {
        self.insert(Flight {
            seq,
            start,
            entry: None,
            last: None,
        });
    }

    fn insert(&mut self, flight: Flight) {
        match &mut self.flights {
            Flights::InOrder(flights) => flights.push_back(flight),
            Flights::ById(correlate, flights) => {
                flights.insert(id(&**correlate, flight.seq), flight);
            }
        }
    }

    /// The call `seq` was given up. In order, its place stays until its answer comes; otherwise the
    /// answer is known by an id that no other call has.
    pub(super) fn cancel(&mut self, seq: u64) {
        let entry = match &mut self.flights {
            Flights::InOrder(flights) => {
                let at = flights.partition_point(|flight| flight.seq < seq);
                let flight = flights.get_mut(at).filter(|flight| flight.seq == seq);
                flight.and_then(|flight| flight.entry.take())
            }
            Flights::ById(correlate, flights) => {
                let id = id(&**correlate, seq);
                match flights.get(&id) {
                    Some(flight) if flight.seq == seq => {}
                    _ => return,
                }
                flights.remove(&id).and_then(|flight| flight.entry)
            }
        };
        self.live -= usize::from(entry.is_some());
    }

    /// Gives a frame to the call that waits for it.
    pub(super) fn answer(&mut self, frame: Bytes) -> Answered {
        match &mut self.flights {
            Flights::InOrder(flights) => {
                let Some(mut flight) = flights.pop_front() else {
                    return Answered::Push(frame);
                };
                let (last, answered) = flight.answer(frame, &mut self.live);
                if !last {
                    flights.push_front(flight);
                }
                answered
            }
            Flights::ById(correlate, flights) => {
                let Some(id) = correlate.id_of(&frame) else {
                    return Answered::Push(frame);
                };
                let Some(flight) = flights.get_mut(&id) else {
                    return Answered::Late;
                };
                let (last, answered) = flight.answer(frame, &mut self.live);
                if last {
                    flights.remove(&id);
                }
                answered
            }
        }
    }

    /// An answer has arrived that is no frame. In order, it is known whose. Otherwise `error` comes
    /// back.
    pub(super) fn refuse(&mut self, error: CallError) -> Result<(), CallError> {
        let Flights::InOrder(flights) = &mut self.flights else {
            return Err(error);
        };
        let Some(flight) = flights.front_mut() else {
            return Err(error);
        };
        let entry = flight.entry.take();
        // Of a stream of answers, others may follow.
        if flight.last.is_none() {
            flights.pop_front();
        }
        if let Some(entry) = entry {
            self.live -= 1;
            entry.waiter.fail(error);
        }
        Ok(())
    }

    /// The connection is lost, and only the bytes before position `handed` were given to the
    /// transport. Gives the requests that may be sent again. The others fail.
    pub(super) fn lost(self, handed: u64, why: &Lost) -> Vec<Entry> {
        let flights: Vec<_> = match self.flights {
            Flights::InOrder(flights) => flights.into(),
            Flights::ById(_, flights) => flights.into_values().collect(),
        };
        let mut again = Vec::new();
        for flight in flights {
            let Some(entry) = flight.entry else { continue };
            let unsent = flight.start >= handed;
            if unsent || entry.idempotent && entry.waiter.may_begin_anew() {
                again.push(entry);
            } else {
                entry.waiter.fail(CallError::MaybeDone(why.clone()));
            }
        }
        again
    }
}

impl Flight {
    /// Gives a frame to its call. Gives whether it was the last one.
    fn answer(&mut self, frame: Bytes, live: &mut usize) -> (bool, Answered) {
        let last = self.last.as_ref().is_none_or(|last| last(&frame));
        let Some(entry) = &mut self.entry else {
            return (last, Answered::Late);
        };
        let answered = match &mut entry.waiter {
            Waiter::Many(many) => match many.give(frame, last) {
                None => Answered::Call,
                Some(blocked) => Answered::Blocked(blocked),
            },
            _ => match self.entry.take().map(|entry| entry.waiter) {
                Some(Waiter::One(waiter)) => match waiter.send(Ok(frame)) {
                    Ok(()) => Answered::Call,
                    Err(_) => Answered::Late,
                },
                _ => Answered::Late,
            },
        };
        *live -= usize::from(last);
        (last, answered)
    }
}

/// The id of request `seq`: from 1 to the last id, and again.
fn id(correlate: &dyn Correlate, seq: u64) -> u64 {
    (seq - 1) % correlate.last_id().max(1) + 1
}
