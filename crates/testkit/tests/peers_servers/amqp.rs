//! `amqp` with pika as the client.

use socketry_testkit::in_time;
use socketry_transport::{Listener, listen};

use crate::daemon::{Daemon, directory, port, python};
use crate::{Live, codec, live, tools};

/// Types of frames.
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;

fn frame(kind: u8, channel: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[kind, 0, channel][..], &length, payload, b"\xCE"].concat()
}

/// A method: its class, its number in it, and its arguments.
fn method(channel: u8, class: u8, number: u8, arguments: &[u8]) -> Vec<u8> {
    frame(
        METHOD,
        channel,
        &[&[0, class, 0, number], arguments].concat(),
    )
}

/// The next frame, which must be this method.
async fn expect(peer: &mut Live, class: u8, number: u8) {
    let frame = in_time("a method", peer.recv()).await.unwrap().unwrap();
    assert_eq!(
        (frame[0], &frame[7..11]),
        (METHOD, &[0, class, 0, number][..])
    );
}

/// The lengths of the bodies of one message.
async fn message(peer: &mut Live) -> Vec<usize> {
    expect(peer, 60, 40).await;
    let header = in_time("a header", peer.recv()).await.unwrap().unwrap();
    assert_eq!(header[0], HEADER);
    let mut left = u64::from_be_bytes(header[11..19].try_into().unwrap());
    let mut lengths = Vec::new();
    while left > 0 {
        let frame = in_time("a body", peer.recv()).await.unwrap().unwrap();
        assert_eq!(frame[0], BODY);
        lengths.push(frame.len());
        left -= frame.len() as u64 - 8;
    }
    lengths
}

/// The shortest limit of frames that AMQP allows is of whole frames.
#[tokio::test]
async fn pika_cuts_a_message_into_frames_of_the_agreed_length() {
    if !tools::has_module("pika") {
        return;
    }
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let (directory, port) = (directory(), port(&listener));
    let mut command = python("amqp_client.py", &[&port.to_string()]);
    let mut client = Daemon::start(&mut command, directory.path());
    let accepted = in_time("pika", listener.accept()).await.unwrap();
    let mut peer = live("pika", accepted, "raw");
    let mut greeting = peer.body(8).unwrap();
    let beginning = in_time("its greeting", greeting.chunk_bytes())
        .await
        .unwrap();
    assert_eq!(&beginning.unwrap()[..], b"AMQP\0\0\x09\x01");
    let mut peer = peer.with_codec(codec("amqp")).unwrap();

    let start = b"\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US";
    peer.send(&method(0, 10, 10, start)).await.unwrap();
    expect(&mut peer, 10, 11).await;
    // Ten channels, frames of 4,096 bytes, and no heartbeats.
    peer.send(&method(0, 10, 30, b"\0\x0A\0\0\x10\0\0\0"))
        .await
        .unwrap();
    expect(&mut peer, 10, 31).await;
    expect(&mut peer, 10, 40).await;
    peer.send(&method(0, 10, 41, b"\0")).await.unwrap();
    expect(&mut peer, 20, 10).await;
    peer.send(&method(1, 20, 11, b"\0\0\0\0")).await.unwrap();

    assert_eq!(message(&mut peer).await, [4_096, 4_096, 1_832]);
    assert!(message(&mut peer).await.is_empty());

    expect(&mut peer, 20, 40).await;
    peer.send(&method(1, 20, 41, b"")).await.unwrap();
    expect(&mut peer, 10, 50).await;
    peer.send(&method(0, 10, 51, b"")).await.unwrap();
    in_time("its end", client.ended()).await;
}
