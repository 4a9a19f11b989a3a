//! Breaking a connection off.

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use super::Os;
use crate::contract::socket::Aborted;

impl Os {
    /// Breaks the connection off. `finished` is whether this side has sent its end: a peer that was
    /// sent one sees that, and no reset behind it (Linux 6.18).
    pub(super) fn abort(&self, finished: bool) -> io::Result<Aborted> {
        if !self.shape.is_stream() {
            return Ok(Aborted::Nothing);
        }
        if self.scheme.is_unix() {
            done(self.socket().shutdown(Shutdown::Both))?;
            return Ok(Aborted::End);
        }
        self.reset()?;
        Ok(seen(finished))
    }

    /// What the peer will see once nobody has the socket any more.
    pub(super) fn abort_on_drop(&self, on: bool, finished: bool) -> io::Result<Aborted> {
        // A Unix socket knows no reset.
        if !self.shape.is_stream() || self.scheme.is_unix() {
            return Ok(Aborted::quiet(self.shape));
        }
        // Off is the system's default, whatever the option `linger` was before.
        self.socket().set_linger(on.then_some(Duration::ZERO))?;
        Ok(seen(finished || !on))
    }

    /// Sends the reset at once, however many halves there are: `connect(2)` to no address takes the
    /// peer away, and what waits at the socket is woken by an error.
    #[cfg(target_os = "linux")]
    fn reset(&self) -> io::Result<()> {
        super::calls::disconnect(self.socket())
    }

    /// Elsewhere the reset goes when both halves have been dropped. Until then nothing more is
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

/// A peer that is gone already has seen it.
fn done(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        result => result,
    }
}
