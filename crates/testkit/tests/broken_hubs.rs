//! Hubs that are broken on purpose: the law that names a defect finds it.

use std::collections::HashSet;
use std::future::pending;
use std::mem::forget;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use socketry_codec::BoxCodec;
use socketry_service::{HubLimits, ReaderEnd, Receipt};
use socketry_testkit::hub::{self as laws, AnyHub, AnyReader, How, Later, Ours, Subject};
use socketry_transport::{BoxSend, Registry};

/// What is wrong with a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    Nothing,
    SwapsMessages,
    EncodesForEachReader,
    ForgetsUnsubscribing,
    HoldsOneTopicBack,
    EchoesToItsSender,
    SwallowsRefusals,
    WaitsForAll,
    TellsNothing,
    NeverCuts,
    DropsReceipts,
    KeepsReceipts,
    NeverNoticesAnEnd,
    KeepsDroppedReaders,
    FinishesAtOnce,
    ClosesAtOnce,
    ClosesWithoutABound,
}

use Defect::*;

/// The defect, the law that finds it, and some of its words.
const CASES: &[(Defect, &str, &str)] = &[
    (
        SwapsMessages,
        "all_readers_get_all_messages_in_one_order",
        "order",
    ),
    (
        EncodesForEachReader,
        "a_message_is_encoded_once_for_a_codec",
        "times encoded",
    ),
    (
        ForgetsUnsubscribing,
        "a_topic_reaches_its_subscribers_only",
        "the readers",
    ),
    (
        HoldsOneTopicBack,
        "topics_keep_the_order_of_publishing",
        "a frame",
    ),
    (
        EchoesToItsSender,
        "a_sender_does_not_hear_itself",
        "the readers",
    ),
    (
        SwallowsRefusals,
        "a_message_that_a_codec_refuses_reaches_nobody",
        "no line can hold",
    ),
    (
        WaitsForAll,
        "readers_that_stop_delay_nobody",
        "a frame took too long",
    ),
    (
        TellsNothing,
        "a_late_reader_is_told_what_it_missed_and_where",
        "the next message",
    ),
    (
        NeverCuts,
        "a_reader_that_is_to_be_cut_when_late_is_cut",
        "the cut took too long",
    ),
    (
        DropsReceipts,
        "receipts_wait_for_readers_that_pace",
        "not stopped",
    ),
    (
        KeepsReceipts,
        "receipts_do_not_wait_for_readers_that_stop",
        "a permit took too long",
    ),
    (
        NeverNoticesAnEnd,
        "a_reader_that_is_gone_ends_alone",
        "its end took too long",
    ),
    (
        KeepsDroppedReaders,
        "a_reader_that_is_dropped_gets_nothing_more",
        "the readers",
    ),
    (
        FinishesAtOnce,
        "a_reader_that_finishes_gets_what_was_published",
        "it ended so",
    ),
    (ClosesAtOnce, "a_close_writes_what_waits", "drained, cut"),
    (
        ClosesWithoutABound,
        "a_close_cuts_after_its_grace_time",
        "the close took too long",
    ),
];

/// Into how many formats a codec is put that is to encode for each reader.
const EACH: usize = 4;

/// Our hub, with a defect.
struct Broken {
    ours: Ours,
    defect: Defect,
    joined: AtomicUsize,
    held: Arc<Held>,
}

/// What is held back.
#[derive(Default)]
struct Held {
    message: Mutex<Option<(String, Vec<u8>)>>,
    receipts: Mutex<Vec<Receipt>>,
    /// Receipts of messages that somebody has not taken.
    waiting: Mutex<Vec<Weak<()>>>,
}

fn broken(defect: Defect, limits: HubLimits) -> Box<dyn AnyHub> {
    let limits = match defect {
        WaitsForAll => HubLimits {
            patience: Duration::from_secs(3600),
            ..limits
        },
        _ => limits,
    };
    Box::new(Broken {
        ours: Ours::new(limits),
        defect,
        joined: AtomicUsize::new(0),
        held: Arc::default(),
    })
}

impl AnyHub for Broken {
    fn format(&mut self, codec: BoxCodec) -> usize {
        let first = self.ours.format(codec.clone());
        for _ in 1..EACH {
            self.ours.format(codec.clone());
        }
        first / EACH
    }

    fn join(&self, half: BoxSend, format: usize, how: How) -> Box<dyn AnyReader> {
        let own = match self.defect {
            EncodesForEachReader => self.joined.fetch_add(1, Ordering::Relaxed) % EACH,
            _ => 0,
        };
        let how = How {
            told: how.told && self.defect != TellsNothing,
            paces: how.paces || self.defect == WaitsForAll,
            cut_when_late: how.cut_when_late && self.defect != NeverCuts,
        };
        let reader = self.ours.join(half, format * EACH + own, how);
        Box::new(BrokenReader(Mutex::new(Some(reader.into())), self.defect))
    }

    fn publish(
        &self,
        topic: &str,
        frame: &[u8],
        receipt: Option<Receipt>,
    ) -> Result<usize, String> {
        let hold = match self.defect {
            SwapsMessages => true,
            HoldsOneTopicBack => topic == "two",
            _ => false,
        };
        let mut held = lock(&self.held.message);
        if hold && held.is_none() {
            *held = Some((topic.to_owned(), frame.to_vec()));
            return Ok(1);
        }
        let readers = self.put(topic, frame, receipt)?;
        if let Some((topic, frame)) = held.take() {
            self.put(&topic, &frame, None)?;
        }
        Ok(readers)
    }

    fn close(&self, grace: Duration) -> Later<'_, (usize, usize)> {
        self.ours.close(match self.defect {
            ClosesAtOnce => Duration::ZERO,
            ClosesWithoutABound => Duration::from_secs(3600),
            _ => grace,
        })
    }
}

impl Broken {
    fn put(&self, topic: &str, frame: &[u8], receipt: Option<Receipt>) -> Result<usize, String> {
        let receipt = match self.defect {
            DropsReceipts => None,
            KeepsReceipts => receipt.inspect(|own| lock(&self.held.receipts).push(Arc::clone(own))),
            WaitsForAll => {
                let mut waiting = lock(&self.held.waiting);
                waiting.retain(|receipt| receipt.strong_count() > 0);
                if waiting.len() > 1000 {
                    return Ok(0);
                }
                let own = Arc::new(());
                waiting.push(Arc::downgrade(&own));
                Some(Arc::new(own) as Receipt)
            }
            _ => receipt,
        };
        match self.ours.publish(topic, frame, receipt) {
            Err(_) if self.defect == SwallowsRefusals => Ok(0),
            published => published,
        }
    }
}

struct BrokenReader(Mutex<Option<Arc<dyn AnyReader>>>, Defect);

impl BrokenReader {
    fn reader(&self) -> Arc<dyn AnyReader> {
        let reader = lock(&self.0);
        Arc::clone(reader.as_ref().expect("a reader"))
    }
}

impl AnyReader for BrokenReader {
    fn subscribe(&self, topic: &str) {
        self.reader().subscribe(topic);
    }
    fn unsubscribe(&self, topic: &str) {
        if self.1 != ForgetsUnsubscribing {
            self.reader().unsubscribe(topic);
        }
    }
    fn send(&self, frame: &[u8]) {
        self.reader().send(frame);
    }
    fn publish(&self, topic: &str, frame: &[u8]) -> usize {
        let others = self.reader().publish(topic, frame);
        if self.1 == EchoesToItsSender {
            self.send(frame);
            return others + 1;
        }
        others
    }
    fn missed(&self) -> u64 {
        self.reader().missed()
    }
    fn finish(&self) -> Later<'_, ReaderEnd> {
        if self.1 == FinishesAtOnce {
            drop(lock(&self.0).take());
            return Box::pin(async { ReaderEnd::Cut });
        }
        let reader = self.reader();
        Box::pin(async move { reader.finish().await })
    }
    fn ended(&self) -> Later<'_, ReaderEnd> {
        if self.1 == NeverNoticesAnEnd {
            return Box::pin(pending());
        }
        let reader = self.reader();
        Box::pin(async move { reader.ended().await })
    }
}

impl Drop for BrokenReader {
    fn drop(&mut self) {
        if self.1 == KeepsDroppedReaders {
            forget(lock(&self.0).take());
        }
    }
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn subject(defect: Defect) -> Subject {
    Subject::new(Registry::standard(), "mem://*").with(move |limits| broken(defect, limits))
}

socketry_testkit::hub_laws!(unbroken, subject(Nothing));

/// All at once: each waits for nothing most of its time.
#[test]
fn each_defect_is_found_by_the_law_that_names_it() {
    std::thread::scope(|scope| {
        for &(defect, law, words) in CASES {
            scope.spawn(move || {
                // A defect may lie between two tasks, of which each may be the first.
                let mut runs = (0..20).map(|_| laws::law(law).check(&subject(defect)).err());
                let found = runs.find_map(|found| found);
                let found = found.unwrap_or_else(|| panic!("{law} does not find {defect:?}"));
                assert_eq!(found.law(), law);
                assert!(found.what().contains(words), "{defect:?}: {found}");
            });
        }
    });
}

#[test]
fn every_law_finds_a_defect() {
    let found: HashSet<_> = CASES.iter().map(|(_, law, _)| *law).collect();
    for law in laws::laws() {
        assert!(found.contains(law.name()), "{law:?}");
    }
}
