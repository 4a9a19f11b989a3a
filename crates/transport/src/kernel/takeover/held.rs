//! A listener with copies of its sockets, which a later process gets.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, Result};
use crate::contract::transport::listener::Listener;
use crate::kernel::accept::OsListener;
use crate::kernel::os::OsSocket;
use crate::kernel::parts::SocketParts;
use crate::kernel::several::NameListener;
use crate::kernel::unix::file::SocketFile;
use crate::options::SocketOptions;

/// What a later process gets of one listener.
pub(super) struct Held {
    /// Where it was asked to listen, without options.
    at: Endpoint,
    /// The file of a Unix socket, if this process removes it.
    file: Mutex<Option<SocketFile>>,
    /// One for each address.
    pub(super) sockets: Vec<OwnedFd>,
}

impl Held {
    pub(super) fn at(&self) -> &Endpoint {
        &self.at
    }

    fn file(&self) -> MutexGuard<'_, Option<SocketFile>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this process removes the file, as it was another one's until now.
    pub(super) fn own_file(&self) -> Result<()> {
        let mut file = self.file();
        let (None, Some(path)) = (&*file, self.at.socket_path()) else {
            return Ok(());
        };
        let found = SocketFile::of(&path).map_err(|error| {
            Error::io("take over", &self.at, error)
                .because("the earlier process has removed the file of the socket")
                .hint("start this process again; it then makes a new one")
        });
        *file = Some(found?);
        Ok(())
    }

    /// From now on another process removes the file.
    pub(super) fn leave_file(&self) {
        if let Some(file) = self.file().take() {
            file.leave();
        }
    }
}

/// A listener whose sockets are held.
pub(super) struct HeldListener {
    // Dropped before the sockets that accept, as `OsListener` does: it has the file.
    held: Arc<Held>,
    inner: NameListener<OsListener>,
}

impl HeldListener {
    /// A listener that this process has made.
    pub(super) fn made(at: &Endpoint, mut inner: NameListener<OsListener>) -> io::Result<Self> {
        let copy = |one: &OsListener| one.as_fd().try_clone_to_owned();
        let sockets = inner.listeners().map(copy).collect::<io::Result<_>>()?;
        let file = inner.first_mut().take_file();
        Ok(HeldListener::of(at, sockets, inner, file))
    }

    /// A listener of the sockets that another process has made, and whose file it removes still.
    pub(super) fn taken(
        at: &Endpoint,
        sockets: Vec<OwnedFd>,
        options: &SocketOptions,
    ) -> io::Result<Self> {
        let listening = |socket: &OwnedFd| {
            let mut parts = SocketParts::from(socket.try_clone()?);
            if let Some(most) = options.descriptors {
                parts = parts.descriptors(most);
            }
            Ok(parts.listening()?.giving(options))
        };
        let listeners = sockets
            .iter()
            .map(listening)
            .collect::<io::Result<Vec<_>>>()?;
        let none = || io::Error::new(io::ErrorKind::InvalidData, "no socket came with this name");
        let inner = NameListener::of(listeners).ok_or_else(none)?;
        Ok(HeldListener::of(at, sockets, inner, None))
    }

    fn of(
        at: &Endpoint,
        sockets: Vec<OwnedFd>,
        inner: NameListener<OsListener>,
        file: Option<SocketFile>,
    ) -> Self {
        let held = Arc::new(Held {
            at: at.clone().without_query(),
            file: Mutex::new(file),
            sockets,
        });
        HeldListener { held, inner }
    }

    pub(super) fn held(&self) -> &Arc<Held> {
        &self.held
    }
}

impl Listener for HeldListener {
    type Socket = OsSocket;

    fn local(&self) -> &Endpoint {
        self.inner.local()
    }
    fn locals(&self) -> Vec<Endpoint> {
        self.inner.locals()
    }
    fn refusals(&self) -> u64 {
        self.inner.refusals()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<OsSocket>> {
        self.inner.poll_accept(cx)
    }
}
