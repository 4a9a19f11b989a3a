//! The laws of hubs over each transport, encrypted and faulty, with several codecs at once.

use socketry_testkit::hub::Subject;
use socketry_testkit::{Faults, FaultyTransport, Places, hub_laws};
use socketry_tls::{Identity, Tls};
use socketry_transport::{Endpoint, Registry, TcpTransport};

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

/// Short reads and writes, and pauses: no law may notice them.
fn faulty(seed: u64) -> Subject {
    let transport = FaultyTransport::new(TcpTransport::default(), &Faults::harmless().seed(seed));
    let registry = Registry::standard().with("tcp", transport);
    Subject::new(registry, "tcp://127.0.0.1:0")
}

hub_laws!(tcp, at("tcp"));
hub_laws!(unix, at("unix"));
hub_laws!(mem, at("mem"));
hub_laws!(udp, at("udp"));
hub_laws!(unix_seqpacket, at("unix-seqpacket"));
hub_laws!(unix_dgram, at("unix-dgram"));
hub_laws!(encrypted, tls());
hub_laws!(faulty_1, faulty(1));
hub_laws!(faulty_2, faulty(2));
