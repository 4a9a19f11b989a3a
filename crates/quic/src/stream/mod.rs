//! A stream as a socket: its two halves, and what they share.

mod ending;
mod recv;
mod send;

use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use quinn::{RecvStream, SendStream};
use socketry_transport::{Info, Joined};

use crate::connection::Inner;
use crate::lock;
pub use recv::QuicRecv;
pub use send::QuicSend;

/// A stream over QUIC.
pub type QuicStream = Joined<QuicRecv, QuicSend>;

/// What the halves share. Each half uses its own side, and an abort both: so the locks are free but
/// for that. When both halves are gone, it ends the stream.
struct Shared {
    inner: Arc<Inner>,
    receiving: Mutex<Receiving>,
    sending: Mutex<Sending>,
}

struct Receiving {
    stream: RecvStream,
    /// The task that waits, which an abort wakes.
    waker: Option<Waker>,
    aborted: bool,
}

struct Sending {
    /// `None` only while the stream is ended.
    stream: Option<SendStream>,
    state: State,
    /// The last send took only a part of its bytes.
    cut: bool,
    abort_on_drop: bool,
}

/// How far a direction is that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// The end was sent, and maybe is still on its way.
    Ending,
    /// The peer has everything.
    Finished,
    /// It was broken off. `seen` is whether the peer sees that.
    Aborted {
        seen: bool,
    },
}

impl Shared {
    fn info(&self) -> &Info {
        &self.inner.info
    }
}

/// A stream that this end has opened. It is announced: an empty frame tells the peer of it.
pub(crate) fn opened(inner: &Arc<Inner>, mut send: SendStream, recv: RecvStream) -> QuicStream {
    let cx = &mut Context::from_waker(Waker::noop());
    // Where the peer allows no bytes yet, it learns of the stream with the first of them.
    let _ = std::pin::Pin::new(&mut send).poll_write(cx, &[]);
    accepted(inner, send, recv)
}

/// A stream that the peer has opened.
pub(crate) fn accepted(inner: &Arc<Inner>, send: SendStream, recv: RecvStream) -> QuicStream {
    let shared = Arc::new(Shared {
        inner: Arc::clone(inner),
        receiving: Mutex::new(Receiving {
            stream: recv,
            waker: None,
            aborted: false,
        }),
        sending: Mutex::new(Sending {
            stream: Some(send),
            state: State::Open,
            cut: false,
            abort_on_drop: false,
        }),
    });
    Joined::new(QuicRecv::new(Arc::clone(&shared)), QuicSend::new(shared))
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut sending = lock(&self.sending);
        if let Some(stream) = sending.stream.take() {
            let how = ending::How::of(&sending);
            drop(sending);
            ending::end(&self.inner, stream, how);
        }
    }
}
