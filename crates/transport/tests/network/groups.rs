//! A socket hears the groups that it joined, and none that its neighbour did.

use std::time::Duration;

use socketry_transport::{DatagramSocket, Endpoint, OsDatagram, UdpTransport, recv_from, send_to};
use tokio::time::timeout;

use crate::alone::alone;

/// A device that carries groups, in a network of its own.
const DEVICE: &str = "ip link add one type veth peer name two; ip addr add 10.9.0.5/24 dev one; \
                      ip addr add fd09::5/64 dev one nodad; \
                      ip link set one up; ip link set two up; ip route add 239.0.0.0/8 dev one";

async fn member(at: &str, port: u16, group: &str) -> OsDatagram {
    let at = format!("udp://{at}:{port}?reuse_address=true&join={group}");
    let at: Endpoint = at.parse().unwrap();
    UdpTransport::default().bind(&at).await.unwrap()
}

fn port(socket: &OsDatagram) -> u16 {
    socket.local().socket_addr().unwrap().port()
}

/// Sends to both groups and says what each of two members heard, up to the word of which each has a
/// copy.
async fn heard(at: &str, one: &str, two: &str, both: &str) -> [Vec<String>; 2] {
    let first = member(at, 0, &format!("{one}@one,{both}@one")).await;
    let second = member(at, port(&first), &format!("{two}@one,{both}@one")).await;
    let sender = if one.contains(':') {
        "[fd09::5]"
    } else {
        "10.9.0.5"
    };
    let sender: Endpoint = format!("udp://{sender}:0").parse().unwrap();
    let sender = UdpTransport::default().bind(&sender).await.unwrap();
    for (group, words) in [(one, "one"), (two, "two"), (both, "both")] {
        let to = match group.contains(':') {
            true => format!("udp://[{group}%25one]:{}", port(&first)),
            false => format!("udp://{group}:{}", port(&first)),
        };
        let to = resolved(&to);
        send_to(&sender, words.as_bytes(), &to).await.unwrap();
    }
    [until_both(&first).await, until_both(&second).await]
}

/// The address of a zone by name.
fn resolved(to: &str) -> socketry_transport::PeerAddr {
    use std::net::ToSocketAddrs;
    let (host, port) = to
        .parse::<Endpoint>()
        .unwrap()
        .host_port()
        .map(|(h, p)| (h.into_owned(), p))
        .unwrap();
    let mut found = (host.as_str(), port).to_socket_addrs().unwrap();
    found.next().unwrap().into()
}

async fn until_both(member: &OsDatagram) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let mut buf = [0; 10];
        let receiving = timeout(Duration::from_secs(20), recv_from(member, &mut buf));
        let (len, _, from) = receiving.await.expect("a group is not heard").unwrap();
        assert_eq!(from.local(), None, "a group is no address to answer from");
        let words = String::from_utf8(buf[..len].to_vec()).unwrap();
        if words == "both" {
            return all;
        }
        all.push(words);
    }
}

#[test]
fn of_ipv4_only_its_own_are_heard() {
    alone("groups::of_ipv4_only_its_own_are_heard", DEVICE, async {
        let groups = heard("0.0.0.0", "239.1.0.1", "239.1.0.2", "239.1.0.3").await;
        assert_eq!(groups, [["one"], ["two"]]);
    });
}

#[test]
fn of_ipv6_only_its_own_are_heard() {
    alone("groups::of_ipv6_only_its_own_are_heard", DEVICE, async {
        let groups = heard("[::]", "ff02::1:1", "ff02::1:2", "ff02::1:3").await;
        assert_eq!(groups, [["one"], ["two"]]);
    });
}

#[test]
fn of_ipv4_on_a_socket_of_both_too() {
    alone("groups::of_ipv4_on_a_socket_of_both_too", DEVICE, async {
        let groups = heard("[::]", "239.1.0.1", "239.1.0.2", "239.1.0.3").await;
        assert_eq!(groups, [["one"], ["two"]]);
    });
}
