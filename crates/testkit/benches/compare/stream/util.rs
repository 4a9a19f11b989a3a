//! tokio-util's `Framed` over tokio's `TcpStream`: with its defaults, and tuned, with read and
//! write buffers of 256 KiB. Both use `feed`, as its documentation advises for many frames.

use std::time::Instant;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::{Found, Load, block_on};
use crate::tally::Tally;

const BUFFER: usize = 256 * 1024;

pub(crate) fn framed(stream: TcpStream) -> Framed<TcpStream, LengthDelimitedCodec> {
    Framed::new(stream, codec())
}

pub(crate) fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().little_endian().new_codec()
}

fn tuned(stream: TcpStream) -> Framed<TcpStream, LengthDelimitedCodec> {
    let mut framed = Framed::with_capacity(stream, codec(), BUFFER);
    framed.set_backpressure_boundary(BUFFER);
    framed
}

type Frame = fn(TcpStream) -> Framed<TcpStream, LengthDelimitedCodec>;

pub(super) fn receive(found: Found) -> Tally {
    received(found, framed)
}

pub(super) fn receive_tuned(found: Found) -> Tally {
    received(found, tuned)
}

fn received(found: Found, frame: Frame) -> Tally {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap().to_string();
        found.send(at).unwrap();
        let mut framed = frame(listener.accept().await.unwrap().0);
        let mut tally = Tally::default();
        while let Some(frame) = framed.next().await {
            tally.see(&frame.unwrap());
        }
        tally
    })
}

pub(super) fn send(to: &str, load: &Load) -> Instant {
    sent(to, load, framed)
}

pub(super) fn send_tuned(to: &str, load: &Load) -> Instant {
    sent(to, load, tuned)
}

fn sent(to: &str, load: &Load, frame: Frame) -> Instant {
    block_on(async {
        let mut framed = frame(TcpStream::connect(to).await.unwrap());
        let payload = Bytes::from(load.frame.clone());
        let begun = Instant::now();
        for _ in 0..load.count {
            framed.feed(payload.clone()).await.unwrap();
        }
        SinkExt::<Bytes>::close(&mut framed).await.unwrap();
        begun
    })
}
