//! tokio-util's `Framed` over tokio's streams.

use std::time::Instant;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::{FRAME, raw};
use crate::stream::{Found, block_on};
use crate::tally::frame;

pub(super) fn echo_tcp(found: Found) {
    block_on(async { echo(raw::accept_tcp(found).await).await });
}

pub(super) fn echo_unix(found: Found) {
    block_on(async { echo(raw::accept_unix(found).await).await });
}

pub(super) fn ask_tcp(to: &str, times: usize) -> Instant {
    block_on(async { ask(raw::connect_tcp(to).await, times).await })
}

pub(super) fn ask_unix(to: &str, times: usize) -> Instant {
    block_on(async { ask(raw::connect_unix(to).await, times).await })
}

fn framed<S: AsyncRead + AsyncWrite>(stream: S) -> Framed<S, LengthDelimitedCodec> {
    let codec = LengthDelimitedCodec::builder().little_endian().new_codec();
    Framed::new(stream, codec)
}

async fn echo(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut framed = framed(stream);
    while let Some(frame) = framed.next().await {
        framed.send(frame.unwrap().freeze()).await.unwrap();
    }
}

async fn ask(stream: impl AsyncRead + AsyncWrite + Unpin, times: usize) -> Instant {
    let mut framed = framed(stream);
    let question = Bytes::from(frame(FRAME));
    let begun = Instant::now();
    for _ in 0..times {
        framed.send(question.clone()).await.unwrap();
        let answer = framed.next().await.unwrap().unwrap();
        assert_eq!(answer, question);
    }
    begun
}
