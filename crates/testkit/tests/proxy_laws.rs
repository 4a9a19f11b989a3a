//! The laws of streams, behind a PROXY header over each stream transport of ours, and through
//! proxies.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../proxy/tests/common/relay.rs"]
#[allow(dead_code, reason = "each test uses a part")]
mod relay;

use std::sync::LazyLock;

use relay::Relay;
use socketry_proxy::Via;
use socketry_proxy::{Announce, Behind, Header, Origin, Sources, Version};
use socketry_testkit::Places;
use socketry_testkit::stream::Subject;
use socketry_transport::{
    BoxTransport, Endpoint, MemTransport, Stack, TcpTransport, Transport, UnixTransport, erase,
};

/// The reason for the exception of sockets whose options cannot be read back.
const NOTHING_TO_ASK: &str = "a layer has no descriptor to ask";

/// The reason for the exception of the ends' names.
const ANOTHER: &str = "the header names another client";

/// Clients send a header of this version, and servers expect one.
fn over(version: Version, transport: impl Transport, place: Endpoint) -> Subject<BoxTransport> {
    let behind = Behind::new().trust(Sources::this_machine());
    let stack = Stack::new(transport).with(behind);
    let ends = |source, destination| Origin::Client {
        source,
        destination,
    };
    let origin = ends(at("tcp://192.0.2.1:56324"), at("tcp://198.51.100.7:443"));
    let stack = stack.with(Announce::header(Header::new(version, origin)));
    Subject::new(erase(stack), place)
        .except("options_applied_are_read_back", NOTHING_TO_ASK)
        .except("both_ends_name_each_other", ANOTHER)
}

/// Servers expect headers of other sources only.
fn strangers() -> Subject<BoxTransport> {
    let behind = Behind::new().trust("192.0.2.0/24".parse().unwrap());
    let stack = Stack::new(TcpTransport::default()).with(behind);
    Subject::new(erase(stack), at("tcp://127.0.0.1:0"))
        .except("options_applied_are_read_back", NOTHING_TO_ASK)
}

/// A proxy that runs as long as this process.
static PROXY: LazyLock<String> = LazyLock::new(|| {
    let (telling, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let relay = Relay::start().await;
            telling.send(relay.url("")).unwrap();
            std::future::pending::<()>().await;
        });
    });
    told.recv().unwrap()
});

/// Clients connect through these proxies.
fn via(schemes: &[&str]) -> Subject<BoxTransport> {
    let hops = schemes.iter().map(|scheme| format!("{scheme}{}", *PROXY));
    let via = hops.fold(Via::new(), |via, hop| via.through(hop.parse().unwrap()));
    let stack = Stack::new(TcpTransport::default()).with(via);
    Subject::new(erase(stack), at("tcp://127.0.0.1:0"))
        .except("options_applied_are_read_back", NOTHING_TO_ASK)
        .except("both_ends_name_each_other", "the proxy stands between them")
        .except(
            "an_abort_is_seen_as_answered",
            "the server's reset is an end behind a proxy",
        )
}

/// The same, where the last proxy is one of HTTP.
fn via_http() -> Subject<BoxTransport> {
    let no_word = "CONNECT has no word for a connection that was refused";
    via(&["http"])
        .except("connecting_without_a_listener_fails_at_once", no_word)
        .except(
            "a_dropped_listener_refuses_and_its_sockets_live_on",
            no_word,
        )
}

fn unix() -> Subject<BoxTransport> {
    let places = Places::new();
    let at = places.free("unix");
    over(Version::V2, UnixTransport::default(), at).keeping(places)
}

fn tcp(version: Version) -> Subject<BoxTransport> {
    over(version, TcpTransport::default(), at("tcp://127.0.0.1:0"))
}

fn at(url: &str) -> Endpoint {
    url.parse().unwrap()
}

socketry_testkit::stream_laws!(v1, tcp(Version::V1));
socketry_testkit::stream_laws!(v2, tcp(Version::V2));
socketry_testkit::stream_laws!(unix, unix());
socketry_testkit::stream_laws!(
    mem,
    over(Version::V2, MemTransport::default(), at("mem://*"))
);
socketry_testkit::stream_laws!(socks5, via(&["socks5"]));
socketry_testkit::stream_laws!(connect, via_http());
socketry_testkit::stream_laws!(chain, via(&["http", "socks5h", "socks5"]));
socketry_testkit::stream_laws!(strangers, strangers());
