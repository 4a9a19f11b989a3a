//! A socket with changed facts.

use crate::contract::socket::forward::{forward_recv, forward_send};
use crate::contract::socket::info::Info;
use crate::contract::socket::joined::Joined;
use crate::contract::socket::{Half, RecvHalf, SendHalf, Socket};

/// The half inside, with another [`Info`].
///
/// It is for facts that a layer learns about a connection: the peer behind a proxy, a protocol that
/// was agreed on. [`relabel`] wraps a whole socket.
#[derive(Debug)]
pub struct Relabelled<H> {
    inner: H,
    info: Info,
}

/// `socket` with the [`Info`] that `change` makes of its own. Its shape stays the same.
///
/// ```
/// use socketry_transport::{Half, Listener, connect, listen, relabel};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = listen("mem://relabelled").await?;
/// let _client = connect(server.local()).await?;
/// // The address in a header of the proxy, for instance.
/// let client = "tcp://192.0.2.1:7000".parse()?;
/// let socket = relabel(server.accept().await?, |info| info.with_peer(client));
/// assert_eq!(socket.peer().to_string(), "tcp://192.0.2.1:7000");
/// # Ok(()) }
/// ```
pub fn relabel<S: Socket>(
    socket: S,
    change: impl FnOnce(Info) -> Info,
) -> Joined<Relabelled<S::Recv>, Relabelled<S::Send>> {
    let info = change(socket.info().clone());
    let (recv, send) = socket.split();
    Joined::new(
        Relabelled::new(recv, info.clone()),
        Relabelled::new(send, info),
    )
}

impl<H: Half> Relabelled<H> {
    /// `inner` with `info` in place of its own, but for its shape.
    pub fn new(inner: H, info: Info) -> Self {
        let info = info.with_shape(inner.shape());
        Relabelled { inner, info }
    }

    /// The half inside, with its own `Info`.
    pub fn into_inner(self) -> H {
        self.inner
    }
}

impl<H: Half> Half for Relabelled<H> {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl<H: RecvHalf> RecvHalf for Relabelled<H> {
    forward_recv!(self => self.inner);
}

impl<H: SendHalf> SendHalf for Relabelled<H> {
    forward_send!(self => self.inner);
}
