//! What the tests share.

#![allow(dead_code, reason = "each test uses a part")]

use std::future::Future;
use std::time::Duration;

use socketry_proxy::Behind;
use socketry_transport::{
    BoxListener, BoxSocket, Endpoint, Listener, Received, RecvExt, RecvHalf, Registry, Result,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// What `wait` gives, which must not hang.
pub(crate) async fn in_time<T>(wait: impl Future<Output = T>) -> T {
    timeout(DEADLINE, wait).await.expect("something happens")
}

/// The next `len` bytes.
pub(crate) async fn received<R: RecvHalf>(socket: &mut R, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let mut at = 0;
    while at < len {
        let (read, received) = in_time(socket.recv(&mut bytes[at..])).await.unwrap();
        assert_eq!(received, Received::Data, "{}", bytes[..at].escape_ascii());
        at += read;
    }
    bytes
}

/// All bytes up to the end.
pub(crate) async fn all<R: RecvHalf>(socket: &mut R) -> std::io::Result<Vec<u8>> {
    let (mut bytes, mut buf) = (Vec::new(), [0; 4096]);
    loop {
        let (len, received) = in_time(socket.recv(&mut buf)).await?;
        bytes.extend_from_slice(&buf[..len]);
        if received == Received::End {
            return Ok(bytes);
        }
    }
}

/// A server behind a balancer, and what it says of those that it refused.
pub(crate) struct Server {
    pub(crate) listener: BoxListener,
    refused: UnboundedReceiver<String>,
}

impl Server {
    pub(crate) async fn at(url: &str) -> Self {
        Server::of(url, Behind::new()).await
    }

    pub(crate) async fn try_at(url: &str) -> Result<Self> {
        Server::try_of(url, Behind::new()).await
    }

    pub(crate) async fn of(url: &str, behind: Behind) -> Self {
        Server::try_of(url, behind).await.unwrap()
    }

    async fn try_of(url: &str, behind: Behind) -> Result<Self> {
        let (telling, refused) = unbounded_channel();
        let behind = behind.on_failure(move |failure| {
            let _ = telling.send(failure.to_string());
        });
        let registry = behind.register(Registry::standard())?;
        let registry = match registry.get("mem") {
            Some(_) => registry.layer("mem", behind)?,
            None => registry,
        };
        let listener = registry.listen(url).await?;
        Ok(Server { listener, refused })
    }

    pub(crate) fn local(&self) -> &Endpoint {
        self.listener.local()
    }

    pub(crate) async fn accept(&mut self) -> BoxSocket {
        in_time(self.listener.accept()).await.unwrap()
    }

    /// Why the next connection was refused. No connection is let in before.
    pub(crate) async fn refusal(&mut self) -> String {
        let refused = async {
            tokio::select! {
                accepted = self.listener.accept() => panic!("{accepted:?}"),
                words = self.refused.recv() => words.unwrap(),
            }
        };
        in_time(refused).await
    }
}
