//! The laws of streams, over TLS over each stream transport of ours.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use socketry_testkit::Places;
use socketry_testkit::stream::Subject;
use socketry_tls::{Identity, Tls, TlsTransport, Trust};
use socketry_transport::{
    Endpoint, MemTransport, Stack, TcpTransport, Transport, UnixTransport, erase,
};

/// The reason for the exception of sockets whose options cannot be read back.
const NOTHING_TO_ASK: &str = "a layer has no descriptor to ask";

/// One key for all tests: each client accepts that key and no other.
static TLS: LazyLock<Tls> = LazyLock::new(|| {
    let identity = Identity::made(["localhost"]).unwrap();
    let pin = identity.pin().unwrap();
    Tls::new().identity(identity).trust(Trust::pin(pin))
});

fn over<T: Transport>(transport: T, at: Endpoint) -> Subject<Stack<TlsTransport<T>>> {
    let stack = Stack::new(transport).with(TLS.clone());
    Subject::new(stack, at).except("options_applied_are_read_back", NOTHING_TO_ASK)
}

fn unix() -> Subject<Stack<TlsTransport<UnixTransport>>> {
    let places = Places::new();
    let at = places.free("unix");
    over(UnixTransport::default(), at).keeping(places)
}

fn at(url: &str) -> Endpoint {
    url.parse().unwrap()
}

socketry_testkit::stream_laws!(tcp, over(TcpTransport::default(), at("tcp://127.0.0.1:0")));
socketry_testkit::stream_laws!(unix, unix());
socketry_testkit::stream_laws!(mem, over(MemTransport::default(), at("mem://*")));
socketry_testkit::stream_laws!(
    erased,
    Subject::new(
        erase(Stack::new(TcpTransport::default()).with(TLS.clone())),
        at("tcp://127.0.0.1:0")
    )
    .except("options_applied_are_read_back", NOTHING_TO_ASK)
);
