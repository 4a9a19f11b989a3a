//! Two halves of a conversation are joined again, with all the bytes that they hold.
#![allow(clippy::unwrap_used, reason = "tests")]

use socketry_codec::{BoxCodec, Framed, Struct};
use socketry_testkit::{Places, in_time};
use socketry_transport::{BoxSocket, Endpoint, Half, Joined, Listener, Socket, connect, listen};

async fn pair(at: impl Into<Endpoint>) -> [Framed<BoxSocket>; 2] {
    let mut server = listen(at.into()).await.unwrap();
    let client = connect(server.local()).await.unwrap();
    let codec = || BoxCodec::from(Struct::default());
    // A datagram server learns of a client by its first datagram.
    let mut client = Framed::new(client, codec());
    client.send(b"first").await.unwrap();
    let mut accepted = Framed::new(server.accept().await.unwrap(), codec());
    assert_eq!(accepted.recv().await.unwrap(), Some(&b"first"[..]));
    [client, accepted]
}

#[tokio::test]
async fn the_buffers_of_both_halves_are_kept() {
    let places = Places::new();
    for at in places.all() {
        in_time(&at.to_string(), async {
            let [client, mut accepted] = pair(at.clone()).await;
            let (mut hearing, mut speaking) = client.split();
            // Two frames that arrive, of which one is taken, and one frame that is fed and not
            // written.
            accepted.feed(b"one").await.unwrap();
            accepted.send(b"two").await.unwrap();
            assert_eq!(hearing.recv().await.unwrap(), Some(&b"one"[..]));
            speaking.feed(b"unsent").await.unwrap();
            let mut client = hearing.reunite(speaking).unwrap();
            assert_eq!(client.recv().await.unwrap(), Some(&b"two"[..]));
            client.flush().await.unwrap();
            assert_eq!(accepted.recv().await.unwrap(), Some(&b"unsent"[..]));
            // Split and joined once more, since it is a socket like any other.
            let (hearing, speaking) = client.split();
            let client = hearing.reunite(speaking).unwrap();
            let (closed, heard) = tokio::join!(client.close(), async {
                if accepted.shape().is_stream() {
                    assert_eq!(accepted.recv().await.unwrap(), None);
                }
                accepted.close().await
            });
            closed.unwrap();
            heard.unwrap();
        })
        .await;
    }
}

#[tokio::test]
async fn halves_of_different_sockets_are_given_back() {
    let places = Places::new();
    let [one, _kept] = pair(places.free("tcp")).await;
    let [other, mut peer] = pair(places.free("tcp")).await;
    let (hearing, _speaking) = one.split();
    let (_hearing, speaking) = other.split();
    let strangers = hearing.reunite(speaking).unwrap_err();
    let words = strangers.to_string();
    assert!(words.contains("belong to different sockets"), "{words}");
    let (_, mut speaking) = *strangers.0;
    speaking.send(b"still good").await.unwrap();
    assert_eq!(peer.recv().await.unwrap(), Some(&b"still good"[..]));
}

/// A third party's transport may be two pipes.
#[tokio::test]
async fn the_halves_of_a_third_party_are_a_socket() {
    let places = Places::new();
    let [one, mut hears] = pair(places.free("unix")).await;
    let [other, mut tells] = pair(places.free("mem")).await;
    let (_, send) = one.into_socket().split();
    let (recv, _) = other.into_socket().split();
    let joined = Joined::new(recv, send);
    assert_eq!(joined.peer().scheme(), "mem");
    let mut joined = Framed::new(joined, Struct::default());
    joined.send(b"out").await.unwrap();
    assert_eq!(hears.recv().await.unwrap(), Some(&b"out"[..]));
    tells.send(b"in").await.unwrap();
    assert_eq!(joined.recv().await.unwrap(), Some(&b"in"[..]));
}
