//! The laws of a stream transport, to run against your own.
//!
//! ```
//! use socketry_testkit::stream::Subject;
//! use socketry_transport::MemTransport;
//!
//! socketry_testkit::stream_laws!(mem, Subject::new(MemTransport::default(), "mem://*")
//!     .except("options_applied_are_read_back", "such a socket has no descriptor to ask"));
//! # fn main() {}
//! ```
//!
//! gives one test for each of the [laws]: `mem::bytes_arrive_in_order_and_whole` and so on. A
//! transport declares at its [`Subject`] what it cannot do; no law is skipped silently. Your own
//! program can also check a [`Law`]: [`Law::check`].

pub(crate) mod abort;
mod bytes;
pub(crate) mod cancel;
pub(crate) mod connect;
pub(crate) mod duplex;
pub(crate) mod end;
pub(crate) mod forms;
pub(crate) mod gone;
pub(crate) mod listen;
pub(crate) mod pattern;
pub(crate) mod pressure;
pub(crate) mod steps;
mod subject;
pub(crate) mod verdict;
pub(crate) mod wake;

pub use subject::Subject;

use socketry_transport::Transport;
use tokio::runtime::Builder;

use crate::law::{self, Law};
use verdict::Verdict;

/// The laws of stream transports, each named once: `$then! { $given… idea::law "statement", … }`.
#[doc(hidden)]
#[macro_export]
macro_rules! __stream_laws {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! { $($given)*
            bytes::bytes_arrive_in_order_and_whole
                "Bytes arrive in order and whole, whatever the sizes of sends and receives.",
            bytes::parts_arrive_as_one_run
                "The parts of one send arrive as one run of bytes, also many parts or empty ones.",
            bytes::an_empty_send_says_nothing
                "Sending nothing is not an end, and moves nothing.",
            bytes::an_empty_buffer_is_not_the_end
                "A buffer without room receives nothing, and never the end.",
            bytes::a_small_buffer_leaves_the_rest
                "Bytes that do not fit a buffer come with the next receive; those in it stay.",
            bytes::a_batch_brings_the_same_bytes
                "Batches bring the same bytes as single receives.",
            bytes::question_and_answer_take_turns
                "Bytes that were sent and flushed arrive without any after them.",
            duplex::both_directions_flow_at_once
                "More than the buffers hold flows both ways at once, polled by one task.",
            duplex::halves_serve_two_tasks
                "The halves of a socket serve two tasks.",
            duplex::dropping_a_half_is_silent
                "Dropping a half sends nothing, and the other half goes on.",
            duplex::a_waiting_reader_does_not_stop_the_writer
                "While one half waits to receive, the other sends.",
            duplex::a_reader_and_a_writer_wait_apart
                "A reader and a writer of one socket wait apart: each is woken for its own event.",
            end::the_end_is_for_ever
                "After the end every receive gives the end.",
            end::finish_delivers_all_that_was_sent
                "Finishing delivers all bytes that were sent before, flushed or not.",
            end::a_half_close_leaves_the_other_direction
                "After a half-close the other direction goes on to its own end.",
            end::nothing_is_sent_after_finish
                "Finishing again is harmless, and sending after it fails.",
            end::dropping_a_socket_ends_the_peers_stream
                "Dropping a socket ends the peer's stream, after the last byte.",
            wake::data_wakes_a_reader
                "A reader that waits is woken by data.",
            wake::the_end_wakes_a_reader
                "A reader that waits is woken by the end.",
            wake::a_reset_wakes_a_reader
                "A reader that waits is woken when the peer breaks off.",
            wake::the_last_task_to_wait_is_woken
                "The task that polled last is the one that is woken.",
            abort::an_abort_is_seen_as_answered
                "After an abort the peer sees the end that was answered, also if a half is kept.",
            abort::an_abort_ends_both_halves
                "An abort wakes the receive that waits, ends sending, and may be repeated.",
            abort::nothing_comes_after_an_abort
                "After an abort comes at most what had arrived, and then an end or an error.",
            abort::an_abort_does_not_wait_for_a_stopped_sender
                "An abort breaks off what a peer does not read.",
            abort::an_abort_after_finish_is_seen_as_answered
                "An abort after the end is answered with what the peer sees, too.",
            abort::a_finish_after_an_abort_fails
                "An aborted connection cannot be finished, and is seen as was answered.",
            abort::a_dropped_socket_ends_as_answered
                "A socket that is to break off when it is dropped is seen as was answered.",
            pressure::a_peer_that_does_not_read_stops_the_sender
                "A peer that does not read stops the sender within a bound.",
            pressure::reading_wakes_a_stopped_sender
                "A sender that was stopped is woken when the peer reads.",
            pressure::a_send_counts_the_bytes_that_it_took
                "Exactly the bytes that a send reports as taken arrive.",
            gone::a_send_to_a_closed_peer_fails
                "Sending to a peer that is gone fails with a fitting kind, and receiving ends.",
            gone::a_send_to_a_closed_peer_raises_no_signal
                "Sending to a peer that is gone raises no signal.",
            gone::a_vanished_peer_wakes_a_stopped_sender
                "A sender that was stopped is woken when the peer vanishes.",
            cancel::a_cancelled_receive_loses_nothing
                "A receive that is dropped while it waits loses nothing.",
            cancel::a_cancelled_send_sends_nothing
                "A send that is dropped while it waits has sent nothing.",
            cancel::a_cancelled_accept_loses_no_client
                "An accept that is dropped while it waits loses no client.",
            cancel::a_cancelled_connect_leaves_nothing
                "A connect that is dropped leaves nothing open and disturbs no other.",
            listen::a_listener_is_where_it_says
                "A listener can be reached where it says it listens.",
            listen::both_ends_name_each_other
                "What one end calls local the other calls peer.",
            listen::many_connections_do_not_mix
                "A hundred connections at once do not mix.",
            listen::a_vanished_client_does_not_stop_the_listener
                "Clients that connect and vanish do not stop the listener.",
            listen::bytes_sent_before_the_accept_arrive
                "Bytes that a client sent before it was accepted arrive, even if it is gone.",
            listen::a_dropped_listener_refuses_and_its_sockets_live_on
                "A dropped listener refuses newcomers, and its sockets live on.",
            listen::a_dropped_listener_releases_waiting_clients
                "A client that waits to be accepted learns that the listener is gone.",
            listen::a_place_has_one_listener
                "An address is taken while a listener has it, and free again afterwards.",
            connect::connecting_without_a_listener_fails_at_once
                "Connecting without a listener fails at once, in words that name the endpoint.",
            connect::a_connect_timeout_fires
                "Where there is a connect timeout, it fires.",
            connect::an_unknown_option_is_refused_by_name
                "An unknown option is refused by name, and the known ones are listed.",
            connect::options_applied_are_read_back
                "A socket has the options that it was given.",
            forms::every_form_is_a_stream
                "Both ends and all their halves are streams and know the same endpoints.",
            forms::erased_and_generic_forms_behave_alike
                "Erased sockets behave as the sockets inside.",
            forms::async_read_and_write_change_nothing
                "The way through `AsyncRead` and `AsyncWrite` and back changes nothing.",
        }
    };
}

macro_rules! table {
    ($($idea:ident :: $law:ident $statement:literal,)*) => {
        impl<T: Transport> Subject<T> {
            const LAWS: &'static [Law<Self>] = &[$(Law::new(
                stringify!($law),
                $statement,
                |subject| match subject.is_excepted(stringify!($law)) {
                    true => Ok(()),
                    false => block_on($idea::$law(subject.clone())),
                },
            )),*];
        }

        /// All laws of stream transports:
        $(#[doc = concat!("* `", stringify!($law), "`: ", $statement)])*
        pub fn laws<T: Transport>() -> &'static [Law<Subject<T>>] {
            Subject::LAWS
        }
    };
}

__stream_laws! { [table] }

/// The law of this name.
///
/// # Panics
/// If there is none.
pub fn law<T: Transport>(name: &str) -> Law<Subject<T>> {
    let found = laws().iter().find(|law| law.name() == name);
    *found.unwrap_or_else(|| panic!("there is no law {name} for streams"))
}

/// Runs a law on two worker threads, so that both ends of a connection may run at once.
pub(crate) fn block_on(law: impl Future<Output = Verdict>) -> law::Verdict {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let verdict = runtime.block_on(law);
    // Tasks that the transport left running must not delay the test.
    runtime.shutdown_background();
    verdict.map_err(|failure| failure.to_string())
}

/// A module of this name with one `#[test]` for each of the [laws of stream
/// transports](crate::stream::laws), run against this [`Subject`](crate::stream::Subject). The
/// second argument is an expression, which each test evaluates anew, so that each has a listener of
/// its own.
///
/// ```
/// use socketry_testkit::stream::Subject;
/// use socketry_transport::{SocketOptions, TcpTransport};
///
/// socketry_testkit::stream_laws!(tcp, Subject::new(TcpTransport::default(), "tcp://127.0.0.1:0")
///     .without_listener_at("tcp://127.0.0.1:1")
///     .reads_back(&[("ttl", "7")], |socket| SocketOptions::read_back(socket)));
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! stream_laws {
    ($module:ident, $subject:expr $(,)?) => {
        $crate::__stream_laws! { [$crate::__law_tests] ($module, stream, $subject) }
    };
}
