//! message-io's framed TCP, which writes each frame with a call of its own and passes each to a
//! callback.

use std::time::Instant;

use message_io::network::{NetEvent, SendStatus, Transport};
use message_io::node;

use super::{Found, Load};
use crate::tally::Tally;

pub(super) fn receive(found: Found) -> Tally {
    let (handler, listener) = node::split::<()>();
    let network = handler.network();
    let (_, at) = network.listen(Transport::FramedTcp, "127.0.0.1:0").unwrap();
    found.send(at.to_string()).unwrap();
    let mut tally = Tally::default();
    listener.for_each(|event| match event.network() {
        NetEvent::Message(_, frame) => tally.see(frame),
        NetEvent::Disconnected(_) => handler.stop(),
        NetEvent::Connected(..) | NetEvent::Accepted(..) => {}
    });
    tally
}

pub(super) fn send(to: &str, load: &Load) -> Instant {
    let (handler, listener) = node::split::<()>();
    let _task = listener.for_each_async(|_| ());
    let network = handler.network();
    let (peer, _) = network.connect_sync(Transport::FramedTcp, to).unwrap();
    let begun = Instant::now();
    for _ in 0..load.count {
        assert_eq!(network.send(peer, &load.frame), SendStatus::Sent);
    }
    network.remove(peer.resource_id());
    handler.stop();
    begun
}
