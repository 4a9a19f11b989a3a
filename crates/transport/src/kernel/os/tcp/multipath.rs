//! What became of a socket that MPTCP was asked for.

use std::fmt;
use std::io;
use std::sync::Weak;

use socket2::SockRef;

use super::super::halves::Connected;
use crate::kernel::apply;

/// What became of a TCP socket for which the option `mptcp` was asked, or that a listener with it
/// accepted: an extension of [`Info`](crate::Info), also under layers. Linux only.
///
/// A peer without Multipath TCP (RFC 8684), or a firewall on the way, makes it plain TCP, with no
/// other sign.
///
/// ```no_run
/// use socketry_transport::{Half, Mptcp, connect};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let socket = connect("tcp://server.example:9000?mptcp=true").await?;
/// let mptcp = socket.info().get::<Mptcp>().expect("it was asked for");
/// match mptcp.paths()? {
///     Some(paths) => println!("{paths} paths"),
///     None => println!("the server has no MPTCP"),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Mptcp(Weak<Connected>);

impl Mptcp {
    pub(in super::super) fn of(socket: Weak<Connected>) -> Self {
        Mptcp(socket)
    }

    /// The number of TCP connections that carry the socket now; `None` if it is plain TCP. A
    /// client that opens fast (the option `fastopen`) knows it once the server has answered.
    ///
    /// # Errors
    /// `NotConnected` once the socket is dropped.
    pub fn paths(&self) -> io::Result<Option<u32>> {
        let connected = self.0.upgrade().ok_or(io::ErrorKind::NotConnected)?;
        apply::paths(&SockRef::from(connected.os().socket()))
    }

    /// The options of the listener's URL that this accepted socket has not, since MPTCP refused
    /// them.
    ///
    /// # Errors
    /// `NotConnected` once the socket is dropped.
    pub fn refused(&self) -> io::Result<Vec<&'static str>> {
        let connected = self.0.upgrade().ok_or(io::ErrorKind::NotConnected)?;
        Ok(connected.os().multipath().unwrap_or_default().to_vec())
    }
}

impl fmt::Debug for Mptcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mptcp")
    }
}
