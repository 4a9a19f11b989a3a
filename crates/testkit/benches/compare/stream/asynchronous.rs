//! asynchronous-codec's `Framed` over tokio's `TcpStream`, through tokio-util's bridge to the
//! traits of `futures`. Its only length header has eight bytes, big-endian. `feed`, with its
//! defaults.

use std::time::Instant;

use asynchronous_codec::{Framed, LengthCodec};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::{Found, Load, block_on};
use crate::tally::Tally;

pub(super) fn receive(found: Found) -> Tally {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        found
            .send(listener.local_addr().unwrap().to_string())
            .unwrap();
        let stream = listener.accept().await.unwrap().0;
        let mut framed = Framed::new(stream.compat(), LengthCodec);
        let mut tally = Tally::default();
        while let Some(frame) = framed.next().await {
            tally.see(&frame.unwrap());
        }
        tally
    })
}

pub(super) fn send(to: &str, load: &Load) -> Instant {
    block_on(async {
        let stream = TcpStream::connect(to).await.unwrap();
        let mut framed = Framed::new(stream.compat(), LengthCodec);
        let payload = Bytes::from(load.frame.clone());
        let begun = Instant::now();
        for _ in 0..load.count {
            framed.feed(payload.clone()).await.unwrap();
        }
        framed.close().await.unwrap();
        begun
    })
}
