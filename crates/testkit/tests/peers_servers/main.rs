//! The wires of the catalogue against servers and clients that others wrote: real daemons on
//! loopback, and drivers of databases.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod amqp;
mod bgp;
#[path = "../tools/capture.rs"]
mod capture;
mod daemon;
mod diameter;
mod dns;
mod http2;
mod jq;
mod kafka;
mod language;
mod modbus;
mod mongo;
mod mosquitto;
mod native;
mod postgres;
mod rsyslog;
mod s7;
mod smpp;
mod syslog_ng;
mod syslog_senders;
#[path = "../tools/mod.rs"]
mod tools;
mod varlink;

use capture::captured;
use socketry_codec::{BoxCodec, CodecRegistry, Framed};
use socketry_transport::BoxSocket;

/// A socket whose bytes may be kept, with the codec of a wire.
type Live = Framed<capture::Both<BoxSocket>>;

/// `socket` with the codec `wire`. `name` is that of the conversation, should its bytes be kept.
fn live(name: &str, socket: BoxSocket, wire: &str) -> Live {
    Framed::new(captured(name, socket), codec(wire))
}

/// The codec of the catalogue that has this name.
fn codec(name: &str) -> BoxCodec {
    CodecRegistry::catalogue().build(name).unwrap()
}
