//! A transport and a listener with one defect. Their sockets have the same defect.

use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use socketry_transport::{
    Endpoint, Error, ErrorKind, Keys, Listener, Received, RecvHalf, Result, Transport, async_trait,
};
use tokio::io::ReadBuf;
use tokio::sync::oneshot;

use crate::defect::Defect;
use crate::socket::{BadSocket, bad};

pub(crate) struct Broken<T> {
    defect: Defect,
    inner: Arc<T>,
}

impl<T> Broken<T> {
    pub(crate) fn new(defect: Defect, inner: T) -> Self {
        Broken {
            defect,
            inner: Arc::new(inner),
        }
    }

    fn as_asked(&self, endpoint: &Endpoint) -> Endpoint {
        let endpoint = endpoint.clone();
        match self.defect {
            Defect::IgnoresOptions => endpoint.without_query(),
            _ => endpoint,
        }
    }
}

#[async_trait]
impl<T: Transport> Transport for Broken<T> {
    type Socket = BadSocket<T::Socket>;
    type Listener = BrokenListener<T::Listener>;

    fn keys(&self) -> Keys {
        self.inner.keys()
    }

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        let to = self.as_asked(to);
        let mut connected = match self.defect {
            Defect::LeaksConnects => leaking(Arc::clone(&self.inner), to.clone()).await,
            _ => self.inner.connect(&to).await,
        };
        while self.defect == Defect::RetriesForEver && connected.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
            connected = self.inner.connect(&to).await;
        }
        Ok(bad(self.defect, connected?))
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        let inner = self.inner.listen(&self.as_asked(at)).await?;
        Ok(BrokenListener {
            defect: self.defect,
            inner: Some(inner),
            dead: false,
            elsewhere: "mem://elsewhere".parse().expect("a well-formed endpoint"),
        })
    }
}

/// Connects in a task, which keeps the socket if the caller is gone.
async fn leaking<T: Transport>(transport: Arc<T>, to: Endpoint) -> Result<T::Socket> {
    let (give, take) = oneshot::channel();
    tokio::spawn(async move {
        let connected = transport.connect(&to).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        if let Err(unwanted) = give.send(connected) {
            std::mem::forget(unwanted);
        }
    });
    take.await.expect("the task connects")
}

pub(crate) struct BrokenListener<L> {
    defect: Defect,
    /// `None` once it is dropped.
    inner: Option<L>,
    dead: bool,
    elsewhere: Endpoint,
}

impl<L: Listener> Listener for BrokenListener<L> {
    type Socket = BadSocket<L::Socket>;

    fn local(&self) -> &Endpoint {
        match self.defect {
            Defect::ListensElsewhere => &self.elsewhere,
            _ => self.inner.as_ref().expect("not dropped").local(),
        }
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        if self.dead {
            return Poll::Ready(Err(Error::new(
                ErrorKind::Closed,
                "accept at",
                self.local(),
            )));
        }
        let inner = self.inner.as_mut().expect("not dropped");
        let mut accepted = ready!(inner.poll_accept(cx))?;
        if self.defect == Defect::DiesOfVanishedClient && vanished(&mut accepted) {
            self.dead = true;
            return self.poll_accept(cx);
        }
        Poll::Ready(Ok(bad(self.defect, accepted)))
    }
}

/// Whether the peer is gone already.
fn vanished(socket: &mut impl RecvHalf) -> bool {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut byte = [0];
    let received = socket.poll_recv(cx, &mut ReadBuf::new(&mut byte));
    matches!(received, Poll::Ready(Ok(Received::End) | Err(_)))
}

impl<L> Drop for BrokenListener<L> {
    fn drop(&mut self) {
        if self.defect == Defect::ListensForEver {
            std::mem::forget(self.inner.take());
        }
    }
}
