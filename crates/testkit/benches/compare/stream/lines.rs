//! Lines: ours, and tokio-util's, whose items are strings. `feed` on both.

use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use socketry_codec::Line;
use socketry_transport::TcpTransport;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::{self, LinesCodec};

use super::ours::Calls;
use super::{Found, Load, block_on, ours};
use crate::tally::Tally;

pub(super) fn receive(found: Found) -> Tally {
    ours::accepted(
        TcpTransport::default(),
        "tcp://127.0.0.1:0",
        found,
        Line::new(),
        Calls::Each,
    )
}

pub(super) fn send(to: &str, load: &Load) -> Instant {
    ours::connected(TcpTransport::default(), to, load, Line::new(), Calls::Each)
}

pub(super) fn receive_util(found: Found) -> Tally {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        found
            .send(listener.local_addr().unwrap().to_string())
            .unwrap();
        let stream = listener.accept().await.unwrap().0;
        let mut framed = codec::Framed::new(stream, LinesCodec::new());
        let mut tally = Tally::default();
        while let Some(line) = framed.next().await {
            tally.see(line.unwrap().as_bytes());
        }
        tally
    })
}

pub(super) fn send_util(to: &str, load: &Load) -> Instant {
    block_on(async {
        let stream = TcpStream::connect(to).await.unwrap();
        let mut framed = codec::Framed::new(stream, LinesCodec::new());
        let line = str::from_utf8(&load.frame).unwrap();
        let begun = Instant::now();
        for _ in 0..load.count {
            framed.feed(line).await.unwrap();
        }
        SinkExt::<&str>::close(&mut framed).await.unwrap();
        begun
    })
}
