//! The process at the other end of a Unix stream.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Weak;

use super::halves::Connected;
use crate::kernel::unix::credentials;

/// The process at the other end of a Unix stream socket, on Linux: an extension of
/// [`Info`](crate::Info), also under layers.
///
/// The number of a process, in [`Credentials`](crate::Credentials), may belong to another one by
/// the time that it is used. The descriptor stands for the process itself: one that is looked up by
/// its number is the right one, if the descriptor shows afterwards that the process still runs.
#[derive(Clone)]
pub struct PeerProcess(Weak<Connected>);

impl PeerProcess {
    pub(super) fn of(socket: Weak<Connected>) -> Self {
        PeerProcess(socket)
    }

    /// A descriptor of the process (`pidfd_open(2)`), close-on-exec. It becomes readable when the
    /// process ends.
    ///
    /// It is the process that connected, or that began to listen, whoever has the socket now.
    ///
    /// # Errors
    /// `NotConnected` once the socket is dropped. The system's own if it has none: `ENOPROTOOPT`
    /// before Linux 6.5, `ENODATA` if there is no such process, and, on some versions, `EINVAL` or
    /// `ESRCH` if it is gone.
    pub fn open(&self) -> io::Result<OwnedFd> {
        let connected = self.0.upgrade();
        let connected = connected.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))?;
        credentials::process_of_peer(connected.os().socket())
    }
}

impl fmt::Debug for PeerProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerProcess")
    }
}
