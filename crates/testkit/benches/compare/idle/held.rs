//! The process that accepts, and says by how much it has grown.

use std::io::{self, Read};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, thread};

use clap::ValueEnum;
use futures_util::StreamExt;
use socketry_codec::{Framed, Struct};
use socketry_transport::{Listener, RecvHalf, TcpTransport, Transport};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::{STEP, raise_limit};
use crate::stream::{block_on, util};

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Server {
    Ours,
    Util,
}

/// Frames that arrived. It is static so that no task has to hold it.
static FRAMES: AtomicUsize = AtomicUsize::new(0);

impl Server {
    /// Accepts until standard input ends.
    pub(crate) fn run(self) {
        raise_limit();
        block_on(async {
            match self {
                Server::Ours => ours().await,
                Server::Util => theirs().await,
            }
        });
    }
}

async fn ours() {
    let at = "tcp://127.0.0.1:0".parse().unwrap();
    let mut listener = TcpTransport::default().listen(&at).await.unwrap();
    let place = listener.local().to_string();
    hold(&place["tcp://".len()..], async || {
        let socket = listener.accept().await.unwrap();
        let framed = Framed::new(socket, Struct::new("<I".parse().unwrap()));
        tokio::spawn(receive(framed));
    })
    .await;
}

async fn receive<R: RecvHalf>(mut framed: Framed<R, Struct>) {
    while let Ok(Some(_)) = framed.recv().await {
        received();
    }
}

async fn theirs() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    hold(&place, async || {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut framed = util::framed(stream);
            while let Some(Ok(_)) = framed.next().await {
                received();
            }
        });
    })
    .await;
}

fn received() {
    if (FRAMES.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(STEP) {
        println!();
    }
}

async fn hold(place: &str, mut accept: impl AsyncFnMut()) {
    let mut end = pin!(end_of_input());
    let before = memory();
    println!("{place}");
    loop {
        tokio::select! {
            () = &mut end => break,
            () = accept() => {}
        }
    }
    println!("{}", settled().await - before);
}

async fn end_of_input() {
    let (ended, end) = oneshot::channel();
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    end.await.unwrap();
}

/// What there is once nothing changes any more: all tasks have seen what was sent to them.
async fn settled() -> u64 {
    let mut before = 0;
    loop {
        sleep(Duration::from_millis(100)).await;
        let now = memory();
        if now == before {
            return now;
        }
        before = now;
    }
}

/// This process's own memory, in bytes: what no file lies behind.
fn memory() -> u64 {
    let all = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = all.lines().find(|line| line.starts_with("Anonymous:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1);
    kilobytes.unwrap().parse::<u64>().unwrap() * 1024
}
