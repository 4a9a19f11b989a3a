//! The socket to a proxy, and what has come from it.

use socketry_transport::{
    ErrorKind, Half, Info, Joined, Prefixed, Received, RecvExt, Relabelled, SendExt, Socket,
};

use super::send::ViaSend;
use crate::error::ProxyError;

/// How many bytes one receive asks for.
const STEP: usize = 512;

/// A socket through proxies.
pub(super) type ViaSocket<S> =
    Joined<Relabelled<Prefixed<<S as Socket>::Recv>>, Relabelled<ViaSend<<S as Socket>::Send>>>;

/// A socket, and the bytes from it that no proxy's answer has used.
pub(super) struct Wire<S: Socket> {
    recv: S::Recv,
    send: S::Send,
    pub(super) bytes: Vec<u8>,
}

impl<S: Socket> Wire<S> {
    pub(super) fn new(socket: S) -> Self {
        let (recv, send) = socket.split();
        let bytes = Vec::new();
        Wire { recv, send, bytes }
    }

    /// Sends `bytes` in one write.
    pub(super) async fn say(&mut self, bytes: &[u8]) -> Result<(), ProxyError> {
        let sent = self.send.send_all(bytes).await;
        sent.map_err(|error| ProxyError::io(&error))
    }

    /// Receives more; `false` at the end.
    pub(super) async fn fill(&mut self) -> Result<bool, ProxyError> {
        let mut buf = [0; STEP];
        let received = self.recv.recv(&mut buf).await;
        let (len, received) = received.map_err(|error| ProxyError::io(&error))?;
        self.bytes.extend_from_slice(&buf[..len]);
        Ok(received != Received::End)
    }

    /// Receives until there are `len` bytes. An end or a reset before is one of the proxy's.
    pub(super) async fn need(&mut self, len: usize, what: &str) -> Result<&[u8], ProxyError> {
        while self.bytes.len() < len {
            match self.fill().await {
                Ok(true) => {}
                Ok(false) => return Err(ended(what)),
                Err(error) if error.kind() == ErrorKind::Reset => return Err(ended(what)),
                Err(error) => return Err(error),
            }
        }
        Ok(&self.bytes[..len])
    }

    /// Forgets the first `len` bytes, which were used.
    pub(super) fn used(&mut self, len: usize) {
        self.bytes.drain(..len.min(self.bytes.len()));
    }

    /// The socket, which gives the bytes first that were not used.
    pub(super) fn finish(self, change: impl FnOnce(Info) -> Info) -> ViaSocket<S> {
        let info = change(self.recv.info().clone());
        let recv = Prefixed::new(self.recv, self.bytes);
        let recv = Relabelled::new(recv, info.clone());
        Joined::new(recv, Relabelled::new(ViaSend::new(self.send), info))
    }
}

/// The proxy closed the connection in place of `what`.
pub(super) fn ended(what: &str) -> ProxyError {
    ProxyError::new(
        ErrorKind::Unreachable,
        format!("it closed the connection in place of {what}"),
    )
    .hint("it may not reach what is behind it: is that running, and may the proxy connect there?")
}
