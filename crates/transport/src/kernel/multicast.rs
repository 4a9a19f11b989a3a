//! Joining multicast groups.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use socket2::{InterfaceIndexOrAddress, SockRef, Socket};

use crate::options::{Interface, MulticastGroup};

/// Has `socket` receive only from the groups that it joins, and not from those that other sockets
/// on this machine have joined (`IP_MULTICAST_ALL`, ip(7), which is on by default). A kernel that
/// does not know the option changes nothing.
#[cfg(target_os = "linux")]
pub(super) fn only_joined(socket: &Socket, at: &SocketAddr) {
    let _ = match at {
        SocketAddr::V4(_) => socket.set_multicast_all_v4(false),
        // Datagrams to IPv4 groups reach an IPv6 socket only once it has joined them.
        SocketAddr::V6(_) => socket.set_multicast_all_v6(false),
    };
}

/// Other systems always do so, or have no such option.
#[cfg(not(target_os = "linux"))]
pub(super) fn only_joined(_: &Socket, _: &SocketAddr) {}

/// Makes `socket` a member of `group`.
pub(super) fn join(group: &MulticastGroup, socket: &SockRef<'_>) -> io::Result<()> {
    match group.group() {
        IpAddr::V4(address) => {
            let interface = match group.interface() {
                Interface::Address(address) => InterfaceIndexOrAddress::Address(*address),
                other => InterfaceIndexOrAddress::Index(index(other)?),
            };
            socket.join_multicast_v4_n(&address, &interface)
        }
        IpAddr::V6(address) => socket.join_multicast_v6(&address, index(group.interface())?),
    }
}

/// The number of an interface; 0 lets the kernel choose.
fn index(interface: &Interface) -> io::Result<u32> {
    match interface {
        Interface::Any | Interface::Address(_) => Ok(0),
        Interface::Index(index) => Ok(*index),
        Interface::Name(name) => index_of(name),
    }
}

/// The number of the interface called `name`. The resolver gives it, for a numeric address with a
/// zone: the standard library has that without `unsafe`. A number stands for itself.
pub(super) fn index_of(name: &str) -> io::Result<u32> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no interface '{name}'"));
    let address = format!("fe80::1%{name}");
    let mut found = (address.as_str(), 0)
        .to_socket_addrs()
        .map_err(|_| missing())?;
    match found.next() {
        Some(SocketAddr::V6(v6)) if v6.scope_id() != 0 => Ok(v6.scope_id()),
        _ => Err(missing()),
    }
}
