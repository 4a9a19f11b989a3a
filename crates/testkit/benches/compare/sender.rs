//! Frames of 64 B from several tasks to one socket, on one thread: each task calls `send` and waits
//! for it.
//!
//! Our side is `Sender`, whose `send` returns when the frame is in its buffer. The `send` of
//! tokio-util returns when the frame is written. For several tasks its `Framed` is behind tokio's
//! `Mutex`. The usual alternative is a channel of frames and a task that forwards them: `send`
//! returns when the frame is in the channel, and the task flushes whenever the channel is empty.
//! The channel holds 4,096 frames, about as many as `Sender`'s 256 KiB. All sides have the same
//! receiver, which blocks and scans 256 KiB at a time, so that it limits none of them.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use socketry_codec::{Framed, Sender, Struct};
use socketry_transport::{Endpoint, TcpTransport, Transport};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::codec::{self, LengthDelimitedCodec};

use crate::contest::{Contest, Unit};
use crate::stream::{Load, block_on, ours, raw, side, util};
use crate::tally::frame;

const CHANNEL: usize = 4096;

pub(crate) fn contests() -> Vec<Contest> {
    let alone = from(1)
        .side(
            "ours, feed",
            side(Unit::Frames, &load(8 << 20), raw::receive, |to, load| {
                ours::send(&format!("tcp://{to}"), load)
            }),
        )
        .target("ours", "ours, feed", 0.3);
    vec![alone, from(8), from(64)]
}

fn from(tasks: usize) -> Contest {
    let label = match tasks {
        1 => "1 task".to_owned(),
        _ => format!("{tasks} tasks"),
    };
    let unit = Unit::Frames;
    Contest::new("sender", label, unit)
        .side(
            "ours",
            side(unit, &load(8 << 20), raw::receive, move |to, load| {
                block_on(sender(to, load, tasks))
            }),
        )
        .side(
            "tokio-util, channel",
            side(unit, &load(2 << 20), raw::receive, move |to, load| {
                block_on(channel(to, load, tasks))
            }),
        )
        .side(
            "tokio-util",
            side(
                unit,
                &load(64 << 10),
                raw::receive,
                move |to, load| match tasks {
                    1 => block_on(send(to, load)),
                    _ => block_on(locked(to, load, tasks)),
                },
            ),
        )
        .target("ours", "tokio-util", 30.0)
}

/// So many that a run takes less than a second, since the sides are far apart.
fn load(count: usize) -> Load {
    let frame = frame(64);
    Load { frame, count }
}

async fn sender(to: &str, load: &Load, tasks: usize) -> Instant {
    let to: Endpoint = format!("tcp://{to}").parse().unwrap();
    let socket = TcpTransport::default().connect(&to).await.unwrap();
    let codec = Struct::new("<I".parse().unwrap());
    let (_receiving, sending) = Framed::new(socket, codec).split();
    let sender = sending.into_sender();
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..tasks {
        all.spawn(put(sender.clone(), share(load, tasks)));
    }
    all.join_all().await;
    sender.finish().await.unwrap();
    begun
}

async fn put(sender: Sender<Struct>, load: Load) {
    for _ in 0..load.count {
        sender.send(&load.frame).await.unwrap();
    }
}

async fn channel(to: &str, load: &Load, tasks: usize) -> Instant {
    let framed = util::framed(TcpStream::connect(to).await.unwrap());
    let (sender, mut receiver) = mpsc::channel(CHANNEL);
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..tasks {
        all.spawn(offer(sender.clone(), share(load, tasks)));
    }
    drop(sender);
    stream::poll_fn(move |cx| receiver.poll_recv(cx))
        .map(Ok)
        .forward(framed)
        .await
        .unwrap();
    begun
}

async fn offer(sender: mpsc::Sender<Bytes>, load: Load) {
    let frame = Bytes::from(load.frame);
    for _ in 0..load.count {
        sender.send(frame.clone()).await.unwrap();
    }
}

async fn send(to: &str, load: &Load) -> Instant {
    let mut framed = util::framed(TcpStream::connect(to).await.unwrap());
    let frame = Bytes::from(load.frame.clone());
    let begun = Instant::now();
    for _ in 0..load.count {
        framed.send(frame.clone()).await.unwrap();
    }
    begun
}

type Shared = Arc<Mutex<codec::Framed<TcpStream, LengthDelimitedCodec>>>;

async fn locked(to: &str, load: &Load, tasks: usize) -> Instant {
    let framed = util::framed(TcpStream::connect(to).await.unwrap());
    let shared = Arc::new(Mutex::new(framed));
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..tasks {
        all.spawn(take_turns(Arc::clone(&shared), share(load, tasks)));
    }
    all.join_all().await;
    begun
}

async fn take_turns(framed: Shared, load: Load) {
    let frame = Bytes::from(load.frame);
    for _ in 0..load.count {
        framed.lock().await.send(frame.clone()).await.unwrap();
    }
}

/// The part of one task.
fn share(load: &Load, tasks: usize) -> Load {
    Load {
        frame: load.frame.clone(),
        count: load.count / tasks,
    }
}
