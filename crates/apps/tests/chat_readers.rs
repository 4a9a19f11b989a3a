//! The costs for the users of a chat if some of them do not read.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::pending;
use std::time::Duration;

use socketry_apps::Service;
use socketry_apps::chat::{Client, Console, Operator, Server};
use socketry_codec::Framed;
use socketry_transport::{BoxSocket, Endpoint, Registry};
use tokio::time::{Instant, sleep, timeout};

async fn serve(url: &str, codec: &str) -> (Service, Endpoint, Operator) {
    let service = Service::with_codec(codec).unwrap();
    let server = Server::bind(&service, &url.parse().unwrap()).await.unwrap();
    let at = server.local().clone();
    let (console, operator) = Console::channel();
    tokio::spawn(server.run(console, pending()));
    (service, at, operator)
}

/// A user that the server knows.
async fn user(service: &Service, at: &Endpoint, operator: &mut Operator) -> Client {
    let mut client = Client::connect(service, at, None).await.unwrap();
    client.send("here").await.unwrap();
    operator.next().await.unwrap();
    client
}

/// Receives until this text comes.
async fn hears(client: &mut Client, text: &str) {
    let hearing = async { while client.recv().await.unwrap().expect("a message").text != text {} };
    timeout(Duration::from_secs(60), hearing).await.unwrap();
}

/// A user that sends more than all buffers hold, again and again, and reads, until the test ends.
async fn flood(at: &Endpoint) {
    let socket = Registry::standard().connect(at).await.unwrap();
    let (mut hearing, mut speaking) =
        Framed::new(socket, "line".parse::<socketry_codec::BoxCodec>().unwrap()).split();
    tokio::spawn(async move { while let Ok(Some(_)) = hearing.recv().await {} });
    tokio::spawn(async move {
        let line = [b'x'; 1000];
        loop {
            for _ in 0..300 {
                speaking.send(&line).await.unwrap();
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
}

/// The paused clock moves only when every task waits. So any wait for a user that does not read
/// would show.
#[tokio::test(start_paused = true)]
async fn a_polite_user_never_waits_for_those_who_do_not_read() {
    let (service, at, mut operator) = serve("mem://*", "line").await;
    let mut ann = user(&service, &at, &mut operator).await;
    let mut bob = user(&service, &at, &mut operator).await;
    flood(&at).await;
    let mut stuck: Vec<BoxSocket> = Vec::new();
    for round in 0..10 {
        stuck.push(Registry::standard().connect(&at).await.unwrap());
        for part in 0..3 {
            let (text, began) = (format!("{round} {part}"), Instant::now());
            ann.send(&text).await.unwrap();
            hears(&mut bob, &text).await;
            assert_eq!(began.elapsed(), Duration::ZERO, "{text}");
            // A hundred milliseconds of the paused clock, in which both ends read.
            let until = Instant::now() + Duration::from_millis(100);
            tokio::join!(read_until(&mut ann, until), read_until(&mut bob, until));
        }
    }
}

async fn read_until(client: &mut Client, until: Instant) {
    while let Ok(heard) = tokio::time::timeout_at(until, client.recv()).await {
        heard.unwrap().expect("a message");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_but_steady_reader_gets_a_paste_whole() {
    let (service, at, mut operator) = serve("mem://*", "line").await;
    let mut ann = user(&service, &at, &mut operator).await;
    let mut slow = user(&service, &at, &mut operator).await;
    let pasting = tokio::spawn(async move {
        for number in 0..2_000 {
            ann.send(&format!("{number:0>1000}")).await.unwrap();
        }
        ann
    });
    for number in 0..2_000 {
        let message = slow.recv().await.unwrap().expect("a message");
        assert_eq!(message.text, format!("{number:0>1000}"));
        sleep(Duration::from_millis(2)).await;
    }
    pasting.await.unwrap();
}
