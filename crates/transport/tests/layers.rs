//! Layers in the registry: in place, and as a scheme of their own.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use socketry_transport::{
    BoxSocket, BoxTransport, Credentials, Deadlines, Endpoint, ErrorKind, Half, Keys, Listener,
    ListenerExt, Listeners, RecvExt, Registry, Result, SendExt, Transport, UpgradeLimits,
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
