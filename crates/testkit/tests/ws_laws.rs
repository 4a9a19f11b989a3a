//! The laws of transports of messages, for WebSocket: by its schemes, with its own types, and with
//! faults below and above it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use socketry_testkit::message::Subject;
use socketry_testkit::{Faults, FaultyTransport, Places};
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{
    BoxTransport, Endpoint, MemTransport, Registry, Stack, TcpTransport, Transport,
};
use socketry_ws::{Ws, WsTransport};

/// One key for all tests: each client accepts that key and no other.
static TLS: LazyLock<Tls> = LazyLock::new(|| {
    let identity = Identity::made(["localhost"]).unwrap();
    let pin = identity.pin().unwrap();
    Tls::new().identity(identity).trust(Trust::pin(pin))
});

fn subject<T: Transport>(transport: T, at: &str) -> Subject<T> {
    let both = "a close frame ends both directions (RFC 6455, section 5.5.1)";
    Subject::new(transport, at.parse::<Endpoint>().unwrap())
        .without_end_on_drop()
        .except("a_half_close_leaves_the_other_direction", both)
        .except(
            "options_applied_are_read_back",
            "a layer has no descriptor to ask",
        )
}

/// The transport of this URL's scheme, as programs have it.
fn scheme(at: &str) -> Subject<BoxTransport> {
    let registry = TLS.register(Registry::standard()).unwrap();
    let registry = Ws::new().register(registry).unwrap();
    let (scheme, _) = at.split_once(':').unwrap();
    subject(registry.get(scheme).unwrap(), at)
}

fn ws_unix() -> Subject<BoxTransport> {
    let places = Places::new();
    scheme(&format!("ws+{}", places.free("unix"))).keeping(places)
}

fn over<T: Transport>(transport: T) -> Stack<WsTransport<T>> {
    Stack::new(transport).with(Ws::new())
}

/// With faults that lose nothing.
fn faulty<T: Transport>(transport: T) -> FaultyTransport<T> {
    FaultyTransport::new(transport, &Faults::harmless().seed(7))
}

const TCP: &str = "tcp://127.0.0.1:0";

socketry_testkit::message_laws!(ws, scheme("ws://127.0.0.1:0/laws"));
socketry_testkit::message_laws!(wss, scheme("wss://127.0.0.1:0/laws"));
socketry_testkit::message_laws!(ws_unix, ws_unix());
socketry_testkit::message_laws!(tcp, subject(over(TcpTransport::default()), TCP));
socketry_testkit::message_laws!(mem, subject(over(MemTransport::default()), "mem://*"));
socketry_testkit::message_laws!(
    faulty_inside,
    subject(over(faulty(TcpTransport::default())), TCP)
);
socketry_testkit::message_laws!(faulty, subject(faulty(over(TcpTransport::default())), TCP));
