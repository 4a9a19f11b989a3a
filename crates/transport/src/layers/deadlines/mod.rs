//! Deadlines for connecting, for silence and for a blocked send. The layer uses only what this
//! crate makes public, as a third party's layer would.

mod halves;
mod patience;

use std::fmt;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

pub use halves::{DeadlineRecv, DeadlineSend};

use crate::units::{format_duration, parse_duration};
use crate::{
    Endpoint, Error, ErrorKind, Joined, Keys, Layer, Listener, Result, Socket, SocketOptions,
    Transport,
};

const CONNECT_WITHIN: &str = "connect_within";
const SILENCE: &str = "silence";
const SEND_WITHIN: &str = "send_within";

/// The query keys that this layer takes, besides those of the transport inside.
const OWN: [&str; 3] = [CONNECT_WITHIN, SILENCE, SEND_WITHIN];

/// A layer that bounds how long a peer may keep this end waiting.
///
/// | key | what fails with `TimedOut` |
/// |---|---|
/// | `connect_within` | connecting that takes longer, all that is inside included |
/// | `silence` | a receive for which nothing arrives for that long |
/// | `send_within` | a send, flush or finish that can go on with nothing for that long |
///
/// None is bounded by default. The methods set the times that hold unless the URL has others. In a
/// URL a time is written as `250ms`, `5s` or `1h30m`, and 0 is without bound.
///
/// `silence` begins to count when a receive has to wait, and stops when a receive is answered, by a
/// time-out too. So the time from an answer to the next receive does not count, and the time after
/// a receive that is cancelled while it waits does. `send_within` counts sends, flushes and
/// finishes in the same way. A time-out does not change the socket: the next receive waits anew.
///
/// It works over streams and datagrams, over static types ([`Stack`](crate::Stack)) and in a
/// registry:
///
/// ```
/// use std::{io, time::Duration};
/// use socketry_transport::{Deadlines, Listener, RecvExt, Registry};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let deadlines = Deadlines::default().connect_within(Duration::from_secs(5));
/// let registry = Registry::standard().layer("tcp", deadlines)?;
/// let server = registry.listen("tcp://127.0.0.1:0").await?;
/// let to = server.local().clone().with("silence", "20ms");
/// let mut client = registry.connect(to).await?;
/// let error = client.recv(&mut [0; 8]).await.unwrap_err();
/// assert_eq!(error.kind(), io::ErrorKind::TimedOut);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deadlines {
    connect: Option<Duration>,
    silence: Option<Duration>,
    send: Option<Duration>,
}

impl Deadlines {
    /// How long connecting may take.
    #[must_use]
    pub fn connect_within(mut self, time: Duration) -> Self {
        self.connect = Some(time);
        self
    }

    /// How long a receive may wait until bytes arrive.
    #[must_use]
    pub fn silence(mut self, time: Duration) -> Self {
        self.silence = Some(time);
        self
    }

    /// How long a send may be blocked.
    #[must_use]
    pub fn send_within(mut self, time: Duration) -> Self {
        self.send = Some(time);
        self
    }

    /// These deadlines, overridden by those of the URL, and the URL without the keys of this layer.
    fn at(&self, endpoint: &Endpoint) -> Result<(Self, Endpoint)> {
        let mut deadlines = self.clone();
        for (key, value) in endpoint.query() {
            let time = match key {
                CONNECT_WITHIN => &mut deadlines.connect,
                SILENCE => &mut deadlines.silence,
                SEND_WITHIN => &mut deadlines.send,
                _ => continue,
            };
            let parsed = parse_duration(value).map_err(|error| {
                Error::new(ErrorKind::InvalidOption, "use", endpoint)
                    .because(format!("option '{key}': {error}"))
            });
            *time = Some(parsed?);
        }
        let inner = OWN
            .iter()
            .fold(endpoint.clone(), |at, key| at.without_key(key));
        Ok((deadlines, inner))
    }

    /// `socket` with the deadlines for silence and for a blocked send, if it was made elsewhere: by
    /// a listener that has other layers, say.
    pub fn over<S: Socket>(&self, socket: S) -> DeadlineSocket<S> {
        let (recv, send) = socket.split();
        Joined::new(
            DeadlineRecv::new(recv, self.silence),
            DeadlineSend::new(send, self.send),
        )
    }
}

impl<T: Transport> Layer<T> for Deadlines {
    type Transport = Deadlined<T>;

    fn layer(&self, inner: T) -> Deadlined<T> {
        Deadlined {
            inner,
            deadlines: self.clone(),
        }
    }
}

/// A transport under [`Deadlines`].
#[derive(Clone, Debug)]
pub struct Deadlined<T> {
    inner: T,
    deadlines: Deadlines,
}

/// A socket under [`Deadlines`].
pub type DeadlineSocket<S> =
    Joined<DeadlineRecv<<S as Socket>::Recv>, DeadlineSend<<S as Socket>::Send>>;

#[async_trait]
impl<T: Transport> Transport for Deadlined<T> {
    type Socket = DeadlineSocket<T::Socket>;
    type Listener = DeadlineListener<T::Listener>;

    fn keys(&self) -> Keys {
        self.inner.keys().and(OWN)
    }

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        // A key that neither this layer nor the transport inside takes is refused, with the keys of
        // both.
        SocketOptions::from_query(to, self.keys())?;
        let (deadlines, inner) = self.deadlines.at(to)?;
        let connecting = self.inner.connect(&inner);
        let socket = match deadlines.connect.filter(|time| !time.is_zero()) {
            None => connecting.await,
            Some(time) => timeout(time, connecting).await.unwrap_or_else(|_| {
                let reason = format!("not connected within {}", format_duration(time));
                Err(Error::new(ErrorKind::TimedOut, "connect to", to).because(reason))
            }),
        };
        Ok(deadlines.over(socket?))
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        SocketOptions::from_query(at, self.keys())?;
        let (deadlines, inner) = self.deadlines.at(at)?;
        Ok(DeadlineListener {
            inner: self.inner.listen(&inner).await?,
            deadlines,
        })
    }
}

/// Accepts sockets under [`Deadlines`].
pub struct DeadlineListener<L> {
    inner: L,
    deadlines: Deadlines,
}

impl<L: Listener> Listener for DeadlineListener<L> {
    type Socket = DeadlineSocket<L::Socket>;

    fn local(&self) -> &Endpoint {
        self.inner.local()
    }
    fn locals(&self) -> Vec<Endpoint> {
        self.inner.locals()
    }
    fn refusals(&self) -> u64 {
        self.inner.refusals()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        let socket = ready!(self.inner.poll_accept(cx))?;
        Poll::Ready(Ok(self.deadlines.over(socket)))
    }
}

impl<L: Listener> fmt::Debug for DeadlineListener<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeadlineListener({})", self.inner.local().redacted())
    }
}
