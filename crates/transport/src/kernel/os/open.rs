//! New sockets, which never block. Linux can make a socket non-blocking in the call that makes it.
//! Other systems need two more calls for each connection.

use std::io;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

#[cfg(target_os = "linux")]
pub(crate) fn open(domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
    Socket::new(domain, kind.nonblocking(), protocol)
}

#[cfg(target_os = "linux")]
pub(crate) fn accept(listening: &Socket) -> io::Result<(Socket, SockAddr)> {
    listening.accept4(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn open(domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
    let socket = Socket::new(domain, kind, protocol)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn accept(listening: &Socket) -> io::Result<(Socket, SockAddr)> {
    let (socket, peer) = listening.accept()?;
    socket.set_nonblocking(true)?;
    Ok((socket, peer))
}
