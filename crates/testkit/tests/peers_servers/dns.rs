//! `dns-tcp` with dnsmasq and unbound.

use socketry_codec::Fault;
use socketry_testkit::in_time;
use tempfile::TempDir;
use tokio::net::UdpSocket;

use crate::daemon::{Daemon, command, directory, free_port};
use crate::{Live, codec, live, tools};

/// A question for the address of a name.
fn query(id: u16, name: &str) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend_from_slice(b"\x01\0\0\x01\0\0\0\0\0\0");
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).unwrap());
        message.extend_from_slice(label.as_bytes());
    }
    message.extend_from_slice(b"\0\0\x01\0\x01");
    message
}

/// The number of the next answer, which must be one without an error.
async fn answered(peer: &mut Live) -> Option<u16> {
    let answer = in_time("an answer", peer.recv()).await.unwrap()?;
    assert_eq!(
        (answer[2] & 0x80, answer[3] & 0x0F),
        (0x80, 0),
        "{answer:?}"
    );
    Some(u16::from_be_bytes([answer[0], answer[1]]))
}

async fn dnsmasq() -> Option<(Daemon, TempDir, String)> {
    if !tools::has("dnsmasq") {
        return None;
    }
    let (directory, port) = (directory(), free_port());
    let port_option = format!("--port={port}");
    let options = [
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--user=",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        "--listen-address=127.0.0.1",
        "--address=/here.example/192.0.2.1",
        &port_option,
    ];
    let daemon = Daemon::start(&mut command("dnsmasq", &options), directory.path());
    Some((daemon, directory, format!("tcp://127.0.0.1:{port}")))
}

#[tokio::test]
async fn dnsmasq_answers_100_queries_and_closes() {
    let Some((mut daemon, _directory, url)) = dnsmasq().await else {
        return;
    };
    let mut peer = live("dnsmasq-100", daemon.connect(&url).await, "dns-tcp");
    for id in 0..100 {
        peer.feed(&query(id, &format!("a{id}.here.example")))
            .await
            .unwrap();
    }
    peer.flush().await.unwrap();
    for id in 0..100 {
        assert_eq!(answered(&mut peer).await, Some(id));
    }
    assert_eq!(answered(&mut peer).await, None);
}

#[tokio::test]
async fn an_empty_message_ends_the_conversation_with_dnsmasq() {
    let Some((mut daemon, _directory, url)) = dnsmasq().await else {
        return;
    };
    ends_at_an_empty_message("dnsmasq", daemon.connect(&url).await).await;
}

/// So the codec sends none.
async fn ends_at_an_empty_message(name: &str, socket: socketry_transport::BoxSocket) {
    let mut peer = live(name, socket, "dns-tcp");
    let error = peer.feed(b"").await.unwrap_err();
    assert!(
        matches!(error.codec_fault(), Some(Fault::TooShort { .. })),
        "{error}"
    );
    peer.send(&query(1, "here.example")).await.unwrap();
    assert_eq!(answered(&mut peer).await, Some(1));
    let mut peer = peer.with_codec(codec("raw")).unwrap();
    peer.send(b"\0\0").await.unwrap();
    let mut peer = peer.with_codec(codec("dns-tcp")).unwrap();
    let gone = in_time("its end", peer.recv()).await;
    assert!(!matches!(gone, Ok(Some(_))), "it closes the connection");
}

/// unbound, which asks `upstream` for names below `far.example`.
async fn unbound(upstream: u16) -> Option<(Daemon, TempDir, String)> {
    if !tools::has("unbound") {
        return None;
    }
    let (directory, port) = (directory(), free_port());
    let place = directory.path().display();
    let config = format!(
        r#"server:
            interface: 127.0.0.1
            port: {port}
            username: ""
            chroot: ""
            directory: "{place}"
            pidfile: ""
            use-syslog: no
            do-daemonize: no
            do-not-query-localhost: no
            module-config: "iterator"
            local-data: "here.example. A 192.0.2.1"
        forward-zone:
            name: "far.example."
            forward-addr: 127.0.0.1@{upstream}
        "#
    );
    let path = directory.path().join("config");
    std::fs::write(&path, config).unwrap();
    let mut command = command("unbound", &["-d", "-c"]);
    let daemon = Daemon::start(command.arg(path), directory.path());
    Some((daemon, directory, format!("tcp://127.0.0.1:{port}")))
}

#[tokio::test]
async fn unbound_answers_out_of_order() {
    let upstream = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = upstream.local_addr().unwrap().port();
    let Some((mut daemon, _directory, url)) = unbound(port).await else {
        return;
    };
    let mut peer = live("unbound-order", daemon.connect(&url).await, "dns-tcp");
    for (id, name) in [(1, "far.example"), (2, "here.example"), (3, "here.example")] {
        peer.feed(&query(id, name)).await.unwrap();
    }
    peer.flush().await.unwrap();
    assert_eq!(answered(&mut peer).await, Some(2));
    assert_eq!(answered(&mut peer).await, Some(3));

    // The server that it asked answers only now.
    let mut asked = [0; 512];
    let receive = upstream.recv_from(&mut asked);
    let (len, resolver) = in_time("its question", receive).await.unwrap();
    let question = query(0, "far.example").len();
    assert!(len >= question);
    let mut answer = asked[..question].to_vec();
    answer[2..12].copy_from_slice(b"\x81\x80\0\x01\0\x01\0\0\0\0");
    answer.extend_from_slice(b"\xC0\x0C\0\x01\0\x01\0\0\0\x3C\0\x04\xC0\0\x02\x02");
    upstream.send_to(&answer, resolver).await.unwrap();
    assert_eq!(answered(&mut peer).await, Some(1));
    peer.close().await.unwrap();
}

#[tokio::test]
async fn an_empty_message_ends_the_conversation_with_unbound() {
    let Some((mut daemon, _directory, url)) = unbound(1).await else {
        return;
    };
    ends_at_an_empty_message("unbound", daemon.connect(&url).await).await;
}
