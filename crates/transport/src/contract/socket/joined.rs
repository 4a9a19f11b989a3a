//! Two halves as one socket.

use std::fmt;

use crate::contract::socket::forward::{forward_half, forward_recv, forward_send};
use crate::contract::socket::{Half, RecvHalf, SendHalf, Socket};

/// The whole [`Socket`]: a receiving and a sending half, and nothing else.
///
/// All sockets of this crate are a `Joined`. The author of a transport or a layer writes two
/// halves, and joins them. The [`Info`](crate::Info) of the socket is that of its receiving half.
/// Splitting the socket gives the halves back.
///
/// ```
/// use socketry_transport::{Joined, Listener, Socket, SendExt, connect, listen};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = listen("mem://joined").await?;
/// let (recv, mut send) = connect(server.local()).await?.split();
/// send.send_all(b"split").await?;
/// let whole = Joined::new(recv, send);
/// socketry_transport::close(whole, 1024, std::time::Duration::ZERO).await?;
/// # Ok(()) }
/// ```
pub struct Joined<R, W> {
    recv: R,
    send: W,
}

impl<R, W> Joined<R, W> {
    /// Joins two halves. The caller has to know that they belong together.
    pub fn new(recv: R, send: W) -> Self {
        Joined { recv, send }
    }

    /// Both halves, to look at.
    pub fn halves(&self) -> (&R, &W) {
        (&self.recv, &self.send)
    }

    /// Both halves, to change.
    pub fn halves_mut(&mut self) -> (&mut R, &mut W) {
        (&mut self.recv, &mut self.send)
    }

    /// Both halves.
    pub fn into_halves(self) -> (R, W) {
        (self.recv, self.send)
    }
}

impl<R: Half, W> fmt::Debug for Joined<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.recv.info();
        let (local, peer) = (info.local().redacted(), info.peer().redacted());
        write!(f, "Joined({local} to {peer})")
    }
}

impl<R: Half, W: Half> Half for Joined<R, W> {
    forward_half!(self => self.recv);
}

impl<R: RecvHalf, W: Half> RecvHalf for Joined<R, W> {
    forward_recv!(self => self.recv);
}

impl<R: Half, W: SendHalf> SendHalf for Joined<R, W> {
    forward_send!(self => self.send);
}

impl<R: RecvHalf + 'static, W: SendHalf + 'static> Socket for Joined<R, W> {
    type Recv = R;
    type Send = W;

    fn split(self) -> (R, W) {
        (self.recv, self.send)
    }
}
