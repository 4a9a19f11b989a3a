//! The raw bytes of a conversation with a live peer, kept in two files.
//!
//! Where the environment variable `CAPTURES` names a directory, a conversation that a test calls
//! `NAME` leaves `NAME-sent.bin` and `NAME-received.bin` there. Without the variable nothing is
//! kept.

#![allow(dead_code, reason = "each test uses a part")]

use std::fs::{self, File};
use std::io::{self, IoSlice, Write};
use std::path::Path;
use std::task::{Context, Poll, ready};

use socketry_transport::{
    Aborted, Half, Info, Joined, Received, RecvHalf, SendHalf, Shape, Socket,
};
use tokio::io::ReadBuf;

/// A half that keeps what passes.
#[derive(Debug)]
pub(crate) struct Captured<H> {
    inner: H,
    file: Option<File>,
}

/// A socket of two such halves.
pub(crate) type Both<S> = Joined<Captured<<S as Socket>::Recv>, Captured<<S as Socket>::Send>>;

/// `socket`, of which all bytes are kept under `name`.
pub(crate) fn captured<S: Socket>(name: &str, socket: S) -> Both<S> {
    let (recv, send) = socket.split();
    Joined::new(
        Captured::new(recv, &format!("{name}-received.bin")),
        Captured::new(send, &format!("{name}-sent.bin")),
    )
}

impl<H> Captured<H> {
    fn new(inner: H, name: &str) -> Self {
        let file = std::env::var_os("CAPTURES").map(|directory| {
            fs::create_dir_all(&directory).expect("a directory for captures");
            File::create(Path::new(&directory).join(name)).expect("a file for a capture")
        });
        Captured { inner, file }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(file) = &mut self.file {
            file.write_all(bytes).expect("room for a capture");
        }
    }
}

impl<H: Half> Half for Captured<H> {
    fn info(&self) -> &Info {
        self.inner.info()
    }
    fn shape(&self) -> Shape {
        self.inner.shape()
    }
}

impl<R: RecvHalf> RecvHalf for Captured<R> {
    fn recv_room(&self) -> usize {
        self.inner.recv_room()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let before = buf.filled().len();
        let received = ready!(self.inner.poll_recv(cx, buf))?;
        self.keep(&buf.filled()[before..]);
        Poll::Ready(Ok(received))
    }
}

impl<W: SendHalf> SendHalf for Captured<W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(self.inner.poll_send(cx, parts))?;
        let mut left = sent;
        for part in parts {
            let taken = left.min(part.len());
            self.keep(&part[..taken]);
            left -= taken;
        }
        Poll::Ready(Ok(sent))
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_flush(cx)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_finish(cx)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.inner.abort(code)
    }
}
