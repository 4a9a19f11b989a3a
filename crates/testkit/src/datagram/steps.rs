//! The steps of the laws, each with a deadline, and with words for a failure.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use socketry_transport::{
    Endpoint, ErrorKind, Half, Listener, Received, RecvExt, RecvHalf, SendExt, SendHalf, Transport,
};
use tokio::io::ReadBuf;

use super::subject::{Accepted, Subject};
use crate::law::Verdict;

/// How long each step may take.
#[derive(Clone, Copy)]
pub(crate) struct Steps(pub(crate) Duration);

/// A listener, a client of it, and the session that was accepted for the client.
pub(crate) struct Pair<T: Transport + ?Sized> {
    pub(crate) listener: T::Listener,
    pub(crate) client: T::Socket,
    pub(crate) session: Accepted<T>,
}

impl Steps {
    /// The result of `wait`, which must come in time.
    pub(crate) async fn wait<X>(
        self,
        what: &str,
        wait: impl Future<Output = X>,
    ) -> Result<X, String> {
        let waited = tokio::time::timeout(self.0, wait).await;
        waited.map_err(|_| format!("{what}: nothing happened within {:?}", self.0))
    }

    /// Sends one message or datagram.
    pub(crate) async fn send(self, half: &mut impl SendHalf, bytes: &[u8]) -> Verdict {
        let what = format!("sending {}", shown(bytes));
        let sending = async {
            let taken = half.send(bytes).await?;
            poll_fn(|cx| half.poll_flush(cx)).await.map(|()| taken)
        };
        match self.wait(&what, sending).await? {
            Ok(taken) => same(&format!("{what}: the bytes taken"), &taken, &bytes.len()),
            Err(error) => Err(format!("{what}: {error}")),
        }
    }

    /// Receives one datagram, with room for the longest.
    pub(crate) async fn recv(
        self,
        half: &mut impl RecvHalf,
    ) -> Result<(Received, Vec<u8>), String> {
        let room = half.recv_room();
        self.recv_into(half, room).await
    }

    /// Receives one datagram into `room` bytes.
    pub(crate) async fn recv_into(
        self,
        half: &mut impl RecvHalf,
        room: usize,
    ) -> Result<(Received, Vec<u8>), String> {
        let mut buf = vec![0; room];
        match self.wait("receiving", half.recv(&mut buf)).await? {
            Ok((len, received)) => {
                buf.truncate(len);
                Ok((received, buf))
            }
            Err(error) => Err(format!("receiving: {error}")),
        }
    }

    /// Expects that the next datagram that arrives is `bytes`, whole.
    pub(crate) async fn next(self, half: &mut impl RecvHalf, bytes: &[u8]) -> Verdict {
        let (received, arrived) = self
            .recv(half)
            .await
            .map_err(|what| format!("{what}, where {} should have arrived", shown(bytes)))?;
        if received == Received::Data && arrived == bytes {
            return Ok(());
        }
        Err(format!(
            "{} was sent, and {received:?} of {} arrived",
            shown(bytes),
            shown(&arrived)
        ))
    }

    /// Passes one datagram from one half to the other.
    pub(crate) async fn pass(
        self,
        from: &mut impl SendHalf,
        to: &mut impl RecvHalf,
        bytes: &[u8],
    ) -> Verdict {
        // At once, since a long message may have to be received while it is sent.
        tokio::try_join!(self.send(from, bytes), self.next(to, bytes)).map(drop)
    }

    /// Passes a word in both directions of a session.
    pub(crate) async fn talk<A, B>(self, one: &mut A, other: &mut B, word: &str) -> Verdict
    where
        A: RecvHalf + SendHalf,
        B: RecvHalf + SendHalf,
    {
        self.pass(one, other, word.as_bytes()).await?;
        self.pass(other, one, word.as_bytes()).await
    }

    pub(crate) async fn accept<L: Listener>(self, listener: &mut L) -> Result<L::Socket, String> {
        let accepted = self.wait("accepting", listener.accept()).await?;
        accepted.map_err(|error| error.to_string())
    }
}

impl<T: Transport + ?Sized> Subject<T> {
    /// A listener with options.
    pub(crate) async fn listen(&self, options: &[(&str, &str)]) -> Result<T::Listener, String> {
        self.listen_at(&with(self.at(), options)).await
    }

    /// A listener at `at`, where another one may have been until now. The address is free soon
    /// after its last socket is gone.
    pub(crate) async fn listen_at(&self, at: &Endpoint) -> Result<T::Listener, String> {
        let listening = async {
            loop {
                match self.transport().listen(at).await {
                    Err(error) if error.kind() == ErrorKind::InUse => {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    done => return done.map_err(|error| error.to_string()),
                }
            }
        };
        self.steps().wait("listening", listening).await?
    }

    pub(crate) async fn connect(&self, to: &Endpoint) -> Result<T::Socket, String> {
        let connecting = self.transport().connect(to);
        let connecting = self.steps().wait("connecting", connecting).await?;
        connecting.map_err(|error| error.to_string())
    }

    /// A new client, from which a first datagram was accepted and received.
    pub(crate) async fn join(
        &self,
        listener: &mut T::Listener,
    ) -> Result<(T::Socket, Accepted<T>), String> {
        let at = listener.local().clone();
        self.join_from(&at, listener).await
    }

    /// The same, with a client that connects to `at`.
    pub(crate) async fn join_from(
        &self,
        at: &Endpoint,
        listener: &mut T::Listener,
    ) -> Result<(T::Socket, Accepted<T>), String> {
        let steps = self.steps();
        let mut client = self.connect(at).await?;
        steps.send(&mut client, b"hello").await?;
        let mut session = steps.accept(listener).await?;
        steps.next(&mut session, b"hello").await?;
        Ok((client, session))
    }

    pub(crate) async fn pair(&self) -> Result<Pair<T>, String> {
        self.pair_with(&[]).await
    }

    /// The same, with options for the listener.
    pub(crate) async fn pair_with(&self, options: &[(&str, &str)]) -> Result<Pair<T>, String> {
        let mut listener = self.listen(options).await?;
        let (client, session) = self.join(&mut listener).await?;
        Ok(Pair {
            listener,
            client,
            session,
        })
    }
}

pub(crate) fn with(at: &Endpoint, options: &[(&str, &str)]) -> Endpoint {
    let add = |at: Endpoint, (key, value): &(&str, &str)| at.with(key, value);
    options.iter().fold(at.clone(), add)
}

/// Polls once, with a waker that does nothing.
pub(crate) fn poll_once<X>(poll: impl FnOnce(&mut Context<'_>) -> Poll<X>) -> Poll<X> {
    poll(&mut Context::from_waker(Waker::noop()))
}

/// Expects that no datagram can be received.
pub(crate) fn quiet(half: &mut impl RecvHalf) -> Verdict {
    let mut bytes = vec![0; half.recv_room().max(1)];
    let mut buf = ReadBuf::new(&mut bytes);
    match poll_once(|cx| half.poll_recv(cx, &mut buf)) {
        Poll::Pending => Ok(()),
        Poll::Ready(received) => Err(format!(
            "{received:?} with {} came, where nothing should have",
            shown(buf.filled())
        )),
    }
}

/// Expects that no peer can be accepted.
pub(crate) fn nobody<L: Listener>(listener: &mut L) -> Verdict {
    let accepting = pin!(listener.accept());
    match poll_once(|cx| accepting.poll(cx)) {
        Poll::Pending => Ok(()),
        Poll::Ready(Ok(session)) => Err(format!(
            "{} was accepted, where nobody should have been",
            session.peer()
        )),
        Poll::Ready(Err(error)) => Err(error.to_string()),
    }
}

/// Sends several parts.
pub(crate) async fn send_parts(
    half: &mut impl SendHalf,
    parts: &[io::IoSlice<'_>],
) -> io::Result<usize> {
    let taken = poll_fn(|cx| half.poll_send(cx, parts)).await?;
    poll_fn(|cx| half.poll_flush(cx)).await.map(|()| taken)
}

/// The most bytes that one message or datagram of this half carries.
pub(crate) fn max_len(half: &(impl Half + ?Sized)) -> Result<usize, String> {
    let shape = half.shape();
    shape
        .max_len()
        .ok_or_else(|| format!("its shape is {shape}"))
}

/// A payload of `len` bytes that differs from those of other lengths.
pub(crate) fn payload(len: usize) -> Vec<u8> {
    let step = 1 + len % 251;
    (0..len)
        .map(|at| (at.wrapping_mul(step) >> 3).to_le_bytes()[0])
        .collect()
}

/// The payload with this number in a series of many lengths.
pub(crate) fn numbered(number: usize) -> Vec<u8> {
    let mut bytes = number.to_string().into_bytes();
    bytes.resize(bytes.len() + (number * 37) % 300, b'.');
    bytes
}

/// Bytes for a message: their number, and the first of them.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(16)];
    let more = if head.len() < bytes.len() { "…" } else { "" };
    format!("{} bytes \"{}{more}\"", bytes.len(), head.escape_ascii())
}

/// An error unless `is` equals `should`.
pub(crate) fn same<X: PartialEq + std::fmt::Debug>(what: &str, is: &X, should: &X) -> Verdict {
    if is == should {
        return Ok(());
    }
    Err(format!("{what}: {is:?}, where {should:?} is right"))
}

/// An error with the words of `what` unless `holds`.
pub(crate) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}
