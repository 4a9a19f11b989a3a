//! Resolvers that are broken on purpose: the law that names a defect finds it.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use socketry_testkit::names::{self as laws, Known, Subject};
use socketry_transport::{Error, ErrorKind, Resolve, Result, Service, async_trait};

/// What is wrong with a resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    Nothing,
    RepeatsAddresses,
    LooksUpAddresses,
    HasCase,
    HasDots,
    OtherKind,
    NamesNothing,
    GivesNothing,
    Busy,
    StaysBusy,
    SaysNothingOfServices,
    ForgetsAServer,
    NamesNoService,
    HidesRefusals,
    HasCaseInServices,
}

use Defect::*;

/// The defect, the law that finds it, and some of its words.
const CASES: &[(Defect, &str, &str)] = &[
    (RepeatsAddresses, "a_host_has_its_addresses", "should be"),
    (LooksUpAddresses, "an_address_is_itself", "127.0.0.1"),
    (HasCase, "letters_have_no_case", "HOST.EXAMPLE"),
    (
        HasDots,
        "a_dot_at_the_end_makes_no_other_host",
        "host.example.",
    ),
    (
        OtherKind,
        "a_host_that_is_not_there_is_an_error_that_names_it",
        "its kind is Other",
    ),
    (
        NamesNothing,
        "a_host_that_is_not_there_is_an_error_that_names_it",
        "not in its words",
    ),
    (GivesNothing, "no_text_is_an_empty_answer", "is []"),
    (Busy, "many_ask_at_once", "busy"),
    (StaysBusy, "a_question_that_is_dropped_spoils_none", "busy"),
    (ForgetsAServer, "a_service_has_its_servers", "should have"),
    (
        SaysNothingOfServices,
        "a_service_has_its_servers",
        "does not say",
    ),
    (
        NamesNoService,
        "a_service_that_is_not_there_is_an_error_that_names_it",
        "not in its words",
    ),
    (
        HidesRefusals,
        "a_service_that_is_refused_has_one_server_called_dot",
        "_gone._tcp.example",
    ),
    (
        HasCaseInServices,
        "a_service_has_letters_without_case_and_perhaps_a_dot",
        "_CHAT._TCP.EXAMPLE",
    ),
];

#[derive(Debug)]
struct Broken {
    known: Known,
    defect: Defect,
    /// The questions that are under way.
    asked: AtomicUsize,
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, "resolve", name)
}

#[async_trait]
impl Resolve for Broken {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        let is_upper = host.contains(|c: char| c.is_ascii_uppercase());
        match self.defect {
            LooksUpAddresses if host == "127.0.0.1" => return Err(missing(host)),
            HasCase if is_upper => return Err(missing(host)),
            HasDots if host.ends_with('.') => return Err(missing(host)),
            OtherKind => {
                let found = self.known.addresses(host).await;
                return found.map_err(|_| Error::new(ErrorKind::Other, "resolve", host));
            }
            NamesNothing => {
                let found = self.known.addresses(host).await;
                return found.map_err(|_| missing("a host"));
            }
            GivesNothing => return Ok(self.known.addresses(host).await.unwrap_or_default()),
            Busy | StaysBusy => {
                if self.asked.fetch_add(1, SeqCst) > 0 {
                    return Err(Error::new(ErrorKind::Other, "resolve", host).because("busy"));
                }
                tokio::task::yield_now().await;
                self.asked.store(0, SeqCst);
            }
            _ => {}
        }
        let mut found = self.known.addresses(host).await?;
        if self.defect == RepeatsAddresses {
            found.extend(found.clone());
        }
        Ok(found)
    }

    async fn services(&self, name: &str) -> Result<Vec<Service>> {
        let is_upper = name.contains(|c: char| c.is_ascii_uppercase());
        let found = self.known.services(name).await;
        match self.defect {
            SaysNothingOfServices => Err(missing(name)),
            ForgetsAServer => found.map(|mut all| {
                all.pop();
                all
            }),
            NamesNoService => found.map_err(|_| missing("a service")),
            HidesRefusals => {
                let all = found?;
                match all.iter().any(|one| one.target == ".") {
                    true => Err(missing(name)),
                    false => Ok(all),
                }
            }
            HasCaseInServices if is_upper => Err(missing(name)),
            _ => found,
        }
    }
}

fn known() -> Known {
    let both = ["192.0.2.1", "2001:db8::1"].map(|text| text.parse().unwrap());
    Known::default()
        .host("host.example", both)
        .service("_chat._tcp.example", [(1, 2, 3, "host.example.")])
        .service("_gone._tcp.example", [(0, 0, 0, ".")])
}

fn subject(defect: Defect) -> Subject {
    let subject = Subject::new("a broken resolver", known(), move |known| Broken {
        known: known.clone(),
        defect,
        asked: AtomicUsize::new(0),
    });
    match defect {
        SaysNothingOfServices => subject.without_services(),
        _ => subject,
    }
}

#[test]
fn each_defect_is_found_by_the_law_that_names_it() {
    std::thread::scope(|scope| {
        for &(defect, law, words) in CASES {
            scope.spawn(move || {
                let found = laws::law(law).check(&subject(defect)).err();
                let found = found.unwrap_or_else(|| panic!("{law} does not find {defect:?}"));
                assert!(found.what().contains(words), "{defect:?}: {found}");
            });
        }
    });
}

#[test]
fn a_resolver_without_a_defect_keeps_all_laws() {
    for law in laws::laws() {
        law.run(&subject(Nothing));
    }
}

#[test]
fn every_law_finds_a_defect() {
    let found: HashSet<_> = CASES.iter().map(|(_, law, _)| *law).collect();
    for law in laws::laws() {
        assert!(found.contains(law.name()), "{law:?}");
    }
}
