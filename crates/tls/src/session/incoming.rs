//! Ciphertext that was received and not yet decrypted.

use std::cell::RefCell;
use std::io;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use rustls::{Connection, Error};
use socketry_transport::{Received, RecvHalf, poll_recv_into};

use super::records::Records;

/// The most that is received at once: two full records.
const ROOM: usize = 32 * 1024;

thread_local! {
    /// One buffer for whoever receives next in this thread.
    static SPARE: RefCell<Option<BytesMut>> = const { RefCell::new(None) };
}

/// What was received and not yet decrypted, and where in a record it ends.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    bytes: BytesMut,
    /// Whether `bytes` is a buffer that is lent.
    lent: bool,
    records: Records,
    /// Whether something was fed since the connection's own buffer was made small.
    fed: bool,
}

impl Incoming {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether there is room for more.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= ROOM
    }

    /// Whether what the connection was fed ends inside of a record.
    pub(super) fn is_inside_a_record(&self) -> bool {
        self.records.is_inside()
    }

    /// Receives behind what is there.
    pub(super) fn poll_fill<R: RecvHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut R,
    ) -> Poll<io::Result<Received>> {
        if !self.lent {
            self.bytes = SPARE.take().unwrap_or_default();
            self.lent = true;
        }
        let room = ROOM.saturating_sub(self.bytes.len()).max(1);
        let received = poll_recv_into(socket, cx, &mut self.bytes, room);
        if self.bytes.is_empty() {
            self.give_back();
        }
        received
    }

    /// Lends nothing any more.
    fn give_back(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        self.lent = false;
        bytes.clear();
        SPARE.set(Some(bytes));
    }

    /// Gives the connection some of it, and lets it decrypt that. `false` if it takes no more.
    pub(super) fn feed(&mut self, conn: &mut Connection) -> Result<bool, Error> {
        let fed = self.take(|bytes| conn.read_tls(bytes));
        conn.process_new_packets()?;
        Ok(fed > 0)
    }

    /// Gives `read` what is there, and says how much of it was taken.
    pub(super) fn take(
        &mut self,
        read: impl FnOnce(&mut dyn io::Read) -> io::Result<usize>,
    ) -> usize {
        let taken = read(&mut &self.bytes[..]).unwrap_or(0);
        self.fed = true;
        self.records.pass(&self.bytes[..taken]);
        self.bytes.advance(taken);
        taken
    }

    /// Before a wait: has the connection give back what its own buffer grew by, 18 KiB at most.
    pub(super) fn rest(&mut self, conn: &mut Connection) {
        if self.fed && !self.records.is_inside() {
            self.fed = false;
            // It makes room for a read, and with nothing in it that room is 4 KiB.
            let _ = conn.read_tls(&mut Nothing);
        }
    }
}

/// A reader that has nothing yet.
struct Nothing;

impl io::Read for Nothing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}
