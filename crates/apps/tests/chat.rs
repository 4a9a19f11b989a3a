//! The chat through its library: every transport with every codec, and events that must not disturb
//! it.
#![allow(clippy::unwrap_used)]

use std::future::pending;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socketry_apps::Service;
use socketry_apps::chat::limits::{FIRST_WORD, PATIENCE};
use socketry_apps::chat::{Client, Console, Message, Operator, Server};
use socketry_apps::matrix::{CODECS, SCHEMES};
use socketry_codec::Framed;
use socketry_transport::{BoxSocket, Endpoint, Registry};
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(20);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(LIMIT, what).await.expect("in time")
}

/// A server that runs until the test ends.
async fn serve(url: &str, codec: &str) -> (Service, Endpoint, Operator) {
    let service = Service::with_codec(codec).unwrap();
    let server = Server::bind(&service, &url.parse().unwrap()).await.unwrap();
    let at = server.local().clone();
    let (console, operator) = Console::channel();
    tokio::spawn(server.run(console, pending()));
    (service, at, operator)
}

/// A peer that sends frames of any content.
async fn stranger(at: &Endpoint, codec: &str) -> Framed<BoxSocket> {
    let socket = Registry::standard().connect(at).await.unwrap();
    Framed::new(socket, codec.parse().unwrap())
}

async fn said(framed: &mut Framed<BoxSocket>) -> Value {
    soon(framed.recv_json()).await.unwrap().expect("an answer")
}

async fn hears(client: &mut Client, shown: &str) -> Message {
    let message = soon(client.recv()).await.unwrap().expect("a message");
    assert_eq!(message.to_string(), shown);
    message
}

async fn shows(operator: &mut Operator, shown: &str) {
    assert_eq!(soon(operator.next()).await.as_deref(), Some(shown));
}

fn url(scheme: &str, directory: &tempfile::TempDir, codec: &str) -> String {
    match scheme {
        "tcp" | "udp" => format!("{scheme}://127.0.0.1:0"),
        "mem" => "mem://*".to_owned(),
        _ => {
            let name = format!("{scheme}-{}", codec.replace(':', "-"));
            format!("{scheme}://{}", directory.path().join(name).display())
        }
    }
}

#[tokio::test]
async fn messages_reach_all_other_users_over_every_pairing() {
    let directory = tempfile::tempdir().unwrap();
    for scheme in SCHEMES {
        for codec in CODECS {
            let talk = scenario(url(scheme, &directory, codec), codec);
            timeout(LIMIT, talk)
                .await
                .unwrap_or_else(|_| panic!("{scheme} {codec}"));
        }
    }
}

async fn scenario(url: String, codec: &str) {
    let (service, at, mut operator) = serve(&url, codec).await;
    let mut users: Vec<Client> = Vec::new();
    for name in ["ann", "bob", "eve"] {
        let mut user = Client::connect(&service, &at, Some(name)).await.unwrap();
        user.send("here").await.unwrap();
        shows(&mut operator, &format!("{name} : here")).await;
        for earlier in &mut users {
            hears(earlier, &format!("{name} : here")).await;
        }
        users.push(user);
    }
    let [mut ann, mut bob, mut eve]: [Client; 3] = users.try_into().unwrap();
    ann.send("你好, all").await.unwrap();
    shows(&mut operator, "ann : 你好, all").await;
    let one = hears(&mut bob, "ann : 你好, all").await;
    hears(&mut eve, "ann : 你好, all").await;
    operator.say("welcome").await;
    let json = codec.starts_with("json");
    let welcome = if json {
        "operator : welcome"
    } else {
        "welcome"
    };
    for user in [&mut ann, &mut eve] {
        // Ann's next message is this one: her own do not come back to her.
        hears(user, welcome).await;
    }
    let two = hears(&mut bob, welcome).await;
    assert_eq!(one.from.is_some(), json);
    assert!(!json || (one.seq < two.seq && one.seq.is_some() && one.time <= two.time));
    // Eve leaves, which does not concern the others.
    eve.send("q").await.unwrap();
    if at.scheme() != "udp" && at.scheme() != "unix-dgram" {
        assert!(soon(eve.recv()).await.unwrap().is_none());
    }
    bob.send("still here").await.unwrap();
    shows(&mut operator, "bob : still here").await;
    hears(&mut ann, "bob : still here").await;
    operator.say("q").await;
    assert!(soon(ann.recv()).await.unwrap().is_none());
    assert!(soon(bob.recv()).await.unwrap().is_none());
    // The server goes on.
    let mut next = Client::connect(&service, &at, None).await.unwrap();
    next.send("hello").await.unwrap();
    shows(
        &mut operator,
        if json { "anonymous : hello" } else { "hello" },
    )
    .await;
}

#[tokio::test]
async fn messages_are_numbered_and_dated_by_the_server() {
    let (_, at, operator) = serve("tcp://127.0.0.1:0", "json:>I").await;
    let mut peer = stranger(&at, "json:>I").await;
    // The answer shows that the server knows this peer.
    peer.send_json(&json!({})).await.unwrap();
    said(&mut peer).await;
    let forged = json!({"from": "eve", "text": "x", "seq": 99, "time": 1});
    let mut eve = stranger(&at, "json:>I").await;
    eve.send_json(&forged).await.unwrap();
    let first = said(&mut peer).await;
    operator.say("y").await;
    let second = said(&mut peer).await;
    assert_eq!((&first["seq"], &second["seq"]), (&json!(1), &json!(2)));
    assert!(first["time"].as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!(second["from"], "operator");
}

#[tokio::test]
async fn a_fatal_error_ends_that_conversation_only() {
    let (service, at, mut operator) = serve("tcp://127.0.0.1:0", "json:bare").await;
    let mut ann = Client::connect(&service, &at, Some("ann")).await.unwrap();
    ann.send("before").await.unwrap();
    shows(&mut operator, "ann : before").await;
    let mut peer = stranger(&at, "raw").await;
    peer.send(b"GET / HTTP/1.1\r\n").await.unwrap();
    let answer = soon(peer.recv()).await.unwrap().unwrap();
    assert!(answer.starts_with(b"{\"error\":"));
    assert!(soon(peer.recv()).await.unwrap().is_none());
    ann.send("after").await.unwrap();
    shows(&mut operator, "ann : after").await;
}

#[tokio::test]
async fn an_error_that_is_not_fatal_is_answered() {
    let (_, at, mut operator) = serve("tcp://127.0.0.1:0", "json").await;
    let mut peer = stranger(&at, "struct").await;
    peer.send(b"not json").await.unwrap();
    let answer = soon(peer.recv()).await.unwrap().unwrap();
    assert!(answer.starts_with(b"{\"error\":"));
    peer.send(b"{\"text\":\"json\"}").await.unwrap();
    shows(&mut operator, "anonymous : json").await;
}

#[tokio::test]
async fn two_raw_texts_in_one_read_are_one_message() {
    let (service, at, mut operator) = serve("tcp://127.0.0.1:0", "raw").await;
    let mut ann = Client::connect(&service, &at, None).await.unwrap();
    ann.send("here").await.unwrap();
    shows(&mut operator, "here").await;
    let mut peer = stranger(&at, "raw").await;
    peer.feed(b"one").await.unwrap();
    peer.feed(b"q").await.unwrap();
    peer.flush().await.unwrap();
    shows(&mut operator, "oneq").await;
    hears(&mut ann, "oneq").await;
}

#[tokio::test]
async fn bytes_that_are_no_text_are_replaced_for_all() {
    let (service, at, mut operator) = serve("tcp://127.0.0.1:0", "struct").await;
    let mut ann = Client::connect(&service, &at, None).await.unwrap();
    ann.send("here").await.unwrap();
    shows(&mut operator, "here").await;
    let mut peer = stranger(&at, "struct").await;
    peer.send(b"a\xffb").await.unwrap();
    shows(&mut operator, "a\u{fffd}b").await;
    hears(&mut ann, "a\u{fffd}b").await;
}

#[tokio::test]
async fn a_half_character_at_the_end_of_a_raw_stream_is_shown_as_such() {
    let (_, at, mut operator) = serve("tcp://127.0.0.1:0", "raw").await;
    let mut peer = stranger(&at, "raw").await;
    peer.send(&"你".as_bytes()[..2]).await.unwrap();
    peer.finish().await.unwrap();
    shows(&mut operator, "\u{fffd}").await;
}

#[tokio::test]
async fn a_half_closed_user_still_receives() {
    let (service, at, mut operator) = serve("tcp://127.0.0.1:0", "line").await;
    let mut ann = Client::connect(&service, &at, Some("ann")).await.unwrap();
    ann.send("that is all").await.unwrap();
    ann.finish().await.unwrap();
    shows(&mut operator, "ann : that is all").await;
    operator.say("thank you").await;
    hears(&mut ann, "thank you").await;
}

#[tokio::test]
async fn a_user_that_does_not_read_delays_others_once_and_is_disconnected() {
    for url in [
        "mem://*",
        "tcp://127.0.0.1:0?send_buffer=64KiB&recv_buffer=64KiB",
    ] {
        let (service, at, mut operator) = serve(url, "struct").await;
        let mut stuck = Client::connect(&service, &at, None).await.unwrap();
        stuck.send("stuck").await.unwrap();
        shows(&mut operator, "stuck").await;
        let mut bob = Client::connect(&service, &at, None).await.unwrap();
        bob.send("bob").await.unwrap();
        shows(&mut operator, "bob").await;
        let mut ann = Client::connect(&service, &at, None).await.unwrap();
        let text = "x".repeat(60_000);
        let (mut waits, mut longest) = (0, Duration::ZERO);
        for _ in 0..400 {
            let began = Instant::now();
            ann.send(&text).await.unwrap();
            hears(&mut bob, &text).await;
            longest = longest.max(began.elapsed());
            waits += usize::from(began.elapsed() >= PATIENCE * 9 / 10);
        }
        assert!(waits <= 1 && longest < PATIENCE * 3, "{url}: {longest:?}");
        let mut heard = 0;
        while let Ok(Some(_)) = soon(stuck.recv()).await {
            heard += 1;
        }
        assert!(heard < 400, "{url}: it was not disconnected");
    }
}

/// How many lines a user pastes at once.
const PASTED: usize = 30_000;

#[tokio::test]
async fn a_paste_reaches_all_readers_whole() {
    for codec in ["line", "json"] {
        for senders in [1, 2] {
            let (service, at, mut operator) = serve("tcp://127.0.0.1:0", codec).await;
            let mut reader = Client::connect(&service, &at, None).await.unwrap();
            reader.send("here").await.unwrap();
            soon(operator.next()).await.expect("who reads is there");
            let pasting: Vec<_> = (0..senders)
                .map(|sender| tokio::spawn(paste(at.clone(), codec, sender)))
                .collect();
            let mut next = vec![0; senders];
            for _ in 0..senders * PASTED {
                let message = soon(reader.recv()).await.unwrap().expect(codec);
                let (sender, number) = message.text.split_once(' ').unwrap();
                let expected = &mut next[sender.parse::<usize>().unwrap()];
                assert_eq!(number.parse(), Ok(*expected), "{codec}: in order");
                *expected += 1;
            }
            for paste in pasting {
                soon(paste).await.unwrap();
            }
        }
    }
}

/// Sends `PASTED` texts as fast as possible, and reads the messages of others meanwhile, until none
/// come any more.
async fn paste(at: Endpoint, codec: &str, sender: usize) {
    let (mut hearing, mut speaking) = stranger(&at, codec).await.split();
    tokio::join!(
        async {
            for number in 0..PASTED {
                let text = format!("{sender} {number}");
                let frame = match codec {
                    "json" => json!({ "text": text }).to_string(),
                    _ => text,
                };
                speaking.feed(frame.as_bytes()).await.unwrap();
            }
            speaking.flush().await.unwrap();
        },
        async {
            while let Ok(Ok(Some(_))) = timeout(Duration::from_secs(2), hearing.recv()).await {}
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_user_that_never_sends_over_json_keeps_no_place() {
    for (codec, stays) in [
        ("json", false),
        ("json:bare", false),
        ("line", true),
        ("struct", true),
        ("raw", true),
    ] {
        let (_, at, _operator) = serve("mem://*", codec).await;
        let mut peer = stranger(&at, codec).await;
        let mut introduced = stranger(&at, codec).await;
        if codec.starts_with("json") {
            introduced.send(b"{\"from\":\"ann\"}").await.unwrap();
        } else {
            introduced.send(b"hello").await.unwrap();
            peer.recv().await.unwrap();
        }
        let heard = timeout(FIRST_WORD * 2, peer.recv()).await;
        assert_eq!(heard.is_err(), stays, "{codec}");
        if !stays {
            assert!(peer.recv().await.unwrap().is_none(), "{codec}");
        }
        timeout(FIRST_WORD, introduced.recv()).await.unwrap_err();
    }
}

#[tokio::test]
async fn users_that_vanish_disturb_no_others() {
    let directory = tempfile::tempdir().unwrap();
    for scheme in SCHEMES {
        let (service, at, mut operator) = serve(&url(scheme, &directory, "line"), "line").await;
        let mut ann = Client::connect(&service, &at, None).await.unwrap();
        ann.send("ann").await.unwrap();
        shows(&mut operator, "ann").await;
        for _ in 0..5 {
            let mut other = Client::connect(&service, &at, None).await.unwrap();
            other.send("other").await.unwrap();
            shows(&mut operator, "other").await;
            hears(&mut ann, "other").await;
            drop(other);
            operator.say("where?").await;
            hears(&mut ann, "where?").await;
        }
    }
}

#[tokio::test]
async fn a_text_that_cannot_be_sent_is_refused_and_others_can() {
    let mut service = Service::with_codec("line").unwrap();
    service.encoding = "gbk".parse().unwrap();
    let at = "tcp://127.0.0.1:0".parse().unwrap();
    let server = Server::bind(&service, &at).await.unwrap();
    let at = server.local().clone();
    let (console, mut operator) = Console::channel();
    tokio::spawn(server.operator("boss").unwrap().run(console, pending()));
    let mut ann = Client::connect(&service, &at, None).await.unwrap();
    let long = "x".repeat(70_000);
    for wrong in ["😀", "two\nlines", &long] {
        ann.send(wrong).await.unwrap_err();
    }
    ann.send("你好").await.unwrap();
    shows(&mut operator, "你好").await;
    operator.say("再见").await;
    hears(&mut ann, "boss : 再见").await;
}

#[tokio::test]
async fn a_server_that_stops_closes_all_connections() {
    let service = Service::with_codec("json").unwrap();
    let at = "tcp://127.0.0.1:0".parse().unwrap();
    let server = Server::bind(&service, &at).await.unwrap();
    let at = server.local().clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (console, mut operator) = Console::channel();
    let running = tokio::spawn(server.run(console, async {
        let _ = stopped.await;
    }));
    let mut ann = Client::connect(&service, &at, Some("ann")).await.unwrap();
    ann.send("here").await.unwrap();
    shows(&mut operator, "ann : here").await;
    stop.send(()).unwrap();
    soon(running).await.unwrap().unwrap();
    assert!(soon(ann.recv()).await.unwrap().is_none());
    assert_eq!(soon(operator.next()).await, None);
    assert!(Client::connect(&service, &at, None).await.is_err());
}
