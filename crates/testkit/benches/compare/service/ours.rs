//! `Server::answer` and `Client`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use socketry_codec::{FrameError, Struct};
use socketry_service::{Client, Observer, Prometheus, Server};
use socketry_transport::{Listener, TcpTransport, Transport};

use super::{FRAME, Over, callers};
use crate::stream::{Found, block_on};
use crate::tally::frame;

type TcpServer = Server<<TcpTransport as Transport>::Listener>;

/// Counts frames and requests.
#[derive(Clone, Default)]
struct Counted(Arc<[AtomicUsize; 4]>);

impl Counted {
    fn add(&self, at: usize, count: usize) {
        self.0[at].fetch_add(count, Ordering::Relaxed);
    }
}

impl Observer for Counted {
    fn frames_received(&self, _: u64, count: usize) {
        self.add(0, count);
    }
    fn frames_sent(&self, _: u64, count: usize) {
        self.add(1, count);
    }
    fn bytes_received(&self, _: u64, count: usize) {
        self.add(2, count);
    }
    fn bytes_sent(&self, _: u64, count: usize) {
        self.add(3, count);
    }
}

pub(super) fn serve(found: Found, over: Over) {
    block_on(answer(found, over, |server| server));
}

pub(super) fn serve_counted(found: Found, over: Over) {
    block_on(answer(found, over, |server| {
        server.observer(Counted::default())
    }));
}

pub(super) fn serve_metrics(found: Found, over: Over) {
    let prometheus = Prometheus::new();
    block_on(answer(found, over, |server| {
        server.observer(prometheus.observer("bench"))
    }));
}

async fn answer(found: Found, over: Over, set: impl FnOnce(TcpServer) -> TcpServer) {
    let at = "tcp://127.0.0.1:0".parse().unwrap();
    let listener = TcpTransport::default().listen(&at).await.unwrap();
    // The address alone, as by hand.
    let place = listener.local().socket_addr().unwrap().to_string();
    found.send(place).unwrap();
    let server = set(Server::new(listener));
    let answered = server.answer(async |request| Ok::<_, FrameError>(request.frame));
    tokio::select! {
        ended = answered => panic!("{ended:?}"),
        _ = over => {}
    }
}

async fn client(to: &str) -> Client {
    let client = Client::builder(format!("tcp://{to}").as_str()).unwrap();
    let client = client.codec(Struct::new("<I".parse().unwrap()));
    client.start().unwrap()
}

pub(super) fn call(to: &str, times: usize) -> Instant {
    block_on(async {
        let client = client(to).await;
        let question = Bytes::from(frame(FRAME));
        client.connected().await.unwrap();
        let begun = Instant::now();
        for _ in 0..times {
            assert_eq!(client.call(question.clone()).await.unwrap(), question);
        }
        begun
    })
}

pub(super) fn call_many(to: &str) -> Duration {
    block_on(async {
        let client = client(to).await;
        let question = Bytes::from(frame(FRAME));
        let call = move || {
            let (client, question) = (client.clone(), question.clone());
            async move {
                assert_eq!(client.call(question.clone()).await.unwrap(), question);
            }
        };
        callers(call).await
    })
}
