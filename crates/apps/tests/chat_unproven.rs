//! Users over datagrams whose addresses may be forged: the bytes that they are sent before and
//! after they prove them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod chat_elsewhere;

use std::future::{Future, pending};
use std::sync::atomic::Ordering;
use std::time::Duration;

use chat_elsewhere::{Elsewhere, cookie_in};
use socketry_apps::Service;
use socketry_apps::chat::{Client, Console, Operator, Server};
use socketry_transport::Endpoint;
use tokio::net::UdpSocket;
use tokio::time::timeout;

const CODECS: [&str; 2] = ["json", "json:bare"];

/// The longest wait.
const LIMIT: Duration = Duration::from_secs(60);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.expect("in time")
}

async fn serve(service: &Service) -> (Endpoint, Operator) {
    serve_with(service, |server| server).await
}

async fn serve_with(
    service: &Service,
    with: impl FnOnce(Server) -> Server,
) -> (Endpoint, Operator) {
    let at = "udp://127.0.0.1:0".parse().unwrap();
    let server = with(Server::bind(service, &at).await.unwrap());
    let at = server.local().clone();
    let (console, operator) = Console::channel();
    tokio::spawn(server.run(console, pending()));
    (at, operator)
}

/// A user of our own that receives until its address is proven. `users` of them are proven then.
async fn user(elsewhere: &Elsewhere, service: &Service, at: &Endpoint, users: usize) -> Client {
    let mut client = Client::connect(service, at, Some("ann")).await.unwrap();
    let proven = async {
        tokio::select! {
            heard = client.recv() => panic!("{heard:?}"),
            () = elsewhere.ledger.proven(users) => {}
        }
    };
    soon(proven).await;
    client
}

/// A text longer than the budget of a user that sends little.
fn long(count: usize) -> String {
    format!("{count} {}", "x".repeat(4000))
}

/// A program that uses nothing of this project, and sends raw datagrams.
struct Script {
    socket: UdpSocket,
    header: bool,
}

impl Script {
    async fn new(at: &Endpoint, codec: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(at.socket_addr().unwrap()).await.unwrap();
        let header = codec == "json";
        Script { socket, header }
    }

    async fn say(&self, object: &str) {
        let mut datagram = Vec::new();
        if self.header {
            datagram.extend(u32::try_from(object.len()).unwrap().to_le_bytes());
        }
        datagram.extend(object.as_bytes());
        self.socket.send(&datagram).await.unwrap();
    }

    async fn say_cookie(&self, cookie: &str) {
        self.say(&format!(r#"{{"from":"eve","cookie":"{cookie}"}}"#))
            .await;
    }

    async fn hear(&self) -> String {
        let mut datagram = vec![0; 1 << 16];
        let len = soon(self.socket.recv(&mut datagram)).await.unwrap();
        let from = if self.header { 4 } else { 0 };
        String::from_utf8(datagram[from..len].to_vec()).unwrap()
    }

    async fn hear_cookie(&self) -> String {
        let heard = self.hear().await;
        assert!(heard.starts_with(r#"{"cookie":""#), "{heard}");
        cookie_in(heard.as_bytes()).unwrap()
    }

    /// Asserts that the next message of `speaker` does not arrive here, and that the operator's
    /// message after it does.
    async fn misses(&self, speaker: &mut Client, operator: &mut Operator) {
        speaker.send(&long(0)).await.unwrap();
        assert!(soon(operator.next()).await.unwrap().contains("xxx"));
        operator.say("still here").await;
        let heard = self.hear().await;
        assert!(heard.contains("still here"), "{heard}");
        let heard = soon(speaker.recv()).await.unwrap().unwrap();
        assert_eq!(heard.text, "still here");
    }
}

#[tokio::test]
async fn a_user_with_a_proven_address_receives_all_messages() {
    for codec in CODECS {
        let elsewhere = Elsewhere::default();
        let service = elsewhere.service(codec);
        let (at, _operator) = serve(&service).await;
        // She only reads.
        let mut ann = user(&elsewhere, &service, &at, 1).await;
        let mut bob = user(&elsewhere, &service, &at, 2).await;
        for count in 0..20 {
            bob.send(&long(count)).await.unwrap();
            let heard = soon(ann.recv()).await.unwrap().unwrap();
            assert_eq!(heard.text, long(count));
        }
        assert_eq!(elsewhere.ledger.overdrawn(), 0);
    }
}

#[tokio::test]
async fn an_introduction_that_is_lost_is_sent_again() {
    let elsewhere = Elsewhere::default();
    let service = elsewhere.service("json");
    let (at, _operator) = serve(&service).await;
    elsewhere.losing.store(1, Ordering::Relaxed);
    let _ann = user(&elsewhere, &service, &at, 1).await;
    assert_eq!(elsewhere.losing.load(Ordering::Relaxed), 0);
    assert_eq!(elsewhere.ledger.overdrawn(), 0);
}

#[tokio::test]
async fn a_text_that_has_no_room_for_the_cookie_is_said_without_it() {
    let elsewhere = Elsewhere::default();
    let mut service = elsewhere.service("json");
    service.codec.max_frame = Some(200);
    let (at, mut operator) = serve(&service).await;
    let mut ann = user(&elsewhere, &service, &at, 1).await;
    let text = "x".repeat(150);
    ann.send(&text).await.unwrap();
    assert_eq!(
        soon(operator.next()).await.unwrap(),
        format!("ann : {text}")
    );
    assert!(ann.send(&"x".repeat(200)).await.is_err());
}

#[tokio::test]
async fn a_script_that_knows_no_cookie_is_sent_none() {
    for codec in CODECS {
        let elsewhere = Elsewhere::default();
        let service = elsewhere.service(codec);
        let (at, mut operator) = serve(&service).await;
        let mut ann = user(&elsewhere, &service, &at, 1).await;
        let eve = Script::new(&at, codec).await;
        for text in ["", &"x".repeat(3000)] {
            eve.say(&format!(r#"{{"from":"eve","text":"{text}","new":1}}"#))
                .await;
            soon(operator.next()).await.unwrap();
            soon(ann.recv()).await.unwrap().unwrap();
        }
        // It receives as many bytes as it sent, and no more.
        ann.send("short").await.unwrap();
        assert!(eve.hear().await.contains("short"));
        soon(operator.next()).await.unwrap();
        eve.misses(&mut ann, &mut operator).await;
        assert_eq!(elsewhere.ledger.overdrawn(), 0);
    }
}

#[tokio::test]
async fn a_stranger_with_a_byte_gets_nothing() {
    for codec in CODECS {
        let elsewhere = Elsewhere::default();
        let service = elsewhere.service(codec);
        let (at, mut operator) = serve(&service).await;
        let mut ann = user(&elsewhere, &service, &at, 1).await;
        let eve = Script::new(&at, codec).await;
        for datagram in [&b"x"[..], b"{}", b"", br#"{"cookie":""}"#] {
            eve.socket.send(datagram).await.unwrap();
        }
        eve.say(r#"{"from":"eve","text":"now"}"#).await;
        assert_eq!(soon(operator.next()).await.unwrap(), "eve : now");
        soon(ann.recv()).await.unwrap().unwrap();
        eve.misses(&mut ann, &mut operator).await;
        assert_eq!(elsewhere.ledger.overdrawn(), 0);
    }
}

#[tokio::test]
async fn a_forged_cookie_proves_nothing() {
    for codec in CODECS {
        let elsewhere = Elsewhere::default();
        let service = elsewhere.service(codec);
        let (at, mut operator) = serve(&service).await;
        let mut ann = user(&elsewhere, &service, &at, 1).await;
        let (eve, mallory) = (Script::new(&at, codec).await, Script::new(&at, codec).await);
        let blank = "0".repeat(64);
        eve.say_cookie(&blank).await;
        let right = eve.hear_cookie().await;
        mallory.say_cookie(&blank).await;
        let others = mallory.hear_cookie().await;
        assert_ne!(right, others);
        for forged in [
            &others,
            &right.chars().rev().collect(),
            &right[..63].to_owned(),
        ] {
            eve.say_cookie(forged).await;
            assert_eq!(eve.hear_cookie().await, right);
            eve.misses(&mut ann, &mut operator).await;
        }
        assert_eq!(elsewhere.ledger.overdrawn(), 0);
        eve.say_cookie(&right).await;
        assert_eq!(eve.hear_cookie().await, right);
        ann.send(&long(1)).await.unwrap();
        assert!(eve.hear().await.contains(&long(1)));
    }
}

/// A client sends the cookie with each text, so a server that has forgotten a user knows it again.
#[tokio::test]
async fn the_cookie_may_come_with_a_text() {
    let elsewhere = Elsewhere::default();
    let service = elsewhere.service("json");
    let (at, mut operator) = serve(&service).await;
    let mut ann = user(&elsewhere, &service, &at, 1).await;
    let eve = Script::new(&at, "json").await;
    eve.say_cookie(&"0".repeat(64)).await;
    let cookie = eve.hear_cookie().await;
    eve.say(&format!(
        r#"{{"from":"eve","text":"hello","cookie":"{cookie}"}}"#
    ))
    .await;
    assert_eq!(soon(operator.next()).await.unwrap(), "eve : hello");
    soon(ann.recv()).await.unwrap().unwrap();
    // The cookie is not answered.
    ann.send(&long(1)).await.unwrap();
    assert!(eve.hear().await.contains(&long(1)));
}

#[tokio::test]
async fn where_addresses_are_trusted_nothing_is_to_be_proved() {
    let elsewhere = Elsewhere::default();
    let service = elsewhere.service("json");
    let (at, mut operator) = serve_with(&service, |server| server.trust_addresses(true)).await;
    let eve = Script::new(&at, "json").await;
    eve.say(r#"{"from":"eve","text":"hello"}"#).await;
    assert_eq!(soon(operator.next()).await.unwrap(), "eve : hello");
    let mut ann = Client::connect(&service, &at, Some("ann")).await.unwrap();
    ann.send(&long(1)).await.unwrap();
    assert!(eve.hear().await.contains(&long(1)));
}
