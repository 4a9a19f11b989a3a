//! Breaking a connection off.

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use super::Os;
use crate::contract::socket::Aborted;

impl Os {
    /// Breaks the connection off. `finished` is whether this end has half-closed: the peer then
    /// sees the end, and no reset after it. Over MPTCP it may see a reset (Linux 6.18).
    pub(super) fn abort(&self, finished: bool) -> io::Result<Aborted> {
        if !self.shape.is_reliable() {
            return Ok(Aborted::Nothing);
        }
        if self.scheme.is_unix() {
            done(self.socket().shutdown(Shutdown::Both))?;
            return Ok(Aborted::End);
        }
        self.reset()?;
        Ok(seen(finished))
    }

    /// Sets whether the peer sees a reset once both halves are dropped.
    pub(super) fn abort_on_drop(&self, on: bool, finished: bool) -> io::Result<Aborted> {
        // A Unix socket has no reset.
        if !self.shape.is_reliable() || self.scheme.is_unix() {
            return Ok(Aborted::quiet(self.shape));
        }
        // Off restores the system's default, and not the value that the option `linger` had before.
        self.socket().set_linger(on.then_some(Duration::ZERO))?;
        Ok(seen(finished || !on))
    }

    /// Sends the reset at once, even if both halves are still there: `connect(2)` to no address
    /// disconnects the socket, and an error wakes the tasks that wait at it.
    #[cfg(target_os = "linux")]
    fn reset(&self) -> io::Result<()> {
        super::calls::disconnect(self.socket())
    }

    /// Elsewhere the reset is sent when both halves have been dropped. Until then no more bytes are
    /// received.
    #[cfg(not(target_os = "linux"))]
    fn reset(&self) -> io::Result<()> {
        done(self.socket().set_linger(Some(Duration::ZERO)))?;
        done(self.socket().shutdown(Shutdown::Read))
    }
}

fn seen(end: bool) -> Aborted {
    if end { Aborted::End } else { Aborted::Reset }
}

/// It is no error if the peer is gone already.
fn done(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        result => result,
    }
}
