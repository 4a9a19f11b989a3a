//! A transport under another scheme, for the layer over it.

use std::task::{Context, Poll, ready};

use async_trait::async_trait;

use crate::contract::boxed::{BoxListener, BoxSocket, BoxTransport};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::socket::Socket;
use crate::contract::socket::relabelled::relabel;
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use crate::contract::transport::listener::Listener;

/// `inner`, whose own scheme is `inside`, under the scheme `outside`: it takes endpoints of
/// `outside`. Its sockets and listeners give such endpoints, and its errors name them.
pub(super) struct Renamed {
    pub(super) inner: BoxTransport,
    pub(super) inside: String,
    pub(super) outside: String,
}

#[async_trait]
impl Transport for Renamed {
    type Socket = BoxSocket;
    type Listener = BoxListener;

    fn keys(&self) -> Keys {
        self.inner.keys()
    }

    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        let to = to.with_scheme(&self.inside)?;
        let connected = self.inner.connect(&to).await;
        let socket = connected.map_err(|e| e.under(&self.inside, &self.outside))?;
        Ok(renamed(socket, &self.outside))
    }

    async fn listen(&self, at: &Endpoint) -> Result<BoxListener> {
        let listening = self.inner.listen(&at.with_scheme(&self.inside)?).await;
        let inner = listening.map_err(|e| e.under(&self.inside, &self.outside))?;
        let local = seen_from(&self.outside, inner.local());
        let inside = self.inside.clone();
        Ok(BoxListener::new(RenamedListener {
            inner,
            inside,
            local,
        }))
    }
}

struct RenamedListener {
    inner: BoxListener,
    inside: String,
    local: Endpoint,
}

impl Listener for RenamedListener {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn locals(&self) -> Vec<Endpoint> {
        let locals = self.inner.locals().into_iter();
        locals
            .map(|at| seen_from(self.local.scheme(), &at))
            .collect()
    }

    fn refusals(&self) -> u64 {
        self.inner.refusals()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        let (accepted, outside) = (ready!(self.inner.poll_accept(cx)), self.local.scheme());
        Poll::Ready(match accepted {
            Ok(socket) => Ok(renamed(socket, outside)),
            Err(error) => Err(error.under(&self.inside, outside)),
        })
    }
}

fn renamed(socket: impl Socket, scheme: &str) -> BoxSocket {
    BoxSocket::new(relabel(socket, |info| {
        let (local, peer) = (info.local(), info.peer());
        let (local, peer) = (seen_from(scheme, local), seen_from(scheme, peer));
        info.with_local(local).with_peer(peer)
    }))
}

/// The same address with `scheme`. An address that `scheme` cannot have keeps its own scheme.
fn seen_from(scheme: &str, at: &Endpoint) -> Endpoint {
    at.with_scheme(scheme).unwrap_or_else(|_| at.clone())
}
