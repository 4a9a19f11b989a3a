//! The steps that laws are made of, each with its deadline.

use std::fmt::{Debug, Display};
use std::io;
use std::time::Duration;

use socketry_transport::{
    Closed, Connection, Endpoint, MuxListener, MuxTransport, Received, RecvExt, RecvHalf, SendExt,
    SendHalf,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Subject;

/// What a step gives, or in words, what is not as it should be.
pub(super) type Verdict<T = ()> = Result<T, String>;

pub(super) type Stream<M> = <<M as MuxTransport>::Connection as Connection>::Stream;

/// How long nothing must happen before a law believes that nothing will.
const QUIET: Duration = Duration::from_millis(20);

/// Both ends of a connection, and the listener, which is to be kept.
pub(super) struct Pair<M: MuxTransport> {
    pub(super) client: M::Connection,
    pub(super) server: M::Connection,
    pub(super) listener: M::Listener,
}

impl<M: MuxTransport> Subject<M> {
    pub(super) async fn pair(&self) -> Verdict<Pair<M>> {
        self.pair_at(&self.at).await
    }

    pub(super) async fn pair_at(&self, at: &Endpoint) -> Verdict<Pair<M>> {
        let mut listener = self.within("listening", self.transport.listen(at)).await?;
        let (client, server) = self.meet(&mut listener).await?;
        Ok(Pair {
            client,
            server,
            listener,
        })
    }

    /// One more connection.
    pub(super) async fn meet(
        &self,
        listener: &mut M::Listener,
    ) -> Verdict<(M::Connection, M::Connection)> {
        let at = listener.local().clone();
        let connecting = self.transport.connect(&at);
        // At once, for a transport whose connect wants an answer from the one who accepts.
        let (client, server) = tokio::join!(
            self.within("connecting", connecting),
            self.within("accepting a connection", listener.accept()),
        );
        Ok((client?, server?))
    }

    /// A stream that says `first`, which the peer may need to learn of it.
    pub(super) async fn open(
        &self,
        connection: &mut M::Connection,
        first: &[u8],
    ) -> Verdict<Stream<M>> {
        let mut stream = self.within("opening", connection.open()).await?;
        self.say(&mut stream, first).await?;
        Ok(stream)
    }

    pub(super) async fn accept(&self, connection: &mut M::Connection) -> Verdict<Stream<M>> {
        let accepted = self.within("accepting", connection.accept()).await?;
        accepted.ok_or_else(|| "accepting: the connection ended".to_owned())
    }

    /// A stream from one end, as both have it.
    pub(super) async fn stream(
        &self,
        from: &mut M::Connection,
        to: &mut M::Connection,
    ) -> Verdict<(Stream<M>, Stream<M>)> {
        let opened = self.open(from, b"!").await?;
        let mut accepted = self.accept(to).await?;
        self.hear(&mut accepted, b"!").await?;
        Ok((opened, accepted))
    }

    pub(super) async fn say<S: SendHalf>(&self, stream: &mut S, words: &[u8]) -> Verdict {
        self.within("sending", stream.send_all(words)).await
    }

    /// Fails unless exactly `words` come next.
    pub(super) async fn hear<R: RecvHalf>(&self, stream: &mut R, words: &[u8]) -> Verdict {
        let mut heard = vec![0; words.len()];
        let mut len = 0;
        while len < words.len() {
            match self
                .within("receiving", stream.recv(&mut heard[len..]))
                .await?
            {
                (more, Received::Data) if more > 0 => len += more,
                (_, other) => {
                    return Err(format!("{other:?} after {len} of {} bytes", words.len()));
                }
            }
        }
        same("what a stream brought", heard == words, true)
    }

    pub(super) async fn hear_end<R: RecvHalf>(&self, stream: &mut R) -> Verdict {
        let end = self.within("the end", stream.recv(&mut [0; 8])).await?;
        same("where a stream should end", end, (0, Received::End))
    }

    /// Fails unless words go both ways.
    pub(super) async fn talk(&self, one: &mut Stream<M>, other: &mut Stream<M>) -> Verdict {
        self.say(one, b"a question").await?;
        self.hear(other, b"a question").await?;
        self.say(other, b"an answer").await?;
        self.hear(one, b"an answer").await
    }

    /// What `step` gives, within the patience for one step.
    pub(super) async fn within<V, E: Display>(
        &self,
        what: &str,
        step: impl Future<Output = Result<V, E>>,
    ) -> Verdict<V> {
        let done = self.comes(what, step).await?;
        done.map_err(|error| format!("{what}: {error}"))
    }

    /// What `step` comes to, an error too.
    pub(super) async fn comes<V>(&self, what: &str, step: impl Future<Output = V>) -> Verdict<V> {
        let hangs = |_| format!("{what}: nothing happened within {:?}", self.patience);
        timeout(self.patience, step).await.map_err(hangs)
    }

    /// What a task gives.
    pub(super) async fn joined<V>(&self, what: &str, task: JoinHandle<V>) -> Verdict<V> {
        self.within(what, task).await
    }

    /// Fails if `step` comes to something: it must wait.
    pub(super) async fn waits<V>(&self, what: &str, step: impl Future<Output = V>) -> Verdict {
        match timeout(QUIET, step).await {
            Err(_) => Ok(()),
            Ok(_) => Err(format!("{what}: it did not wait")),
        }
    }
}

/// A task that runs `step` and waits there by now, as far as a short while tells.
pub(super) async fn park<V: Send + 'static>(
    step: impl Future<Output = V> + Send + 'static,
) -> JoinHandle<V> {
    let task = tokio::spawn(step);
    tokio::time::sleep(QUIET).await;
    task
}

/// Fails unless `found` is `expected`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "values read better where it is called"
)]
pub(super) fn same<V: PartialEq + Debug>(what: &str, found: V, expected: V) -> Verdict {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: {found:?}, and not {expected:?}")),
    }
}

/// The error that something must come to.
pub(super) fn error_of<V>(what: &str, result: io::Result<V>) -> Verdict<io::Error> {
    result.err().ok_or_else(|| format!("{what}: it went well"))
}

/// Fails unless `error` holds a close of the peer, with this code and reason.
pub(super) fn names_the_close(what: &str, error: &io::Error, code: u64, reason: &str) -> Verdict {
    let closed = Closed::of(error);
    same(what, closed, Some(&Closed::by_peer(code, reason)))
}
