//! `Stream` and `Sink`, for the combinators of other crates.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use socketry_transport::{RecvHalf, SendHalf};

use super::{FrameError, Framed};
use crate::Codec;

// No field is ever pinned: sockets are `Unpin`, and a codec is only called.
impl<S: Unpin, C> Unpin for Framed<S, C> {}

impl<S: RecvHalf, C: Codec> Stream for Framed<S, C> {
    type Item = Result<Bytes, FrameError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv_bytes(cx).map(Result::transpose)
    }
}

impl<S: SendHalf, C: Codec> Sink<Bytes> for Framed<S, C> {
    type Error = FrameError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), FrameError>> {
        if self.has_room() {
            return Poll::Ready(Ok(()));
        }
        self.poll_drain(cx)
    }
    fn start_send(mut self: Pin<&mut Self>, frame: Bytes) -> Result<(), FrameError> {
        self.encode(&frame)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), FrameError>> {
        self.poll_flush_frames(cx)
    }
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), FrameError>> {
        self.poll_finish_frames(cx)
    }
}
