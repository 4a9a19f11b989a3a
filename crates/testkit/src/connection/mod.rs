//! The laws of connections with many streams, to run against a transport of your own.
//!
//! ```
//! use socketry_testkit::connection::Subject;
//! use socketry_transport::MemMux;
//!
//! socketry_testkit::connection_laws!(mem_mux, Subject::new(MemMux::new(), "mem-mux://*")
//!     .limited("mem-mux://*?streams=3", 3));
//! # fn main() {}
//! ```
//!
//! gives one test for each of the [laws]: `mem_mux::either_end_opens_streams` and so on. What a
//! transport cannot do is declared at its [`Subject`]; nothing is passed over in silence. That each
//! stream is a socket like any other is for the laws of [`stream`](crate::stream), over
//! [`Streams`](socketry_transport::Streams).

mod cancel;
mod closing;
mod datagrams;
mod handles;
mod limits;
mod listening;
mod opening;
mod steps;
mod streams;
mod subject;

pub use subject::Subject;

use socketry_transport::MuxTransport;
use tokio::runtime::Builder;

use crate::law::{Law, Verdict};

/// The laws of connections, each named once: `$then! { $given… idea::law "statement", … }`.
#[doc(hidden)]
#[macro_export]
macro_rules! __connection_laws {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! { $($given)*
            opening::either_end_opens_streams
                "Either end opens streams, and the other accepts them.",
            opening::streams_are_accepted_in_order
                "Streams are accepted in the order in which they were opened.",
            opening::both_ends_name_each_other
                "What one end calls local the other calls peer, and so do their streams.",
            opening::an_accept_is_woken
                "A task that waits to accept is woken by a stream.",
            streams::streams_do_not_mix
                "Many streams at once, opened by both ends, carry each its own bytes.",
            streams::a_stream_that_is_not_read_blocks_no_other
                "A stream that is not read stops its sender within a bound, and no other stream.",
            streams::a_half_close_is_one_directions
                "Finishing a stream ends that direction, and neither the other nor another stream.",
            streams::dropping_a_stream_ends_it_alone
                "Dropping a stream ends it after its last byte, and no other stream.",
            streams::an_abort_tells_its_code
                "Aborting a stream tells the peer its code, and disturbs no other stream.",
            streams::a_stream_that_the_peer_aborted_is_not_finished
                "Finishing a stream that the peer has aborted fails.",
            limits::an_opener_waits_for_a_place
                "With as many streams open as the peer allows, the opener waits until one is gone.",
            limits::streams_that_wait_to_be_accepted_count
                "Streams that nobody has accepted count, so what a peer can make wait is bounded.",
            limits::each_end_has_places_of_its_own
                "The streams that one end opens take no place from those of the other.",
            cancel::a_cancelled_accept_loses_no_stream
                "An accept that is dropped while it waits loses no stream.",
            cancel::a_cancelled_open_takes_no_place
                "An open that is dropped while it waits takes no place.",
            handles::a_clone_is_the_same_connection
                "A clone of a handle opens and accepts streams of the same connection.",
            handles::two_tasks_wait_for_streams
                "Two tasks that wait to accept each get a stream, even if one is cancelled.",
            handles::dropping_a_handle_is_silent
                "Dropping a handle while another is left disturbs nothing.",
            handles::streams_keep_their_connection
                "Streams go on when all handles of their end are dropped.",
            handles::the_last_to_go_closes_in_order
                "When an end drops its last handle and stream, the peer sees an orderly close.",
            handles::what_was_opened_before_the_last_went_arrives
                "Streams that were opened and finished before the last handle went arrive whole.",
            closing::a_close_tells_code_and_reason
                "A close tells the peer its code and its reason: who accepts, opens and reads.",
            closing::a_close_is_not_the_end_of_a_stream
                "A stream that a close cut off does not read as ended.",
            closing::a_stream_that_a_close_cut_off_is_not_finished
                "Finishing a stream of a closed connection fails, with the close, at both ends.",
            closing::an_orderly_close_ends_accepting
                "After a close with code 0 accepting gives none, at both ends and each time.",
            closing::nothing_opens_after_a_close
                "After a close neither end opens a stream.",
            closing::only_the_first_close_counts
                "Closing again changes nothing.",
            closing::a_close_wakes_all_that_wait
                "A close wakes who waits to open, to accept, to read and to send.",
            listening::connections_do_not_mix
                "Several connections at once do not mix.",
            listening::a_cancelled_accept_loses_no_connection
                "An accept of a listener that is dropped while it waits loses no connection.",
            listening::a_dropped_listener_refuses_and_its_connections_live_on
                "A dropped listener refuses newcomers, and its connections live on.",
            datagrams::datagrams_arrive_whole
                "Datagrams arrive whole, each as one, both ways.",
            datagrams::a_datagram_that_is_too_long_is_refused
                "A datagram above the most that fits is refused, and nothing of it is sent.",
            datagrams::a_flood_of_datagrams_holds_up_nobody
                "Datagrams that nobody receives hold up neither their sender nor a stream.",
            datagrams::a_close_ends_datagrams
                "A close wakes who waits for a datagram.",
        }
    };
}

macro_rules! table {
    ($($idea:ident :: $law:ident $statement:literal,)*) => {
        impl<M: MuxTransport> Subject<M> {
            const LAWS: &'static [Law<Self>] = &[$(Law::new(
                stringify!($law),
                $statement,
                |subject| match subject.is_excepted(stringify!($law)) {
                    true => Ok(()),
                    false => block_on($idea::$law(subject.clone())),
                },
            )),*];
        }

        /// All laws of connections:
        $(#[doc = concat!("* `", stringify!($law), "`: ", $statement)])*
        pub fn laws<M: MuxTransport>() -> &'static [Law<Subject<M>>] {
            Subject::LAWS
        }
    };
}

__connection_laws! { [table] }

/// The law of this name.
///
/// # Panics
/// If there is none.
pub fn law<M: MuxTransport>(name: &str) -> Law<Subject<M>> {
    let found = laws().iter().find(|law| law.name() == name);
    *found.unwrap_or_else(|| panic!("there is no law {name} for connections"))
}

/// Runs a law on two workers, so that the two ends of a connection may truly run at once.
fn block_on(law: impl Future<Output = Verdict>) -> Verdict {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let verdict = runtime.block_on(law);
    // What the transport left running must not keep the test.
    runtime.shutdown_background();
    verdict
}

/// A module of this name with one `#[test]` for each of the [laws of
/// connections](crate::connection::laws), run against this [`Subject`](crate::connection::Subject).
/// The second argument is an expression; each test evaluates it anew.
#[macro_export]
macro_rules! connection_laws {
    ($module:ident, $subject:expr $(,)?) => {
        $crate::__connection_laws! { [$crate::__law_tests] ($module, connection, $subject) }
    };
}
