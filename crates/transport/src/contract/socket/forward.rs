//! Macros that forward all methods of a half: the one list of those methods.

use crate::contract::socket::{Half, RecvHalf, SendHalf, Socket};

/// The methods of `Half`: `forward_half!(self => self.inner)`.
macro_rules! forward_half {
    ($self:ident => $inner:expr) => {
        fn info(&$self) -> &$crate::contract::socket::info::Info {
            $inner.info()
        }
        // A half may know its shape before it has asked the kernel for the rest.
        fn shape(&$self) -> $crate::contract::socket::Shape {
            $inner.shape()
        }
    };
}

/// The methods of `RecvHalf`.
macro_rules! forward_recv {
    ($self:ident => $inner:expr) => {
        fn recv_room(&$self) -> usize {
            $inner.recv_room()
        }
        fn upcoming(&$self) -> $crate::contract::socket::Upcoming {
            $inner.upcoming()
        }
        fn poll_recv(
            &mut $self,
            cx: &mut std::task::Context<'_>,
            buf: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<$crate::contract::socket::Received>> {
            $inner.poll_recv(cx, buf)
        }
        fn poll_recv_batch(
            &mut $self,
            cx: &mut std::task::Context<'_>,
            batch: &mut $crate::contract::datagram::batch::Batch,
        ) -> std::task::Poll<std::io::Result<$crate::contract::socket::Received>> {
            $inner.poll_recv_batch(cx, batch)
        }
    };
}

/// The methods of `SendHalf`.
macro_rules! forward_send {
    ($self:ident => $inner:expr) => {
        fn poll_send(
            &mut $self,
            cx: &mut std::task::Context<'_>,
            parts: &[std::io::IoSlice<'_>],
        ) -> std::task::Poll<std::io::Result<usize>> {
            $inner.poll_send(cx, parts)
        }
        fn poll_send_run(
            &mut $self,
            cx: &mut std::task::Context<'_>,
            bytes: &[u8],
            size: usize,
        ) -> std::task::Poll<std::io::Result<usize>> {
            $inner.poll_send_run(cx, bytes, size)
        }
        fn poll_flush(
            &mut $self,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            $inner.poll_flush(cx)
        }
        fn poll_finish(
            &mut $self,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            $inner.poll_finish(cx)
        }
        fn abort(&mut $self, code: u64) -> std::io::Result<$crate::contract::socket::Aborted> {
            $inner.abort(code)
        }
        fn abort_on_drop(
            &mut $self,
            on: bool,
        ) -> std::io::Result<$crate::contract::socket::Aborted> {
            $inner.abort_on_drop(on)
        }
    };
}

pub(crate) use {forward_half, forward_recv, forward_send};

macro_rules! pointer {
    ($pointer:ty) => {
        impl<H: Half + ?Sized> Half for $pointer {
            forward_half!(self => (**self));
        }

        impl<H: RecvHalf + ?Sized> RecvHalf for $pointer {
            forward_recv!(self => (**self));
        }

        impl<H: SendHalf + ?Sized> SendHalf for $pointer {
            forward_send!(self => (**self));
        }
    };
}

pointer!(&mut H);
pointer!(Box<H>);

impl<S: Socket> Socket for Box<S> {
    type Recv = S::Recv;
    type Send = S::Send;

    fn split(self) -> (S::Recv, S::Send) {
        (*self).split()
    }
}
