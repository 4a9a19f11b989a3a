//! What can be broken, and the law that finds it.

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
    /// What a batch receives is lost.
    LosesBatches,
    /// While a receive waits, nothing is sent.
    HalfDuplex,
    /// The end is told once.
    EndsOnce,
    /// Finishing throws away what was not flushed.
    FinishDrops,
    /// Sending after finishing goes well.
    SendsAfterFinish,
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
    /// The listener says that it is elsewhere.
    ListensElsewhere,
    /// A client that vanished ends the listener.
    DiesOfVanishedClient,
    /// A dropped listener goes on listening.
    ListensForEver,
    /// A connect that is refused is tried again, for ever.
    RetriesForEver,
    /// What is asked for by options is not looked at.
    IgnoresOptions,
    /// An abort is not passed on, and is answered as if it were.
    SwallowsAborts,
    /// The reset comes when both halves are dropped.
    AbortsWhenDropped,
    /// An abort just finishes, and says that it resets.
    CallsAnEndAReset,
    /// An abort just finishes, and the other half goes on.
    AbortsOneHalf,
    /// What is to break off when it is dropped ends in order, and says that it does not.
    DropsInOrder,
    /// The sending half says that it carries datagrams.
    SendsDatagrams,
}

/// Each defect, the law that it breaks, and what that law must say.
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
        Defect::DropsInOrder,
        "what_is_dropped_is_seen_as_answered",
        "the answer was Reset, and the peer saw",
    ),
    (
        Defect::SendsDatagrams,
        "every_form_is_a_stream",
        "a half: Datagram",
    ),
];
