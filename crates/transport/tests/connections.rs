//! Connections in memory, used without care.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use socketry_transport::{
    Connection, MemConnection, MemMux, MuxListener, MuxTransport, RecvHalf, SendExt,
};
use tokio::io::ReadBuf;

async fn pair(url: &str) -> (MemConnection, MemConnection) {
    let mux = MemMux::new();
    let mut listener = mux.listen(&url.parse().unwrap()).await.unwrap();
    let client = mux.connect(listener.local()).await.unwrap();
    (client, listener.accept().await.unwrap())
}

struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

#[tokio::test]
async fn a_handle_that_is_dropped_while_it_waits_leaves_nothing() {
    let (mut client, _server) = pair("mem-mux://*?streams=1").await;
    let _only = client.open().await.unwrap();
    let nobody = Arc::new(Nobody);
    let waker = Waker::from(Arc::clone(&nobody));
    let mut cx = Context::from_waker(&waker);
    for _ in 0..100 {
        assert!(client.clone().poll_accept(&mut cx).is_pending());
        assert!(client.clone().poll_open(&mut cx).is_pending());
        let mut datagrams = client.datagrams().unwrap();
        let mut room = [0; 8];
        let mut buf = ReadBuf::new(&mut room);
        assert!(datagrams.poll_recv(&mut cx, &mut buf).is_pending());
    }
    drop(waker);
    assert_eq!(Arc::strong_count(&nobody), 1);
}

#[tokio::test]
async fn a_task_that_only_sends_datagrams_lets_others_run() {
    let (client, _server) = pair("mem-mux://*").await;
    let mut datagrams = client.datagrams().unwrap();
    let ran = Arc::new(AtomicBool::new(false));
    let other = Arc::clone(&ran);
    tokio::spawn(async move { other.store(true, Ordering::Relaxed) });
    for _ in 0..10_000 {
        datagrams.send(b"x").await.unwrap();
    }
    assert!(ran.load(Ordering::Relaxed));
}
