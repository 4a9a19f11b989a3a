//! Layers in the registry: in place, and as a scheme of their own.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use socketry_transport::{
    BoxSocket, BoxTransport, Credentials, Deadlines, Endpoint, Error, ErrorKind, Half, Keys,
    Listener, ListenerExt, Listeners, RecvExt, Registry, Result, SendExt, Transport, UpgradeLimits,
    async_trait, connect,
};

#[tokio::test]
async fn a_layer_takes_the_place_of_what_it_wraps() {
    let wrapped = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&wrapped);
    let layer = move |inner: BoxTransport| {
        counted.fetch_add(1, Ordering::SeqCst);
        inner
    };
    let registry = Registry::standard().layer("TCP", layer).unwrap();
    assert_eq!(wrapped.load(Ordering::SeqCst), 1);
    let server = registry.listen("tcp://127.0.0.1:0").await.unwrap();
    registry.connect(server.local()).await.unwrap();
    assert!(registry.get("unix").is_some() && registry.get("nothing").is_none());
}

#[test]
fn an_unknown_scheme_is_named_with_those_that_there_are() {
    let unknown = |result: Result<Registry>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownScheme);
        let words = error.to_string();
        assert!(
            words.contains("'tpc'") && words.contains("tcp, udp"),
            "{words}"
        );
    };
    unknown(Registry::standard().layer("tpc", Deadlines::default()));
    unknown(Registry::standard().layer_as("tls", "tpc", Deadlines::default()));
}

#[tokio::test]
async fn a_layer_as_a_scheme_of_its_own_talks_of_that_scheme() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("socket");
    for (inside, at) in [
        ("tcp", "own://127.0.0.1:0".to_owned()),
        ("unix", format!("own://{}", path.display())),
        ("mem", "own://name".to_owned()),
    ] {
        let registry = Registry::standard();
        let registry = registry
            .layer_as("own", inside, Deadlines::default())
            .unwrap();
        let own = registry.get("own").unwrap();
        assert!(own.keys().contains("silence") && own.keys().contains("backlog"));
        let mut server = registry.listen(at).await.unwrap();
        assert_eq!(server.local().scheme(), "own");
        let to = server.local().clone().with("silence", "9s");
        let mut client = registry.connect(to).await.unwrap();
        let mut accepted = server.accept().await.unwrap();
        assert_eq!(client.peer(), server.local());
        assert_eq!(accepted.local(), server.local());
        let credentials = accepted.info().get::<Credentials>().is_some();
        assert_eq!(credentials, cfg!(target_os = "linux") && inside == "unix");
        client.send_all(b"hello").await.unwrap();
        assert_eq!(accepted.recv(&mut [0; 8]).await.unwrap().0, 5);
        // The transport inside has its scheme still.
        assert!(registry.get(inside).is_some());
    }
}

/// Each listener of it is at two places.
struct Two;

#[async_trait]
impl Transport for Two {
    type Socket = BoxSocket;
    type Listener = Listeners;

    fn keys(&self) -> Keys {
        Keys::default()
    }
    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        connect(to).await
    }
    async fn listen(&self, _: &Endpoint) -> Result<Listeners> {
        Listeners::at(&Registry::standard(), ["mem://*", "mem://*"]).await
    }
}

#[tokio::test]
async fn a_wrapped_listener_tells_all_its_places() {
    let registry = Registry::standard().with("two", Two);
    let registry = registry
        .layer_as("own", "two", Deadlines::default())
        .unwrap();
    for (at, scheme) in [("two://x", "mem"), ("own://x", "own")] {
        let listener = registry.listen(at).await.unwrap();
        let same = |socket: BoxSocket| std::future::ready(std::io::Result::Ok(socket));
        let listener = listener.upgrading(UpgradeLimits::default(), same);
        let places = listener.locals();
        assert_eq!(places.len(), 2, "{at}: {places:?}");
        assert_eq!(&places[0], listener.local());
        assert!(places.iter().all(|place| place.scheme() == scheme));
    }
}

#[tokio::test]
async fn errors_of_a_scheme_of_its_own_name_that_scheme() {
    for (inside, free, taken) in [
        ("tcp", "own://127.0.0.1:0", "own://127.0.0.1:0"),
        ("mem", "own://*", "own://taken"),
    ] {
        let registry = Registry::standard();
        let registry = registry
            .layer_as("own", inside, Deadlines::default())
            .unwrap();
        let gone = registry.listen(free).await.unwrap().local().clone();
        let refused = registry.connect(&gone).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Refused);
        let server = registry.listen(taken).await.unwrap();
        let in_use = registry.listen(server.local()).await.unwrap_err();
        assert_eq!(in_use.kind(), ErrorKind::InUse);
        for (error, place) in [(refused, &gone), (in_use, server.local())] {
            let words = error.to_string();
            assert!(words.contains(&place.to_string()), "{words}");
            assert!(!words.contains(&format!("{inside}://")), "{words}");
        }
    }
}

/// Nothing listens there, and accepting fails.
struct Fails(Endpoint);

impl Listener for Fails {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        &self.0
    }
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        let inner = Error::new(ErrorKind::Closed, "read", "fails://inner");
        let words = "fails://a and also-fails://b";
        let error = Error::new(ErrorKind::Closed, "accept at", &self.0).because(words);
        Poll::Ready(Err(error.caused_by(inner)))
    }
}

#[async_trait]
impl Transport for Fails {
    type Socket = BoxSocket;
    type Listener = Fails;

    fn keys(&self) -> Keys {
        Keys::default()
    }
    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        connect(to).await
    }
    async fn listen(&self, at: &Endpoint) -> Result<Fails> {
        Ok(Fails(at.clone()))
    }
}

#[tokio::test]
async fn an_error_of_accepting_names_the_scheme_in_all_its_words() {
    let fails = Fails("fails://x".parse().unwrap());
    let registry = Registry::empty().with("fails", fails);
    let registry = registry
        .layer_as("own", "fails", Deadlines::default())
        .unwrap();
    let mut listener = registry.listen("own://x").await.unwrap();
    let error = listener.accept().await.unwrap_err();
    let words = "cannot accept at own://x: own://a and also-fails://b";
    assert_eq!(error.to_string(), words);
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "cannot read own://inner: it is closed");
}
