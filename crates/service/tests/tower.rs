//! Layers of tower around the service that answers for a server.
#![cfg(feature = "tower")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use socketry_codec::{Framed, Struct};
use socketry_service::{Request, Server, Stopper};
use socketry_transport::{BoxSocket, Endpoint, Listener, connect, listen};
use tokio::sync::{Barrier, Notify, mpsc};
use tower::load_shed::error::Overloaded;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

type Client = Framed<BoxSocket, Struct>;

async fn serving<T>(service: T) -> (Endpoint, Stopper)
where
    T: Service<Request, Response = Bytes> + Clone + Send + 'static,
    T::Error: Into<BoxError>,
    T::Future: Send + 'static,
{
    let listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let at = listener.local().clone();
    let server = Server::new(listener);
    let stopper = server.stopper();
    tokio::spawn(server.answer_with(service));
    (at, stopper)
}

async fn client(at: &Endpoint) -> Client {
    Framed::new(connect(at.clone()).await.unwrap(), Struct::default())
}

async fn send_all(client: &mut Client, frames: &[&str]) {
    client.feed_many(frames).await.unwrap();
    client.flush().await.unwrap();
}

async fn expect(client: &mut Client, wanted: &str) {
    assert_eq!(client.recv().await.unwrap(), Some(wanted.as_bytes()));
}

#[tokio::test]
async fn a_concurrency_limit_holds_over_all_connections_and_idle_ones_keep_no_place() {
    const MOST: usize = 2;
    let (now, highest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&highest);
    // Each waits for another, so that the limit is reached, too.
    let together = Arc::new(Barrier::new(MOST));
    let service =
        ServiceBuilder::new()
            .concurrency_limit(MOST)
            .service_fn(move |request: Request| {
                let (now, highest) = (Arc::clone(&now), Arc::clone(&seen));
                let together = Arc::clone(&together);
                async move {
                    let running = now.fetch_add(1, SeqCst) + 1;
                    highest.fetch_max(running, SeqCst);
                    together.wait().await;
                    now.fetch_sub(1, SeqCst);
                    Ok::<_, BoxError>(request.frame)
                }
            });
    let (at, _) = serving(service).await;
    // As many as there are places, and they only listen.
    let mut idle = Vec::new();
    for _ in 0..2 * MOST {
        idle.push(client(&at).await);
    }
    let questions = ["a", "b", "c", "d", "e", "f"];
    let (mut one, mut other) = (client(&at).await, client(&at).await);
    send_all(&mut one, &questions).await;
    send_all(&mut other, &questions).await;
    for question in questions {
        expect(&mut one, question).await;
        expect(&mut other, question).await;
    }
    assert_eq!(highest.load(SeqCst), MOST);
}

#[tokio::test]
async fn a_service_that_is_not_ready_holds_its_requests_back_until_the_stop_and_answers_them() {
    let (begin, mut begun) = mpsc::unbounded_channel();
    let end = Arc::new(Notify::new());
    let told = Arc::clone(&end);
    let service = ServiceBuilder::new()
        .concurrency_limit(1)
        .service_fn(move |request: Request| {
            begin.send(request.frame.clone()).unwrap();
            let told = Arc::clone(&told);
            async move {
                told.notified().await;
                Ok::<_, BoxError>(request.frame)
            }
        });
    let (at, stopper) = serving(service).await;
    let mut client = client(&at).await;
    send_all(&mut client, &["first", "second", "third"]).await;
    assert_eq!(begun.recv().await.unwrap(), "first");
    // The second has come, and the service has not got it.
    end.notify_one();
    expect(&mut client, "first").await;
    assert_eq!(begun.recv().await.unwrap(), "second");
    assert!(begun.try_recv().is_err());
    stopper.stop();
    for question in ["second", "third"] {
        end.notify_one();
        expect(&mut client, question).await;
    }
    assert_eq!(client.recv().await.unwrap(), None);
}

/// Errors of layers as answers: the client keeps its connection.
fn words(answered: Result<Bytes, BoxError>) -> Result<Bytes, BoxError> {
    answered.or_else(|error| match error.is::<Overloaded>() {
        true => Ok("overloaded".into()),
        false => Ok(error.to_string().into()),
    })
}

#[tokio::test]
async fn load_that_is_shed_is_an_answer() {
    let (begin, mut begun) = mpsc::unbounded_channel();
    let end = Arc::new(Notify::new());
    let told = Arc::clone(&end);
    let service = ServiceBuilder::new()
        .load_shed()
        .concurrency_limit(1)
        .service_fn(move |request: Request| {
            let (begin, told) = (begin.clone(), Arc::clone(&told));
            async move {
                begin.send(()).unwrap();
                told.notified().await;
                Ok::<_, BoxError>(request.frame)
            }
        });
    let (at, _) = serving(service.map_result(words)).await;
    let (mut slow, mut shed) = (client(&at).await, client(&at).await);
    slow.send(b"slow").await.unwrap();
    begun.recv().await.unwrap();
    for _ in 0..3 {
        shed.send(b"more").await.unwrap();
        expect(&mut shed, "overloaded").await;
    }
    end.notify_one();
    expect(&mut slow, "slow").await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_an_answer() {
    let service = ServiceBuilder::new()
        .timeout(Duration::from_secs(5))
        .service_fn(async |request: Request| match &request.frame[..] {
            b"endless" => std::future::pending().await,
            _ => Ok::<_, BoxError>(request.frame),
        });
    let listener = listen("mem://*").await.unwrap();
    let at = listener.local().clone();
    tokio::spawn(Server::new(listener).answer_with(service.map_result(words)));
    let mut client = client(&at).await;
    send_all(&mut client, &["endless", "quick"]).await;
    expect(&mut client, "request timed out").await;
    expect(&mut client, "quick").await;
}

#[tokio::test]
async fn an_error_of_the_service_ends_its_connection_alone() {
    let service = tower::service_fn(async |request: Request| match &request.frame[..] {
        b"fail" => Err(BoxError::from("it was told to")),
        _ => Ok(request.frame),
    });
    let (at, _) = serving(service).await;
    let (mut failing, mut other) = (client(&at).await, client(&at).await);
    failing.send(b"fail").await.unwrap();
    assert!(failing.recv().await.is_err(), "a reset");
    other.send(b"well").await.unwrap();
    expect(&mut other, "well").await;
}
