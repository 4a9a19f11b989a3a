//! The guide's table of socket options says what each transport takes.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write;
use std::path::Path;

use socketry_quic::Quic;
use socketry_transport::{
    Keys, MemTransport, MuxTransport, SocketOptions, TcpTransport, Transport, UdpTransport,
    UnixDgramTransport, UnixSeqpacketTransport, UnixTransport,
};

const BEGIN: &str = "<!-- options: written by `UPDATE_README=1 cargo test --test guide` -->\n";
const END: &str = "<!-- end of options -->";

fn transports() -> [(&'static str, Keys); 7] {
    [
        ("tcp", TcpTransport::default().keys()),
        ("udp", UdpTransport::default().keys()),
        ("quic", Quic::new().keys()),
        ("unix", UnixTransport::default().keys()),
        ("unix-seqpacket", UnixSeqpacketTransport::default().keys()),
        ("unix-dgram", UnixDgramTransport::default().keys()),
        ("mem", MemTransport::default().keys()),
    ]
}

fn table() -> String {
    let transports = transports();
    let mut table = String::from("| option |");
    for (scheme, _) in &transports {
        write!(table, " `{scheme}` |").unwrap();
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(transports.len()));
    for key in SocketOptions::KEYS {
        write!(table, "\n| `{key}` |").unwrap();
        for (_, keys) in &transports {
            table.push_str(if keys.contains(key) { " ✓ |" } else { " |" });
        }
    }
    table.push('\n');
    table
}

#[test]
fn the_guide_says_which_transport_takes_which_option() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide.md");
    let guide = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = guide
        .split_once(BEGIN)
        .expect("the guide has a place for it");
    let (found, after) = rest.split_once(END).expect("the table has an end");
    let table = table();
    if std::env::var_os("UPDATE_README").is_some() {
        return std::fs::write(&path, [before, BEGIN, &table, END, after].concat()).unwrap();
    }
    assert_eq!(
        found, table,
        "the guide's table is stale; UPDATE_README=1 cargo test --test guide writes it"
    );
}
