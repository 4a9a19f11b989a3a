//! `diameter` with freeDiameter.

use std::process::Stdio;

use socketry_testkit::in_time;

use crate::daemon::{Daemon, command, directory, free_port};
use crate::{live, tools};

/// An attribute, which must be understood.
fn attribute(code: u32, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(8 + value.len()).unwrap();
    let head = [code.to_be_bytes(), (0x4000_0000 | length).to_be_bytes()].concat();
    let mut bytes = [&head, value].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A request.
fn request(command: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
    let attributes = attributes.concat();
    let length = u32::try_from(20 + attributes.len()).unwrap();
    let head = [0x0100_0000 | length, 0x8000_0000 | command, 0, 1, 2];
    let head: Vec<u8> = head.iter().flat_map(|word| word.to_be_bytes()).collect();
    [head, attributes].concat()
}

#[tokio::test]
async fn free_diameter_exchanges_capabilities_and_watchdogs() {
    if !(tools::has("freeDiameterd") && tools::has("openssl")) {
        return;
    }
    let (directory, port, secure) = (directory(), free_port(), free_port());
    let place = directory.path().display();
    // It wants a certificate even for peers without TLS.
    let options = [
        "req",
        "-x509",
        "-nodes",
        "-subj",
        "/CN=peer.example",
        "-newkey",
        "rsa:2048",
    ];
    let mut made = command("openssl", &options);
    made.arg("-keyout").arg(directory.path().join("key"));
    made.arg("-out").arg(directory.path().join("certificate"));
    made.stderr(Stdio::null());
    assert!(in_time("openssl", made.status()).await.unwrap().success());
    let config = format!(
        r#"Identity = "peer.example";
        Realm = "example";
        Port = {port};
        SecPort = {secure};
        No_SCTP;
        No_IPv6;
        ListenOn = "127.0.0.1";
        TLS_Cred = "{place}/certificate", "{place}/key";
        TLS_CA = "{place}/certificate";
        ConnectPeer = "client.example" {{ ConnectTo = "127.0.0.1"; Port = 1; No_TLS; }};"#
    );
    let path = directory.path().join("config");
    std::fs::write(&path, config).unwrap();
    let mut command = command("freeDiameterd", &["-c"]);
    let mut daemon = Daemon::start(command.arg(path), directory.path());
    let socket = daemon.connect(&format!("tcp://127.0.0.1:{port}")).await;
    let mut peer = live("freediameter", socket, "diameter");

    let origin = [
        attribute(264, b"client.example"),
        attribute(296, b"example"),
    ];
    let capabilities = [
        attribute(257, b"\0\x01\x7F\0\0\x01"),
        attribute(266, &[0; 4]),
        attribute(269, b"client"),
        attribute(299, &[0; 4]),
        attribute(258, &[0xFF; 4]),
    ];
    let greeting = request(257, &[&origin[..], &capabilities].concat());
    for (code, asked) in [(257_u32, greeting), (280, request(280, &origin))] {
        peer.send(&asked).await.unwrap();
        let answer = in_time("an answer", peer.recv()).await.unwrap().unwrap();
        assert_eq!(answer[4..8], code.to_be_bytes(), "{answer:?}");
        // Its first attribute is the result, success.
        assert_eq!(answer[20..32], attribute(268, &2001_u32.to_be_bytes()));
    }
    peer.close().await.unwrap();
}
