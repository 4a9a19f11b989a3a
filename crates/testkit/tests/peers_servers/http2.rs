//! `http2` with nghttpd and grpcio, and `grpc` inside.

use socketry_codec::Reader;
use socketry_testkit::in_time;

use crate::daemon::{Daemon, command, directory, free_port, python};
use crate::{Live, codec, live, tools};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Types of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// Flags of frames.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// The fields, each as a literal that is not indexed.
fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            bytes.push(u8::try_from(text.len()).unwrap());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes
}

/// A connection after the preface and our settings.
async fn open(name: &str, daemon: &mut Daemon, port: u16) -> Live {
    let socket = daemon.connect(&format!("tcp://127.0.0.1:{port}")).await;
    let mut peer = live(name, socket, "raw");
    peer.send(PREFACE).await.unwrap();
    let mut peer = peer.with_codec(codec("http2")).unwrap();
    peer.send(&frame(SETTINGS, 0, 0, b"")).await.unwrap();
    let settings = in_time("its settings", peer.recv()).await.unwrap().unwrap();
    assert_eq!(settings[3..5], [SETTINGS, 0]);
    peer
}

/// The payloads of the frames of `kind`, up to one that ends the stream.
async fn payloads(peer: &mut Live, kind: u8) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let frame = in_time("a frame", peer.recv()).await.unwrap().unwrap();
        if frame[3] == kind {
            all.push(frame[9..].to_vec());
        }
        if matches!(frame[3], DATA | HEADERS) && frame[4] & END_STREAM != 0 {
            return all;
        }
    }
}

#[tokio::test]
async fn nghttpd_fills_frames_and_refuses_longer_ones() {
    if !tools::has("nghttpd") {
        return;
    }
    let (directory, port) = (directory(), free_port());
    std::fs::write(directory.path().join("file"), [b'x'; 40_000]).unwrap();
    let mut command = command("nghttpd", &["--no-tls", "-a", "127.0.0.1", "-d"]);
    command.arg(directory.path()).arg(port.to_string());
    let mut daemon = Daemon::start(&mut command, directory.path());
    let mut peer = open("nghttpd", &mut daemon, port).await;
    let get = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/file"),
        (":authority", "localhost"),
    ];
    let asked = frame(HEADERS, END_HEADERS | END_STREAM, 1, &fields(&get));
    peer.send(&asked).await.unwrap();
    let file = payloads(&mut peer, DATA).await;
    assert_eq!(file.iter().map(Vec::len).max(), Some(16_384));
    assert_eq!(file.concat(), [b'x'; 40_000]);

    // A frame of a type that nobody knows, as long as it may be, and then a longer one.
    peer.send(&frame(0x99, 0, 0, &[0; 16_384])).await.unwrap();
    let long = frame(0x99, 0, 0, &[0; 16_385]);
    peer.feed(&long).await.unwrap_err();
    let mut peer = peer.with_codec(codec("raw")).unwrap();
    peer.send(&long).await.unwrap();
    let mut peer = peer.with_codec(codec("http2")).unwrap();
    loop {
        let frame = in_time("its refusal", peer.recv()).await.unwrap().unwrap();
        if frame[3] == GOAWAY {
            // FRAME_SIZE_ERROR
            assert_eq!(frame[13..17], [0, 0, 0, 6]);
            break;
        }
    }
}

#[tokio::test]
async fn grpcio_echoes_messages_that_frames_cut() {
    if !tools::has_module("grpc") {
        return;
    }
    let (directory, port) = (directory(), free_port());
    let mut command = python("grpc_echo.py", &[&port.to_string()]);
    let mut daemon = Daemon::start(&mut command, directory.path());
    let mut peer = open("grpcio", &mut daemon, port).await;
    let call = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/echo.Echo/Echo"),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let asked = frame(HEADERS, END_HEADERS, 1, &fields(&call));
    peer.feed(&asked).await.unwrap();
    // Three messages, and a frame that ends in the middle of the second one's header.
    let messages = [b"\0\0\0\0\x05hello".to_vec(), b"\0\0\0\0\0".to_vec(), {
        let length = 2_000_u32.to_be_bytes();
        [&[0][..], &length, &[b'x'; 2_000]].concat()
    }];
    let bytes = messages.concat();
    let (first, second) = bytes.split_at(12);
    peer.feed(&frame(DATA, 0, 1, first)).await.unwrap();
    peer.send(&frame(DATA, END_STREAM, 1, second))
        .await
        .unwrap();

    let mut answers = Reader::new(codec("grpc"));
    for payload in payloads(&mut peer, DATA).await {
        answers.push(&payload);
    }
    for message in &messages {
        assert_eq!(answers.next_frame().unwrap(), Some(&message[..]));
    }
    assert_eq!(answers.next_frame().unwrap(), None);
    peer.close().await.unwrap();
}
