//! Over every transport, with every codec, and with faults.

use std::time::Duration;

use futures_util::FutureExt;
use socketry_codec::{BoxCodec, Framed};
use socketry_testkit::faulty::for_each_seed;
use socketry_testkit::{Faults, Places, in_time};
use socketry_transport::{BoxSocket, Endpoint, Listener, RecvHalf, Socket, connect, listen};
use tokio::runtime::Builder;

use super::{CODECS, frames, named};

/// Two ends. A datagram server learns of its client by a first datagram, which is received here.
async fn pair(at: &Endpoint, codec: &str) -> (Framed<BoxSocket>, Framed<BoxSocket>) {
    let mut listener = listen(at).await.unwrap();
    let mut client = Framed::new(connect(listener.local()).await.unwrap(), named(codec));
    client.send(b"{}").await.unwrap();
    let mut server = Framed::new(listener.accept().await.unwrap(), named(codec));
    assert_eq!(server.recv().await.unwrap().unwrap(), b"{}");
    (client, server)
}

#[tokio::test]
async fn every_codec_over_every_transport() {
    let (places, due) = (Places::new(), frames(300));
    for codec in CODECS {
        for at in places.all() {
            let talk = async {
                let (mut client, mut server) = pair(&at, codec).await;
                let stream = client.shape().is_stream();
                // So few that they fit into every socket's queue of datagrams.
                let batches = due.chunks(if stream { due.len() } else { 5 });
                for batch in batches {
                    let sending = async {
                        assert_eq!(client.feed_many(batch).await.unwrap(), batch.len());
                        client.flush().await.unwrap();
                    };
                    let receiving = received(&mut server, batch.len(), usize::MAX);
                    let ((), got) = tokio::join!(sending, receiving);
                    assert_eq!(got, batch);
                }
                if stream {
                    client.finish().await.unwrap();
                    assert!(server.recv_many(9).await.unwrap().is_none());
                }
            };
            in_time(&format!("{at} {codec}"), talk).await;
        }
    }
}

/// Receives this many frames, at most `most` a call, alternately borrowed and owned.
async fn received<R: RecvHalf>(
    framed: &mut Framed<R, BoxCodec>,
    count: usize,
    most: usize,
) -> Vec<Vec<u8>> {
    let mut got: Vec<Vec<u8>> = Vec::new();
    while got.len() < count {
        if got.len().is_multiple_of(2) {
            let frames = framed.recv_many(most).await.unwrap().unwrap();
            got.extend(frames.map(<[u8]>::to_vec));
        } else {
            let mut kept = Vec::new();
            framed.recv_many_bytes(&mut kept, most).await.unwrap();
            got.extend(kept.into_iter().map(Vec::from));
        }
    }
    got
}

/// With short reads and writes, pauses and delays. Calls are cancelled again and again on both
/// sides.
#[test]
fn harmless_faults_and_cancelled_calls_lose_nothing() {
    let due = frames(120);
    for_each_seed(
        "cargo test -p socketry-testkit --test framed_many",
        24,
        |seed| {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .unwrap();
            for codec in CODECS {
                runtime.block_on(in_time("an exchange", exchange(&due, codec, seed)));
            }
        },
    );
}

async fn exchange(due: &[Vec<u8>], codec: &str, seed: u64) {
    let plan = Faults::harmless().seed(seed);
    let (client, server) = pair(&Places::new().free("mem"), codec).await;
    let (client, server) = (client.into_socket(), server.into_socket());
    let sending = Framed::new(plan.over(client), named(codec)).high_water(100);
    let receiving = Framed::new(plan.clone().number(1).over(server), named(codec));
    let ((), got) = tokio::join!(
        feed_impatiently(sending, due),
        take_impatiently(receiving, (seed % 5) as usize + 1)
    );
    assert!(got == due, "{codec}, seed {seed}: {} frames", got.len());
}

async fn feed_impatiently<S: Socket>(mut framed: Framed<S, BoxCodec>, due: &[Vec<u8>]) {
    let mut left = due.iter();
    while left.len() > 0 {
        match framed.feed_many(&mut left).now_or_never() {
            Some(fed) => drop(fed.unwrap()),
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
    framed.finish().await.unwrap();
}

async fn take_impatiently<S: Socket>(mut framed: Framed<S, BoxCodec>, take: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        match framed.recv_many(usize::MAX).now_or_never() {
            Some(Ok(None)) => return all,
            Some(Ok(Some(frames))) => all.extend(frames.take(take).map(<[u8]>::to_vec)),
            Some(Err(error)) => panic!("{error}"),
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

/// The frames that arrive before a reset or an end are the first ones that were sent.
#[test]
fn hostile_faults_give_whole_frames_and_one_error() {
    let due = frames(200);
    for_each_seed(
        "cargo test -p socketry-testkit --test framed_many",
        24,
        |seed| {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(in_time("an exchange", broken_off(&due, seed)));
        },
    );
}

async fn broken_off(due: &[Vec<u8>], seed: u64) {
    let plan = Faults::hostile().seed(seed).within(3000);
    let (client, server) = pair(&Places::new().free("mem"), "struct").await;
    let (mut client, server) = (client, server.into_socket());
    let mut server = Framed::new(plan.over(server), named("struct"));
    let sending = async {
        // The peer may be gone before everything is sent.
        let _ = client.feed_many(due).await;
        let _ = client.finish().await;
    };
    let receiving = async {
        let (mut got, mut failed) = (Vec::new(), false);
        loop {
            match server.recv_many(7).await {
                Ok(None) => return got,
                Ok(Some(frames)) => got.extend(frames.map(<[u8]>::to_vec)),
                Err(error) => {
                    assert!(error.is_fatal() && !failed, "{error}");
                    failed = true;
                }
            }
        }
    };
    // A plan may let a connection hang. Then a frame is late, or the whole connection is.
    let both = async { tokio::join!(sending, receiving).1 };
    if let Ok(got) = tokio::time::timeout(Duration::from_secs(3600), both).await {
        assert!(due.starts_with(&got), "seed {seed}: {} frames", got.len());
    }
}
