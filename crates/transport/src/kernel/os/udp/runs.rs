//! Sending runs of equally long datagrams with one call: GSO, `UDP_SEGMENT`.
//!
//! The kernel takes a run whole or not at all. It may refuse one, because the device cannot do it,
//! or because the datagrams are longer than a packet may be. The first datagram is then sent alone,
//! as it would be without runs, so that no datagram is lost or sent twice.
//!
//! This does not use `quinn-udp`, as receiving does: its sending sets a type of service, which
//! overrides the option `tos`, and it stops sending runs to all peers once one address was refused.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use super::super::Os;
use super::super::calls::{check_len, send_parts};
use super::{Destination, offload};
use crate::contract::datagram::PeerAddr;
use crate::kernel::addr::{Scheme, UDP_MAX_V4};

/// The most datagrams in a run. Every kernel that knows runs takes as many (`UDP_MAX_SEGMENTS`).
const MAX_SEGMENTS: usize = if cfg!(any(target_os = "linux", target_os = "android")) {
    64
} else {
    1
};
/// The most bytes in a run. It must fit into one IPv4 datagram, since it is one until it is cut.
const MAX_BYTES: usize = UDP_MAX_V4;

/// The length of datagrams above which a socket sends no runs.
#[derive(Debug)]
pub(in super::super) struct Runs {
    /// The kernel refused a run of datagrams of this many bytes. Datagrams of this length or longer
    /// are sent one by one from then on.
    refused: AtomicUsize,
}

impl Default for Runs {
    fn default() -> Self {
        let refused = AtomicUsize::new(usize::MAX);
        Runs { refused }
    }
}

impl Runs {
    /// The bytes, of `len`, to send with one call. Where runs are refused, one datagram.
    fn part(&self, len: usize, size: usize) -> usize {
        if size == 0 || size >= self.refused.load(Relaxed) {
            return size.min(len);
        }
        let segments = (MAX_BYTES / size).clamp(1, MAX_SEGMENTS);
        len.min(segments * size)
    }

    fn refuse(&self, size: usize) {
        self.refused.fetch_min(size, Relaxed);
    }
}

impl Os {
    /// Whether the socket sends runs with one call.
    pub(in super::super) fn sends_runs(&self) -> bool {
        self.scheme == Scheme::Udp
    }

    pub(in super::super) fn poll_send_run(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        self.check_run(bytes, size)?;
        self.poll_write_io(cx, |socket| self.send_run(socket, bytes, size, None))
    }

    pub(crate) fn try_send_run(
        &self,
        bytes: &[u8],
        size: usize,
        to: &PeerAddr,
    ) -> io::Result<usize> {
        self.check_run(bytes, size)?;
        let to = self.destination(to)?;
        self.try_send(|socket| self.send_run(socket, bytes, size, Some(&to)))
    }

    fn check_run(&self, bytes: &[u8], size: usize) -> io::Result<()> {
        check_len(self.shape, &[IoSlice::new(first(bytes, size))])
    }

    /// Sends as much of the run as one call can: whole datagrams, at least the first.
    fn send_run(
        &self,
        socket: &socket2::Socket,
        bytes: &[u8],
        size: usize,
        to: Option<&Destination>,
    ) -> io::Result<usize> {
        let run = &bytes[..self.runs.part(bytes.len(), size)];
        let Some(segment) = u16::try_from(size).ok().filter(|_| run.len() > size) else {
            return send_one(socket, first(bytes, size), to);
        };
        let sent = match to {
            Some(to) => {
                to.leave(|from| offload::send_run(socket, run, segment, Some(&to.to), from))
            }
            None => offload::send_run(socket, run, segment, None, None),
        };
        match sent {
            Err(error) if may_be_for_the_run(&error) => {
                let sent = send_one(socket, first(bytes, size), to)?;
                self.runs.refuse(size);
                Ok(sent)
            }
            sent => sent,
        }
    }
}

fn first(bytes: &[u8], size: usize) -> &[u8] {
    &bytes[..size.min(bytes.len())]
}

fn send_one(socket: &socket2::Socket, bytes: &[u8], to: Option<&Destination>) -> io::Result<usize> {
    let parts = [IoSlice::new(bytes)];
    match to {
        Some(to) => to.send(socket, &parts),
        None => send_parts(socket, &parts, false),
    }
}

/// Whether a single datagram may succeed where the run failed. EIO means a device that cannot
/// compute checksums. EINVAL has many causes, a bad address too. EMSGSIZE occurs because a run is
/// never fragmented, but a single datagram may be.
fn may_be_for_the_run(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EIO | libc::EINVAL | libc::EMSGSIZE)
    )
}
