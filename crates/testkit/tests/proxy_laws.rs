//! The laws of streams, behind a PROXY header over each stream transport of ours, and over TLS.

#![allow(clippy::unwrap_used, reason = "tests")]

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
socketry_testkit::stream_laws!(strangers, strangers());
