//! A pointer to a half is a half.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use crate::contract::datagram::batch::Batch;
use crate::contract::socket::info::Info;
use crate::contract::socket::{Aborted, Half, Received, RecvHalf, SendHalf, Socket};

macro_rules! forward_halves {
    ($pointer:ty) => {
        impl<H: Half + ?Sized> Half for $pointer {
            fn info(&self) -> &Info {
                (**self).info()
            }
        }

        impl<H: RecvHalf + ?Sized> RecvHalf for $pointer {
            fn recv_room(&self) -> usize {
                (**self).recv_room()
            }
            fn poll_recv(
                &mut self,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<Received>> {
                (**self).poll_recv(cx, buf)
            }
            fn poll_recv_batch(
                &mut self,
                cx: &mut Context<'_>,
                batch: &mut Batch,
            ) -> Poll<io::Result<Received>> {
                (**self).poll_recv_batch(cx, batch)
            }
        }

        impl<H: SendHalf + ?Sized> SendHalf for $pointer {
            fn poll_send(
                &mut self,
                cx: &mut Context<'_>,
                parts: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                (**self).poll_send(cx, parts)
            }
            fn poll_send_run(
                &mut self,
                cx: &mut Context<'_>,
                bytes: &[u8],
                size: usize,
            ) -> Poll<io::Result<usize>> {
                (**self).poll_send_run(cx, bytes, size)
            }
            fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                (**self).poll_flush(cx)
            }
            fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                (**self).poll_finish(cx)
            }
            fn abort(&mut self, code: u64) -> io::Result<Aborted> {
                (**self).abort(code)
            }
            fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
                (**self).abort_on_drop(on)
            }
        }
    };
}

forward_halves!(&mut H);
forward_halves!(Box<H>);

impl<S: Socket> Socket for Box<S> {
    type Recv = S::Recv;
    type Send = S::Send;

    fn split(self) -> (S::Recv, S::Send) {
        (*self).split()
    }
}
