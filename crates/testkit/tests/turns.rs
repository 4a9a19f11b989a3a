//! A peer that never pauses does not starve the other tasks of a thread, whatever the transport
//! does.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{self, IoSlice};
use std::sync::LazyLock;
use std::task::{Context, Poll};

use socketry_codec::{Framed, Struct};
use socketry_testkit::in_time;
use socketry_transport::{Aborted, Endpoint, Half, Info, Received, RecvHalf, SendHalf, Shape};
use tokio::io::{AsyncReadExt, ReadBuf};
use tokio::task::yield_now;

/// A socket that always has zeros to read, takes all bytes, and never waits.
struct Endless;

static INFO: LazyLock<Info> = LazyLock::new(|| {
    let at: Endpoint = "mem://endless".parse().unwrap();
    Info::new(Shape::Stream, at.clone(), at)
});

impl Half for Endless {
    fn info(&self) -> &Info {
        &INFO
    }
}

impl RecvHalf for Endless {
    fn poll_recv(
        &mut self,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        buf.put_slice(&[0; 64][..buf.remaining().min(64)]);
        Poll::Ready(Ok(Received::Data))
    }
}

impl SendHalf for Endless {
    fn poll_send(&mut self, _: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(parts.iter().map(|part| part.len()).sum()))
    }
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn abort(&mut self, _: u64) -> io::Result<Aborted> {
        Ok(Aborted::Reset)
    }
}

fn endless() -> Framed<Endless, Struct> {
    Framed::new(Endless, Struct::default())
}

/// More than a task does in a hundred turns.
const MANY: usize = 1_000_000;

/// Asserts that other tasks get their turn while `busy` runs, which never has to wait.
async fn leaves_others_their_turn(busy: impl Future<Output = ()>) {
    let others = async {
        for _ in 0..100 {
            yield_now().await;
        }
    };
    let both = async {
        tokio::select! {
            biased;
            () = busy => panic!("it never let go of the thread"),
            () = others => {}
        }
    };
    in_time("the others' turn", both).await;
}

#[tokio::test]
async fn receiving_frames_takes_turns() {
    let mut framed = endless();
    let busy = async {
        for _ in 0..MANY {
            assert_eq!(framed.recv().await.unwrap(), Some(&b""[..]));
        }
    };
    leaves_others_their_turn(busy).await;
}

#[tokio::test]
async fn receiving_a_body_takes_turns() {
    let mut framed = endless();
    let busy = async {
        let mut body = framed.body(u64::MAX).unwrap();
        let mut piece = [0; 16];
        for _ in 0..MANY {
            body.read_exact(&mut piece).await.unwrap();
        }
    };
    leaves_others_their_turn(busy).await;
}

#[tokio::test]
async fn sending_frames_takes_turns() {
    let mut framed = endless();
    let busy = async {
        for _ in 0..MANY {
            framed.send(b"more").await.unwrap();
        }
    };
    leaves_others_their_turn(busy).await;
}

#[tokio::test]
async fn feeding_large_frames_takes_turns() {
    let mut framed = endless();
    let large = vec![0; 1 << 20];
    let busy = async {
        for _ in 0..MANY {
            framed.feed(&large).await.unwrap();
        }
    };
    leaves_others_their_turn(busy).await;
}

#[tokio::test]
async fn sending_a_body_takes_turns() {
    let mut framed = endless();
    let busy = async {
        let mut body = framed.body_writer(u64::MAX).unwrap();
        for _ in 0..MANY {
            body.write_all(b"more").await.unwrap();
        }
    };
    leaves_others_their_turn(busy).await;
}
