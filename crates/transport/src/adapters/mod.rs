//! The bridge to tokio's traits, both ways: any `AsyncRead + AsyncWrite` is a stream socket, and any stream socket is
//! `AsyncRead + AsyncWrite`. That is how TLS wraps any transport, and how pipes and serial ports plug in.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};

use crate::contract::endpoint::Endpoint;
use crate::contract::socket::{Half, Received, RecvHalf, SendHalf, Shape, Socket};

/// How many bytes of several small parts an [`IoSocket`] writes as one.
const GATHERED: usize = 4096;

/// A stream socket made of anything that reads and writes.
///
/// Sending to a peer that is gone is an error here as everywhere, but a pipe raises SIGPIPE in a process that does not ignore
/// it. Rust programs do by default.
///
/// Over tokio's `UnixStream` or `TcpStream` a receive waits, with bytes there, behind a descriptor that the peer passed along or
/// behind urgent data, until more comes: they take a short read for the last. [`SocketParts`](crate::SocketParts) makes
/// a socket of the same descriptor that does not.
///
/// For a reader and a writer that are two things, such as a child's pipes, [`tokio::io::join`] makes them one.
#[derive(Debug)]
pub struct IoSocket<T> {
    io: T,
    ends: Arc<Ends>,
}

/// One half of an [`IoSocket`].
#[derive(Debug)]
pub struct IoHalf<T> {
    io: T,
    ends: Arc<Ends>,
}

#[derive(Debug)]
struct Ends {
    local: Endpoint,
    peer: Endpoint,
}

impl<T> IoSocket<T> {
    /// `io`, known as `local` to `peer`.
    pub fn new(io: T, local: Endpoint, peer: Endpoint) -> Self {
        IoSocket {
            io,
            ends: Arc::new(Ends { local, peer }),
        }
    }

    /// What is inside.
    pub fn into_inner(self) -> T {
        self.io
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Socket for IoSocket<T> {
    type Recv = IoHalf<ReadHalf<T>>;
    type Send = IoHalf<WriteHalf<T>>;

    fn split(self) -> (Self::Recv, Self::Send) {
        let (read, write) = tokio::io::split(self.io);
        let ends = Arc::clone(&self.ends);
        (
            IoHalf { io: read, ends },
            IoHalf {
                io: write,
                ends: self.ends,
            },
        )
    }
}

/// The beginning of `parts` as one run of bytes: copied into `room`, or the first that has bytes where that is as large.
///
/// Not written as vectors, though a writer may offer that: tokio's kernel sockets then raise SIGPIPE when the peer is gone, in a
/// process that does not ignore it.
fn gathered<'a>(parts: &'a [IoSlice<'_>], room: &'a mut [u8; GATHERED]) -> &'a [u8] {
    let first = parts.iter().find(|part| !part.is_empty());
    if let Some(first) = first.filter(|part| part.len() >= GATHERED) {
        return first;
    }
    let mut len = 0;
    for part in parts {
        let take = part.len().min(GATHERED - len);
        room[len..len + take].copy_from_slice(&part[..take]);
        len += take;
    }
    &room[..len]
}

macro_rules! stream_of_io {
    ($socket:ident) => {
        impl<T: Send + Unpin> Half for $socket<T> {
            fn shape(&self) -> Shape {
                Shape::Stream
            }
            fn local(&self) -> &Endpoint {
                &self.ends.local
            }
            fn peer(&self) -> &Endpoint {
                &self.ends.peer
            }
        }

        impl<T: AsyncRead + Send + Unpin> RecvHalf for $socket<T> {
            fn poll_recv(
                &mut self,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<Received>> {
                // Not every reader answers at once where there is no room: tokio's sockets wait for data first.
                if buf.remaining() == 0 {
                    return Poll::Ready(Ok(Received::Data));
                }
                let before = buf.filled().len();
                ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
                let ended = buf.filled().len() == before;
                Poll::Ready(Ok(if ended { Received::End } else { Received::Data }))
            }
        }

        impl<T: AsyncWrite + Send + Unpin> SendHalf for $socket<T> {
            fn poll_send(
                &mut self,
                cx: &mut Context<'_>,
                parts: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let io = Pin::new(&mut self.io);
                match parts {
                    [part] => io.poll_write(cx, part),
                    parts => io.poll_write(cx, gathered(parts, &mut [0; GATHERED])),
                }
            }
            fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.io).poll_flush(cx)
            }
            fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match ready!(Pin::new(&mut self.io).poll_shutdown(cx)) {
                    Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                        Poll::Ready(Ok(()))
                    }
                    done => Poll::Ready(done),
                }
            }
        }
    };
}

stream_of_io!(IoSocket);
stream_of_io!(IoHalf);

/// A stream socket, or a half of one, as tokio's `AsyncRead` and `AsyncWrite`.
///
/// `poll_shutdown` is the half-close.
#[derive(Debug)]
pub struct SocketIo<S>(S);

impl<S: Half> SocketIo<S> {
    /// Wraps `socket`.
    ///
    /// # Errors
    /// `InvalidInput` for a datagram socket: its boundaries would be lost.
    pub fn new(socket: S) -> io::Result<Self> {
        if socket.shape().is_stream() {
            return Ok(SocketIo(socket));
        }
        let words = format!("{} carries datagrams, not a stream of bytes", socket.peer());
        Err(io::Error::new(io::ErrorKind::InvalidInput, words))
    }

    /// The socket inside.
    pub fn into_inner(self) -> S {
        self.0
    }
}

impl<S: RecvHalf> AsyncRead for SocketIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_recv(cx, buf).map_ok(|_data_or_end| ())
    }
}

impl<S: SendHalf> AsyncWrite for SocketIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_send(cx, &[IoSlice::new(buf)])
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_send(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_finish(cx)
    }
}
