//! `Stream` and `Sink` of values.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;
use socketry_transport::{RecvHalf, SendHalf};

use super::values::{not_understood, packed};
use super::{Typed, scratch};
use crate::framed::FrameError;
use crate::{Codec, Pack, Unpack};

impl<S: RecvHalf, C: Codec, T, F: Unpack<T>, U> Stream for Typed<S, C, T, F, U> {
    type Item = Result<T, FrameError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(frame) = ready!(self.framed.poll_recv_bytes(cx))? else {
            return Poll::Ready(None);
        };
        let unpacked = F::unpack(&frame);
        Poll::Ready(Some(
            unpacked.map_err(|error| not_understood(error, frame, self.framed.peer())),
        ))
    }
}

impl<S: SendHalf, C: Codec, T, F: Pack<U>, U> Sink<U> for Typed<S, C, T, F, U> {
    type Error = FrameError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), FrameError>> {
        if self.framed.has_room() {
            return Poll::Ready(Ok(()));
        }
        self.framed.poll_drain(cx)
    }
    fn start_send(mut self: Pin<&mut Self>, value: U) -> Result<(), FrameError> {
        let frame = packed::<U, F>(&value, self.framed.peer())?;
        let encoded = self.framed.encode(&frame);
        scratch::give(frame);
        encoded
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), FrameError>> {
        self.framed.poll_flush_frames(cx)
    }
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), FrameError>> {
        self.framed.poll_finish_frames(cx)
    }
}
