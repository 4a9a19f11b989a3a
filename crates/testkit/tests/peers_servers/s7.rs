//! `tpkt` with the server of python-snap7, which speaks ISO-on-TCP.

use socketry_testkit::in_time;

use crate::daemon::{Daemon, directory, free_port, python};
use crate::{codec, live, tools};

/// A request of COTP for a connection, and the beginning of the answer.
const CONNECT: &[u8] = b"\x11\xE0\0\0\0\x01\0\xC0\x01\x0A\xC1\x02\x01\0\xC2\x02\x01\x02";
const CONNECTED: &[u8] = b"\x11\xD0\0\x01";
/// A request of S7 to set the connection up, in a packet of COTP, and the beginning of the answer.
const SET_UP: &[u8] = b"\x02\xF0\x80\x32\x01\0\0\x04\0\0\x08\0\0\xF0\0\0\x01\0\x01\x01\xE0";
const IS_SET_UP: &[u8] = b"\x02\xF0\x80\x32\x03\0\0\x04\0";

#[tokio::test]
async fn snap7_answers_packets() {
    if !tools::has_module("snap7") {
        return;
    }
    let (directory, port) = (directory(), free_port());
    let mut command = python("s7_server.py", &[&port.to_string()]);
    let mut daemon = Daemon::start(&mut command, directory.path());
    let url = format!("tcp://127.0.0.1:{port}");
    let mut peer = live("snap7", daemon.connect(&url).await, "tpkt");
    peer.feed(CONNECT).await.unwrap();
    peer.send(SET_UP).await.unwrap();
    for beginning in [CONNECTED, IS_SET_UP] {
        let answer = in_time("an answer", peer.recv()).await.unwrap().unwrap();
        assert!(answer.starts_with(beginning), "{answer:?}");
    }
    peer.close().await.unwrap();

    // This project wants 0 in the reserved byte; this server does not look at it.
    let mut peer = live("snap7-reserved", daemon.connect(&url).await, "raw");
    let packet = [b"\x03\x01\0\x16", CONNECT].concat();
    peer.send(&packet).await.unwrap();
    let mut peer = peer.with_codec(codec("tpkt")).unwrap();
    let answer = in_time("an answer", peer.recv()).await.unwrap().unwrap();
    assert!(answer.starts_with(CONNECTED), "{answer:?}");
    peer.close().await.unwrap();
}
