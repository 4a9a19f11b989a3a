//! `diameter` with freeDiameter.

use std::path::Path;
use std::process::Stdio;

use socketry_testkit::in_time;
use socketry_transport::{Listener, listen};

use crate::daemon::{Daemon, command, directory, free_port, port};
use crate::{live, tools};

/// An attribute, which must be understood.
fn attribute(code: u32, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(8 + value.len()).unwrap();
    let head = [code.to_be_bytes(), (0x4000_0000 | length).to_be_bytes()].concat();
    let mut bytes = [&head, value].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A message: its flags and command, and its identifiers.
fn message(command: u32, ids: &[u8], attributes: &[Vec<u8>]) -> Vec<u8> {
    let attributes = attributes.concat();
    let length = u32::try_from(20 + attributes.len()).unwrap();
    let head = [0x0100_0000 | length, command, 0];
    let head: Vec<u8> = head.iter().flat_map(|word| word.to_be_bytes()).collect();
    [&head, ids, &attributes].concat()
}

/// A certificate in `directory`, which freeDiameter wants even for peers without TLS.
async fn certify(directory: &Path) {
    let options = ["req", "-x509", "-nodes", "-subj", "/CN=peer.example"];
    let mut made = command("openssl", &options);
    made.args(["-newkey", "rsa:2048", "-keyout"])
        .arg(directory.join("key"));
    made.arg("-out").arg(directory.join("certificate"));
    made.stderr(Stdio::null());
    assert!(made.status().await.unwrap().success());
}

/// freeDiameter that connects to us at `port`.
fn start(directory: &Path, port: u16) -> Daemon {
    let (own, secure, place) = (free_port(), free_port(), directory.display());
    let config = format!(
        r#"Identity = "peer.example";
        Realm = "example";
        Port = {own};
        SecPort = {secure};
        No_SCTP;
        No_IPv6;
        ListenOn = "127.0.0.1";
        TLS_Cred = "{place}/certificate", "{place}/key";
        TLS_CA = "{place}/certificate";
        ConnectPeer = "server.example" {{ ConnectTo = "127.0.0.1"; Port = {port}; No_TLS; }};"#
    );
    let path = directory.join("config");
    std::fs::write(&path, config).unwrap();
    Daemon::start(command("freeDiameterd", &["-c"]).arg(path), directory)
}

#[tokio::test]
async fn free_diameter_exchanges_capabilities_and_watchdogs() {
    if !(tools::has("freeDiameterd") && tools::has("openssl")) {
        return;
    }
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let directory = directory();
    certify(directory.path()).await;
    let _daemon = start(directory.path(), port(&listener));
    let accepted = in_time("freeDiameter", listener.accept()).await.unwrap();
    let mut peer = live("freediameter", accepted, "diameter");

    let success = attribute(268, &2001_u32.to_be_bytes());
    let origin = [
        attribute(264, b"server.example"),
        attribute(296, b"example"),
    ];
    let capabilities = [
        attribute(257, b"\0\x01\x7F\0\0\x01"),
        attribute(266, &[0; 4]),
        attribute(269, b"server"),
        attribute(258, &[0xFF; 4]),
    ];
    let asked = in_time("its greeting", peer.recv()).await.unwrap().unwrap();
    assert_eq!(asked[4..8], (0x8000_0000_u32 | 257).to_be_bytes());
    let attributes = [&[success.clone()][..], &origin, &capabilities].concat();
    let answer = message(257, &asked[12..20], &attributes);
    peer.send(&answer).await.unwrap();

    peer.send(&message(
        0x8000_0000 | 280,
        b"\0\0\0\x01\0\0\0\x02",
        &origin,
    ))
    .await
    .unwrap();
    let answer = in_time("an answer", peer.recv()).await.unwrap().unwrap();
    assert_eq!(answer[4..8], 280_u32.to_be_bytes(), "{answer:?}");
    assert_eq!(
        answer[12..32],
        [b"\0\0\0\x01\0\0\0\x02", &success[..]].concat()
    );
    peer.close().await.unwrap();
}
