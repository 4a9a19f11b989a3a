//! `mqtt` with mosquitto.

use socketry_testkit::in_time;
use tempfile::TempDir;

use crate::daemon::{Daemon, command, directory, free_port};
use crate::{Live, codec, live, tools};

const CONNECT: &[u8] = b"\x10\x0D\0\x04MQTT\x04\x02\0\x3C\0\x01c";
const CONNECTED: &[u8] = b"\x20\x02\0\0";
const SUBSCRIBE: &[u8] = b"\x82\x06\0\x01\0\x01t\0";
const SUBSCRIBED: &[u8] = b"\x90\x03\0\x01\0";

/// A message of `rest` bytes behind the length, of which three are its topic `t`. The length has
/// `bytes` bytes.
fn publish(rest: usize, bytes: usize) -> Vec<u8> {
    let mut packet = vec![0x30];
    for place in 0..bytes {
        let low = u8::try_from((rest >> (7 * place)) & 127).unwrap();
        let more = if place + 1 < bytes { 128 } else { 0 };
        packet.push(low | more);
    }
    packet.extend_from_slice(b"\0\x01t");
    packet.resize(1 + bytes + rest, b'x');
    packet
}

/// A broker, and a client of it that hears what it says itself.
async fn subscribed(name: &str) -> Option<(Daemon, TempDir, Live)> {
    if !tools::has("mosquitto") {
        return None;
    }
    let (directory, port) = (directory(), free_port());
    let path = directory.path().join("config");
    let config = format!("listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n");
    std::fs::write(&path, config).unwrap();
    let mut command = command("mosquitto", &["-c"]);
    let mut daemon = Daemon::start(command.arg(path), directory.path());
    let socket = daemon.connect(&format!("tcp://127.0.0.1:{port}")).await;
    let mut peer = live(name, socket, "mqtt");
    for (asked, answer) in [(CONNECT, CONNECTED), (SUBSCRIBE, SUBSCRIBED)] {
        peer.send(asked).await.unwrap();
        assert_eq!(received(&mut peer).await, answer);
    }
    Some((daemon, directory, peer))
}

async fn received(peer: &mut Live) -> Vec<u8> {
    let packet = in_time("a packet", peer.recv()).await.unwrap();
    packet.unwrap().to_vec()
}

#[tokio::test]
async fn packets_come_back_whole_at_each_edge_of_a_length() {
    let Some((_daemon, _directory, mut peer)) = subscribed("mosquitto-long").await else {
        return;
    };
    for (bytes, first) in [(1, 3), (2, 128), (3, 16_384), (4, 2_097_152)] {
        let last = (1 << (7 * bytes)) - 1;
        // 256 MiB is more than a codec takes by default.
        for rest in [first, last.min(2_097_153)] {
            let packet = publish(rest, bytes);
            peer.send(&packet).await.unwrap();
            let heard = received(&mut peer).await;
            assert!(heard == packet, "{rest}: {} bytes", heard.len());
        }
    }
    peer.close().await.unwrap();
}

#[tokio::test]
async fn a_short_conversation() {
    let Some((_daemon, _directory, mut peer)) = subscribed("mosquitto").await else {
        return;
    };
    for packet in [publish(3, 1), publish(9, 1), publish(200, 2)] {
        peer.send(&packet).await.unwrap();
        assert_eq!(received(&mut peer).await, packet);
    }
    peer.send(b"\xC0\0").await.unwrap();
    assert_eq!(received(&mut peer).await, b"\xD0\0", "the answer to a ping");
    peer.send(b"\xE0\0").await.unwrap();
    assert_eq!(in_time("its end", peer.recv()).await.unwrap(), None);
}

/// The codec refuses to send such lengths, so they are sent as they are.
#[tokio::test]
async fn mosquitto_reads_longer_lengths_and_writes_the_shortest() {
    let Some((_daemon, _directory, mut peer)) = subscribed("mosquitto-padded").await else {
        return;
    };
    for bytes in 2..=4 {
        let padded = publish(5, bytes);
        assert!(peer.feed(&padded).await.is_err(), "{bytes}");
        let mut raw = peer.with_codec(codec("raw")).unwrap();
        raw.send(&padded).await.unwrap();
        peer = raw.with_codec(codec("mqtt")).unwrap();
        assert_eq!(received(&mut peer).await, publish(5, 1));
    }
    // Five bytes are an error for both ends.
    let mut raw = peer.with_codec(codec("raw")).unwrap();
    raw.send(&publish(5, 5)).await.unwrap();
    let mut peer = raw.with_codec(codec("mqtt")).unwrap();
    let gone = in_time("its end", peer.recv()).await;
    assert!(!matches!(gone, Ok(Some(_))), "it closes the connection");
}
