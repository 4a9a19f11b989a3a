//! Options reach the kernel.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use super::{at, seconds};
use crate::contract::error::ErrorKind;
use crate::options::{SocketOptions, TCP, UDP, UNIX_DGRAM};

/// The options that were set, except that those of `read` replace the ones that Linux doubles or
/// that were not set.
fn assert_applied(asked: &SocketOptions, read: &SocketOptions) {
    for (asked, read) in [
        (asked.send_buffer, read.send_buffer),
        (asked.recv_buffer, read.recv_buffer),
    ] {
        let (Some(asked), Some(read)) = (asked, read) else {
            continue;
        };
        assert!(
            read == asked || read == 2 * asked,
            "asked for {asked}, got {read}"
        );
    }
    let sized = SocketOptions {
        send_buffer: read.send_buffer,
        recv_buffer: read.recv_buffer,
        ..asked.clone()
    };
    assert_eq!(&sized.over(read), read);
}

#[test]
fn tcp_options_applied_are_options_read_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let endpoint = at(
        "tcp://h:1?nodelay=true&keepalive=59.5s&keepalive_interval=7&keepalive_retries=4&linger=3\
         &send_buffer=16KiB&recv_buffer=16KiB&ttl=33&tos=16&reuse_address=true&reuse_port=true",
    );
    #[cfg(target_os = "linux")]
    let endpoint = endpoint
        .with("priority", 4)
        .with("user_timeout", "1500us")
        .with("congestion", "reno")
        .with("notsent_lowat", "16KiB");
    let options = SocketOptions::from_query(&endpoint, TCP).unwrap();
    options.apply(&stream, &endpoint).unwrap();
    let read = SocketOptions::read_back(&stream).unwrap();
    let asked = SocketOptions {
        keepalive: seconds(60),
        user_timeout: read.user_timeout,
        ..options
    };
    assert_applied(&asked, &read);
    assert_eq!((read.broadcast, read.bind_device), (None, None));
    #[cfg(target_os = "linux")]
    assert_eq!(
        (read.user_timeout, read.mptcp, read.fastopen),
        (Some(Duration::from_millis(2)), Some(false), Some(false))
    );

    let other = SocketOptions::read_back(&listener).unwrap();
    assert_eq!(
        (other.nodelay, other.linger, other.keepalive),
        (Some(false), None, seconds(0))
    );
}

#[test]
fn keepalive_is_switched_off_whatever_a_default_or_another_option_says() {
    let base = SocketOptions {
        keepalive: seconds(60),
        keepalive_interval: seconds(15),
        keepalive_retries: Some(4),
        ..SocketOptions::default()
    };
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    for (query, read) in [
        ("ttl=9", seconds(60)),
        ("keepalive=off", seconds(0)),
        ("keepalive=7", seconds(7)),
        ("keepalive=0", seconds(0)),
        ("keepalive_interval=1", seconds(60)),
        (
            "keepalive=off&keepalive_interval=1&keepalive_retries=1",
            seconds(0),
        ),
    ] {
        let endpoint = at(&format!("tcp://h:1?{query}"));
        let options = base.resolve(&endpoint, TCP).unwrap();
        options.apply(&socket, &endpoint).unwrap();
        let found = SocketOptions::read_back(&socket).unwrap().keepalive;
        assert_eq!(found, read, "{query}");
    }
}

#[test]
fn a_short_linger_does_not_become_the_one_that_resets() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    for (asked, read) in [("1ms", seconds(1)), ("0", seconds(0))] {
        let endpoint = at("tcp://h:1").with("linger", asked);
        let options = SocketOptions::from_query(&endpoint, TCP).unwrap();
        options.apply(&socket, &endpoint).unwrap();
        assert_eq!(SocketOptions::read_back(&socket).unwrap().linger, read);
    }
}

#[test]
fn options_before_bind_hold_on_a_listener_and_its_children() {
    let endpoint = at("tcp://127.0.0.1:0?reuse_port=true&recv_buffer=32KiB&ttl=9&nodelay=true");
    let options = SocketOptions::from_query(&endpoint, TCP).unwrap();
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    options.apply_before_bind(&listener, &endpoint).unwrap();
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    listener.bind(&any_port.into()).unwrap();
    options.apply_after_bind(&listener, &endpoint).unwrap();
    listener.listen(1).unwrap();
    let bound = listener.local_addr().unwrap().as_socket().unwrap();
    let _client = TcpStream::connect(bound).unwrap();
    let (child, _) = listener.accept().unwrap();
    assert_applied(&options, &SocketOptions::read_back(&listener).unwrap());
    assert_applied(&options, &SocketOptions::read_back(&child).unwrap());
}

#[test]
fn udp_options_applied_are_options_read_back() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let endpoint = at("udp://h:1?broadcast=true&ttl=5&tos=184&send_buffer=64KiB&recv_buffer=8KiB");
    let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
    options.apply(&socket, &endpoint).unwrap();
    let read = SocketOptions::read_back(&socket).unwrap();
    assert_applied(&options, &read);
    assert_eq!(read.nodelay, None);
    assert_eq!(socket.multicast_ttl_v4().unwrap(), 5);
}

/// A fresh IPv6 socket, or nothing where the system has no IPv6.
fn v6_socket(kind: Type) -> Option<Socket> {
    Socket::new(Domain::IPV6, kind, None).ok()
}

#[test]
fn ipv6_has_options_of_its_own_names() {
    let Some(socket) = v6_socket(Type::DGRAM) else {
        return;
    };
    let endpoint = at("udp://[::]:0?only_v6=true&ttl=5&tos=184");
    let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
    options.apply(&socket, &endpoint).unwrap();
    assert_applied(&options, &SocketOptions::read_back(&socket).unwrap());
    assert_eq!(socket.multicast_hops_v6().unwrap(), 5);
    assert_ne!(socket.ttl_v4().unwrap(), 5);
}

#[test]
#[cfg(target_os = "linux")]
fn a_socket_for_both_families_has_both_limits() {
    for kind in [Type::DGRAM, Type::STREAM] {
        let Some(socket) = v6_socket(kind) else {
            return;
        };
        let endpoint = at("udp://[::]:0?only_v6=false&ttl=5&tos=184");
        let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
        options.apply(&socket, &endpoint).unwrap();
        assert_applied(&options, &SocketOptions::read_back(&socket).unwrap());
        assert_eq!(
            (socket.ttl_v4().unwrap(), socket.tos_v4().unwrap()),
            (5, 184)
        );
    }
}

#[test]
fn unix_buffers_applied_are_buffers_read_back() {
    let (socket, _peer) = UnixDatagram::pair().unwrap();
    let endpoint = at("unix-dgram://x?send_buffer=64KiB&recv_buffer=32KiB");
    let options = SocketOptions::from_query(&endpoint, UNIX_DGRAM).unwrap();
    options.apply(&socket, &endpoint).unwrap();
    let read = SocketOptions::read_back(&socket).unwrap();
    assert_applied(&options, &read);
    assert_eq!(read.set_keys(), ["send_buffer", "recv_buffer"]);
}

#[test]
fn what_the_kernel_refuses_is_named() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let refusals = [
        ("ttl=0", "set option ttl on"),
        ("only_v6=true", "set option only_v6 on"),
        ("join=ff02::1", "set option join on"),
        ("join=239.1.2.3@nosuchdevice", "set option join on"),
        ("bind_device=nosuchdevice", "set option bind_device on"),
        ("bind_device=lo%00", "set option bind_device on"),
        ("bind_device=", "set option bind_device on"),
        ("interface=nosuchdevice", "set option interface on"),
    ];
    for (query, action) in refusals {
        let endpoint = at(&format!("udp://127.0.0.1:9?{query}"));
        let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
        let error = options.apply(&socket, &endpoint).unwrap_err();
        let words = error.to_string();
        assert!(
            words.starts_with(&format!("cannot {action} udp://127.0.0.1:9?")),
            "{words}"
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_interface_is_found_by_its_name() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let endpoint = at("udp://h:1?join=239.255.1.2@lo");
    let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
    options.apply(&socket, &endpoint).unwrap();
    let again = options.apply(&socket, &endpoint).unwrap_err();
    assert_eq!(
        again.kind(),
        ErrorKind::InUse,
        "a group is joined once: {again}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_device_that_was_bound_to_is_read_back() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let endpoint = at("udp://h:1?bind_device=lo");
    let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
    match options.apply(&socket, &endpoint) {
        // Linux before 5.7 asks for privileges.
        Err(error) if error.kind() == ErrorKind::Denied => (),
        applied => {
            applied.unwrap();
            let read = SocketOptions::read_back(&socket).unwrap();
            assert_eq!(read.bind_device.as_deref(), Some("lo"));
        }
    }
}

fn refused(socket: &impl std::os::fd::AsFd, query: &str) -> String {
    let endpoint = at(&format!("tcp://h:1?{query}"));
    let options = SocketOptions::from_query(&endpoint, SocketOptions::KEYS).unwrap();
    options.apply(socket, &endpoint).unwrap_err().to_string()
}

/// The kernel would cut the name, and take the device or the algorithm of what is left.
#[test]
#[cfg(target_os = "linux")]
fn a_name_that_the_kernel_would_cut_is_refused() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    for query in [
        "congestion=reno%00",
        "bind_device=lo%00x",
        "interface=lo%00",
    ] {
        let words = refused(&socket, query);
        assert!(words.contains("1 to 15 bytes, none of them 0"), "{words}");
    }
    for key in ["congestion", "bind_device", "interface"] {
        let words = refused(&socket, &format!("{key}={}", "x".repeat(16)));
        assert!(words.contains("1 to 15 bytes"), "{words}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_refusal_lists_what_there_is() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let words = refused(&socket, "congestion=nosuch");
    // Linux always has it.
    assert!(
        words.contains("; this kernel has ") && words.contains("reno"),
        "{words}"
    );
    for query in [
        "bind_device=nosuch",
        "interface=nosuch",
        "interface=2147483647",
    ] {
        let words = refused(&socket, query);
        assert!(
            words.contains("; there are ") && words.contains("lo"),
            "{words}"
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_priority_wins_over_that_of_the_type_of_service() {
    for kind in [Type::DGRAM, Type::STREAM] {
        let families = [Socket::new(Domain::IPV4, kind, None).ok(), v6_socket(kind)];
        for socket in families.into_iter().flatten() {
            let endpoint = at("udp://h:1?priority=3&tos=16");
            let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
            options.apply(&socket, &endpoint).unwrap();
            assert_applied(&options, &SocketOptions::read_back(&socket).unwrap());
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_interface_is_read_back_by_its_name() {
    let families = [
        Socket::new(Domain::IPV4, Type::DGRAM, None).ok(),
        v6_socket(Type::DGRAM),
    ];
    for socket in families.into_iter().flatten() {
        for name in ["lo", "1"] {
            let endpoint = at("udp://h:1").with("interface", name);
            let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
            options.apply(&socket, &endpoint).unwrap();
            let read = SocketOptions::read_back(&socket).unwrap();
            assert_eq!(read.interface.as_deref(), Some("lo"));
        }
    }
}

#[test]
fn a_size_above_the_kernels_numbers_is_its_largest() {
    let (socket, _peer) = UnixDatagram::pair().unwrap();
    let endpoint = at("unix-dgram://x?send_buffer=4GiB&recv_buffer=4GiB");
    let options = SocketOptions::from_query(&endpoint, UNIX_DGRAM).unwrap();
    let before = SocketOptions::read_back(&socket).unwrap();
    match options.apply(&socket, &endpoint) {
        // Other systems refuse what they do not give.
        Err(_) if cfg!(not(target_os = "linux")) => (),
        applied => {
            applied.unwrap();
            let read = SocketOptions::read_back(&socket).unwrap();
            assert!(read.send_buffer >= before.send_buffer, "{read:?}");
            assert!(read.recv_buffer >= before.recv_buffer, "{read:?}");
        }
    }
}

/// A program that says nothing relies on them.
#[test]
fn what_is_sent_to_a_joined_group_arrives() {
    const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 77, 1);
    let receiver = UdpSocket::bind("0.0.0.0:0").unwrap();
    let endpoint = at("udp://0.0.0.0:0").with("join", format!("{GROUP}@127.0.0.1"));
    let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
    options.apply(&receiver, &endpoint).unwrap();
    receiver.set_read_timeout(seconds(5)).unwrap();

    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    SockRef::from(&sender)
        .set_multicast_if_v4(&Ipv4Addr::LOCALHOST)
        .unwrap();
    let port = receiver.local_addr().unwrap().port();
    match sender.send_to(b"to all", (GROUP, port)) {
        Err(error) if error.kind() == std::io::ErrorKind::NetworkUnreachable => return,
        sent => assert_eq!(sent.unwrap(), 6),
    }
    let mut buf = [0; 16];
    let (len, _) = receiver.recv_from(&mut buf).unwrap();
    assert_eq!(&buf[..len], b"to all");
}
