//! The laws of messages, over WebSocket over stream transports of ours.
#![allow(clippy::unwrap_used, reason = "tests")]

use socketry_testkit::message::Subject;
use socketry_transport::{Endpoint, MemTransport, Stack, TcpTransport, Transport};
use socketry_ws::{Ws, WsTransport};

/// The laws for which a socket that is dropped has ended like one that has finished.
const OF_DROPPED: [&str; 4] = [
    "a_dropped_socket_ends_as_answered",
    "bytes_sent_before_the_accept_arrive",
    "dropping_a_half_is_silent",
    "dropping_a_socket_ends_the_peers_stream",
];

fn over<T: Transport>(transport: T, at: &str) -> Subject<Stack<WsTransport<T>>> {
    let at: Endpoint = at.parse().unwrap();
    let subject = Subject::new(Stack::new(transport).with(Ws::new()), at)
        .except(
            "options_applied_are_read_back",
            "a layer has no descriptor to ask",
        )
        .except(
            "a_half_close_leaves_the_other_direction",
            "WebSocket has no half-close",
        )
        .except(
            "an_unknown_option_is_refused_by_name",
            "a client's query is the request's",
        );
    OF_DROPPED.into_iter().fold(subject, |subject, law| {
        subject.except(law, "without a close frame there is a reset (1006)")
    })
}

socketry_testkit::message_laws!(tcp, over(TcpTransport::default(), "tcp://127.0.0.1:0"));
socketry_testkit::message_laws!(mem, over(MemTransport::default(), "mem://*"));
