//! The laws of transports of messages, for ours: with its own types, and erased.
#![cfg(target_os = "linux")]

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use socketry_testkit::message::Subject;
use socketry_testkit::{Faults, FaultyTransport, Places};
use socketry_transport::{
    BoxTransport, Endpoint, OsSocket, SocketOptions, UnixSeqpacketTransport, erase,
};

fn packets(at: Endpoint) -> Subject<UnixSeqpacketTransport> {
    Subject::new(UnixSeqpacketTransport::default(), at)
        .reads_back(&[("send_buffer", "32KiB")], read_back)
}

fn read_back(socket: &OsSocket) -> io::Result<SocketOptions> {
    SocketOptions::read_back(socket)
}

fn of_path() -> Subject<UnixSeqpacketTransport> {
    let places = Places::new();
    packets(places.free("unix-seqpacket")).keeping(places)
}

/// An unused name in the abstract namespace.
fn of_name() -> Subject<UnixSeqpacketTransport> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let at = format!("unix-seqpacket://@socketry-laws-{process}-{number}");
    packets(at.parse().expect("a well-formed endpoint"))
}

fn erased() -> Subject<BoxTransport> {
    let places = Places::new();
    Subject::new(
        erase(UnixSeqpacketTransport::default()),
        places.free("unix-seqpacket"),
    )
    .except(
        "options_applied_are_read_back",
        "an erased socket tells no options",
    )
    .keeping(places)
}

/// With faults that lose nothing.
fn faulty() -> Subject<FaultyTransport<UnixSeqpacketTransport>> {
    let places = Places::new();
    let faults = Faults::harmless().seed(7);
    let transport = FaultyTransport::new(UnixSeqpacketTransport::default(), &faults);
    Subject::new(transport, places.free("unix-seqpacket"))
        .except(
            "options_applied_are_read_back",
            "a faulty socket tells no options",
        )
        .keeping(places)
}

socketry_testkit::message_laws!(seqpacket_path, of_path());
socketry_testkit::message_laws!(seqpacket_name, of_name());
socketry_testkit::message_laws!(seqpacket_erased, erased());
socketry_testkit::message_laws!(seqpacket_faulty, faulty());
