//! The share of a user, and handshakes within the limits of the server.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use socketry_codec::{FrameError, Framed, Struct};
use socketry_service::{Limits, Observer, Refusal, Server, Summary};
use socketry_transport::{
    Endpoint, Info, Listener, RecvExt, Registry, Result, SendExt, UpgradeFailure, connect, listen,
};
use tokio::sync::mpsc;

struct Told(mpsc::UnboundedSender<String>);

impl Observer for Told {
    fn refused(&self, _: Option<&Info>, why: Refusal) {
        let _ = self.0.send(format!("{why:?}"));
    }
    fn upgraded(&self, _: &Info, _: Duration) {
        let _ = self.0.send("upgraded".to_owned());
    }
    fn upgrade_failed(&self, failure: &UpgradeFailure<'_>) {
        let _ = self.0.send(format!("{:?}", failure.trouble));
    }
}

fn one_each() -> Limits {
    Limits {
        per_user: 1,
        ..Limits::default()
    }
}

async fn echo<L: Listener>(server: Server<L>) -> Result<Summary> {
    server
        .answer(async |request| Ok::<_, FrameError>(request.frame))
        .await
}

/// Whether a client is served.
async fn is_served(registry: &Registry, at: &Endpoint) -> Option<impl Sized + use<>> {
    let socket = registry.connect(at.clone()).await.ok()?;
    let mut client = Framed::new(socket, Struct::default());
    client.send(b"hello").await.ok()?;
    let served = matches!(client.recv().await, Ok(Some(_)));
    served.then_some(client)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_user_of_a_process_has_one_share_of_all_unix_sockets() {
    let directory = tempfile::tempdir().unwrap();
    let at = format!("unix://{}/socket", directory.path().display());
    let listener = listen(at.as_str()).await.unwrap();
    let at = listener.local().clone();
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::new(listener).limits(one_each());
    tokio::spawn(echo(server.observer(Told(tell))));
    let registry = Registry::standard();
    let first = is_served(&registry, &at).await;
    assert!(first.is_some());
    assert!(is_served(&registry, &at).await.is_none());
    assert_eq!(told.recv().await.as_deref(), Some("UserFull"));
}

#[cfg(feature = "auth")]
#[tokio::test]
async fn an_identity_is_a_user() {
    use socketry_auth::{Auth, Token, Tokens};
    use socketry_transport::BoxListener;

    let (ann, bob) = (Token::made("ann").unwrap(), Token::made("bob").unwrap());
    let tokens = Tokens::new([ann.clone(), bob.clone()]).unwrap();
    let serving = Auth::new().require(tokens);
    let registry = Registry::standard().layer("mem", serving).unwrap();
    let listener: BoxListener = registry.listen("mem://*").await.unwrap();
    let at = listener.local().clone();
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::new(listener).limits(one_each());
    tokio::spawn(echo(server.observer(Told(tell))));
    let with = |token: &Token| {
        let auth = Auth::new().token(token.clone());
        Registry::standard().layer("mem", auth).unwrap()
    };
    let first = is_served(&with(&ann), &at).await;
    assert!(first.is_some());
    assert!(is_served(&with(&ann), &at).await.is_none());
    assert_eq!(told.recv().await.as_deref(), Some("UserFull"));
    assert!(is_served(&with(&bob), &at).await.is_some());
}

#[tokio::test]
async fn handshakes_keep_to_the_limits_and_are_told() {
    let listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let at = listener.local().clone();
    let limits = Limits {
        handshake: Some(Duration::from_millis(50)),
        ..Limits::default()
    };
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::new(listener).limits(limits).observer(Told(tell));
    let server = server.upgrading(async |mut socket: socketry_transport::BoxSocket| {
        let mut version = [0];
        let _ = socket.recv(&mut version).await?;
        Ok::<_, std::io::Error>(socket)
    });
    tokio::spawn(echo(server));
    let silent = connect(at.clone()).await.unwrap();
    assert_eq!(told.recv().await.as_deref(), Some("TimedOut"));
    drop(silent);
    let mut greeting = connect(at).await.unwrap();
    greeting.send_all(&[1]).await.unwrap();
    assert_eq!(told.recv().await.as_deref(), Some("upgraded"));
    let mut client = Framed::new(greeting, Struct::default());
    client.send(b"hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(&b"hello"[..]));
}

#[tokio::test]
async fn users_are_named_by_the_program() {
    let listener = listen("mem://*").await.unwrap();
    let at = listener.local().clone();
    let server = Server::new(listener).limits(one_each());
    let name: Arc<str> = "everybody".into();
    tokio::spawn(echo(server.users(move |_| Some(name.to_string()))));
    let registry = Registry::standard();
    let first = is_served(&registry, &at).await;
    assert!(first.is_some());
    assert!(is_served(&registry, &at).await.is_none());
}
