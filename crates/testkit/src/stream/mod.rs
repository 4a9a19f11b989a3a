//! The laws of stream transports: whoever implements [`Transport`] for a stream runs them against it.
//!
//! ```
//! use socketry_transport::MemTransport;
//!
//! socketry_testkit::stream_laws!(mem, Subject::new(MemTransport::default(), "mem://*")
//!     .except("options_applied_are_read_back", "they are the listener's, not a socket's"));
//! # fn main() {}
//! ```
//!
//! gives one test for each of the [`LAWS`]: `mem::bytes_arrive_in_order_and_whole` and so on. What a transport cannot do
//! is declared at its [`Subject`]; nothing is passed over in silence. A [`Law`] can also be checked by a program of one's
//! own: [`Law::check`].

mod bytes;
mod cancel;
mod connect;
mod duplex;
mod end;
mod forms;
mod gone;
mod law;
mod listen;
mod pattern;
mod pressure;
mod steps;
mod subject;
mod verdict;
mod wake;

use std::pin::Pin;

pub use law::{Law, Violation, require};
pub use subject::Subject;

use socketry_transport::Transport;

use verdict::Verdict;

/// One `#[test]` for each law of stream transports, in a module of the name given.
///
/// The second argument is an expression that makes a [`Subject`](crate::stream::Subject); it is evaluated for each test, so that
/// each has a listener of its own. It sees what is around the call, and `Subject`.
#[macro_export]
macro_rules! stream_laws {
    ($name:ident, $subject:expr $(,)?) => {
        $crate::__stream_laws! { __stream_tests $name $subject }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __stream_tests {
    ({ $name:ident $subject:expr } $($(#[doc = $statement:literal])+ $file:ident::$law:ident,)*) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use $crate::stream::Subject;

            $(
                #[test]
                fn $law() {
                    $crate::stream::require(stringify!($law), &$subject);
                }
            )*
        }
    };
}

macro_rules! __stream_table {
    ({} $($(#[doc = $statement:literal])+ $file:ident::$law:ident,)*) => {
        /// Every law of stream transports, by name:
        ///
        $(
            #[doc = concat!("* `", stringify!($law), "`:", $($statement),+)]
        )*
        pub const LAWS: &[Law] = &[$(Law::new(stringify!($law), concat!($($statement),+)),)*];

        /// The law of that name, at work on `subject`.
        fn at_work<T: Transport>(
            law: &str,
            subject: Subject<T>,
        ) -> Pin<Box<dyn Future<Output = Verdict> + Send>> {
            match law {
                $(stringify!($law) => Box::pin($file::$law(subject)),)*
                other => panic!("there is no law {other}"),
            }
        }
    };
}

/// The one list of laws: what each says, the file it is in, and its name.
#[doc(hidden)]
#[macro_export]
macro_rules! __stream_laws {
    ($make:ident $($with:tt)*) => {
        $crate::__stream_make! { $make { $($with)* }
            /// what is sent arrives in order and whole, whatever the sizes of sends and receives
            bytes::bytes_arrive_in_order_and_whole,
            /// the parts of one send arrive as one run of bytes, empty ones and many of them included
            bytes::parts_arrive_as_one_run,
            /// sending nothing is not an end, and moves nothing
            bytes::an_empty_send_says_nothing,
            /// a buffer without room receives nothing, and never the end
            bytes::an_empty_buffer_is_not_the_end,
            /// what does not fit into a small buffer comes with the next receive, and what a buffer holds stays
            bytes::a_small_buffer_leaves_the_rest,
            /// batches bring the same bytes as single receives
            bytes::a_batch_brings_the_same_bytes,
            /// what was sent and flushed arrives without anything after it
            bytes::question_and_answer_take_turns,
            /// much more than the buffers hold flows both ways at once, over sockets that one task polls
            duplex::both_directions_flow_at_once,
            /// the halves of a socket serve two tasks
            duplex::halves_serve_two_tasks,
            /// dropping a half tells the peer nothing, and the other half goes on
            duplex::dropping_a_half_is_silent,
            /// while one half waits to receive, the other sends
            duplex::a_waiting_reader_does_not_stop_the_writer,
            /// a reader and a writer of one socket wait apart: each is woken by what it waits for
            duplex::a_reader_and_a_writer_wait_apart,
            /// after the end every receive gives the end
            end::the_end_is_for_ever,
            /// finishing delivers all that was sent before, flushed or not
            end::finish_delivers_all_that_was_sent,
            /// after a half-close the other direction goes on to its own end
            end::a_half_close_leaves_the_other_direction,
            /// finishing again is harmless, and sending after it fails
            end::nothing_is_sent_after_finish,
            /// dropping a socket ends the peer's stream, after the last byte
            end::dropping_a_socket_ends_the_peers_stream,
            /// a reader that waits is woken by data
            wake::data_wakes_a_reader,
            /// a reader that waits is woken by the end
            wake::the_end_wakes_a_reader,
            /// a reader that waits is woken when the peer breaks off
            wake::a_reset_wakes_a_reader,
            /// the task that polled last is the one that is woken
            wake::the_last_task_to_wait_is_woken,
            /// a peer that does not read stops the sender within a bound
            pressure::a_peer_that_does_not_read_stops_the_sender,
            /// a sender that was stopped is woken when the peer reads
            pressure::reading_wakes_a_stopped_sender,
            /// what a send says it took is what arrives, no more and no less
            pressure::a_send_counts_what_it_took,
            /// sending to a peer that is gone fails with a kind that says so, and receiving from it ends
            gone::a_send_to_a_closed_peer_fails,
            /// sending to a peer that is gone raises no signal
            gone::a_send_to_a_closed_peer_raises_no_signal,
            /// a sender that was stopped is woken when the peer vanishes
            gone::a_vanished_peer_wakes_a_stopped_sender,
            /// a receive that is dropped while it waits loses nothing
            cancel::a_cancelled_receive_loses_nothing,
            /// a send that is dropped while it waits has sent nothing
            cancel::a_cancelled_send_sends_nothing,
            /// an accept that is dropped while it waits loses nobody
            cancel::a_cancelled_accept_loses_nobody,
            /// a connect that is dropped leaves nothing open and disturbs nobody
            cancel::a_cancelled_connect_leaves_nothing,
            /// a listener can be reached where it says it listens
            listen::a_listener_is_where_it_says,
            /// what one end calls local the other calls peer
            listen::both_ends_name_each_other,
            /// a hundred connections at once do not mix
            listen::many_connections_do_not_mix,
            /// clients that connect and vanish do not stop the listener
            listen::a_vanished_client_does_not_stop_the_listener,
            /// what a client sent before it was accepted arrives, even if it is gone
            listen::bytes_sent_before_the_accept_arrive,
            /// a dropped listener refuses newcomers, and its sockets live on
            listen::a_dropped_listener_refuses_and_its_sockets_live_on,
            /// who waits to be accepted learns that the listener is gone
            listen::a_dropped_listener_lets_go_of_who_waits,
            /// a place is taken while a listener has it, and free again afterwards
            listen::a_place_has_one_listener,
            /// connecting to nobody fails at once, in words that name the endpoint
            connect::connecting_to_nobody_fails_at_once,
            /// where there is a connect timeout, it fires
            connect::a_connect_timeout_fires,
            /// an option that is unknown is refused by name, and those that there are are listed
            connect::an_unknown_option_is_refused_by_name,
            /// an option that was given is one that the socket has
            connect::options_applied_are_read_back,
            /// both ends and all their halves are streams and know the same endpoints
            forms::every_form_is_a_stream,
            /// erased sockets do what the sockets inside do
            forms::erased_and_generic_forms_behave_alike,
            /// the way through `AsyncRead` and `AsyncWrite` and back changes nothing
            forms::async_read_and_write_change_nothing,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __stream_make {
    (__stream_tests $($rest:tt)*) => { $crate::__stream_tests! { $($rest)* } };
    (__stream_table $($rest:tt)*) => { __stream_table! { $($rest)* } };
}

__stream_laws! { __stream_table }
