//! Stream transports that are broken on purpose: the law that names a defect finds it.

mod defect;
mod socket;
mod transport;

use std::collections::HashSet;
use std::time::Duration;

use defect::{CASES, Defect};
use socketry_testkit::stream::{self, Subject};
use socketry_testkit::{Law, Violation};
use socketry_transport::{MemTransport, SocketOptions, TcpTransport, Transport, UnixTransport};
use transport::Broken;

fn subject<T: Transport>(defect: Defect, inner: T, at: &str) -> Subject<Broken<T>> {
    Subject::new(Broken::new(defect, inner), at)
        .except("options_applied_are_read_back", "mem has nothing to ask")
}

socketry_testkit::stream_laws!(
    unbroken,
    subject(Defect::None, MemTransport::default(), "mem://*")
);

fn violation<T: Transport>(law: &str, subject: &Subject<T>) -> Option<Violation> {
    stream::law(law).check(subject).err()
}

/// All at once, since each waits most of its time.
#[test]
fn each_defect_is_found_by_the_law_that_names_it() {
    std::thread::scope(|scope| {
        for &(defect, law, words) in CASES {
            scope.spawn(move || {
                let subject = subject(defect, MemTransport::default(), "mem://*");
                let subject = subject
                    .patience(Duration::from_secs(2))
                    .holds_at_most(2 << 20);
                let found = violation(law, &subject)
                    .unwrap_or_else(|| panic!("{law} does not find {defect:?}"));
                assert_eq!(found.law(), law);
                assert!(found.what().contains(words), "{defect:?}: {found}");
            });
        }
    });
}

#[test]
fn a_connect_timeout_that_is_not_looked_at_is_found() {
    let places = socketry_testkit::Places::new();
    let at = places.free("unix").to_string();
    let broken = subject(Defect::IgnoresOptions, UnixTransport::default(), &at);
    let found = violation(
        "a_connect_timeout_fires",
        &broken.patience(Duration::from_secs(2)),
    );
    let found = found.expect("a violation");
    // The backlog of 1 is ignored, too, so that a hundred clients fit.
    assert!(found.what().contains("a backlog of 1 took"), "{found}");
}

#[test]
fn options_that_are_not_applied_are_found() {
    let tcp = || Subject::new(TcpTransport::default(), "tcp://127.0.0.1:0");
    let law = "options_applied_are_read_back";
    let undeclared = violation(law, &tcp()).expect("a violation");
    assert!(undeclared.what().contains("declare how"), "{undeclared}");
    // The options of a socket on which nothing was set.
    let not_applied = tcp().reads_back(&[("ttl", "7")], |_| {
        let ttl = Some(64);
        Ok(SocketOptions {
            ttl,
            ..SocketOptions::default()
        })
    });
    let found = violation(law, &not_applied).expect("a violation");
    assert!(found.what().contains("ttl: Some(64)"), "{found}");
}

#[test]
fn a_violation_names_its_law_its_place_and_the_event() {
    let subject = subject(Defect::EmptyBufferEnds, MemTransport::default(), "mem://*");
    let found = violation("an_empty_buffer_is_not_the_end", &subject).expect("a violation");
    let text = found.to_string();
    for words in [
        "mem://%2A (broken_streams::transport::Broken<",
        "breaks an_empty_buffer_is_not_the_end \
         (A buffer without room receives nothing, and never the end.): ",
        "an empty receive before data: (0, End), and not (0, Data)",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text:?}");
    }
}

#[test]
fn a_panic_in_a_transport_is_a_violation() {
    struct Panics;

    #[socketry_transport::async_trait]
    impl Transport for Panics {
        type Socket = socketry_transport::MemSocket;
        type Listener = socketry_transport::MemListener;

        async fn connect(
            &self,
            _: &socketry_transport::Endpoint,
        ) -> socketry_transport::Result<Self::Socket> {
            panic!("not today")
        }
        async fn listen(
            &self,
            _: &socketry_transport::Endpoint,
        ) -> socketry_transport::Result<Self::Listener> {
            panic!("not today")
        }
    }
    let found = violation("data_wakes_a_reader", &Subject::new(Panics, "mem://*"));
    assert_eq!(found.expect("a violation").what(), "it panics: not today");
}

#[test]
fn every_law_has_a_name_and_a_statement_of_its_own() {
    let laws = stream::laws::<MemTransport>();
    let names: HashSet<_> = laws.iter().map(Law::name).collect();
    let statements: HashSet<_> = laws.iter().map(Law::statement).collect();
    assert_eq!((names.len(), statements.len()), (laws.len(), laws.len()));
}

#[test]
#[should_panic(expected = "there is no law such_as_this")]
fn an_exception_from_no_law_is_refused() {
    let _ = Subject::new(MemTransport::default(), "mem://*").except("such_as_this", "a reason");
}
