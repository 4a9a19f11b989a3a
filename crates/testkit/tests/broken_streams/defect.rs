//! The defects, and the law that finds each.

/// A defect of a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Nothing.
    None,
    /// The two halves of the received bytes are swapped.
    SwapsBytes,
    /// Only the first part of a send is sent, and all parts are claimed.
    SendsFirstPartOnly,
    /// An empty send half-closes.
    EmptySendFinishes,
    /// A buffer without room reads as the end.
    EmptyBufferEnds,
    /// The bytes that the buffer held are overwritten.
    OverwritesBuffer,
    /// Sent bytes stay until more are sent, flushed or not.
    FlushesNothing,
    /// The bytes that a batch receives are lost.
    LosesBatches,
    /// While a receive waits, nothing is sent.
    HalfDuplex,
    /// The end is reported once.
    EndsOnce,
    /// Finishing drops the bytes that were not flushed.
    FinishDrops,
    /// Sending after finishing succeeds.
    SendsAfterFinish,
    /// Finishing closes the other direction, too.
    FinishClosesBoth,
    /// A waiting reader is never woken.
    ForgetsReaders,
    /// A waiting writer is never woken.
    ForgetsWriters,
    /// The task that waited first is woken, even if another task waits now.
    WakesFirstTask,
    /// A reader and a writer share one waker.
    WakesOneOfTwo,
    /// All bytes are taken, even if the peer does not read.
    TakesEverything,
    /// A short write claims that all bytes were taken.
    ClaimsAll,
    /// Sending to a peer that is gone succeeds.
    IgnoresClosedPeer,
    /// Sending to a peer that is gone raises SIGPIPE.
    #[cfg(target_os = "linux")]
    RaisesSignal,
    /// Bytes lie in a buffer while its receive still waits.
    FillsBeforeReady,
    /// A send that waits keeps its bytes, and sends them later.
    KeepsCancelledSend,
    /// A dropped connect leaves its socket open.
    LeaksConnects,
    /// Every peer is named by the address of this end.
    NamesItself,
    /// The listener reports another address.
    ListensElsewhere,
    /// A client that has vanished ends the listener.
    DiesOfVanishedClient,
    /// A dropped listener goes on listening.
    ListensForEver,
    /// A refused connect is tried again, for ever.
    RetriesForEver,
    /// Options are ignored.
    IgnoresOptions,
    /// An abort is not passed on, but is answered as if it was.
    SwallowsAborts,
    /// The reset comes when both halves are dropped.
    AbortsWhenDropped,
    /// An abort finishes, and claims a reset.
    CallsAnEndAReset,
    /// An abort finishes, and the other half goes on.
    AbortsOneHalf,
    /// A finish goes well after an abort.
    FinishesAborted,
    /// An abort on drop ends in order, and claims a reset.
    DropsInOrder,
    /// The sending half says that it carries datagrams.
    SendsDatagrams,
}

/// Each defect, the law that it breaks, and the words of the violation.
pub(crate) const CASES: &[(Defect, &str, &str)] = &[
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
        Defect::LosesBatches,
        "a_batch_brings_the_same_bytes",
        "of 200000 bytes came",
    ),
    (
        Defect::HalfDuplex,
        "a_waiting_reader_does_not_stop_the_writer",
        "nothing happened",
    ),
    (
        Defect::SendsAfterFinish,
        "nothing_is_sent_after_finish",
        "went well",
    ),
    (
        Defect::ListensElsewhere,
        "a_listener_is_where_it_says",
        "nobody listens there",
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
        "a_send_counts_the_bytes_that_it_took",
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
        "a_dropped_listener_releases_waiting_clients",
        "nothing happened",
    ),
    (
        Defect::RetriesForEver,
        "connecting_without_a_listener_fails_at_once",
        "nothing happened",
    ),
    (
        Defect::IgnoresOptions,
        "an_unknown_option_is_refused_by_name",
        "was not refused",
    ),
    (
        Defect::SwallowsAborts,
        "an_abort_is_seen_as_answered",
        "nothing happened",
    ),
    (
        Defect::AbortsWhenDropped,
        "an_abort_is_seen_as_answered",
        "nothing happened",
    ),
    (
        Defect::SwallowsAborts,
        "nothing_comes_after_an_abort",
        "nothing happened",
    ),
    (
        Defect::SwallowsAborts,
        "an_abort_does_not_wait_for_a_stopped_sender",
        "nothing happened",
    ),
    (
        Defect::CallsAnEndAReset,
        "an_abort_is_seen_as_answered",
        "the answer was a reset, and an end came",
    ),
    (
        Defect::CallsAnEndAReset,
        "an_abort_after_finish_is_seen_as_answered",
        "the answer was a reset, and an end came",
    ),
    (
        Defect::AbortsOneHalf,
        "an_abort_ends_both_halves",
        "nothing happened",
    ),
    (
        Defect::FinishesAborted,
        "a_finish_after_an_abort_fails",
        "a finish went well after an abort",
    ),
    (
        Defect::DropsInOrder,
        "a_dropped_socket_ends_as_answered",
        "the answer was Reset, and the peer saw",
    ),
    (
        Defect::SendsDatagrams,
        "every_form_is_a_stream",
        "a half: Datagram",
    ),
];
