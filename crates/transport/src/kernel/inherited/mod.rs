//! Sockets that the process was started with: `fd://3`, `systemd://NAME`, `stdio://`.

mod descriptor;
mod environment;
mod stdio;
mod systemd;
mod take;

use std::io;
use std::os::fd::OwnedFd;

use socket2::Type;

use crate::contract::boxed::{BoxListener, BoxSocket};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, Result};
use crate::contract::transport::keys::Keys;
use crate::kernel::parts::SocketParts;
use crate::options::SocketOptions;
use crate::session::{SessionLimits, SessionListener};
pub use descriptor::FdTransport;
pub use stdio::StdioTransport;
pub use systemd::SystemdTransport;

/// The listener that an inherited socket is: of streams, or of the sessions of datagrams.
fn listening(socket: OwnedFd) -> io::Result<BoxListener> {
    let parts = SocketParts::from(socket);
    if parts.as_socket().r#type()? == Type::DGRAM {
        let datagrams = parts.bound()?;
        let listener = SessionListener::new(datagrams, SessionLimits::default());
        return Ok(BoxListener::new(listener));
    }
    Ok(BoxListener::new(parts.listening()?))
}

/// The connected socket that an inherited one is.
fn connected(socket: OwnedFd) -> io::Result<BoxSocket> {
    Ok(BoxSocket::new(SocketParts::from(socket).connected()?))
}

/// Refuses options: the program that made the socket has set them.
fn without_options(at: &Endpoint) -> Result<()> {
    SocketOptions::from_query(at, Keys::default()).map(drop)
}

fn failed(action: &'static str, at: &Endpoint, error: io::Error) -> Error {
    Error::io(action, at, error)
}
