//! Which addresses this machine has a route to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Any port: nothing is sent there.
const DISCARD: u16 = 9;

/// The addresses in their order, where those without a route come last (RFC 6724, rule 1). So the
/// error of a connect is about an address that could be reached.
pub(crate) fn first(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let both = |is: fn(&IpAddr) -> bool| addresses.iter().any(is);
    if !(both(IpAddr::is_ipv4) && both(IpAddr::is_ipv6)) {
        return addresses;
    }
    let (mut with, without): (Vec<_>, Vec<_>) = addresses.into_iter().partition(has_route);
    with.extend(without);
    with
}

/// Whether the kernel knows a way there. To connect a UDP socket sends nothing.
fn has_route(address: &IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0));
    socket.is_ok_and(|socket| socket.connect((*address, DISCARD)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_route_comes_last() {
        // A multicast group has no route without an interface that the caller names, and ::1 does.
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        let nowhere: IpAddr = "fe80::1".parse().unwrap();
        assert_eq!(first(vec![nowhere, loopback]), [loopback, nowhere]);
        assert_eq!(first(vec![nowhere]), [nowhere]);
    }
}
