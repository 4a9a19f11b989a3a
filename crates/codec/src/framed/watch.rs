//! A part of the program that may end a receive which waits for its peer.

use std::io;
use std::task::{Context, Poll};

/// Decides how long a receive of [`Framed`](super::Framed) waits for its peer, set with
/// [`watched`](super::Framed::watched).
///
/// ```
/// use std::io;
/// use std::pin::Pin;
/// use std::task::{Context, Poll};
/// use socketry_codec::{Framed, Line, Waiting, Watch};
/// use socketry_transport::{Listener, connect, listen};
/// use tokio::sync::oneshot;
///
/// /// Ends at the next frame boundary once the other side of a channel is dropped.
/// struct Until(oneshot::Receiver<()>);
///
/// impl Watch for Until {
///     fn poll_wait(&mut self, cx: &mut Context<'_>, _: Waiting) -> Poll<io::Result<()>> {
///         Pin::new(&mut self.0).poll(cx).map(|_| Ok(()))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (running, stopped) = oneshot::channel();
/// let mut listener = listen("mem://*").await?;
/// let mut client = Framed::new(connect(listener.local()).await?, Line::new());
/// let server = Framed::new(listener.accept().await?, Line::new());
/// let mut server = server.watched(Until(stopped));
///
/// client.send(b"one more").await?;
/// drop(running);
/// assert_eq!(server.recv().await?, Some(&b"one more"[..])); // it had arrived
/// assert_eq!(server.recv().await?, None);
/// # Ok(()) }
/// ```
pub trait Watch: Send + Sync {
    /// Called in the receiving task each time that no bytes are there. It must wake the task of
    /// `cx` when its answer changes.
    ///
    /// * `Pending`: the receive waits on.
    /// * `Ready(Ok(()))`: no frames are received any more, as if the peer had ended. While a frame
    ///   [has begun](Waiting::begun) this counts as `Pending`, and it is asked again afterwards.
    ///
    /// # Errors
    /// An error ends the receiving, is given to the caller, and is fatal.
    fn poll_wait(&mut self, cx: &mut Context<'_>, waiting: Waiting) -> Poll<io::Result<()>>;
}

/// The state of a receive that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// Bytes of a frame have arrived, and its rest has not.
    pub begun: bool,
    /// Bytes have arrived since the last call.
    pub arrived: bool,
}
