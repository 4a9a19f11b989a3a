//! The laws of a transport of messages (WebSocket, packets with an end), to run against your own.
//!
//! Such a transport keeps boundaries as datagrams do, and everything else is as over a stream. So
//! most of its laws are those of [streams](crate::stream), which fit their sends and receives to
//! the length of a message. The laws of boundaries are those of [datagrams](crate::datagram). Only
//! what follows of both together is here.
//!
//! ```
//! # #[cfg(target_os = "linux")]
//! # mod example {
//! use socketry_testkit::{Places, message::Subject};
//! use socketry_transport::{SocketOptions, UnixSeqpacketTransport};
//!
//! fn packets() -> Subject<UnixSeqpacketTransport> {
//!     let places = Places::new();
//!     let at = places.free("unix-seqpacket");
//!     Subject::new(UnixSeqpacketTransport::default(), at)
//!         .reads_back(&[("send_buffer", "32KiB")], |socket| SocketOptions::read_back(socket))
//!         .keeping(places)
//! }
//!
//! socketry_testkit::message_laws!(unix_seqpacket, packets());
//! # }
//! # fn main() {}
//! ```
//!
//! gives one test for each of the [laws]: `unix_seqpacket::boundaries_are_kept` and so on.

mod boundaries;
mod forms;

use socketry_transport::Transport;

use crate::law::Law;
pub use crate::stream::Subject;
use crate::stream::{abort, block_on, cancel, connect, duplex, end, gone, listen, pressure, wake};

/// The laws of transports of messages, each named once: `$then! { $given… idea::law "statement", …
/// }`.
#[doc(hidden)]
#[macro_export]
macro_rules! __message_laws {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! { $($given)*
            boundaries::boundaries_are_kept
                "Messages of any length, from nothing to the longest, arrive whole and alone.",
            boundaries::parts_are_one_message
                "All parts of one send are one message, also many parts, empty ones, or none.",
            boundaries::one_byte_too_many_is_refused
                "A message above the limit is refused by its name, nothing of it is sent, and the socket goes on.",
            boundaries::an_empty_message_is_no_end
                "An empty message arrives, in any place, and is not the end; the end behind it is.",
            boundaries::a_cut_is_reported
                "A message that does not fit is reported as cut, and the next one is whole.",
            boundaries::a_buffer_without_room_takes_nothing
                "A buffer without room takes no message, and never the end.",
            boundaries::the_room_that_is_asked_for_is_enough
                "No message is cut in the room that the receiver asks for, alone and in a batch.",
            boundaries::a_batch_brings_whole_messages
                "Batches bring the same messages as single receives, each whole.",
            boundaries::a_message_that_is_upcoming_comes
                "A message that is said to be here has the length that was said.",
            boundaries::all_arrive_in_order_under_pressure
                "Many messages, faster than they are read, all arrive, each once and in order.",
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
                "Finishing delivers all that was sent before, flushed or not.",
            end::a_half_close_leaves_the_other_direction
                "After a half-close the other direction goes on to its own end.",
            end::nothing_is_sent_after_finish
                "Finishing again is harmless, and sending after it fails.",
            end::dropping_a_socket_ends_the_peers_stream
                "Dropping a socket ends what the peer receives, after the last message.",
            wake::data_wakes_a_reader
                "A reader that waits is woken by a message.",
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
                "What a client sent before it was accepted arrives, even if it is gone.",
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
            forms::every_form_carries_messages
                "Both ends and all their halves carry messages and know the same endpoints.",
            forms::erased_and_generic_forms_behave_alike
                "Erased sockets behave as the sockets inside.",
        }
    };
}

macro_rules! table {
    ($($idea:ident :: $law:ident $statement:literal,)*) => {
        struct Laws<T>(std::marker::PhantomData<T>);

        impl<T: Transport> Laws<T> {
            const ALL: &'static [Law<Subject<T>>] = &[$(Law::new(
                stringify!($law),
                $statement,
                |subject| match subject.is_excepted(stringify!($law)) {
                    true => Ok(()),
                    false => block_on($idea::$law(subject.clone())),
                },
            )),*];
        }

        /// All laws of transports of messages:
        $(#[doc = concat!("* `", stringify!($law), "`: ", $statement)])*
        pub fn laws<T: Transport>() -> &'static [Law<Subject<T>>] {
            Laws::ALL
        }
    };
}

__message_laws! { [table] }

/// The law of this name.
///
/// # Panics
/// If there is none.
pub fn law<T: Transport>(name: &str) -> Law<Subject<T>> {
    let found = laws().iter().find(|law| law.name() == name);
    *found.unwrap_or_else(|| panic!("there is no law {name} for messages"))
}

/// A module of this name with one `#[test]` for each of the [laws of transports of
/// messages](crate::message::laws), run against this [`Subject`](crate::message::Subject). The
/// second argument is an expression, which each test evaluates anew, so that each has a listener of
/// its own. The [module](crate::message) has an example.
#[macro_export]
macro_rules! message_laws {
    ($module:ident, $subject:expr $(,)?) => {
        $crate::__message_laws! { [$crate::__law_tests] ($module, message, $subject) }
    };
}
