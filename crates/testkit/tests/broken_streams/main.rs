//! Stream transports that are broken on purpose: the law that names a defect finds it.

mod socket;
mod transport;

use std::time::Duration;

use socketry_testkit::stream::{Law, Subject, Violation};
use socketry_transport::{MemTransport, Transport, UnixTransport};
use transport::Broken;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Nothing.
    None,
    /// The halves of what arrives change places.
    SwapsBytes,
    /// Only the first part of a send goes, and all is claimed.
    SendsFirstPartOnly,
    /// Sending nothing half-closes.
    EmptySendFinishes,
    /// A buffer without room reads as the end.
    EmptyBufferEnds,
    /// What the buffer held is overwritten.
    OverwritesBuffer,
    /// What was sent stays until there is more, flushed or not.
    FlushesNothing,
    /// The end is told once.
    EndsOnce,
    /// Finishing throws away what was not flushed.
    FinishDrops,
    /// Finishing closes the other direction too.
    FinishClosesBoth,
    /// A reader that waits is never woken.
    ForgetsReaders,
    /// A writer that waits is never woken.
    ForgetsWriters,
    /// The task that waited first is woken, even when another waits now.
    WakesFirstTask,
    /// A reader and a writer share one place for who is to be woken.
    WakesOneOfTwo,
    /// Everything that is sent is taken, whoever reads it.
    TakesEverything,
    /// A short write claims to have taken all.
    ClaimsAll,
    /// Sending to a peer that is gone goes well.
    IgnoresClosedPeer,
    /// Sending to a peer that is gone raises SIGPIPE.
    #[cfg(target_os = "linux")]
    RaisesSignal,
    /// Bytes lie in a buffer while its receive still waits.
    FillsBeforeReady,
    /// A send that waits keeps its bytes and sends them later.
    KeepsCancelledSend,
    /// A connect that is dropped leaves its socket open.
    LeaksConnects,
    /// Every peer is called by the name of this end.
    NamesItself,
    /// A client that vanished ends the listener.
    DiesOfVanishedClient,
    /// A dropped listener goes on listening.
    ListensForEver,
    /// A connect that is refused is tried again, for ever.
    RetriesForEver,
    /// What is asked for by options is not looked at.
    IgnoresOptions,
    /// The halves say that they carry datagrams.
    HalvesAreDatagrams,
}

/// Each defect, the law that it breaks, and what that law must say.
const CASES: &[(Defect, &str, &str)] = &[
    (
        Defect::SwapsBytes,
        "bytes_arrive_in_order_and_whole",
        "is another one than was sent",
    ),
    (
        Defect::SendsFirstPartOnly,
        "parts_arrive_as_one_run",
        "nothing happened",
    ),
    (
        Defect::EmptySendFinishes,
        "an_empty_send_says_nothing",
        "it did not wait",
    ),
    (
        Defect::EmptyBufferEnds,
        "an_empty_buffer_is_not_the_end",
        "(0, End), and not (0, Data)",
    ),
    (
        Defect::OverwritesBuffer,
        "a_small_buffer_leaves_the_rest",
        "what the buffer held before",
    ),
    (
        Defect::FlushesNothing,
        "question_and_answer_take_turns",
        "nothing happened",
    ),
    (
        Defect::EndsOnce,
        "the_end_is_for_ever",
        "receiving after the end: nothing happened",
    ),
    (
        Defect::FinishDrops,
        "finish_delivers_all_that_was_sent",
        "the stream ended after",
    ),
    (
        Defect::FinishClosesBoth,
        "a_half_close_leaves_the_other_direction",
        "the stream ended after 0",
    ),
    (
        Defect::ForgetsReaders,
        "data_wakes_a_reader",
        "a reader at data: nothing happened",
    ),
    (
        Defect::ForgetsReaders,
        "the_end_wakes_a_reader",
        "a reader at the end: nothing happened",
    ),
    (
        Defect::ForgetsReaders,
        "a_reset_wakes_a_reader",
        "a reader at a reset: nothing happened",
    ),
    (
        Defect::ForgetsWriters,
        "reading_wakes_a_stopped_sender",
        "nothing happened",
    ),
    (
        Defect::ForgetsWriters,
        "a_vanished_peer_wakes_a_stopped_sender",
        "nothing happened",
    ),
    (
        Defect::WakesFirstTask,
        "the_last_task_to_wait_is_woken",
        "the second task: nothing happened",
    ),
    (
        Defect::WakesOneOfTwo,
        "a_reader_and_a_writer_wait_apart",
        "nothing happened",
    ),
    (
        Defect::TakesEverything,
        "a_peer_that_does_not_read_stops_the_sender",
        "and nobody reads",
    ),
    (
        Defect::ClaimsAll,
        "a_send_counts_what_it_took",
        "is another one than was sent",
    ),
    (
        Defect::IgnoresClosedPeer,
        "a_send_to_a_closed_peer_fails",
        "were taken, and the peer is gone",
    ),
    #[cfg(target_os = "linux")]
    (
        Defect::RaisesSignal,
        "a_send_to_a_closed_peer_raises_no_signal",
        "SIGPIPE",
    ),
    (
        Defect::FillsBeforeReady,
        "a_cancelled_receive_loses_nothing",
        "receives of which many are dropped: ",
    ),
    (
        Defect::KeepsCancelledSend,
        "a_cancelled_send_sends_nothing",
        "another one",
    ),
    (
        Defect::LeaksConnects,
        "a_cancelled_connect_leaves_nothing",
        "nothing happened",
    ),
    (
        Defect::NamesItself,
        "both_ends_name_each_other",
        "the client's peer",
    ),
    (
        Defect::DiesOfVanishedClient,
        "a_vanished_client_does_not_stop_the_listener",
        "cannot accept",
    ),
    (
        Defect::ListensForEver,
        "a_dropped_listener_refuses_and_its_sockets_live_on",
        "was not refused",
    ),
    (
        Defect::ListensForEver,
        "a_place_has_one_listener",
        "the address is in use",
    ),
    (
        Defect::ListensForEver,
        "a_dropped_listener_lets_go_of_who_waits",
        "nothing happened",
    ),
    (
        Defect::RetriesForEver,
        "connecting_to_nobody_fails_at_once",
        "nothing happened",
    ),
    (
        Defect::IgnoresOptions,
        "an_unknown_option_is_refused_by_name",
        "was not refused",
    ),
    (
        Defect::HalvesAreDatagrams,
        "every_form_is_a_stream",
        "a half: Datagram",
    ),
];

fn subject<T: Transport>(defect: Defect, inner: T, at: &str) -> Subject<Broken<T>> {
    Subject::new(Broken::new(defect, inner), at)
        .except("options_applied_are_read_back", "mem has nothing to ask")
}

socketry_testkit::stream_laws!(
    unbroken,
    subject(Defect::None, MemTransport::default(), "mem://*")
);

fn violation<T: Transport>(law: &str, subject: &Subject<T>) -> Option<Violation> {
    let law = Law::named(law).expect("a law");
    law.check(subject).err()
}

/// All at once: each waits for nothing most of its time.
#[test]
fn each_defect_is_found_by_the_law_that_names_it() {
    std::thread::scope(|scope| {
        for &(defect, law, words) in CASES {
            scope.spawn(move || {
                let subject = subject(defect, MemTransport::default(), "mem://*");
                let subject = subject
                    .patience(Duration::from_secs(2))
                    .holds_at_most(2 << 20);
                let found = violation(law, &subject)
                    .unwrap_or_else(|| panic!("{law} does not find {defect:?}"));
                assert_eq!(found.law().name(), law);
                assert!(found.found().contains(words), "{defect:?}: {found}");
            });
        }
    });
}

#[test]
fn a_connect_timeout_that_is_not_looked_at_is_found() {
    let places = socketry_testkit::Places::new();
    let at = places.free("unix").to_string();
    let broken = subject(Defect::IgnoresOptions, UnixTransport::default(), &at);
    let found = violation(
        "a_connect_timeout_fires",
        &broken.patience(Duration::from_secs(2)),
    );
    let found = found.expect("a violation");
    // The backlog of 1 is not looked at either, and so a hundred clients fit.
    assert!(found.found().contains("a backlog of 1 took"), "{found}");
}

#[test]
fn a_violation_says_which_law_and_where_and_what() {
    let subject = subject(Defect::EmptyBufferEnds, MemTransport::default(), "mem://*");
    let found = violation("an_empty_buffer_is_not_the_end", &subject).expect("a violation");
    let text = found.to_string();
    for words in [
        "mem://%2A (broken_streams::transport::Broken<",
        "breaks the law an_empty_buffer_is_not_the_end: ",
        "an empty receive before data: (0, End), and not (0, Data)",
        "(a buffer without room receives nothing, and never the end)",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text:?}");
    }
}

#[test]
fn a_panic_in_a_transport_is_a_violation() {
    struct Panics;

    #[socketry_transport::async_trait]
    impl Transport for Panics {
        type Socket = socketry_transport::MemSocket;
        type Listener = socketry_transport::MemListener;

        async fn connect(
            &self,
            _: &socketry_transport::Endpoint,
        ) -> socketry_transport::Result<Self::Socket> {
            panic!("not today")
        }
        async fn listen(
            &self,
            _: &socketry_transport::Endpoint,
        ) -> socketry_transport::Result<Self::Listener> {
            panic!("not today")
        }
    }
    let found = violation("data_wakes_a_reader", &Subject::new(Panics, "mem://*"));
    assert_eq!(found.expect("a violation").found(), "panic: not today");
}

#[test]
fn every_law_has_a_name_and_a_statement_of_its_own() {
    use std::collections::HashSet;
    let names: HashSet<_> = socketry_testkit::stream::LAWS
        .iter()
        .map(Law::name)
        .collect();
    let words: HashSet<_> = socketry_testkit::stream::LAWS
        .iter()
        .map(Law::statement)
        .collect();
    assert_eq!(names.len(), socketry_testkit::stream::LAWS.len());
    assert_eq!(words.len(), names.len());
    assert!(names.len() >= 24);
}

#[test]
#[should_panic(expected = "there is no law such_as_this")]
fn an_exception_from_no_law_is_refused() {
    let _ = Subject::new(MemTransport::default(), "mem://*").except("such_as_this", "a reason");
}
