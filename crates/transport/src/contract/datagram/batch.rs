//! Many datagrams from one call, in one buffer that is used again and again.

use std::io;
use std::ops::Range;
use std::task::{Poll, ready};

use tokio::io::ReadBuf;

use crate::contract::datagram::PeerAddr;
use crate::contract::socket::{Cut, Received};

/// The largest payload of any IP datagram, in bytes; the room that a batch keeps for the next one.
pub(crate) const SLOT: usize = 65_535;
/// The most room that a batch keeps for one datagram, in bytes, even if a socket asks for more.
pub(crate) const LARGEST_ROOM: usize = 1 << 20;

/// A reusable buffer of received datagrams.
///
/// [`RecvHalf::poll_recv_batch`](crate::RecvHalf::poll_recv_batch) and
/// [`DatagramSocket::poll_recv_batch`](crate::DatagramSocket::poll_recv_batch) append datagrams to
/// it. [`iter`](Batch::iter) reads them, and [`clear`](Batch::clear) removes them.
#[derive(Debug, Default)]
pub struct Batch {
    storage: Vec<u8>,
    filled: usize,
    items: Vec<Item>,
}

#[derive(Debug)]
struct Item {
    bytes: Range<usize>,
    cut: Option<Cut>,
    from: Option<PeerAddr>,
}

/// One datagram of a [`Batch`].
#[derive(Debug)]
pub struct Datagram<'a> {
    /// Its payload.
    pub bytes: &'a [u8],
    /// The sizes, if it was longer than the room for it, so that its rest is lost.
    pub cut: Option<Cut>,
    /// Its sender; `None` on a connected socket, where all datagrams come from the peer.
    pub from: Option<&'a PeerAddr>,
}

impl Batch {
    /// An empty batch. It allocates with the first datagram: room for one of 65,535 bytes. On a
    /// Linux UDP socket it allocates 16 times as much (1 MiB), for which the system gives memory
    /// only as datagrams fill it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of datagrams.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no datagrams.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The datagrams, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = Datagram<'_>> {
        self.items.iter().map(|item| Datagram {
            bytes: &self.storage[item.bytes.clone()],
            cut: item.cut,
            from: item.from.as_ref(),
        })
    }

    /// Forgets the datagrams and keeps the memory.
    pub fn clear(&mut self) {
        self.items.clear();
        self.filled = 0;
    }

    /// Room for at least one more datagram, which [`push`](Batch::push) keeps. For transports.
    pub fn spare(&mut self) -> &mut [u8] {
        self.reserve(SLOT);
        &mut self.storage[self.filled..]
    }

    /// Makes [`spare`](Batch::spare) at least `len` bytes, for a datagram that may be longer than
    /// 65,535. For transports.
    pub fn reserve(&mut self, len: usize) {
        let wanted = self.filled.saturating_add(len);
        if self.storage.len() >= wanted {
            return;
        }
        if self.filled == 0 {
            // There are no datagrams to copy. Memory that the system hands out zeroed is used only
            // as datagrams fill it.
            self.storage = vec![0; wanted];
        } else {
            self.storage.resize(wanted, 0);
        }
    }

    /// Keeps the first `len` bytes of [`spare`](Batch::spare) as one datagram, with what
    /// [`Received::cut`] gives. For transports.
    ///
    /// # Panics
    /// If `len` is more than `spare` had.
    pub fn push(&mut self, len: usize, cut: Option<Cut>, from: Option<PeerAddr>) {
        self.keep(self.filled..self.filled + len, cut, from);
    }

    /// The position at which [`spare`](Batch::spare) begins.
    #[cfg(feature = "batch")]
    pub(crate) fn filled(&self) -> usize {
        self.filled
    }

    /// Keeps these bytes of the storage as one datagram, and gives up those between them and the
    /// datagram before.
    pub(crate) fn keep(&mut self, bytes: Range<usize>, cut: Option<Cut>, from: Option<PeerAddr>) {
        assert!(
            self.filled <= bytes.start && bytes.end <= self.storage.len(),
            "a batch keeps no more than its room"
        );
        self.filled = bytes.end;
        self.items.push(Item { bytes, cut, from });
    }

    /// Keeps a copy of `bytes`.
    pub(crate) fn push_copy(&mut self, bytes: &[u8], cut: Option<Cut>, from: Option<PeerAddr>) {
        self.reserve(bytes.len());
        self.spare()[..bytes.len()].copy_from_slice(bytes);
        self.push(bytes.len(), cut, from);
    }

    /// Receives one datagram of up to `room` bytes with `poll`: the default of every batch method.
    pub(crate) fn poll_one(
        &mut self,
        room: usize,
        poll: impl FnOnce(&mut ReadBuf<'_>) -> Poll<io::Result<Received>>,
    ) -> Poll<io::Result<Received>> {
        self.reserve(room.min(LARGEST_ROOM));
        let mut buf = ReadBuf::new(self.spare());
        let received = ready!(poll(&mut buf))?;
        let len = buf.filled().len();
        if received != Received::End {
            self.push(len, received.cut(), None);
        }
        Poll::Ready(Ok(received))
    }

    /// The same, where `poll` gives the sender.
    pub(crate) fn poll_one_from(
        &mut self,
        room: usize,
        poll: impl FnOnce(&mut ReadBuf<'_>) -> Poll<io::Result<(Received, PeerAddr)>>,
    ) -> Poll<io::Result<()>> {
        self.reserve(room.min(LARGEST_ROOM));
        let mut buf = ReadBuf::new(self.spare());
        let (received, from) = ready!(poll(&mut buf))?;
        let len = buf.filled().len();
        self.push(len, received.cut(), Some(from));
        Poll::Ready(Ok(()))
    }
}
