//! Chat users that have joined and say nothing.

use std::future::pending;
use std::time::Duration;

use socketry_apps::Service;
use socketry_apps::chat::{Console, Server};
use tokio::task::yield_now;
use tokio::time::sleep;

use super::peers::Peers;
use super::servers::each;

/// What a user says to join: its name.
const JSON: &str = r#"{"from": "ann"}"#;

/// Users of a server with this codec. With others than JSON a user joins when it connects.
pub(crate) fn joined(users: usize, codec: &'static str) -> f64 {
    each(users, async || {
        let service = Service::with_codec(codec).unwrap();
        let at = "tcp://127.0.0.1:0".parse().unwrap();
        let server = Server::bind(&service, &at).await.unwrap();
        let place = server.local().to_string();
        let (console, operator) = Console::channel();
        tokio::spawn(server.max_clients(users).run(console, pending()));
        let mut peers = Peers::start(&place["tcp://".len()..]);
        for _ in 0..users {
            peers.connect();
            yield_now().await;
        }
        if codec.starts_with("json") {
            peers.write(JSON);
        }
        // Nothing reports that a user was heard. It is within this time.
        sleep(Duration::from_secs(1)).await;
        drop(operator);
    })
}
