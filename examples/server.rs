//! The key-value service of the README: `cargo run --example server -- URL…`.

use std::{collections::HashMap, convert::Infallible, future::ready, sync::Mutex, time::Duration};

use serde::Deserialize;
use socketry::codec::{Json, Line};
use socketry::service::{Limits, Server};

#[derive(Deserialize)]
enum Request {
    Get(String),
    Set(String, String),
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let urls = std::env::args().skip(1); // tcp://[::]:9000 unix:///run/kv.sock
    let server = Server::at(urls).await?.codec(Line::new());
    let server = server.stop_on_signals().limits(Limits {
        connections: 1000, // further clients are refused; each limit has a default
        per_peer: 1000,    // of them from one address
        between_frames: Some(Duration::from_secs(60)),
        ..Limits::default()
    });
    let store = Mutex::new(HashMap::new());
    let serving = server.typed::<Json>().answer(move |request| {
        let mut store = store.lock().unwrap();
        ready(Ok::<Option<String>, Infallible>(match request {
            Request::Get(key) => store.get(&key).cloned(),
            Request::Set(key, value) => store.insert(key, value),
        }))
    });
    println!("{:?}", serving.await?); // Ctrl-C: requests under way are answered, then it ends
    Ok(())
}
