//! How much room the next read gets.

use socketry_transport::{Received, RecvHalf};

use super::{Input, spare};
use crate::reader::drop_front;

/// The first read of a connection, in bytes; it doubles while reads are filled.
const READ_MIN: usize = 8 * 1024;
/// The most that one read asks for. More would leave the peer's writer waiting for us (measured: 64
/// KiB reads into a 1 MiB frame beat one read of it all).
pub(super) const READ_MAX: usize = 64 * 1024;
/// The most room for one datagram, whatever the socket says of itself.
const DATAGRAM_MAX: usize = 1 << 20;

/// What earlier reads and frames say of the next.
pub(super) struct Growth {
    read_size: usize,
    /// The largest frame that the peer has completed, with what surrounds it; of those below a
    /// read's size perhaps a smaller.
    largest: usize,
}

impl Growth {
    pub(super) fn new() -> Self {
        Growth {
            read_size: READ_MIN,
            largest: 0,
        }
    }

    /// A frame is whole that takes so many bytes.
    #[inline]
    pub(super) fn completed(&mut self, bytes: usize) {
        self.largest = self.largest.max(bytes);
    }

    /// A read took all the room that it had.
    pub(super) fn filled(&mut self, received: Received) {
        if received == Received::Data {
            self.read_size = (self.read_size * 2).min(READ_MAX);
        }
    }
}

impl Input {
    /// Makes room for what is needed, as far as what has arrived makes that credible, and says how
    /// much of it one read is to fill.
    pub(super) fn make_room<R: RecvHalf>(&mut self, socket: &R, need: usize) -> usize {
        if !socket.shape().is_stream() {
            return socket.recv_room().clamp(1, DATAGRAM_MAX);
        }
        let Growth { read_size, largest } = self.growth;
        let here = self.buf.len();
        let spare = self.buf.capacity() - here;
        // A large frame is not moved while there is room for what it needs, and then to a place
        // half as large again at least: a peer that sends one in small pieces would otherwise have
        // all of it copied for each.
        if here >= READ_MAX && spare >= need.min(READ_MAX) {
            return spare.min(READ_MAX);
        }
        let credible = (2 * here).max(largest);
        let wanted = here.saturating_add(need.max(read_size).max(here / 2));
        let room = wanted.min(credible).max(read_size) - here;
        self.reserve(room.max(1));
        room.clamp(1, READ_MAX)
    }

    /// `BytesMut` would double what it has; the law is exact.
    pub(super) fn reserve(&mut self, room: usize) {
        if !self.buf.try_reclaim(room) {
            let mut larger = spare::take(self.buf.len() + room);
            larger.extend_from_slice(&self.buf);
            self.buf = larger;
        }
    }

    /// Moves what is not given out to the front.
    pub(super) fn compact(&mut self) {
        drop_front(&mut self.buf, self.pos);
        self.pos = 0;
    }
}
