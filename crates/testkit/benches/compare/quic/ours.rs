//! A socket of `quic://`.

use std::time::Instant;

use socketry_quic::{Quic, QuicStream};
use socketry_transport::{Endpoint, Listener, Received, RecvExt, SendExt, Streams, Transport};

use super::{CLIENT, PIECE, QUESTION, SERVER, quic, run};
use crate::stream::{Found, Load};
use crate::tally::Tally;

fn transport() -> Streams<Quic> {
    Streams::new(quic())
}

async fn accepted(found: Found) -> QuicStream {
    let at: Endpoint = "quic://127.0.0.1:0".parse().unwrap();
    let mut listener = transport().listen(&at).await.unwrap();
    found.send(listener.local().to_string()).unwrap();
    listener.accept().await.unwrap()
}

async fn connected(to: &str) -> QuicStream {
    let to: Endpoint = to.parse().unwrap();
    transport().connect(&to).await.unwrap()
}

/// Fills `buf`. `false` at the end.
async fn fill(stream: &mut QuicStream, buf: &mut [u8]) -> bool {
    let mut filled = 0;
    while filled < buf.len() {
        match stream.recv(&mut buf[filled..]).await.unwrap() {
            (_, Received::End) => return false,
            (some, _) => filled += some,
        }
    }
    true
}

pub(super) fn receive(found: Found) -> Tally {
    run(&SERVER, async move {
        let mut stream = accepted(found).await;
        let (mut tally, mut buf) = (Tally::default(), vec![0; PIECE]);
        while fill(&mut stream, &mut buf).await {
            tally.see(&buf);
        }
        tally
    })
}

pub(super) fn send(to: &str, load: &Load) -> Instant {
    let (to, load) = (to.to_owned(), load.clone());
    run(&CLIENT, async move {
        let mut stream = connected(&to).await;
        let begun = Instant::now();
        for _ in 0..load.count {
            stream.send_all(&load.frame).await.unwrap();
        }
        stream.finish().await.unwrap();
        begun
    })
}

pub(super) fn echo(found: Found) {
    run(&SERVER, async move {
        let mut stream = accepted(found).await;
        let mut buf = [0; QUESTION];
        while fill(&mut stream, &mut buf).await {
            stream.send_all(&buf).await.unwrap();
        }
    });
}

pub(super) fn ask(to: &str, load: &Load) -> Instant {
    let (to, load) = (to.to_owned(), load.clone());
    run(&CLIENT, async move {
        let mut stream = connected(&to).await;
        let mut buf = [0; QUESTION];
        let begun = Instant::now();
        for _ in 0..load.count {
            stream.send_all(&load.frame).await.unwrap();
            assert!(fill(&mut stream, &mut buf).await);
            assert_eq!(buf[..], load.frame);
        }
        stream.finish().await.unwrap();
        begun
    })
}
