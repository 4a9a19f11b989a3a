//! The laws of a datagram transport, to run against your own.
//!
//! ```
//! use socketry_testkit::datagram::Subject;
//! use socketry_transport::{SocketOptions, UdpTransport};
//!
//! socketry_testkit::datagram_laws!(udp, Subject::new(UdpTransport::default(), "udp://127.0.0.1:0")
//!     .unconnected(|at| async move { UdpTransport::default().bind(&at).await })
//!     .reads_back(&[("ttl", "7")], SocketOptions::read_back));
//! # fn main() {}
//! ```
//!
//! gives one test for each of the [laws]: `udp::boundaries_are_kept` and so on. A transport
//! declares at its [`Subject`] what it cannot do; no law is skipped silently. Your own program can
//! also check a [`Law`]: [`Law::check`].

pub(crate) mod batches;
pub(crate) mod boundaries;
mod cancelling;
mod flood;
mod forms;
mod idle;
mod options;
mod peers;
mod queues;
mod refusals;
mod senders;
pub(crate) mod steps;
mod subject;
mod table;
mod waiting;

pub use subject::{Erased, Subject};

use socketry_transport::Transport;

use crate::law::{Law, block_on};

/// The laws of datagram transports, each named once: `$then! { $given… idea::law "statement", … }`.
#[doc(hidden)]
#[macro_export]
macro_rules! __datagram_laws {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! { $($given)*
            boundaries::boundaries_are_kept
                "A datagram of any size, from 0 bytes to the limit, arrives whole and alone.",
            boundaries::parts_are_one_datagram
                "The parts of one send are one datagram, in their order.",
            boundaries::one_byte_too_many_is_refused
                "One byte above the limit is an error that names the limit, and nothing is sent.",
            boundaries::an_empty_datagram_is_no_end
                "An empty datagram arrives, and is no end.",
            boundaries::a_cut_is_reported
                "A datagram longer than the buffer is reported as cut, and the next one is whole.",
            boundaries::a_buffer_without_room_takes_nothing
                "A receive without room is neither an end nor a datagram.",
            boundaries::the_room_that_is_asked_for_is_enough
                "A buffer of `recv_room` bytes holds the longest datagram of any peer.",
            batches::batches_carry_the_same_datagrams
                "Batches bring the datagrams that single receives would, in order and none lost.",
            batches::a_batch_grows_and_cuts_nothing
                "A batch keeps what it has, and holds datagrams of any length.",
            batches::a_run_is_its_datagrams
                "A run is sent as datagrams of its size, and only whole ones count as taken.",
            cancelling::a_cancelled_receive_loses_nothing
                "A receive that is dropped while it waits, or once it was woken, loses nothing.",
            cancelling::a_cancelled_send_is_whole_or_nothing
                "A send that is dropped while it waits has sent nothing, and taken ones arrive.",
            cancelling::a_cancelled_accept_loses_no_client
                "An accept that is dropped while it waits, or once it was woken, loses no client.",
            waiting::waiting_costs_nothing
                "A task that waits for bytes, clients or a vanished peer uses no processor time.",
            waiting::a_sender_that_waits_for_room_is_woken
                "A sender to a full queue waits, is woken by room, and all arrives in order.",
            peers::the_ends_are_mirror_images
                "What one end calls local the other calls peer, and so do their halves.",
            peers::each_peer_has_its_own_session
                "Datagrams of many peers that talk at once do not mix, nor do the answers.",
            peers::halves_serve_two_tasks
                "Both halves of a socket work at once, in two tasks.",
            peers::a_half_that_goes_is_silent
                "Finishing or dropping a half sends nothing, and the other half goes on.",
            peers::sessions_outlive_their_listener
                "Sessions outlive their listener, and its address is free after the last of them.",
            peers::a_dropped_session_is_forgotten
                "After a session was dropped, its peer is a new peer.",
            table::a_full_table_refuses_the_newcomer
                "A newcomer to a full table is refused, and the sessions in it go on.",
            table::a_session_that_goes_frees_its_place
                "A dropped session makes room for a newcomer.",
            table::a_full_backlog_refuses_the_newcomer
                "A newcomer to a full backlog is refused, and waiting peers are accepted in order.",
            flood::a_flood_evicts_no_peer
                "A flood from new addresses evicts no peer and loses none of its datagrams.",
            queues::a_full_queue_drops_the_newest
                "A full queue drops its peer's newest datagrams, and no other peer's.",
            queues::a_queue_is_bounded_in_bytes
                "A queue that is full in bytes drops the newest datagrams, but one always fits.",
            idle::an_idle_session_ends
                "An idle session ends for good, not too early, and its peer may come back.",
            idle::traffic_keeps_a_session
                "A session with traffic in either direction does not end.",
            refusals::a_refusal_is_reported_once
                "A refused datagram is reported once, and the socket goes on.",
            refusals::a_refused_socket_goes_on
                "A refused socket reaches a peer that binds the address later.",
            refusals::a_peer_that_goes_stops_no_other
                "A peer that is gone affects neither the listener nor the other sessions.",
            senders::the_sender_is_named
                "An unconnected socket reports the sender of each datagram, and can answer.",
            senders::the_sender_of_a_cut_datagram_is_named
                "The sender of a datagram is reported even if it is cut or empty.",
            senders::a_batch_names_each_sender
                "A batch reports the sender of each datagram.",
            senders::an_error_is_the_datagrams_own
                "A datagram that cannot be sent is an error, and the socket goes on.",
            options::an_unknown_option_is_refused_and_named
                "An unknown option is refused by name, to listen and to connect.",
            options::options_are_read_back
                "A socket has the options that it was given.",
            forms::the_erased_form_behaves_alike
                "An erased transport behaves as the one inside.",
        }
    };
}

macro_rules! table {
    ($($idea:ident :: $law:ident $statement:literal,)*) => {
        impl<T: Transport + ?Sized> Subject<T> {
            const LAWS: &'static [Law<Self>] = &[$(Law::new(
                stringify!($law),
                $statement,
                |subject| match subject.is_excepted(stringify!($law)) {
                    true => Ok(()),
                    false => block_on($idea::$law(subject)),
                },
            )),*];
        }

        /// All laws of datagram transports:
        $(#[doc = concat!("* `", stringify!($law), "`: ", $statement)])*
        pub fn laws<T: Transport + ?Sized>() -> &'static [Law<Subject<T>>] {
            Subject::LAWS
        }
    };
}

__datagram_laws! { [table] }

/// The law of this name.
///
/// # Panics
/// If there is none.
pub fn law<T: Transport + ?Sized>(name: &str) -> Law<Subject<T>> {
    let found = laws().iter().find(|law| law.name() == name);
    *found.unwrap_or_else(|| panic!("there is no law {name} for datagrams"))
}

/// A module of this name with one `#[test]` for each of the [laws of datagram
/// transports](crate::datagram::laws), run against this [`Subject`](crate::datagram::Subject). The
/// second argument is an expression, which each test evaluates anew.
///
/// ```
/// use socketry_testkit::datagram::Subject;
/// use socketry_transport::{SocketOptions, UdpTransport};
///
/// socketry_testkit::datagram_laws!(udp, Subject::new(UdpTransport::default(), "udp://127.0.0.1:0")
///     .unconnected(|at| async move { UdpTransport::default().bind(&at).await })
///     .reads_back(&[("ttl", "7")], SocketOptions::read_back));
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! datagram_laws {
    ($module:ident, $subject:expr $(,)?) => {
        $crate::__datagram_laws! { [$crate::__law_tests] ($module, datagram, $subject) }
    };
}
