//! What goes wrong in a handshake is one clear line at both ends.

#![allow(clippy::unwrap_used, reason = "tests")]

mod clients;
#[path = "../common/mod.rs"]
mod common;
mod options;
mod protocols;
mod servers;
mod silence;

use std::sync::LazyLock;
use std::time::Duration;

use common::Authority;
use socketry_tls::Tls;
use socketry_transport::{BoxListener, BoxSocket, Endpoint, ErrorKind, Listener, Registry};
use tokio::sync::mpsc;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(30);

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::named("The authority"));

/// A server that gives away the first socket, and the line for each handshake that failed.
struct Server {
    at: Endpoint,
    sockets: mpsc::UnboundedReceiver<BoxSocket>,
    lines: mpsc::UnboundedReceiver<String>,
}

async fn serve(tls: Tls, query: &str) -> Server {
    let (line, lines) = mpsc::unbounded_channel();
    let tls = tls.on_failure(move |failure| {
        let _ = line.send(failure.to_string());
    });
    let registry = tls.register(Registry::standard()).unwrap();
    let url = format!("tls://127.0.0.1:0?{query}");
    let mut listener: BoxListener = registry.listen(url.as_str()).await.unwrap();
    let at = listener.local().clone();
    let (give, sockets) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok(socket) = listener.accept().await {
            let _ = give.send(socket);
        }
    });
    Server { at, sockets, lines }
}

impl Server {
    async fn line(&mut self) -> String {
        let line = timeout(DEADLINE, self.lines.recv()).await.unwrap();
        line.unwrap()
    }

    async fn socket(&mut self) -> BoxSocket {
        let socket = timeout(DEADLINE, self.sockets.recv()).await.unwrap();
        socket.unwrap()
    }

    /// What a client learns that connects with this query.
    async fn refused(&self, query: &str) -> (ErrorKind, String) {
        let error = self.connect(query).await.unwrap_err();
        assert!(error.to_string().contains(self.at.as_str()), "{error}");
        (error.kind(), error.to_string())
    }

    async fn connect(&self, query: &str) -> socketry_transport::Result<BoxSocket> {
        let registry = Tls::new().register(Registry::standard()).unwrap();
        let to = format!("{}?{query}", self.at);
        timeout(DEADLINE, registry.connect(to.as_str()))
            .await
            .unwrap()
    }
}

fn has(line: &str, parts: &[&str]) {
    assert_eq!(line.lines().count(), 1, "{line}");
    for part in parts {
        assert!(line.contains(part), "'{part}' is not in: {line}");
    }
}

fn ca() -> String {
    format!("ca={}", AUTHORITY.file().display())
}
