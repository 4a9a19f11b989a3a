//! Receiving many datagrams with one call: `recvmmsg`, and GRO, with which the kernel gives a run
//! of equally long datagrams as one message.
//!
//! GRO applies to the socket, and not to a call: once it is on, a plain `recv` gets several
//! datagrams as one, and cuts them. So it is turned on with the first batch. From then on, a single
//! datagram is taken from a message that was received whole.

use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use quinn_udp::{RecvMeta, UdpSocketState};
use tokio::io::ReadBuf;

use super::super::Os;
use super::offload;
use crate::contract::datagram::PeerAddr;
use crate::contract::datagram::batch::Batch;
use crate::contract::datagram::batch::SLOT;
use crate::contract::socket::Received;
use crate::kernel::addr::Scheme;

/// The most messages that one call receives. Each is one datagram, or up to 64 of equal length.
const MESSAGES: usize = 16;
/// The distance between messages. It is not a power of two, since the first bytes of all messages
/// would then share one place in the cache.
const SPACING: usize = SLOT.next_multiple_of(64) + 64;

/// The receiver of all sockets. It is made with a socket of its own, because making it sets options
/// (path MTU discovery, control messages) that only the user should set, and that receiving does
/// not need.
static RECEIVER: LazyLock<io::Result<UdpSocketState>> = LazyLock::new(|| {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::UNSPECIFIED, 0))?;
    UdpSocketState::new((&socket).into())
});

/// Whether the datagrams of a batch name their sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Yes,
    No,
}

impl Named {
    fn name(self, from: &PeerAddr) -> Option<PeerAddr> {
        (self == Named::Yes).then(|| from.clone())
    }
}

/// The state of a socket that has received a batch.
#[derive(Debug, Default)]
pub(in super::super) struct Merging {
    staged: Mutex<Staged>,
}

impl Merging {
    fn lock(&self) -> MutexGuard<'_, Staged> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message whose first datagram a single receive took, and whose other datagrams wait.
#[derive(Debug)]
struct Staged {
    /// Allocated with the first single receive.
    bytes: Vec<u8>,
    from: PeerAddr,
    rest: Segments,
}

impl Default for Staged {
    fn default() -> Self {
        Staged {
            bytes: Vec::new(),
            from: PeerAddr::Unnamed,
            rest: Segments::default(),
        }
    }
}

impl Staged {
    /// Receives a message, when all datagrams of the previous one are taken.
    fn fill(&mut self, socket: &socket2::Socket) -> io::Result<()> {
        self.bytes.resize(SLOT, 0);
        let mut meta = [RecvMeta::default()];
        receive(socket, &mut [IoSliceMut::new(&mut self.bytes)], &mut meta)?;
        self.from = sender(&meta[0]);
        self.rest = Segments::of(&meta[0]);
        Ok(())
    }

    /// Moves the datagrams that wait into `batch`.
    fn move_to(&mut self, batch: &mut Batch, named: Named) {
        for segment in &mut self.rest {
            batch.push_copy(&self.bytes[segment], None, named.name(&self.from));
        }
    }
}

/// The positions of the datagrams in a message.
#[derive(Debug, Default)]
struct Segments {
    /// The number of datagrams that are left.
    count: usize,
    next: usize,
    size: usize,
    end: usize,
}

impl Segments {
    fn of(meta: &RecvMeta) -> Self {
        Segments {
            // An empty datagram counts too.
            count: meta.len.div_ceil(meta.stride.max(1)).max(1),
            next: 0,
            size: meta.stride,
            end: meta.len,
        }
    }
}

impl Iterator for Segments {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        self.count = self.count.checked_sub(1)?;
        let segment = self.next..self.end.min(self.next + self.size);
        self.next = segment.end;
        Some(segment)
    }
}

impl Os {
    /// Whether this kind of socket, on this system, receives many datagrams with one call.
    pub(crate) fn has_batches(&self) -> bool {
        let system = cfg!(any(target_os = "linux", target_os = "android"));
        system && self.scheme == Scheme::Udp && RECEIVER.is_ok()
    }

    /// Whether the kernel may hand over several datagrams as one message.
    pub(in super::super) fn merges(&self) -> bool {
        self.merging.get().is_some()
    }

    /// The state. The first call makes it and turns GRO on.
    fn merging(&self) -> &Merging {
        self.merging.get_or_init(|| {
            // A kernel without GRO gives each datagram as a message of its own.
            let _ = offload::merge_received(self.socket());
            Box::default()
        })
    }

    /// Receives one datagram, first from those that wait.
    pub(in super::super) fn poll_recv_staged(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>> {
        let mut staged = self.merging().lock();
        let segment = match staged.rest.next() {
            Some(segment) => segment,
            None => {
                ready!(self.poll_read_io(cx, |socket| staged.fill(socket)))?;
                staged.rest.next().unwrap_or_default()
            }
        };
        let bytes = &staged.bytes[segment];
        let received = Received::whole(bytes, buf);
        Poll::Ready(Ok((received, staged.from.clone())))
    }

    /// Appends the datagrams that wait, or else those that one call receives.
    pub(crate) fn poll_recv_batch(
        &self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
        named: Named,
    ) -> Poll<io::Result<()>> {
        let before = batch.len();
        self.merging().lock().move_to(batch, named);
        if batch.len() > before {
            return Poll::Ready(Ok(()));
        }
        self.poll_read_io(cx, |socket| receive_into(batch, socket, named))
    }
}

/// Appends the datagrams that one call receives.
fn receive_into(batch: &mut Batch, socket: &socket2::Socket, named: Named) -> io::Result<()> {
    let begin = batch.filled();
    batch.reserve(MESSAGES * SPACING);
    let mut metas = [RecvMeta::default(); MESSAGES];
    let mut room = batch.spare().chunks_exact_mut(SPACING);
    // There are as many chunks as messages, so the default, an empty slice, is never used.
    let mut slots =
        std::array::from_fn::<_, MESSAGES, _>(|_| IoSliceMut::new(room.next().unwrap_or_default()));
    let count = receive(socket, &mut slots, &mut metas)?;
    for (start, meta) in (begin..).step_by(SPACING).zip(&metas[..count]) {
        let from = sender(meta);
        for segment in Segments::of(meta) {
            batch.keep(
                start + segment.start..start + segment.end,
                None,
                named.name(&from),
            );
        }
    }
    Ok(())
}

/// The sender of a message, and the address that it asked, if the kernel tells it.
fn sender(meta: &RecvMeta) -> PeerAddr {
    PeerAddr::asking(meta.addr, meta.dst_ip)
}

/// Receives with one call. No message is longer than a slot, so none is cut.
fn receive(
    socket: &socket2::Socket,
    slots: &mut [IoSliceMut<'_>],
    metas: &mut [RecvMeta],
) -> io::Result<usize> {
    match &*RECEIVER {
        Ok(receiver) => receiver.recv(socket.into(), slots, metas),
        Err(error) => Err(error.kind().into()),
    }
}
