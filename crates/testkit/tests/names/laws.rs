//! The laws of resolvers, against each that there is.

use std::net::IpAddr;

use socketry_names::Names;
use socketry_testkit::names::{Known, Subject};
use socketry_transport::SystemResolver;

use crate::dnsmasq::Dnsmasq;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// What dnsmasq is told. It gives a service that its domain refuses the port 1 (dnsmasq 2.90).
fn known() -> Known {
    Known::default()
        .host("a.example", [ip("192.0.2.1"), ip("2001:db8::1")])
        .host("four.example", [ip("192.0.2.4")])
        .host("six.example", [ip("2001:db8::6")])
        .host("private.example", [ip("10.0.0.1")])
        .host("alias.example", [ip("192.0.2.4")])
        .host("_under.example", [ip("192.0.2.5")])
        .service(
            "_chat._tcp.example",
            [(10, 5, 9000, "a.example."), (20, 0, 9001, "four.example.")],
        )
        .service("_gone._tcp.example", [(0, 0, 1, ".")])
}

const RECORDS: [&str; 10] = [
    "--host-record=a.example,192.0.2.1,2001:db8::1",
    "--host-record=four.example,192.0.2.4",
    "--host-record=six.example,2001:db8::6",
    "--host-record=private.example,10.0.0.1",
    "--host-record=_under.example,192.0.2.5",
    "--cname=alias.example,four.example",
    "--srv-host=_chat._tcp.example,a.example,9000,10,5",
    "--srv-host=_chat._tcp.example,four.example,9001,20,0",
    "--srv-host=_gone._tcp.example",
    "--txt-record=text.example,none",
];

/// hickory-resolver, which asks a dnsmasq. Without one it stands for what there is.
fn hickory() -> Subject {
    let Some(server) = Dnsmasq::start(RECORDS) else {
        return scripted();
    };
    let at = server.at;
    Subject::new("hickory", known(), move |_| Names::servers([at]))
        .missing("nothing.example")
        .keeping(server)
}

/// The same without a cache.
fn forgetful() -> Subject {
    let Some(server) = Dnsmasq::start(RECORDS) else {
        return scripted();
    };
    let at = server.at;
    Subject::new("forgetful", known(), move |_| Names::servers([at]).cache(0))
        .missing("text.example")
        .keeping(server)
}

fn scripted() -> Subject {
    Subject::new("scripted", known(), Clone::clone)
}

/// The C library: `localhost` is all that each machine has. With a dot at its end, that one is
/// looked up in the DNS and not in /etc/hosts (glibc 2.36).
fn system() -> Subject {
    let found = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let has_six = found.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some("::1") && words.any(|name| name == "localhost")
    });
    let mut all = vec![ip("127.0.0.1")];
    all.extend(has_six.then(|| ip("::1")));
    let known = Known::default().host("localhost", all);
    Subject::new("system", known, |_| SystemResolver)
        .without_services()
        .without_absolute_hosts()
}

socketry_testkit::names_laws!(scripted_keeps, scripted());
socketry_testkit::names_laws!(hickory_keeps, hickory());
socketry_testkit::names_laws!(forgetful_keeps, forgetful());
socketry_testkit::names_laws!(system_keeps, system());
