//! Over TCP the kernel probes silent peers, at both ends of every app.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use socketry_apps::matrix::{self, App};
use socketry_apps::{Service, chat, command, file};
use socketry_transport::{Endpoint, connect};

/// The longest wait.
const LIMIT: Duration = Duration::from_secs(30);

/// The kind and the remaining seconds of the kernel's timer of an established connection. `port` is
/// the connection's own port, or its peer's.
fn timer(port: u16, is_own: bool) -> Option<(u8, u64)> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().collect::<Vec<_>>());
    let port = format!(":{port:04X}");
    let row = rows
        .filter(|row| row[3] == "01")
        .find(|row| row[if is_own { 1 } else { 2 }].ends_with(&port))?;
    let (kind, left) = row[5].split_once(':').unwrap();
    let left = u64::from_str_radix(left, 16).unwrap();
    Some((kind.parse().unwrap(), left / 100))
}

/// The kernel's numbers for no timer, and for the keepalive timer.
const NONE: u8 = 0;
const KEEPALIVE: u8 = 2;

/// Waits until all bytes are acknowledged, since the kernel shows one timer at a time. Then asserts
/// that the next probe comes in time.
async fn is_asked(port: u16, is_own: bool, within: Duration) {
    let began = Instant::now();
    loop {
        if let Some((KEEPALIVE, left)) = timer(port, is_own) {
            assert!(left <= within.as_secs(), "{left} s are left");
            return;
        }
        let seen = timer(port, is_own);
        assert!(began.elapsed() < LIMIT, "no keepalive: {seen:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until no timer runs.
async fn is_never_asked(port: u16, is_own: bool) {
    let began = Instant::now();
    loop {
        match timer(port, is_own) {
            Some((NONE, _)) => return,
            Some((KEEPALIVE, left)) => panic!("asks after {left} s"),
            seen => assert!(began.elapsed() < LIMIT, "{seen:?}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn port(at: &Endpoint) -> u16 {
    at.to_string().rsplit(':').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn silent_peers_are_asked_by_servers_and_clients() {
    let service = Service::default();
    let stop = std::future::pending;
    let root = tempfile::tempdir().unwrap();
    let url: Endpoint = "tcp://127.0.0.1:0".parse().unwrap();
    for app in App::ALL {
        let (at, _client): (Endpoint, Box<dyn std::any::Any>) = match app {
            App::Chat => {
                let server = chat::Server::bind(&service, &url).await.unwrap();
                let at = server.local().clone();
                let (console, operator) = chat::Console::channel();
                tokio::spawn(server.run(console, stop()));
                let client = chat::Client::connect(&service, &at, None).await.unwrap();
                (at, Box::new((client, operator)))
            }
            App::Command => {
                let server = command::Server::bind(&service, &url, command::Policy::AllowAny)
                    .await
                    .unwrap();
                let at = server.local().clone();
                tokio::spawn(server.run(stop()));
                let client = command::Client::connect(&service, &at).await.unwrap();
                (at, Box::new(client))
            }
            App::File => {
                let server = file::Server::bind(&service, &url, root.path())
                    .await
                    .unwrap();
                let at = server.local().clone();
                tokio::spawn(server.run(stop()));
                let client = file::Client::connect(&service, &at).await.unwrap();
                (at, Box::new(client))
            }
        };
        is_asked(port(&at), true, matrix::KEEPALIVE).await;
        is_asked(port(&at), false, matrix::KEEPALIVE).await;
    }
}

#[tokio::test]
async fn the_url_switches_it_off() {
    let service = Service::default();
    let url: Endpoint = "tcp://127.0.0.1:0?keepalive=off".parse().unwrap();
    let server = command::Server::bind(&service, &url, command::Policy::AllowAny)
        .await
        .unwrap();
    let at = server.local().clone();
    tokio::spawn(server.run(std::future::pending()));
    let there = at.clone().with("keepalive", "off");
    let _client = command::Client::connect(&service, &there).await.unwrap();
    is_never_asked(port(&at), true).await;
    is_never_asked(port(&at), false).await;
}

#[tokio::test]
async fn options_of_the_url_override_the_default() {
    let service = Service::default();
    let url: Endpoint = "tcp://127.0.0.1:0?keepalive=7s".parse().unwrap();
    let server = command::Server::bind(&service, &url, command::Policy::AllowAny)
        .await
        .unwrap();
    let at = server.local().clone();
    tokio::spawn(server.run(std::future::pending()));
    let port = port(&at);
    let _client = connect(at).await.unwrap();
    is_asked(port, true, Duration::from_secs(7)).await;
}
