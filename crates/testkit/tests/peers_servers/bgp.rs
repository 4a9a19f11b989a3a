//! `bgp` with BIRD as the server and ExaBGP as the client.

use socketry_testkit::in_time;
use socketry_transport::{Listener, listen};

use crate::daemon::{Daemon, command, directory, free_port, port};
use crate::{Live, live, tools};

/// A message of this type.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(19 + body.len()).unwrap();
    [&[0xFF; 16][..], &length.to_be_bytes(), &[kind], body].concat()
}

/// Opens a session as the autonomous system 65002, and returns the peer's update with a route.
async fn route(peer: &mut Live) -> Vec<u8> {
    let opened = in_time("its opening", peer.recv()).await.unwrap().unwrap();
    assert_eq!(opened[18..22], [1, 4, 0xFD, 0xE9], "version 4, of 65001");
    // The capability of routes of IPv4.
    let open = b"\x04\xFD\xEA\0\x5A\xC0\0\x02\x02\x08\x02\x06\x01\x04\0\x01\0\x01";
    peer.feed(&message(1, open)).await.unwrap();
    peer.send(&message(4, b"")).await.unwrap();
    let alive = in_time("a sign of life", peer.recv()).await.unwrap();
    assert_eq!(alive, Some(&message(4, b"")[..]));
    loop {
        let next = in_time("a route", peer.recv()).await.unwrap().unwrap();
        if next[18] == 2 && next.ends_with(b"\x18\xC6\x33\x64") {
            return next.to_vec();
        }
    }
}

#[tokio::test]
async fn bird_sends_a_route() {
    if !tools::has("bird") {
        return;
    }
    let (directory, port) = (directory(), free_port());
    let config = format!(
        r#"router id 192.0.2.1;
        log stderr all;
        protocol device {{ }}
        protocol static {{ ipv4; route 198.51.100.0/24 blackhole; }}
        protocol bgp peer {{
            local 127.0.0.1 port {port} as 65001;
            neighbor 127.0.0.1 as 65002;
            multihop 2;
            passive on;
            strict bind on;
            ipv4 {{ import all; export all; next hop address 192.0.2.1; }};
        }}"#
    );
    let path = directory.path().join("config");
    std::fs::write(&path, config).unwrap();
    let mut command = command("bird", &["-f", "-c"]);
    command
        .arg(path)
        .arg("-s")
        .arg(directory.path().join("control"));
    command.arg("-P").arg(directory.path().join("pid"));
    let mut daemon = Daemon::start(&mut command, directory.path());
    let socket = daemon.connect(&format!("tcp://127.0.0.1:{port}")).await;
    let mut peer = live("bird", socket, "bgp");
    route(&mut peer).await;
    peer.close().await.unwrap();
}

#[tokio::test]
async fn exabgp_sends_a_route() {
    if !tools::has("exabgp") {
        return;
    }
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let directory = directory();
    let config = "neighbor 127.0.0.1 {
        router-id 192.0.2.1; local-address 127.0.0.1; local-as 65001; peer-as 65002;
        family { ipv4 unicast; }
        static { route 198.51.100.0/24 next-hop 192.0.2.1; }
    }";
    let path = directory.path().join("config");
    std::fs::write(&path, config).unwrap();
    let mut command = command("exabgp", &["server"]);
    command
        .arg(path)
        .env("exabgp.tcp.port", port(&listener).to_string());
    command
        .env("exabgp.daemon.drop", "false")
        .env("exabgp.api.cli", "false");
    let _daemon = Daemon::start(&mut command, directory.path());
    let accepted = in_time("ExaBGP", listener.accept()).await.unwrap();
    let mut peer = live("exabgp", accepted, "bgp");
    route(&mut peer).await;
    peer.close().await.unwrap();
}
