//! Several listeners as one: fair, told apart, and changed while they accept.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use socketry_transport::{
    AcceptedBy, BoxListener, BoxSocket, Endpoint, Error, ErrorKind, Half, Listener, Listeners,
    ListenersHandle, Registry, Result, connect, listen,
};
use tokio::time::timeout;

const SHORT: Duration = Duration::from_millis(50);

/// What hangs, hangs longer.
const LONG: Duration = Duration::from_secs(20);

async fn mem() -> BoxListener {
    listen("mem://*").await.unwrap()
}

#[tokio::test]
async fn each_socket_says_which_listener_brought_it() {
    let place = tempfile::tempdir().unwrap();
    let unix = format!("unix://{}", place.path().join("socket").display());
    let urls = [
        "tcp://127.0.0.1:0",
        "tcp://[::1]:0",
        &unix,
        "mem://*",
        "udp://127.0.0.1:0",
    ];
    let mut listeners = Listeners::at(&Registry::standard(), urls).await.unwrap();
    let locals = listeners.locals();
    assert_eq!(locals.len(), urls.len());
    assert_eq!(Listener::local(&listeners), &locals[0].1);
    for (id, local) in locals {
        let mut client = connect(&local).await.unwrap();
        socketry_transport::SendExt::send_all(&mut client, b"here")
            .await
            .unwrap();
        let (socket, by) = listeners.accept_from().await.unwrap();
        assert_eq!((by.id, by.local), (id, local.clone()));
        assert_eq!(socket.local().scheme(), local.scheme());
    }
}

#[tokio::test]
async fn a_plain_accept_says_it_in_the_info_of_the_socket() {
    let urls = ["mem://*", "mem://*"];
    let registry = Registry::standard();
    let mut listeners = Listeners::at(&registry, urls).await.unwrap();
    let (id, local) = listeners.locals().remove(1);
    let _client = connect(&local).await.unwrap();
    let socket = listeners.accept().await.unwrap();
    let by = socket.info().get::<AcceptedBy>().unwrap();
    assert_eq!(*by, AcceptedBy { id, local });
}

/// Always ready, as a listener under a flood is; counts how often it was asked.
struct Flooded {
    local: Endpoint,
    own: BoxListener,
}

impl Flooded {
    async fn new() -> Self {
        let own = mem().await;
        Flooded {
            local: own.local().clone(),
            own,
        }
    }
}

impl Listener for Flooded {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        &self.local
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        let connecting = connect(&self.local);
        let client = std::pin::pin!(connecting).as_mut().poll(cx);
        assert!(client.is_ready());
        self.own.poll_accept(cx)
    }
}

#[tokio::test]
async fn a_flood_at_one_does_not_starve_the_others() {
    let mut listeners = Listeners::new();
    listeners.add(Flooded::new().await);
    let quiet = listeners.add(mem().await);
    listeners.add(Flooded::new().await);
    let at = listeners.locals()[1].1.clone();
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(connect(&at).await.unwrap());
    }
    let mut brought = HashMap::new();
    for _ in 0..60 {
        let (_, by) = listeners.accept_from().await.unwrap();
        *brought.entry(by.id).or_insert(0) += 1;
    }
    assert_eq!(brought[&quiet], 20);
    assert!(brought.values().all(|count| *count == 20), "{brought:?}");
}

#[tokio::test]
async fn its_own_place_is_that_of_the_first_whoever_added_it() {
    let mut listeners = Listeners::new();
    let handle = listeners.handle();
    assert_eq!(Listener::local(&listeners).scheme(), "listeners");
    let first = handle.add(mem().await).unwrap();
    let at = handle.locals()[0].1.clone();
    assert_eq!(Listener::local(&listeners), &at);
    listeners.add(mem().await);
    assert!(handle.remove(first));
    assert_eq!(Listener::local(&listeners), &at);
    assert!(!Listener::locals(&listeners).contains(&at));
}

#[tokio::test]
async fn a_listener_comes_and_goes_while_another_task_accepts() {
    let mut listeners = Listeners::new();
    let handle = listeners.handle();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let accepting = tokio::spawn(async move {
        while let Some((socket, by)) = listeners.accept_from().await {
            tell.send((socket, by.id)).unwrap();
        }
    });
    tokio::task::yield_now().await;

    let first = handle.add(mem().await).unwrap();
    let second = handle.add(mem().await).unwrap();
    let locals = handle.locals();
    assert_eq!(
        locals.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [first, second]
    );
    let client = connect(&locals[1].1).await.unwrap();
    let (socket, by) = told.recv().await.unwrap();
    assert_eq!(by, second);

    assert!(handle.remove(second));
    assert!(!handle.remove(second));
    // Its place is free at once, and its sockets live on.
    let refused = connect(&locals[1].1).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert_eq!(socket.peer(), client.local());
    let _still = connect(&locals[0].1).await.unwrap();
    assert_eq!(told.recv().await.unwrap().1, first);

    // With the last handle and the last listener gone, accepting ends.
    let another = handle.clone();
    drop(handle);
    assert!(another.remove(first));
    drop(another);
    timeout(Duration::from_secs(5), accepting)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn without_a_listener_it_waits_for_a_handle_and_then_ends() {
    let mut listeners = Listeners::new();
    let handle = listeners.handle();
    assert!(timeout(SHORT, listeners.accept_from()).await.is_err());
    drop(handle);
    assert!(listeners.accept_from().await.is_none());
    let error = listeners.accept().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.to_string().contains("no listener is left"), "{error}");
}

#[tokio::test]
async fn dropping_it_drops_the_listeners_and_later_ones_come_back() {
    let mut listeners = Listeners::new();
    listeners.add(mem().await);
    let at = listeners.locals()[0].1.clone();
    let handle = listeners.handle();
    drop(listeners);
    assert_eq!(connect(&at).await.unwrap_err().kind(), ErrorKind::Refused);
    assert!(handle.locals().is_empty());
    let late = handle.add(mem().await).unwrap_err();
    let words = late.to_string();
    assert!(words.contains(&late.0.local().to_string()), "{words}");
}

/// Fails at once.
struct Failing(Endpoint);

impl Listener for Failing {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        &self.0
    }
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        Poll::Ready(Err(Error::new(ErrorKind::Closed, "accept at", &self.0)))
    }
}

#[tokio::test]
async fn one_that_fails_is_told_by_name_and_the_others_go_on() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let mut listeners = Listeners::new().on_failure(move |failure| {
        let mut told = teller.lock().unwrap();
        told.push((
            failure.by.clone(),
            failure.error.kind(),
            failure.to_string(),
        ));
    });
    let good = listeners.add(mem().await);
    let bad = listeners.add(Failing("mem://bad".parse().unwrap()));
    let _client = connect(&listeners.locals()[0].1).await.unwrap();
    assert_eq!(listeners.accept_from().await.unwrap().1.id, good);
    let _other = connect(&listeners.locals()[0].1).await.unwrap();
    assert_eq!(listeners.accept_from().await.unwrap().1.id, good);
    assert_eq!(listeners.locals().len(), 1);

    let told = told.lock().unwrap();
    let [(by, kind, line)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (by.id, by.local.to_string(), *kind),
        (bad, "mem://bad".to_owned(), ErrorKind::Closed)
    );
    let words = "listener #1 at mem://bad is removed: cannot accept at mem://bad: it is closed";
    assert_eq!(line, words);
}

/// Adds the other one when it is polled, and removes itself.
struct Replacing {
    local: Endpoint,
    handle: ListenersHandle,
    other: Option<BoxListener>,
}

impl Listener for Replacing {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        &self.local
    }
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        if let Some(other) = self.other.take() {
            self.handle.add(other).unwrap();
            let locals = self.handle.locals();
            let (own, _) = locals.iter().find(|(_, at)| *at == self.local).unwrap();
            assert!(self.handle.remove(*own));
        }
        Poll::Pending
    }
}

#[test]
fn a_listener_inside_may_change_the_listeners() {
    let (done, finished) = mpsc::channel();
    // On a thread of its own, which would wait for a lock for ever.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        done.send(runtime.unwrap().block_on(replaced())).unwrap();
    });
    let (locals, other) = finished.recv_timeout(LONG).expect("it hangs");
    assert_eq!(locals, [other]);
}

/// Accepts from the listener that another one adds; the listeners that are left, and that one.
async fn replaced() -> (Vec<Endpoint>, Endpoint) {
    let mut listeners = Listeners::new();
    let other = mem().await;
    let at = other.local().clone();
    let client = connect(&at).await.unwrap();
    listeners.add(Replacing {
        local: "mem://replacing".parse().unwrap(),
        handle: listeners.handle(),
        other: Some(other),
    });
    let (_, by) = listeners.accept_from().await.unwrap();
    assert_eq!(by.local, at);
    drop(client);
    // The handle went with the listener that held it.
    let noop = &mut Context::from_waker(std::task::Waker::noop());
    assert!(listeners.poll_accept_from(noop).is_pending());
    (Listener::locals(&listeners), at)
}

/// Panics when it is polled first.
struct Panicking(BoxListener, bool);

impl Listener for Panicking {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        self.0.local()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        assert!(std::mem::replace(&mut self.1, true), "as this test wants");
        self.0.poll_accept(cx)
    }
}

#[tokio::test]
async fn a_listener_that_panics_keeps_its_place() {
    let mut listeners = Listeners::new();
    let id = listeners.add(Panicking(mem().await, false));
    let _client = connect(&listeners.locals()[0].1).await.unwrap();
    let noop = &mut Context::from_waker(std::task::Waker::noop());
    let polling = AssertUnwindSafe(|| listeners.poll_accept_from(noop));
    assert!(catch_unwind(polling).is_err());
    assert_eq!(listeners.accept_from().await.unwrap().1.id, id);
}

#[tokio::test]
async fn a_cancelled_accept_loses_nobody() {
    let urls = ["mem://*", "mem://*", "mem://*"];
    let mut listeners = Listeners::at(&Registry::standard(), urls).await.unwrap();
    let mut clients = Vec::new();
    for (_, local) in listeners.locals().iter().cycle().take(9) {
        clients.push(connect(local).await.unwrap());
    }
    let mut peers = Vec::new();
    while peers.len() < clients.len() {
        // Polled once, and dropped.
        tokio::select! {
            biased;
            accepted = listeners.accept_from() => {
                peers.push(accepted.unwrap().0.peer().to_string());
            }
            () = std::future::ready(()) => tokio::task::yield_now().await,
        }
    }
    peers.sort();
    let mut locals: Vec<_> = clients
        .iter()
        .map(|client| client.local().to_string())
        .collect();
    locals.sort();
    assert_eq!(peers, locals);
}
