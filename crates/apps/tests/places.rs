//! The places of a server, as all apps have them: which clients get one, which are refused, and how
//! a conversation ends.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use socketry_apps::matrix::App;
use socketry_apps::{Service, chat, command, file};
use socketry_codec::Framed;
use socketry_transport::{
    BoxSocket, Endpoint, Received, RecvExt, RecvHalf, SendExt, Socket, connect,
};
use tempfile::TempDir;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// The longest wait.
const LIMIT: Duration = Duration::from_secs(30);

/// An app's server, with a number of places.
struct Served {
    at: Endpoint,
    serving: JoinHandle<()>,
    _root: TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Served {
    async fn start(app: App, codec: &str, scheme: &str, places: usize) -> Self {
        let root = tempfile::tempdir().unwrap();
        let at = match scheme {
            "unix" => format!("unix://{}/socket", root.path().display()),
            _ => format!("{scheme}://127.0.0.1:0"),
        };
        let at: Endpoint = at.parse().unwrap();
        let service = Service::with_codec(codec).unwrap();
        let stop = std::future::pending();
        let (at, serving) = match app {
            App::Chat => {
                let server = chat::Server::bind(&service, &at).await.unwrap();
                let server = server.max_clients(places);
                let (console, operator) = chat::Console::channel();
                (
                    server.local().clone(),
                    tokio::spawn(async move {
                        let _operator = operator;
                        server.run(console, stop).await.unwrap();
                    }),
                )
            }
            App::Command => {
                let server = command::Server::bind(&service, &at, command::Policy::AllowAny)
                    .await
                    .unwrap();
                let server = server.max_clients(places);
                let local = server.local().clone();
                (
                    local,
                    tokio::spawn(async move { server.run(stop).await.unwrap() }),
                )
            }
            App::File => {
                let server = file::Server::bind(&service, &at, root.path())
                    .await
                    .unwrap();
                let server = server.max_clients(places);
                let local = server.local().clone();
                (
                    local,
                    tokio::spawn(async move { server.run(stop).await.unwrap() }),
                )
            }
        };
        Served {
            at,
            serving,
            _root: root,
        }
    }

    async fn client(&self, codec: &str) -> Framed<BoxSocket> {
        let codec = Service::with_codec(codec).unwrap().codec.build().unwrap();
        Framed::new(connect(&self.at).await.unwrap(), codec)
    }

    /// A client that has a place, since it was answered. Each app answers a request without any key
    /// with an error that names the missing key.
    async fn seated(&self) -> Framed<BoxSocket> {
        let mut client = self.client("json").await;
        let answer = asked(&mut client).await;
        assert!(is_answer(&answer), "{answer}");
        client
    }
}

fn is_answer(answer: &str) -> bool {
    answer.contains("error") && !answer.contains("full")
}

async fn asked(client: &mut Framed<BoxSocket>) -> String {
    client.send(b"{}").await.unwrap();
    let answer = timeout(LIMIT, client.recv())
        .await
        .expect("in time")
        .unwrap();
    String::from_utf8_lossy(answer.expect("an answer")).into_owned()
}

/// All bytes until the end; an error if the end is a reset.
async fn rest(socket: &mut (impl RecvHalf + ?Sized)) -> std::io::Result<Vec<u8>> {
    let (mut all, mut buf) = (Vec::new(), [0; 4096]);
    loop {
        match timeout(LIMIT, socket.recv(&mut buf))
            .await
            .expect("in time")?
        {
            (_, Received::End) => return Ok(all),
            (len, _) => all.extend_from_slice(&buf[..len]),
        }
    }
}

const SCHEMES: [&str; 2] = ["tcp", "unix"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_clients_leave_at_once_all_newcomers_are_served() {
    const PLACES: usize = 100;
    for app in App::ALL {
        for scheme in SCHEMES {
            let served = Served::start(app, "json", scheme, PLACES).await;
            let mut seated = Vec::new();
            for _ in 0..PLACES {
                seated.push(served.seated().await);
            }
            for _ in 0..3 {
                let leaving = std::mem::take(&mut seated);
                drop(leaving);
                let mut coming = JoinSet::new();
                for _ in 0..PLACES {
                    let mut client = served.client("json").await;
                    coming.spawn(async move {
                        let answer = asked(&mut client).await;
                        (client, answer)
                    });
                }
                for (client, answer) in coming.join_all().await {
                    assert!(is_answer(&answer), "{app} over {scheme}: {answer}");
                    seated.push(client);
                }
            }
        }
    }
}

/// A client that half-closes keeps its connection while there are free places, and no longer.
#[tokio::test]
async fn a_half_closed_client_makes_room_and_others_stay() {
    for app in App::ALL {
        for scheme in SCHEMES {
            let served = Served::start(app, "json", scheme, 2).await;
            let mut stays = served.seated().await;
            let mut leaves = served.seated().await;
            leaves.finish().await.unwrap();
            let mut newcomer = served.seated().await;
            let _ = rest(&mut leaves.into_socket()).await;
            for client in [&mut stays, &mut newcomer] {
                let answer = asked(client).await;
                assert!(is_answer(&answer), "{app} over {scheme}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn a_newcomer_without_a_place_is_told_and_others_notice_nothing() {
    let mut all = JoinSet::new();
    for app in App::ALL {
        for scheme in SCHEMES {
            for codec in ["json", "json:bare", "struct"] {
                if codec != "struct" || app == App::Command {
                    all.spawn(refuses_in_words(app, scheme, codec));
                }
            }
        }
    }
    all.join_all().await;
}

async fn refuses_in_words(app: App, scheme: &'static str, codec: &'static str) {
    let served = Served::start(app, codec, scheme, 1).await;
    let mut seated = served.client(codec).await;
    let _ = asked(&mut seated).await;
    for says_something in [false, true] {
        let mut refused = served.client(codec).await;
        if says_something {
            refused.send(b"{\"text\":\"hello\"}").await.unwrap();
        }
        let said = rest(&mut refused.into_socket()).await.unwrap();
        let said = String::from_utf8_lossy(&said);
        assert!(
            said.contains("the server is full"),
            "{app}, {codec}: {said}"
        );
    }
    assert!(!asked(&mut seated).await.contains("full"));
}

/// Where the codec has no words for a refusal, the end must not look like the end of an answer.
#[tokio::test]
async fn a_refusal_without_words_is_a_reset() {
    for app in App::ALL {
        let served = Served::start(app, "raw", "tcp", 1).await;
        let mut seated = served.client("raw").await;
        seated.send(b"/").await.unwrap();
        if app != App::Chat {
            seated.recv().await.unwrap().expect("an answer");
        }
        let mut refused = served.client("raw").await.into_socket();
        let end = rest(&mut refused).await;
        assert!(end.is_err(), "{app}: {end:?}");
    }
}

/// A peer must not keep the server reading just by sending on after the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parting_is_bounded_in_bytes() {
    /// The bytes that the kernel may hold on both sides, and those that the server reads.
    const MOST: usize = 64 << 20;
    for app in App::ALL {
        for scheme in SCHEMES {
            let served = Served::start(app, "json", scheme, 4).await;
            let socket = connect(&served.at).await.unwrap();
            let (mut recv, mut send) = socket.split();
            // A negative length: the bytes after it cannot be understood.
            send.send_all(&[0xff; 20]).await.unwrap();
            let flood = tokio::spawn(async move {
                let block = vec![0xff; 64 << 10];
                let mut sent = 0;
                while sent < MOST && send.send_all(&block).await.is_ok() {
                    sent += block.len();
                }
                sent
            });
            let _ = rest(&mut recv).await;
            let sent = timeout(LIMIT, flood).await.expect("in time").unwrap();
            assert!(sent < MOST, "{app} over {scheme}");
        }
    }
}
