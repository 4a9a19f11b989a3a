//! The room for the next read.

use socketry_transport::{Received, RecvHalf, Upcoming};

use super::{Input, spare};
use crate::reader::drop_front;

/// The size of the first read of a connection, in bytes. It doubles while reads are filled.
const READ_MIN: usize = 8 * 1024;
/// The most bytes that one read asks for. With more, the peer's writer would wait for the reader
/// (measured: 64 KiB reads of a 1 MiB frame are faster than one read of it all).
pub(super) const READ_MAX: usize = 64 * 1024;
/// The most room for one message or datagram, even if the socket asks for more. It is not touched
/// before bytes arrive, and does not stay with the connection ([`Input::fit`]).
const MESSAGE_MAX: usize = 64 << 20;

/// The sizes of earlier reads and frames, from which those of the next are estimated.
pub(super) struct Growth {
    read_size: usize,
    /// The largest frame that the peer has completed, with header and delimiter. It may be too
    /// small while all frames are smaller than a read.
    largest: usize,
}

impl Growth {
    pub(super) fn new() -> Self {
        Growth {
            read_size: READ_MIN,
            largest: 0,
        }
    }

    /// A frame of so many bytes is whole.
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

/// The room for one message or datagram: for one that is here, or for the longest.
pub(super) fn whole_message<R: RecvHalf>(socket: &R) -> usize {
    let room = match socket.upcoming() {
        Upcoming::Whole(len) => len,
        Upcoming::Unknown | Upcoming::Part(_) => socket.recv_room(),
    };
    room.clamp(1, MESSAGE_MAX)
}

impl Input {
    /// Makes room for `need` bytes, but no more than the bytes that have arrived justify. Gives the
    /// room that the next read may fill.
    pub(super) fn make_room<R: RecvHalf>(&mut self, socket: &R, need: usize) -> usize {
        if !socket.shape().is_stream() {
            let room = whole_message(socket);
            self.reserve(room);
            return room;
        }
        let Growth { read_size, largest } = self.growth;
        let here = self.buf.len();
        let spare = self.buf.capacity() - here;
        // A large frame is not moved while there is room, and then to a buffer at least half as
        // large again. Otherwise a peer that sends it in small pieces would make this end copy all
        // of it for each piece.
        if here >= READ_MAX && spare >= need.min(READ_MAX) {
            return spare.min(READ_MAX);
        }
        let credible = (2 * here).max(largest);
        let wanted = here.saturating_add(need.max(read_size).max(here / 2));
        let room = wanted.min(credible).max(read_size) - here;
        self.reserve(room.max(1));
        room.clamp(1, READ_MAX)
    }

    /// Reserves exactly `room`: `BytesMut` would double its capacity.
    pub(super) fn reserve(&mut self, room: usize) {
        if !self.buf.try_reclaim(room) {
            let mut larger = spare::take(self.buf.len() + room);
            larger.extend_from_slice(&self.buf);
            spare::give(std::mem::replace(&mut self.buf, larger));
        }
    }

    /// Gives back most of the room for a message that is much shorter. Otherwise each connection
    /// with a short one would hold room for the longest.
    pub(super) fn fit(&mut self) {
        let here = self.buf.len();
        if self.buf.capacity() > READ_MAX && here <= self.buf.capacity() / 2 {
            let mut fitting = spare::take(here.max(READ_MIN));
            fitting.extend_from_slice(&self.buf);
            spare::give(std::mem::replace(&mut self.buf, fitting));
        }
    }

    /// Moves the bytes that were not given out to the front.
    pub(super) fn compact(&mut self) {
        drop_front(&mut self.buf, self.pos);
        self.pos = 0;
    }
}
