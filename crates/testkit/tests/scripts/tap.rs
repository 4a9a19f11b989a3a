//! A scripted socket that records its calls.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, ready};

use socketry_transport::{
    Aborted, Endpoint, Half, Info, Received, RecvHalf, SendHalf, Shape, Socket,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_test::io::{Builder, Mock};

/// A call that was not in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// So many bytes of one slice were taken.
    Write(usize),
    /// So many bytes of these slices were taken at once.
    Together(Vec<usize>, usize),
    /// So many bytes were read.
    Read(usize),
    Flush,
    Shutdown,
}

/// A socket between its user and the script of `tokio_test`. Clones are the same socket.
#[derive(Clone, Debug)]
pub(crate) struct Tap {
    script: Arc<Mutex<Mock>>,
    vectored: bool,
    noted: Noted,
}

/// The calls, and the addresses of the slices that were written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted(Arc<Mutex<(Vec<Call>, Vec<usize>)>>);

impl Noted {
    /// All calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().0.clone()
    }

    /// Whether a written slice began at the address of `bytes`.
    pub(crate) fn wrote_in_place(&self, bytes: &[u8]) -> bool {
        self.0.lock().unwrap().1.contains(&bytes.as_ptr().addr())
    }

    fn note(&self, call: Call) {
        self.0.lock().unwrap().0.push(call);
    }
}

impl Tap {
    /// A socket that follows the script and takes one slice at a time.
    pub(crate) fn socket(script: &mut Builder) -> (Tap, Noted) {
        Tap::new(script, false)
    }

    /// A socket that takes several slices at once.
    pub(crate) fn vectored(script: &mut Builder) -> (Tap, Noted) {
        Tap::new(script, true)
    }

    fn new(script: &mut Builder, vectored: bool) -> (Tap, Noted) {
        let noted = Noted::default();
        let tap = Tap {
            // The script's builder must not return the error itself.
            script: Arc::new(Mutex::new(std::mem::take(script).build())),
            vectored,
            noted: noted.clone(),
        };
        (tap, noted)
    }

    fn script<R>(&self, poll: impl FnOnce(Pin<&mut Mock>) -> R) -> R {
        poll(Pin::new(&mut *self.script.lock().unwrap()))
    }

    fn look(&self, slice: &[u8]) {
        let address = slice.as_ptr().addr();
        self.noted.0.lock().unwrap().1.push(address);
    }

    fn poll_write(&self, cx: &mut Context<'_>, part: &[u8]) -> Poll<io::Result<usize>> {
        self.look(part);
        let written = self.script(|script| script.poll_write(cx, part));
        if let Poll::Ready(Ok(bytes)) = written {
            self.noted.note(Call::Write(bytes));
        }
        written
    }

    fn poll_write_together(
        &self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        parts.iter().for_each(|part| self.look(part));
        let all: Vec<u8> = parts.iter().flat_map(|part| part.to_vec()).collect();
        let written = self.script(|script| script.poll_write(cx, &all));
        if let Poll::Ready(Ok(bytes)) = written {
            let parts = parts.iter().map(|part| part.len()).filter(|len| *len > 0);
            self.noted.note(Call::Together(parts.collect(), bytes));
        }
        written
    }
}

static INFO: LazyLock<Info> = LazyLock::new(|| {
    let at: Endpoint = "mem://script".parse().unwrap();
    Info::new(Shape::Stream, at.clone(), at)
});

impl Half for Tap {
    fn info(&self) -> &Info {
        &INFO
    }
}

impl RecvHalf for Tap {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let before = buf.filled().len();
        ready!(self.script(|script| script.poll_read(cx, buf)))?;
        let bytes = buf.filled().len() - before;
        self.noted.note(Call::Read(bytes));
        Poll::Ready(Ok(match bytes {
            0 => Received::End,
            _ => Received::Data,
        }))
    }
}

impl SendHalf for Tap {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match parts {
            [part] => self.poll_write(cx, part),
            parts if self.vectored => self.poll_write_together(cx, parts),
            parts => {
                let first = parts.iter().find(|part| !part.is_empty());
                self.poll_write(cx, first.map_or(&[], |part| part))
            }
        }
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.noted.note(Call::Flush);
        self.script(|script| script.poll_flush(cx))
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.noted.note(Call::Shutdown);
        self.script(|script| script.poll_shutdown(cx))
    }
    fn abort(&mut self, _: u64) -> io::Result<Aborted> {
        Ok(Aborted::Reset)
    }
}

impl Socket for Tap {
    type Recv = Tap;
    type Send = Tap;

    fn split(self) -> (Tap, Tap) {
        (self.clone(), self)
    }
}
