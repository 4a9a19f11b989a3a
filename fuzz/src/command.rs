//! A command server in memory, and clients that send anything. Afterwards a client connects, asks
//! and is answered.
//!
//! No command is run: `Server::run_nothing` answers a command with its own words and starts no
//! process.

use socketry_apps::Service;
use socketry_apps::command::{Client, Exit, Policy, Server};

use super::stage::{Serving, Stage, in_virtual_time, place, within_long};

const CODECS: [&str; 8] = [
    "json",
    "json:bare",
    "line",
    "struct",
    "raw",
    "json:B",
    "line:crlf",
    "struct:b",
];

const WORDS: &str = "a request is answered";

pub fn run(input: &[u8]) {
    let Some(stage) = Stage::read(&CODECS, input) else {
        return;
    };
    in_virtual_time(async {
        let server = Server::bind(&stage.service, &place(), Policy::AllowAny).await;
        let server = server.expect("a server");
        let serving = Serving::start(|told| server.run_nothing(async { drop(told.await) }));
        stage.play(&place()).await;
        within_long("a well-behaved client", exchange(&stage.service)).await;
        serving.stop().await;
    });
}

async fn exchange(service: &Service) {
    let client = Client::connect(service, &place()).await;
    let mut client = client.expect("the server listens");
    let mut heard = Vec::new();
    let ended = client.run(WORDS, |_, bytes| {
        heard.extend_from_slice(bytes);
        Ok(())
    });
    let ended = ended.await.expect("an answer");
    assert!(matches!(ended, Exit::Code(7) | Exit::Unknown));
    assert_eq!(String::from_utf8_lossy(&heard).trim_end(), WORDS);
    client.close().await.expect("it can leave");
}
