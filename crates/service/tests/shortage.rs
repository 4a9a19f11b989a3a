//! A server without a free descriptor refuses newcomers, and serves again once it has some. It is a
//! process of its own, since the limit of descriptors is a process's.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::File;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socketry_codec::{FrameError, Framed, Struct};
use socketry_service::{Observer, Refusal, Server};
use socketry_transport::{Info, Listener, connect, listen};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(20);

struct Refusals(mpsc::UnboundedSender<(bool, Refusal)>);

impl Observer for Refusals {
    fn refused(&self, info: Option<&Info>, why: Refusal) {
        let _ = self.0.send((info.is_some(), why));
    }
}

/// Takes all descriptors below the limit.
fn take_all() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

#[tokio::test]
async fn without_a_descriptor_newcomers_are_reset_and_told_of() {
    let limit = Rlimit {
        current: Some(128),
        ..getrlimit(Resource::Nofile)
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    let listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let at = listener.local().clone();
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = Server::new(listener).observer(Refusals(tell));
    let stopper = server.stopper();
    let serving = tokio::spawn(server.answer(async |request| Ok::<_, FrameError>(request.frame)));
    let mut early = Framed::new(connect(at.clone()).await.unwrap(), Struct::default());
    early.send(b"early").await.unwrap();
    assert_eq!(early.recv().await.unwrap(), Some(&b"early"[..]));

    let newcomers: Vec<TcpSocket> = (0..3).map(|_| TcpSocket::new_v4().unwrap()).collect();
    let taken = take_all();
    let place: SocketAddr = at.socket_addr().unwrap();
    let mut refused: Vec<TcpStream> = Vec::new();
    for newcomer in newcomers {
        refused.push(newcomer.connect(place).await.unwrap());
    }
    for client in &mut refused {
        let read = timeout(DEADLINE, client.read(&mut [0; 1])).await.unwrap();
        let error = read.expect_err("no end, which could be taken for an orderly one");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        let refusal = timeout(DEADLINE, told.recv()).await.unwrap().unwrap();
        assert_eq!(refusal, (false, Refusal::System));
    }
    early.send(b"still").await.unwrap();
    assert_eq!(early.recv().await.unwrap(), Some(&b"still"[..]));

    drop((taken, refused));
    let mut late = Framed::new(connect(at).await.unwrap(), Struct::default());
    late.send(b"late").await.unwrap();
    let answer = timeout(DEADLINE, late.recv()).await.unwrap();
    assert_eq!(answer.unwrap(), Some(&b"late"[..]));
    drop((early, late));
    stopper.stop();
    let summary = serving.await.unwrap().unwrap();
    assert_eq!((summary.served, summary.refused), (2, 3));
}
