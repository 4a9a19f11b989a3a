//! A raw download that breaks off is never taken for whole where the transport has a reset,
//! whatever is wrapped around it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use file_support::{Served, names};
use socketry_apps::Service;
use socketry_transport::{
    BoxTransport, Deadlines, Endpoint, Joined, Keys, Layer, Listener, Prefixed, Registry,
    Relabelled, Result, Socket, Transport, async_trait, prefix, relabel,
};

/// Wraps each socket twice.
struct Wrapping;

struct Wrapped<T>(T);

type Twice<S> = Joined<Prefixed<Relabelled<<S as Socket>::Recv>>, Relabelled<<S as Socket>::Send>>;

fn twice<S: Socket>(socket: S) -> Twice<S> {
    prefix(relabel(socket, |info| info), Vec::new())
}

impl Layer<BoxTransport> for Wrapping {
    type Transport = Wrapped<BoxTransport>;

    fn layer(&self, inner: BoxTransport) -> Self::Transport {
        Wrapped(inner)
    }
}

#[async_trait]
impl<T: Transport> Transport for Wrapped<T> {
    type Socket = Twice<T::Socket>;
    type Listener = Wrapped<T::Listener>;

    fn keys(&self) -> Keys {
        self.0.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        self.0.connect(to).await.map(twice)
    }
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        self.0.listen(at).await.map(Wrapped)
    }
}

impl<L: Listener> Listener for Wrapped<L> {
    type Socket = Twice<L::Socket>;

    fn local(&self) -> &Endpoint {
        self.0.local()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        Poll::Ready(ready!(self.0.poll_accept(cx)).map(twice))
    }
}

/// A way to wrap a scheme.
type Around = fn(Registry, &str) -> Registry;

const AROUND: [(&str, Around); 4] = [
    ("nothing", |registry, _| registry),
    ("two wrappers", |registry, scheme| {
        registry.layer(scheme, Wrapping).unwrap()
    }),
    ("deadlines", |registry, scheme| {
        let deadlines = Deadlines::default().silence(Duration::from_secs(60));
        registry.layer(scheme, deadlines).unwrap()
    }),
    ("all of them", |registry, scheme| {
        let deadlines = Deadlines::default().silence(Duration::from_secs(60));
        let registry = registry.layer(scheme, deadlines).unwrap();
        registry.layer(scheme, Wrapping).unwrap()
    }),
];

fn service(scheme: &str, around: Around) -> Service {
    let mut service = Service::with_codec("raw").unwrap();
    service.registry = around(service.registry, scheme);
    service
}

/// Fetches a file that the server cannot send whole; what the client says, and what it keeps.
async fn broken_off(scheme: &str, around: Around) -> (Option<String>, Vec<String>) {
    let served = Served::with(service(scheme, around), scheme).await;
    let to = tempfile::tempdir().unwrap();
    let path = served.root().join("a");
    fs::File::create(&path).unwrap().set_len(100 << 30).unwrap();
    let (dest, mut client) = (to.path().join("a"), served.client().await);
    let got = client.get("a", &dest, |done, _| {
        if done > 0 {
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_len(1 << 20).unwrap();
        }
    });
    let error = got.await.err().map(|error| error.to_string());
    (error, names(to.path()))
}

#[tokio::test]
async fn a_download_that_breaks_off_is_an_error_over_every_wrapper() {
    for scheme in ["tcp", "mem"] {
        for (what, around) in AROUND {
            let (error, kept) = broken_off(scheme, around).await;
            assert!(error.is_some(), "{scheme}, {what}");
            assert!(kept.is_empty(), "{scheme}, {what}: {kept:?}");
        }
    }
}

/// A Unix stream has no reset: the client sees an end, as the documentation says.
#[tokio::test]
async fn over_a_unix_socket_the_client_cannot_tell() {
    for (what, around) in AROUND {
        let (error, kept) = broken_off("unix", around).await;
        assert_eq!((error, kept), (None, vec!["a".to_owned()]), "{what}");
    }
}
