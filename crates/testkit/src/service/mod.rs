//! The laws of a server, to run over a transport of your own: what
//! [`Server`](socketry_service::Server) promises must hold over it.
//!
//! ```
//! use socketry_testkit::service::Subject;
//! use socketry_transport::Registry;
//!
//! socketry_testkit::service_laws!(mem, Subject::new(Registry::standard(), "mem://*"));
//! # fn main() {}
//! ```
//!
//! gives one test for each of the [laws]: `mem::a_stop_refuses_newcomers` and so on.

mod answers;
mod ending;
mod faults;
mod limits;
mod observing;
mod steps;
mod subject;

pub use subject::Subject;
#[doc(hidden)]
pub use subject::Tamper;

use tokio::runtime::Builder;

use crate::law::{Law, Verdict};

/// The laws of servers, each named once: `$then! { $given… idea::law "statement", … }`.
#[doc(hidden)]
#[macro_export]
macro_rules! __service_laws {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! { $($given)*
            ending::a_stop_refuses_newcomers
                "After the stop no newcomer is served.",
            ending::an_idle_client_sees_an_end_at_the_stop
                "A client that waits sees an orderly end at the stop.",
            ending::a_newcomer_at_the_stop_is_answered
                "A client that was accepted before the stop may send its first frame after it.",
            ending::a_silent_newcomer_sees_an_end_after_the_stop
                "A client that never sent a frame sees an orderly end soon after the stop.",
            ending::a_request_under_way_is_answered
                "A request that is under way at the stop is answered before the end.",
            ending::half_a_frame_at_the_stop_is_finished
                "A frame of which the first half had arrived at the stop is answered too.",
            ending::a_busy_connection_is_cut_after_the_grace_time
                "A connection that is still busy after the grace time is cut, and counted.",
            ending::a_second_stop_cuts_at_once
                "A second stop cuts at once.",
            ending::dropping_the_server_cuts_its_connections
                "Dropping the server's future ends its connections and handlers.",
            faults::a_panic_ends_its_own_connection
                "A handler that panics ends its own connection, and is told to the observer.",
            faults::an_error_ends_its_own_connection
                "A handler that fails ends its own connection, and the observer hears the error.",
            faults::answers_survive_what_the_client_sent_behind
                "A client reads its last answer, although it sent bytes that were never read.",
            limits::a_newcomer_beyond_the_limit_is_refused
                "A newcomer beyond the limit is refused, and served once a place is free.",
            limits::a_client_that_says_nothing_is_gone
                "A client that sends no first frame is gone at its deadline.",
            limits::a_client_that_falls_silent_is_gone
                "A client that falls silent is gone, and not while its request is answered.",
            limits::a_client_that_reads_nothing_is_gone
                "A client that takes no answers is gone at the deadline of a stalled write.",
            limits::what_is_refused_is_told_with_its_reason
                "What is over a limit is refused at once, and the observer hears why.",
            limits::buffers_are_bounded_together
                "A client whose frame needs more memory than all may have is gone, and no other.",
            observing::the_observer_hears_of_each_frame
                "The observer hears of each connection, frame, byte and request, and of the end.",
            observing::a_request_that_is_cut_is_told
                "The observer hears of a request whose connection ended before its answer.",
            observing::an_error_is_told
                "The observer hears of an error that the handler got.",
            answers::answers_come_in_the_order_of_requests
                "Answers come in the order of the requests, whichever is ready first.",
            answers::requests_beside_one_another_are_bounded
                "No more requests of a client are answered at once than the limit says.",
            answers::all_requests_before_a_half_close_are_answered
                "A client that half-closes has all its answers, and then the end.",
            answers::requests_at_the_stop_are_answered
                "All requests that had begun at the stop are answered.",
        }
    };
}

macro_rules! table {
    ($($idea:ident :: $law:ident $statement:literal,)*) => {
        /// All laws of servers:
        $(#[doc = concat!("* `", stringify!($law), "`: ", $statement)])*
        pub fn laws() -> &'static [Law<Subject>] {
            const LAWS: &[Law<Subject>] = &[$(Law::new(
                stringify!($law),
                $statement,
                |subject| match subject.is_excepted(stringify!($law)) {
                    true => Ok(()),
                    false => block_on($idea::$law(subject.clone())),
                },
            )),*];
            LAWS
        }
    };
}

__service_laws! { [table] }

/// The law of this name.
///
/// # Panics
/// If there is none.
pub fn law(name: &str) -> Law<Subject> {
    let found = laws().iter().find(|law| law.name() == name);
    *found.unwrap_or_else(|| panic!("there is no law {name} for servers"))
}

/// Runs a law on two workers, so that clients and server may truly run at once.
fn block_on(law: impl Future<Output = Verdict>) -> Verdict {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let verdict = runtime.block_on(law);
    // What the server left running must not keep the test.
    runtime.shutdown_background();
    verdict
}

/// A module of this name with one `#[test]` for each of the [laws of
/// servers](crate::service::laws), run over this [`Subject`](crate::service::Subject). The second
/// argument is an expression; each test evaluates it anew.
#[macro_export]
macro_rules! service_laws {
    ($module:ident, $subject:expr $(,)?) => {
        $crate::__service_laws! { [$crate::__law_tests] ($module, service, $subject) }
    };
}
