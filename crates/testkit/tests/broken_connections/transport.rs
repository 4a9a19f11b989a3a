//! A transport of connections, and a listener, with one defect.

use std::sync::Mutex;
use std::task::{Context, Poll, ready};

use socketry_transport::{
    Endpoint, Keys, MemConnection, MemMux, MemMuxListener, MuxListener, MuxTransport, Result,
    async_trait,
};

use crate::connection::Bad;
use crate::defect::Defect;

pub(crate) struct Broken {
    defect: Defect,
    inner: MemMux,
    /// The first connection that was made.
    first: Mutex<Option<Bad>>,
}

impl Broken {
    pub(crate) fn new(defect: Defect) -> Self {
        Broken {
            defect,
            inner: MemMux::new(),
            first: Mutex::default(),
        }
    }

    fn first(&self) -> std::sync::MutexGuard<'_, Option<Bad>> {
        self.first.lock().expect("nobody panics with it")
    }
}

#[async_trait]
impl MuxTransport for Broken {
    type Connection = Bad;
    type Listener = BadListener;

    fn keys(&self) -> Keys {
        self.inner.keys()
    }

    async fn connect(&self, to: &Endpoint) -> Result<Bad> {
        let shared = self.defect == Defect::SharesConnections;
        if let Some(first) = self.first().as_ref().filter(|_| shared) {
            return Ok(first.clone());
        }
        let connection = self.inner.connect(to).await?;
        let connection = Bad::new(self.defect, connection, true);
        if shared {
            *self.first() = Some(connection.clone());
        }
        Ok(connection)
    }

    async fn listen(&self, at: &Endpoint) -> Result<BadListener> {
        let at = match self.defect {
            Defect::IgnoresLimits => at.clone().without_query(),
            _ => at.clone(),
        };
        Ok(BadListener {
            defect: self.defect,
            inner: Some(self.inner.listen(&at).await?),
            waited: false,
        })
    }
}

pub(crate) struct BadListener {
    defect: Defect,
    /// `None` once it is dropped.
    inner: Option<MemMuxListener>,
    waited: bool,
}

impl BadListener {
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Result<MemConnection>> {
        self.inner.as_mut().expect("not dropped").poll_accept(cx)
    }
}

impl MuxListener for BadListener {
    type Connection = Bad;

    fn local(&self) -> &Endpoint {
        self.inner.as_ref().expect("not dropped").local()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bad>> {
        let mut accepted = self.poll_inner(cx);
        if self.defect == Defect::LosesConnections && self.waited && accepted.is_ready() {
            accepted = self.poll_inner(cx);
        }
        self.waited = accepted.is_pending();
        let connection = ready!(accepted)?;
        Poll::Ready(Ok(Bad::new(self.defect, connection, false)))
    }
}

impl Drop for BadListener {
    fn drop(&mut self) {
        if self.defect == Defect::ListensForEver {
            std::mem::forget(self.inner.take());
        }
    }
}
