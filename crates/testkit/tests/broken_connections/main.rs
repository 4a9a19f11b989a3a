//! Connections that are broken on purpose: the law that names a defect finds it.

mod connection;
mod defect;
mod stream;
mod transport;

use std::collections::HashSet;
use std::time::Duration;

use defect::{CASES, Defect};
use socketry_testkit::connection::{self as laws, Subject};
use socketry_transport::MemMux;
use transport::Broken;

fn subject(defect: Defect) -> Subject<Broken> {
    Subject::new(Broken::new(defect), "mem-mux://*")
        .limited("mem-mux://*?streams=3", 3)
        .holds_at_most(2 << 20)
}

socketry_testkit::connection_laws!(unbroken, subject(Defect::None));

/// All at once: each waits for nothing most of its time.
#[test]
fn each_defect_is_found_by_the_law_that_names_it() {
    std::thread::scope(|scope| {
        for &(defect, law, words) in CASES {
            scope.spawn(move || {
                let subject = subject(defect).patience(Duration::from_secs(2));
                let found = laws::law(law).check(&subject).err();
                let found = found.unwrap_or_else(|| panic!("{law} does not find {defect:?}"));
                assert_eq!(found.law(), law);
                assert!(found.what().contains(words), "{defect:?}: {found}");
            });
        }
    });
}

#[test]
fn every_law_finds_a_defect() {
    let found: HashSet<_> = CASES.iter().map(|(_, law, _)| *law).collect();
    for law in laws::laws::<MemMux>() {
        assert!(found.contains(law.name()), "{law:?}");
    }
}

#[test]
fn what_is_not_told_is_a_violation_and_no_silence() {
    let bare = Subject::new(MemMux::new(), "mem-mux://*");
    let silent = laws::law("an_opener_waits_for_a_place").check(&bare);
    let found = silent.expect_err("a violation");
    assert!(found.what().contains("Subject::limited"), "{found}");
}
