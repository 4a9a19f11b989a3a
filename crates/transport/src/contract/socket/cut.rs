//! A message or datagram that was longer than the room for it.

use std::fmt;

use tokio::io::ReadBuf;

use super::Received;

/// How much of a message or datagram was received, and how long it was. Its rest is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The bytes that there was room for, which were received.
    pub room: usize,
    /// The bytes that it had. `None` where the transport cannot know: of the kernel's sockets, only
    /// Linux tells the length of what it cut.
    pub len: Option<usize>,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let room = self.room;
        match self.len {
            Some(len) => write!(f, "it was cut to the first {room} of its {len} bytes"),
            None => write!(f, "it was cut to its first {room} bytes, and has more"),
        }
    }
}

impl Received {
    /// Puts as much of a whole message or datagram into `buf` as there is room for, and says what
    /// that comes to. For transports.
    ///
    /// ```
    /// use socketry_transport::{Cut, Received};
    /// use tokio::io::ReadBuf;
    ///
    /// let mut room = [0; 4];
    /// let mut buf = ReadBuf::new(&mut room);
    /// let received = Received::whole(b"message", &mut buf);
    /// assert_eq!(buf.filled(), b"mess");
    /// assert_eq!(received, Received::Cut(Cut { room: 4, len: Some(7) }));
    /// ```
    pub fn whole(message: &[u8], buf: &mut ReadBuf<'_>) -> Self {
        let room = buf.remaining();
        match message.get(..room) {
            Some(fits) if room < message.len() => {
                buf.put_slice(fits);
                let len = Some(message.len());
                Received::Cut(Cut { room, len })
            }
            _ => {
                buf.put_slice(message);
                Received::Data
            }
        }
    }

    /// The same of a message of which a cut gave only these bytes, if it did.
    pub(crate) fn again(message: &[u8], before: Option<Cut>, buf: &mut ReadBuf<'_>) -> Self {
        match (before, Received::whole(message, buf)) {
            (None, received) => received,
            (Some(before), Received::Cut(now)) => Received::Cut(Cut {
                room: now.room,
                ..before
            }),
            (Some(before), _) => Received::Cut(before),
        }
    }

    /// The sizes, if it was cut.
    pub fn cut(self) -> Option<Cut> {
        match self {
            Received::Cut(cut) => Some(cut),
            Received::Data | Received::End => None,
        }
    }
}
