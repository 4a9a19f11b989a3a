//! The files of the system, in a network and with files of a test's own.

use std::net::IpAddr;

use socketry_names::{Names, Srv};
use socketry_testkit::in_time;
use socketry_transport::{ErrorKind, Half, Listener, Registry, Resolve, SystemResolver};

use crate::alone::alone;
use crate::dnsmasq::Dnsmasq;
use crate::tools;

/// `/etc/hosts` has `own.example` for one family, and the DNS has more of it. A server at port 53
/// is the only one in `/etc/resolv.conf`.
const FILES: &str = "printf '127.0.0.1 localhost\\n127.0.0.9 own.example Alias\\n' > /tmp/hosts.$$\n\
    printf 'nameserver 127.0.0.1\\nsearch in.search\\n' > /tmp/resolv.$$\n\
    mount --bind /tmp/hosts.$$ /etc/hosts; mount --bind /tmp/resolv.$$ /etc/resolv.conf\n\
    rm /tmp/hosts.$$ /tmp/resolv.$$";

/// The same with a search domain that has all names, and more of the hosts.
const WILD: &str = "printf '127.0.0.9 db db.internal\\n' > /tmp/hosts.$$\n\
    printf 'nameserver 127.0.0.1\\nsearch wild.example\\noptions ndots:5\\n' > /tmp/resolv.$$\n\
    mount --bind /tmp/hosts.$$ /etc/hosts; mount --bind /tmp/resolv.$$ /etc/resolv.conf\n\
    rm /tmp/hosts.$$ /tmp/resolv.$$";

/// Hosts, and a file that names no server.
const NO_SERVER: &str = "printf '127.0.0.9 own.example\\n' > /tmp/hosts.$$\n\
    printf 'search in.search\\n' > /tmp/resolv.$$\n\
    mount --bind /tmp/hosts.$$ /etc/hosts; mount --bind /tmp/resolv.$$ /etc/resolv.conf\n\
    rm /tmp/hosts.$$ /tmp/resolv.$$";

/// Hosts, and a folder without the other file.
const NO_FILE: &str = "printf '127.0.0.9 own.example\\n' > /tmp/hosts.$$\n\
    mount -t tmpfs none /etc; mv /tmp/hosts.$$ /etc/hosts";

const RECORDS: [&str; 5] = [
    "--host-record=own.example,192.0.2.1,2001:db8::1",
    "--host-record=both.example,192.0.2.2,2001:db8::2",
    "--host-record=short.in.search,192.0.2.3",
    "--local=/search/",
    "--srv-host=_chat._tcp.example,own.example,9000",
];

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// The C library and ours are asked the same.
#[test]
fn both_resolvers_read_the_same_files() {
    if !tools::has("dnsmasq") {
        return;
    }
    alone("system::both_resolvers_read_the_same_files", FILES, async {
        let _server = Dnsmasq::at_53(RECORDS);
        let (own, system) = (Names::system(), SystemResolver);
        for (host, due) in [
            // A host of the file has no other addresses than it has there.
            ("own.example", &["127.0.0.9"][..]),
            ("alias", &["127.0.0.9"]),
            ("both.example", &["192.0.2.2", "2001:db8::2"]),
            ("both.example.", &["192.0.2.2", "2001:db8::2"]),
            ("short", &["192.0.2.3"]),
        ] {
            for names in [&own as &dyn Resolve, &system] {
                let found = in_time("an answer", names.addresses(host)).await;
                let mut found = found.unwrap_or_else(|error| panic!("{names:?}: {error}"));
                found.sort_unstable();
                assert_eq!(found, ips(due), "{names:?}: {host}");
            }
        }
        // Here they differ: the C library looks up a name with a dot in the DNS alone (glibc 2.36).
        let found = own.addresses("own.example.").await.unwrap();
        assert_eq!(found, ips(&["127.0.0.9"]));
        let found = system.addresses("own.example.").await.unwrap();
        assert!(!found.contains(&ips(&["127.0.0.9"])[0]), "{found:?}");
        // And numbers that are no address in its usual form.
        let found = system.addresses("127.1").await.unwrap();
        assert_eq!(found, ips(&["127.0.0.1"]));
        let error = in_time("an error", own.addresses("127.1"))
            .await
            .unwrap_err();
        assert_ne!(error.kind(), ErrorKind::TimedOut, "{error}");
    });
}

/// A domain that answers for every name would else be given what is meant for this machine.
#[test]
fn a_search_domain_does_not_stand_before_the_file_of_hosts() {
    if !tools::has("dnsmasq") {
        return;
    }
    let name = "system::a_search_domain_does_not_stand_before_the_file_of_hosts";
    alone(name, WILD, async {
        let _server = Dnsmasq::at_53(["--address=/wild.example/192.0.2.66"]);
        let (own, system) = (Names::system(), SystemResolver);
        for (host, due) in [
            ("db", &["127.0.0.9"][..]),
            ("db.internal", &["127.0.0.9"]),
            ("other", &["192.0.2.66"]),
        ] {
            for names in [&own as &dyn Resolve, &system] {
                let found = in_time("an answer", names.addresses(host)).await;
                let found = found.unwrap_or_else(|error| panic!("{names:?}: {error}"));
                assert_eq!(found, ips(due), "{names:?}: {host}");
            }
        }
        // It is in no file here, and no server is asked (RFC 6761).
        for host in ["localhost", "a.localhost", "LocalHost."] {
            let found = in_time("an answer", own.addresses(host)).await;
            assert_eq!(found.unwrap(), ips(&["::1", "127.0.0.1"]), "{host}");
        }
    });
}

async fn asks_this_machine() {
    let _server = Dnsmasq::at_53(RECORDS);
    let names = Names::system();
    for (host, due) in [
        ("own.example", "127.0.0.9"),
        ("short.in.search", "192.0.2.3"),
    ] {
        let found = in_time("an answer", names.addresses(host)).await.unwrap();
        assert_eq!(found, ips(&[due]), "{host}");
    }
}

#[test]
fn without_a_server_this_machine_is_asked() {
    if tools::has("dnsmasq") {
        let name = "system::without_a_server_this_machine_is_asked";
        alone(name, NO_SERVER, asks_this_machine());
    }
}

#[test]
fn without_a_file_this_machine_is_asked() {
    if tools::has("dnsmasq") {
        let name = "system::without_a_file_this_machine_is_asked";
        alone(name, NO_FILE, asks_this_machine());
    }
}

/// Nothing listens at any address of IPv6 here, and there is no route: those come last.
#[test]
fn an_address_without_a_route_is_tried_last() {
    if !tools::has("dnsmasq") {
        return;
    }
    let name = "system::an_address_without_a_route_is_tried_last";
    alone(name, FILES, async {
        let mut listener = socketry_transport::listen("tcp://127.0.0.1:0")
            .await
            .unwrap();
        let port = listener.local().port().unwrap();
        let _server = Dnsmasq::at_53([
            "--host-record=both.example,127.0.0.1,2001:db8::2".to_owned(),
            format!("--srv-host=_chat._tcp.example,both.example,{port}"),
        ]);
        let names = Names::system();
        let found = in_time("an answer", names.addresses("both.example"))
            .await
            .unwrap();
        assert_eq!(found, ips(&["127.0.0.1", "2001:db8::2"]));
        let registry = Srv::new(names.clone()).register(Registry::standard_with(names));
        let client = registry
            .connect("tcp+srv://_chat._tcp.example")
            .await
            .unwrap();
        assert_eq!(client.peer(), listener.local());
        listener.accept().await.unwrap();
    });
}
