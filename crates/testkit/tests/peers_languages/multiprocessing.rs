//! CPython's `multiprocessing.connection`.

use socketry_testkit::in_time;
use socketry_transport::SendExt;

use crate::mirror::{Program, ROLES, Role, binary, framed, heard, over};
use crate::tools;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/peers_languages/multiprocessing_peer.py"
);
const CODEC: &str = "multiprocessing";
/// No limit and no authentication.
const OPEN: [&str; 3] = [SCRIPT, "none", "none"];

#[tokio::test]
async fn messages_are_the_same_both_ways() {
    if !tools::has("python3") {
        return;
    }
    // From 16,385 bytes on Python writes the length by itself.
    let lengths = [0, 1, 255, 16_384, 16_385, 65_536, 8_388_608];
    let python = Program("python3", &OPEN);
    let said = python.mirrors(CODEC, &binary(&lengths)).await;
    assert_eq!(said, ["closed"; 2]);
}

/// The length of a message above 2 GiB is −1 and eight bytes, which may say less as well.
#[tokio::test]
async fn python_reads_the_long_form_of_a_short_length() {
    if !tools::has("python3") {
        return;
    }
    let (peer, socket) = Program("python3", &OPEN).meet(Role::Listens).await;
    let mut framed = framed(socket, CODEC);
    let long = b"\xff\xff\xff\xff\0\0\0\0\0\0\0\x03abc";
    framed.socket_mut().send_all(long).await.unwrap();
    assert_eq!(heard(&mut framed).await, Some(b"cba".to_vec()));
    framed.finish().await.unwrap();
    assert_eq!(heard(&mut framed).await, None);
    assert_eq!(peer.ended().await, ["closed"]);
}

#[tokio::test]
async fn a_message_above_the_length_that_it_asks_for_ends_the_connection() {
    if !tools::has("python3") {
        return;
    }
    for role in ROLES {
        let limited = [SCRIPT, "1000", "none"];
        let (peer, socket) = Program("python3", &limited).meet(role).await;
        let mut framed = framed(socket, CODEC);
        framed.send(&[7; 1_000]).await.unwrap();
        assert_eq!(heard(&mut framed).await, Some(vec![7; 1_000]));
        framed.send(&[7; 1_001]).await.unwrap();
        over(&mut framed).await;
        assert_eq!(peer.ended().await, ["bad message length"]);
    }
}

/// With a key, both sides first exchange challenges and answers, which are frames as all others
/// are. Here two programs prove their key to each other through this test.
#[tokio::test]
async fn authentication_is_frames() {
    if !tools::has("python3") {
        return;
    }
    let key = [SCRIPT, "none", "secret"];
    let (server, at_server) = Program("python3", &key).meet(Role::Listens).await;
    let ask = [SCRIPT, "none", "secret", "ask"];
    let (client, at_client) = Program("python3", &ask).meet(Role::Connects).await;
    let (mut from_server, mut to_server) = framed(at_server, CODEC).split();
    let (mut from_client, mut to_client) = framed(at_client, CODEC).split();
    let answers = async {
        let mut heard = Vec::new();
        while let Some(frame) = in_time("an answer", from_server.recv_bytes())
            .await
            .unwrap()
        {
            to_client.send(&frame).await.unwrap();
            heard.push(frame);
        }
        heard
    };
    let questions = async {
        while let Some(frame) = in_time("a question", from_client.recv_bytes())
            .await
            .unwrap()
        {
            to_server.send(&frame).await.unwrap();
        }
        to_server.finish().await.unwrap();
    };
    let (heard, ()) = tokio::join!(answers, questions);
    assert!(heard[0].starts_with(b"#CHALLENGE#"), "{:?}", heard[0]);
    assert_eq!(&heard[1][..], b"#WELCOME#");
    // Its answer to the client's challenge, and to five messages and a pickle.
    assert_eq!(heard.len(), 2 + 1 + 6);
    // A pickle ends in a dot.
    assert_eq!(client.ended().await, ["b'.'"]);
    assert_eq!(server.ended().await, ["closed"]);
}
