//! TCP and Unix streams whose listeners are taken over, and held for a later process.

use std::sync::Arc;

use async_trait::async_trait;

use super::AllHeld;
use super::held::HeldListener;
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, Result};
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use crate::kernel::os::OsSocket;
use crate::kernel::several::NameListener;
use crate::kernel::tcp::TcpTransport;
use crate::kernel::unix::UnixTransport;
use crate::options::SocketOptions;

/// The transport that makes sockets where none was taken.
pub(super) enum Inner {
    Tcp(TcpTransport),
    Unix(UnixTransport),
}

pub(super) struct HeldTransport {
    held: Arc<AllHeld>,
    inner: Inner,
}

impl HeldTransport {
    pub(super) fn new(held: &Arc<AllHeld>, inner: Inner) -> Self {
        HeldTransport {
            held: Arc::clone(held),
            inner,
        }
    }

    async fn opened(&self, at: &Endpoint) -> Result<HeldListener> {
        let failed = |error| Error::io("listen at", at, error);
        if let Some(sockets) = self.held.taken(&at.clone().without_query()) {
            let options = SocketOptions::from_query(at, self.keys())?;
            return HeldListener::taken(at, sockets, &options).map_err(failed);
        }
        let listeners = match &self.inner {
            Inner::Tcp(tcp) => tcp.listen(at).await?,
            Inner::Unix(unix) => NameListener::one(unix.listen(at).await?),
        };
        HeldListener::made(at, listeners).map_err(failed)
    }
}

#[async_trait]
impl Transport for HeldTransport {
    type Socket = OsSocket;
    type Listener = HeldListener;

    fn keys(&self) -> Keys {
        match &self.inner {
            Inner::Tcp(tcp) => tcp.keys(),
            Inner::Unix(unix) => unix.keys(),
        }
    }

    async fn connect(&self, to: &Endpoint) -> Result<OsSocket> {
        match &self.inner {
            Inner::Tcp(tcp) => tcp.connect(to).await,
            Inner::Unix(unix) => unix.connect(to).await,
        }
    }

    async fn listen(&self, at: &Endpoint) -> Result<HeldListener> {
        let listener = self.opened(at).await?;
        self.held.add(&listener);
        Ok(listener)
    }
}
