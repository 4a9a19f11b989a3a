//! Servers that are broken on purpose, and transports that break them: the law that names a defect
//! finds it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod transport;

use std::collections::HashSet;
use std::time::Duration;

use socketry_service::Limits;
use socketry_testkit::service::{self as laws, Subject, Tamper};
use socketry_transport::Registry;
use transport::{Broken, Defect};

/// What is broken.
#[derive(Clone, Copy, Debug)]
enum Breach {
    Server(Tamper),
    Transport(Defect),
}

use Breach::{Server, Transport};

const fn limits(tamper: fn(&mut Limits)) -> Breach {
    Server(Tamper::Limits(tamper))
}

/// Each law, a breach of it, and what the law must say.
const CASES: &[(&str, Breach, &str)] = &[
    (
        "a_stop_refuses_newcomers",
        Transport(Defect::ListensForEver),
        "answered after the stop",
    ),
    (
        "an_idle_client_sees_an_end_at_the_stop",
        Transport(Defect::FinishIsReset),
        "reset",
    ),
    (
        "a_newcomer_at_the_stop_is_answered",
        Server(Tamper::StopsTwice),
        "",
    ),
    (
        "a_silent_newcomer_sees_an_end_after_the_stop",
        limits(|limits| {
            (limits.first_frame_at_stop, limits.grace) = (None, Some(Duration::from_secs(2)));
        }),
        "reset",
    ),
    (
        "a_request_under_way_is_answered",
        Server(Tamper::StopsTwice),
        "",
    ),
    (
        "half_a_frame_at_the_stop_is_finished",
        Server(Tamper::StopsTwice),
        "",
    ),
    (
        "a_busy_connection_is_cut_after_the_grace_time",
        limits(|limits| limits.grace = None),
        "the server's end took longer",
    ),
    (
        "a_second_stop_cuts_at_once",
        Server(Tamper::StopsOnce),
        "the server's end took longer",
    ),
    (
        "dropping_the_server_cuts_its_connections",
        Server(Tamper::Detached),
        "the end of the handler took longer",
    ),
    (
        "a_panic_ends_its_own_connection",
        Transport(Defect::SharesAborts),
        "reset",
    ),
    (
        "an_error_ends_its_own_connection",
        Transport(Defect::SharesAborts),
        "reset",
    ),
    (
        "answers_survive_what_the_client_sent_behind",
        Transport(Defect::FinishLosesAnswers),
        "",
    ),
    (
        "a_newcomer_beyond_the_limit_is_refused",
        limits(|limits| limits.connections = 9),
        "the end of the connection took longer",
    ),
    (
        "a_client_that_says_nothing_is_gone",
        limits(|limits| limits.first_frame = None),
        "the end of the connection took longer",
    ),
    (
        "a_client_that_falls_silent_is_gone",
        limits(|limits| limits.between_frames = None),
        "the end of the connection took longer",
    ),
    (
        "a_client_that_reads_nothing_is_gone",
        limits(|limits| limits.stalled_write = None),
        "neither takes more nor gives up",
    ),
    (
        "what_is_refused_is_told_with_its_reason",
        Server(Tamper::Deaf),
        "the reason is None",
    ),
    (
        "buffers_are_bounded_together",
        limits(|limits| limits.buffers = usize::MAX),
        "the observer's word took longer",
    ),
    (
        "the_observer_hears_of_each_frame",
        Server(Tamper::Deaf),
        "what was told",
    ),
    (
        "a_request_that_is_cut_is_told",
        Server(Tamper::Deaf),
        "requested, answered, given up",
    ),
    ("an_error_is_told", Server(Tamper::Deaf), "the errors"),
    (
        "answers_come_in_the_order_of_requests",
        limits(|limits| limits.requests_per_connection = 1),
        "an answer took longer",
    ),
    (
        "requests_beside_one_another_are_bounded",
        limits(|limits| limits.requests_per_connection = 6),
        "the most at once",
    ),
    (
        "all_requests_before_a_half_close_are_answered",
        Transport(Defect::EndClosesBoth),
        "",
    ),
    (
        "requests_at_the_stop_are_answered",
        Server(Tamper::StopsTwice),
        "",
    ),
];

fn subject(breach: Breach) -> Subject {
    let subject = |registry| Subject::new(registry, "tcp://127.0.0.1:0");
    match breach {
        Server(tamper) => subject(Registry::standard()).tampered(tamper),
        Transport(defect) => subject(Registry::standard().with("tcp", Broken::new(defect))),
    }
}

socketry_testkit::service_laws!(unbroken, subject(Transport(Defect::None)));

/// All at once: each waits for nothing most of its time.
#[test]
fn each_breach_is_found_by_the_law_that_names_it() {
    std::thread::scope(|scope| {
        for &(law, breach, words) in CASES {
            scope.spawn(move || {
                let found = laws::law(law).check(&subject(breach)).err();
                let found = found.unwrap_or_else(|| panic!("{law} does not find {breach:?}"));
                assert!(found.what().contains(words), "{breach:?}: {found}");
            });
        }
    });
}

#[test]
fn every_law_finds_a_breach() {
    let found: HashSet<_> = CASES.iter().map(|(law, ..)| *law).collect();
    for law in laws::laws() {
        assert!(found.contains(law.name()), "{law:?}");
    }
}
