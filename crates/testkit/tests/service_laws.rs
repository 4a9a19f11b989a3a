//! The laws of servers over each transport, erased, encrypted and faulty.

use socketry_testkit::service::Subject;
use socketry_testkit::{Faults, FaultyTransport, Places, service_laws};
use socketry_tls::{Identity, Tls};
use socketry_transport::{Endpoint, Registry, TcpTransport};
use socketry_ws::Ws;

fn at(scheme: &str) -> Subject {
    let places = Places::new();
    let at = places.free(scheme);
    Subject::new(Registry::standard(), at).keep(places)
}

fn tls() -> Subject {
    let identity = Identity::made(["localhost"]).expect("a certificate");
    let at: Endpoint = "tls://127.0.0.1:0".parse().expect("a URL");
    let at = at.with("close_notify", "required");
    let pinned = Tls::new()
        .trust(socketry_tls::Trust::pin(identity.pin().expect("a pin")))
        .identity(identity);
    let registry = pinned.register(Registry::standard()).expect("transports");
    Subject::new(registry, at)
}

/// A close frame ends both directions (RFC 6455, section 5.5.1): there is no half-close.
fn websocket() -> Subject {
    let registry = Ws::new().register(Registry::standard());
    Subject::new(registry.expect("transports"), "ws://127.0.0.1:0")
        .except(&["all_requests_before_a_half_close_are_answered"])
}

/// Short reads and writes, and pauses: no law may notice them.
fn faulty(seed: u64) -> Subject {
    let transport = FaultyTransport::new(TcpTransport::default(), &Faults::harmless().seed(seed));
    let registry = Registry::standard().with("tcp", transport);
    Subject::new(registry, "tcp://127.0.0.1:0")
}

service_laws!(tcp, at("tcp"));
service_laws!(unix, at("unix"));
service_laws!(mem, at("mem"));
service_laws!(udp, at("udp"));
service_laws!(unix_seqpacket, at("unix-seqpacket"));
service_laws!(unix_dgram, at("unix-dgram"));
service_laws!(encrypted, tls());
service_laws!(websocket, websocket());
service_laws!(faulty_1, faulty(1));
service_laws!(faulty_2, faulty(2));
