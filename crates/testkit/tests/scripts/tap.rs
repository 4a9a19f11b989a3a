//! A scripted socket that notes how it was called.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use socketry_transport::IoSocket;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_test::io::{Builder, Mock};

/// A call that was not in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// So many bytes were taken of one slice.
    Write(usize),
    /// So many bytes were taken of these slices at once.
    Together(Vec<usize>, usize),
    /// So many bytes were read.
    Read(usize),
    Flush,
    Shutdown,
}

/// A socket that follows a script, between what uses it and `tokio_test`.
#[derive(Debug)]
pub(crate) struct Tap {
    script: Mock,
    vectored: bool,
    noted: Noted,
}

/// The calls, and where the slices that were written lay.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted(Arc<Mutex<(Vec<Call>, Vec<usize>)>>);

impl Noted {
    /// All calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().0.clone()
    }

    /// Whether a slice that was written began where `bytes` lie.
    pub(crate) fn wrote_in_place(&self, bytes: &[u8]) -> bool {
        self.0.lock().unwrap().1.contains(&bytes.as_ptr().addr())
    }

    fn note(&self, call: Call) {
        self.0.lock().unwrap().0.push(call);
    }
}

impl Tap {
    /// A socket that follows the script and takes one slice at a time.
    pub(crate) fn socket(script: &mut Builder) -> (IoSocket<Tap>, Noted) {
        Tap::new(script, false)
    }

    /// One that takes several slices at once.
    pub(crate) fn vectored(script: &mut Builder) -> (IoSocket<Tap>, Noted) {
        Tap::new(script, true)
    }

    fn new(script: &mut Builder, vectored: bool) -> (IoSocket<Tap>, Noted) {
        let noted = Noted::default();
        // An error in a script must not be in the builder, too, when its turn comes.
        let script = std::mem::take(script).build();
        let tap = Tap {
            script,
            vectored,
            noted: noted.clone(),
        };
        let at = || "mem://script".parse().unwrap();
        (IoSocket::new(tap, at(), at()), noted)
    }

    fn look(&self, slice: &[u8]) {
        let address = slice.as_ptr().addr();
        self.noted.0.lock().unwrap().1.push(address);
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.script).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = read {
            self.noted.note(Call::Read(buf.filled().len() - before));
        }
        read
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.look(buf);
        let written = Pin::new(&mut self.script).poll_write(cx, buf);
        if let Poll::Ready(Ok(bytes)) = written {
            self.noted.note(Call::Write(bytes));
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        parts.iter().for_each(|part| self.look(part));
        let all: Vec<u8> = parts.iter().flat_map(|part| part.to_vec()).collect();
        let written = Pin::new(&mut self.script).poll_write(cx, &all);
        if let Poll::Ready(Ok(bytes)) = written {
            let parts = parts.iter().map(|part| part.len()).filter(|len| *len > 0);
            self.noted.note(Call::Together(parts.collect(), bytes));
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.vectored
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.noted.note(Call::Flush);
        Pin::new(&mut self.script).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.noted.note(Call::Shutdown);
        Pin::new(&mut self.script).poll_shutdown(cx)
    }
}
