//! Peers that are slow, and peers that are gone. The clock stands still while tasks run.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::future::poll_fn;
use std::time::Duration;

use common::{fill, request};
use socketry_transport::{
    BoxSocket, Deadlines, Listener, RecvExt, Registry, SendExt, SendHalf, Socket,
};
use socketry_ws::Ws;
use tokio::time::{Instant, sleep, timeout};

/// A server's socket, and a client that only does what the test does.
async fn upgraded(name: &str) -> (BoxSocket, BoxSocket) {
    let registry = Ws::new().register(Registry::standard()).unwrap();
    let registry = registry.layer_as("ws+mem", "mem", Ws::new()).unwrap();
    let url = format!("ws+mem://{name}");
    let mut listener = registry.listen(url.as_str()).await.unwrap();
    let mut client = registry.connect(format!("mem://{name}")).await.unwrap();
    client.send_all(request("").as_bytes()).await.unwrap();
    let server = listener.accept().await.unwrap();
    let (mut head, mut buf) = (Vec::new(), [0; 1]);
    while !head.ends_with(b"\r\n\r\n") {
        assert_eq!(client.recv(&mut buf).await.unwrap().0, 1);
        head.extend(buf);
    }
    (client, server)
}

/// How long the socket waits until it gives the peer up, and why.
async fn given_up(socket: &mut impl RecvExt) -> (u64, String) {
    let begun = Instant::now();
    let error = socket.recv(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    (begun.elapsed().as_secs(), error.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_close_that_the_peer_never_answers_is_given_up() {
    let (_client, mut server) = upgraded("closes").await;
    server.finish().await.unwrap();
    let (time, words) = given_up(&mut server).await;
    assert_eq!(time, 45 + 20);
    assert!(words.contains("asked for a sign of life"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_given_up_behind_a_full_queue_too() {
    let (_client, server) = upgraded("stuck").await;
    let (mut recv, mut send) = server.split();
    fill(&mut send).await;
    let (time, words) = given_up(&mut recv).await;
    assert!((64..=65).contains(&time), "{time}");
    assert!(words.contains("asked for a sign of life"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_flush_behind_a_peer_that_reads_nothing_ends_at_the_deadline_over_it() {
    const TIME: Duration = Duration::from_secs(5);
    let (_client, server) = upgraded("flushes").await;
    let deadlines = Deadlines::default().send_within(TIME);
    let (_recv, mut send) = deadlines.over(server).split();
    // The time runs from the first send that has to wait.
    let begun = Instant::now();
    fill(&mut send).await;
    let error = poll_fn(|cx| send.poll_flush(cx)).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(begun.elapsed().as_secs(), TIME.as_secs());
}

/// A ping behind many bytes reaches a slow reader late.
#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_bytes_that_wait_is_alive() {
    let (mut client, server) = upgraded("slow").await;
    let (mut recv, mut send) = server.split();
    let sending = async {
        loop {
            send.send_all(&[0; 60_000]).await.unwrap();
        }
    };
    let reading = async {
        let mut buf = vec![0; 16_384];
        loop {
            sleep(Duration::from_secs(15)).await;
            let (len, _) = client.recv(&mut buf).await.unwrap();
            assert!(len > 0);
        }
    };
    let mut buf = [0; 8];
    let both = async {
        tokio::select! {
            received = recv.recv(&mut buf) => panic!("{received:?}"),
            () = sending => {}
            () = reading => {}
        }
    };
    let hour = Duration::from_secs(3600);
    assert!(timeout(hour, both).await.is_err());
}
