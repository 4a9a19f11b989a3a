//! A chat server in memory, and clients that send anything. Afterwards two users connect and
//! receive each other's messages.

use std::time::Duration;

use socketry_apps::Service;
use socketry_apps::chat::{Client, Console, Server};

use tokio::time::timeout;

use super::stage::{Serving, Stage, in_virtual_time, place, within_long};

const CODECS: [&str; 8] = [
    "json",
    "json:bare",
    "line",
    "struct",
    "raw",
    "json:B",
    "line:crlf",
    "struct:>H",
];

/// A text that no input contains by chance.
const WORDS: &str = "the quick brown fox jumps over the lazy dog";

/// How long she waits before she sends it again.
const A_WHILE: Duration = Duration::from_secs(1);

pub fn run(input: &[u8]) {
    let Some(stage) = Stage::read(&CODECS, input) else {
        return;
    };
    in_virtual_time(async {
        let server = Server::bind(&stage.service, &place()).await;
        let server = server.expect("a server");
        let (console, operator) = Console::channel();
        let serving = Serving::start(|told| server.run(console, async { drop(told.await) }));
        operator.say("welcome").await;
        stage.play(&place()).await;
        within_long("two well-behaved users", exchange(&stage.service)).await;
        serving.stop().await;
        drop(operator);
    });
}

async fn exchange(service: &Service) {
    let mut ann = connect(service, "ann").await;
    let mut bob = connect(service, "bob").await;
    loop {
        // The server may not know him yet.
        ann.send(WORDS).await.expect("she can speak");
        let Ok(heard) = timeout(A_WHILE, bob.recv()).await else {
            continue;
        };
        let heard = heard.expect("he can hear");
        if heard.expect("the server goes on").text.contains(WORDS) {
            break;
        }
    }
    bob.finish().await.expect("he can leave");
    ann.finish().await.expect("she can leave");
}

async fn connect(service: &Service, name: &str) -> Client {
    let client = Client::connect(service, &place(), Some(name)).await;
    client.expect("the server listens")
}
