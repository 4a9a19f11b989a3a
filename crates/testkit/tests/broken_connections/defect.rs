//! What can be broken, and the law that finds it.

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Nothing.
    None,
    /// The end that accepted never gets a stream opened.
    OpensOneWay,
    /// Of two streams that wait the later is accepted first.
    AcceptsLastFirst,
    /// Every peer is called by the name of this end.
    NamesItself,
    /// A task that waits to accept is never woken.
    ForgetsAccepters,
    /// The streams of one end carry what another said.
    MixesStreams,
    /// A stream that is stopped stops all of its end.
    SharesWindow,
    /// Everything that is sent is taken, whoever reads it.
    TakesEverything,
    /// Finishing closes the other direction too.
    FinishClosesBoth,
    /// Sending after finishing goes well.
    SendsAfterFinish,
    /// A stream that is dropped takes its connection with it.
    DropEndsAll,
    /// The code of an abort is not told.
    HidesAborts,
    /// Finishing a stream goes well, even if the peer aborted it.
    FinishesAborted,
    /// Finishing a stream goes well, even if its connection was closed.
    FinishesClosed,
    /// A stream that is aborted takes its connection with it.
    AbortsAll,
    /// What the URL says of streams is not looked at.
    IgnoresLimits,
    /// A task that waits to open is never woken.
    ForgetsOpeners,
    /// The end that accepted opens nothing while the other has some open.
    SharesPlaces,
    /// A stream that comes after an accept has waited is lost.
    LosesStreams,
    /// An open that waits goes on when it is dropped.
    LeaksOpens,
    /// A clone accepts nothing.
    CloneIsDeaf,
    /// Of several tasks that wait to accept the last is woken, once.
    WakesOneAccepter,
    /// A handle that is dropped closes the connection.
    AnyHandleCloses,
    /// The last handle that is dropped closes, streams or not.
    HandlesCountAlone,
    /// Nothing that is dropped closes.
    NeverCloses,
    /// A connection gives one stream and then ends.
    AcceptsOne,
    /// The reason of a close is not told.
    HidesReason,
    /// A stream that a close cut off reads as ended.
    CloseEndsStreams,
    /// After an orderly close accepting fails.
    OrderlyIsAnError,
    /// Opening after a close waits for ever.
    OpensForEver,
    /// The second close counts.
    SecondCloseCounts,
    /// One connection serves all who connect.
    SharesConnections,
    /// A connection that comes after the listener has waited is lost.
    LosesConnections,
    /// A dropped listener goes on listening.
    ListensForEver,
    /// Of a datagram its first hundred bytes are sent.
    CutsDatagrams,
    /// Datagrams that are too long seem to be sent.
    TakesLongDatagrams,
    /// Datagrams wait for their receiver.
    DatagramsWait,
    /// A task that waits for a datagram is never woken.
    ForgetsReceivers,
}

/// Each defect, the law that it breaks, and what that law must say.
pub(crate) const CASES: &[(Defect, &str, &str)] = &[
    (
        Defect::OpensOneWay,
        "either_end_opens_streams",
        "opening: nothing happened",
    ),
    (
        Defect::AcceptsLastFirst,
        "streams_are_accepted_in_order",
        "stream 0: what a stream brought",
    ),
    (
        Defect::NamesItself,
        "both_ends_name_each_other",
        "the client's peer",
    ),
    (
        Defect::ForgetsAccepters,
        "an_accept_is_woken",
        "a task that waits to accept: nothing happened",
    ),
    (
        Defect::MixesStreams,
        "streams_do_not_mix",
        "what a stream brought",
    ),
    (
        Defect::SharesWindow,
        "a_stream_that_is_not_read_blocks_no_other",
        "sending: nothing happened",
    ),
    (
        Defect::TakesEverything,
        "a_stream_that_is_not_read_blocks_no_other",
        "wait for a reader that does not read",
    ),
    (
        Defect::FinishClosesBoth,
        "a_half_close_is_one_directions",
        "End after 0 of 10 bytes",
    ),
    (
        Defect::SendsAfterFinish,
        "a_half_close_is_one_directions",
        "whether sending after finishing fails",
    ),
    (
        Defect::DropEndsAll,
        "dropping_a_stream_ends_it_alone",
        "closed the connection",
    ),
    (
        Defect::HidesAborts,
        "an_abort_tells_its_code",
        "what the reader learns",
    ),
    (
        Defect::FinishesAborted,
        "a_stream_that_the_peer_aborted_is_not_finished",
        "finishing after the peer's abort: it went well",
    ),
    (
        Defect::FinishesClosed,
        "a_stream_that_a_close_cut_off_is_not_finished",
        "finishing after the peer's close: it went well",
    ),
    (
        Defect::AbortsAll,
        "an_abort_tells_its_code",
        "closed the connection",
    ),
    (
        Defect::IgnoresLimits,
        "an_opener_waits_for_a_place",
        "opening one more: it did not wait",
    ),
    (
        Defect::ForgetsOpeners,
        "an_opener_waits_for_a_place",
        "an opener when a stream is gone: nothing happened",
    ),
    (
        Defect::IgnoresLimits,
        "streams_that_wait_to_be_accepted_count",
        "opening more than may wait: it did not wait",
    ),
    (
        Defect::SharesPlaces,
        "each_end_has_places_of_its_own",
        "opening: nothing happened",
    ),
    (
        Defect::LosesStreams,
        "a_cancelled_accept_loses_no_stream",
        "accepting: nothing happened",
    ),
    (
        Defect::LeaksOpens,
        "a_cancelled_open_takes_no_place",
        "accepting when no open is left: it did not wait",
    ),
    (
        Defect::CloneIsDeaf,
        "a_clone_is_the_same_connection",
        "accepting: nothing happened",
    ),
    (
        Defect::WakesOneAccepter,
        "two_tasks_wait_for_streams",
        "each of two that wait for streams: nothing happened",
    ),
    (
        Defect::AnyHandleCloses,
        "dropping_a_handle_is_silent",
        "accepting when a clone went: it did not wait",
    ),
    (
        Defect::HandlesCountAlone,
        "streams_keep_their_connection",
        "accepting while a stream is left: it did not wait",
    ),
    (
        Defect::NeverCloses,
        "the_last_to_go_closes_in_order",
        "who waits to accept: nothing happened",
    ),
    (
        Defect::AcceptsOne,
        "what_was_opened_before_the_last_went_arrives",
        "accepting: the connection ended",
    ),
    (
        Defect::HidesReason,
        "a_close_tells_code_and_reason",
        "what accepting tells",
    ),
    (
        Defect::CloseEndsStreams,
        "a_close_is_not_the_end_of_a_stream",
        "a stream that was cut off reads as End",
    ),
    (
        Defect::OrderlyIsAnError,
        "an_orderly_close_ends_accepting",
        "accepting after a close: ",
    ),
    (
        Defect::OpensForEver,
        "nothing_opens_after_a_close",
        "opening: nothing happened",
    ),
    (
        Defect::SecondCloseCounts,
        "only_the_first_close_counts",
        "code: 259",
    ),
    (
        Defect::ForgetsOpeners,
        "a_close_wakes_all_that_wait",
        "who waits to open: nothing happened",
    ),
    (
        Defect::SharesConnections,
        "connections_do_not_mix",
        "accepting a connection: nothing happened",
    ),
    (
        Defect::LosesConnections,
        "a_cancelled_accept_loses_no_connection",
        "accepting a connection: nothing happened",
    ),
    (
        Defect::ListensForEver,
        "a_dropped_listener_refuses_and_its_connections_live_on",
        "whether a newcomer is refused",
    ),
    (
        Defect::CutsDatagrams,
        "datagrams_arrive_whole",
        "what a datagram brought",
    ),
    (
        Defect::TakesLongDatagrams,
        "a_datagram_that_is_too_long_is_refused",
        "it went well",
    ),
    (
        Defect::DatagramsWait,
        "a_flood_of_datagrams_holds_up_nobody",
        "sending a datagram: nothing happened",
    ),
    (
        Defect::ForgetsReceivers,
        "a_close_ends_datagrams",
        "who waits for a datagram: nothing happened",
    ),
];
