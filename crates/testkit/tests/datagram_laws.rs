//! The laws of datagram transports, for those of this workspace, each as itself and erased.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicU32, Ordering};

use socketry_testkit::datagram::Subject;
use socketry_testkit::{Law, Places, datagram_laws};
use socketry_transport::{SocketOptions, Transport, UdpTransport, UnixDgramTransport};

fn udp(at: &str) -> Subject<UdpTransport> {
    Subject::new(UdpTransport::default(), at)
        .unconnected(|at| async move { UdpTransport::default().bind(&at).await })
        .reads_back(&[("ttl", "7"), ("tos", "16")], SocketOptions::read_back)
}

fn unix_dgram(at: &str) -> Subject<UnixDgramTransport> {
    Subject::new(UnixDgramTransport::default(), at)
        .unconnected(|at| async move { UnixDgramTransport::default().bind(&at).await })
        // The kernel uses twice the requested size.
        .reads_back(&[("send_buffer", "8192")], |socket| {
            let mut set = SocketOptions::read_back(socket)?;
            set.send_buffer = set.send_buffer.map(|bytes| bytes / 2);
            Ok(set)
        })
        .short_sender("send_buffer", "8192")
}

fn path() -> Subject<UnixDgramTransport> {
    let places = Places::new();
    unix_dgram(&places.free("unix-dgram").to_string()).keeping(places)
}

fn name() -> Subject<UnixDgramTransport> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    unix_dgram(&format!(
        "unix-dgram://@socketry-laws-{}-{number}",
        std::process::id()
    ))
}

datagram_laws!(udp_v4, udp("udp://127.0.0.1:0"));
datagram_laws!(udp_v4_erased, udp("udp://127.0.0.1:0").erased());
datagram_laws!(udp_v6, udp("udp://[::1]:0"));
datagram_laws!(udp_v6_erased, udp("udp://[::1]:0").erased());
datagram_laws!(unix_dgram_path, path());
datagram_laws!(unix_dgram_path_erased, path().erased());
#[cfg(target_os = "linux")]
datagram_laws!(unix_dgram_name, name());
#[cfg(target_os = "linux")]
datagram_laws!(unix_dgram_name_erased, name().erased());

#[test]
fn there_are_laws_with_names_and_statements() {
    let laws = socketry_testkit::datagram::laws::<UdpTransport>();
    assert!(laws.len() >= 16);
    for law in laws {
        assert!(law.statement().ends_with('.'), "{law:?}");
        assert_eq!(
            laws.iter()
                .filter(|other| other.name() == law.name())
                .count(),
            1
        );
    }
}

#[test]
fn a_missing_declaration_is_a_violation() {
    fn bare<T: Transport>(transport: T, at: &str) -> Vec<&'static str> {
        let subject = Subject::new(transport, at);
        let laws = socketry_testkit::datagram::laws().iter();
        laws.filter(|law| law.check(&subject).is_err())
            .map(Law::name)
            .collect()
    }
    assert_eq!(
        bare(UdpTransport::default(), "udp://127.0.0.1:0"),
        [
            "a_sender_that_waits_for_room_is_woken",
            "a_refusal_is_reported_once",
            "a_refused_socket_goes_on",
            "the_sender_is_named",
            "the_sender_of_a_cut_datagram_is_named",
            "a_batch_names_each_sender",
            "an_error_is_the_datagrams_own",
            "options_are_read_back",
        ]
    );
}
