//! A socket that is bound to all addresses of a machine answers from the one that was asked: a
//! client that is connected to that one takes nothing from another.

use std::future::poll_fn;
use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use socketry_transport::{
    Batch, DatagramSocket, Endpoint, Half, Listener, OsDatagram, PeerAddr, RecvExt, RecvHalf,
    SendExt, SendHalf, Transport, UdpTransport, recv_from, send_to,
};
use tokio::net::UdpSocket;
use tokio::process::Command;
use tokio::time::timeout;

use crate::alone::alone;
use crate::tools;

/// What hangs, hangs longer.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where a socket listens, and at which address a client asks.
const ASKED: [(&str, &str); 6] = [
    ("udp://0.0.0.0:0", "127.0.0.1"),
    ("udp://0.0.0.0:0", "127.0.0.2"),
    ("udp://[::]:0", "::1"),
    ("udp://[::]:0", "127.0.0.1"),
    ("udp://[::]:0", "127.0.0.2"),
    ("udp://[::]:0?only_v6=true", "::1"),
];

async fn bound(at: &str) -> OsDatagram {
    let at: Endpoint = at.parse().unwrap();
    UdpTransport::default().bind(&at).await.unwrap()
}

fn port(at: &Endpoint) -> u16 {
    at.socket_addr().unwrap().port()
}

/// A client that the kernel gives nothing from elsewhere.
async fn client(asked: &str, port: u16) -> UdpSocket {
    let asked: IpAddr = asked.parse().unwrap();
    let any: SocketAddr = if asked.is_ipv4() {
        ([0; 4], 0).into()
    } else {
        ([0; 8], 0).into()
    };
    let socket = UdpSocket::bind(any).await.unwrap();
    socket.connect((asked, port)).await.unwrap();
    socket
}

async fn heard(client: &UdpSocket) -> Vec<u8> {
    let mut buf = [0; 2000];
    let receiving = timeout(DEADLINE, client.recv(&mut buf));
    let len = receiving.await.expect("no answer came").unwrap();
    buf[..len].to_vec()
}

fn is(local: Option<IpAddr>, asked: &str) -> bool {
    local.map(|local| local.to_canonical()) == asked.parse().ok()
}

#[tokio::test]
async fn an_unconnected_socket_answers_from_there() {
    for (at, asked) in ASKED {
        let server = bound(at).await;
        let client = client(asked, port(server.local())).await;
        client.send(b"one").await.unwrap();
        let mut buf = [0; 100];
        let (len, _, from) = recv_from(&server, &mut buf).await.unwrap();
        assert!(is(from.local(), asked), "{at} {asked}: {from:?}");
        send_to(&server, &buf[..len], &from).await.unwrap();
        assert_eq!(heard(&client).await, b"one", "{at} {asked}");
        server
            .try_send_to(&[IoSlice::new(b"tw"), IoSlice::new(b"o")], &from)
            .unwrap();
        assert_eq!(heard(&client).await, b"two", "{at} {asked}");
    }
}

#[tokio::test]
async fn so_do_batches_and_runs_and_singles_after_them() {
    for (at, asked) in ASKED {
        let server = bound(at).await;
        let client = client(asked, port(server.local())).await;
        client.send(b"one").await.unwrap();
        let mut batch = Batch::new();
        poll_fn(|cx| server.poll_recv_batch(cx, &mut batch))
            .await
            .unwrap();
        let from = batch.iter().next().unwrap().from.unwrap().clone();
        assert!(is(from.local(), asked), "{at} {asked}: {from:?}");
        assert_eq!(server.try_send_run(b"abcde", 2, &from).unwrap(), 5);
        for due in ["ab", "cd", "e"] {
            assert_eq!(heard(&client).await, due.as_bytes(), "{at} {asked}");
        }
        client.send(b"two").await.unwrap();
        let (_, _, from) = recv_from(&server, &mut [0; 100]).await.unwrap();
        send_to(&server, b"two", &from).await.unwrap();
        assert_eq!(heard(&client).await, b"two", "{at} {asked}");
    }
}

#[tokio::test]
async fn sessions_do_and_say_so() {
    for (at, asked) in ASKED {
        let mut server = UdpTransport::default()
            .listen(&at.parse().unwrap())
            .await
            .unwrap();
        let client = client(asked, port(server.local())).await;
        client.send(b"one").await.unwrap();
        let mut session = server.accept().await.unwrap();
        let local = session.local().socket_addr().unwrap();
        assert!(is(Some(local.ip()), asked), "{at} {asked}: {local}");
        assert_eq!(local.port(), port(server.local()));
        let mut buf = [0; 100];
        let (len, _) = session.recv(&mut buf).await.unwrap();
        session.send_all(&buf[..len]).await.unwrap();
        assert_eq!(heard(&client).await, b"one", "{at} {asked}");
        poll_fn(|cx| session.poll_send_run(cx, b"abc", 2))
            .await
            .unwrap();
        assert_eq!(heard(&client).await, b"ab", "{at} {asked}");
        assert_eq!(heard(&client).await, b"c", "{at} {asked}");
    }
}

#[tokio::test]
async fn a_peer_that_asks_two_addresses_has_a_session_with_each() {
    let mut server = UdpTransport::default()
        .listen(&"udp://0.0.0.0:0".parse().unwrap())
        .await
        .unwrap();
    let port = port(server.local());
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for host in ["127.0.0.1", "127.0.0.2"] {
        client.send_to(b"ask", (host, port)).await.unwrap();
    }
    let accepting = async {
        [
            server.accept().await.unwrap(),
            server.accept().await.unwrap(),
        ]
    };
    let mut sessions = timeout(DEADLINE, accepting).await.expect("it is one");
    assert_eq!(sessions[0].peer(), sessions[1].peer());
    // The last to ask is not the first to be answered.
    for (session, host) in sessions.iter_mut().zip(["127.0.0.1", "127.0.0.2"]) {
        session.send_all(b"answer").await.unwrap();
        let (_, from) = client.recv_from(&mut [0; 10]).await.unwrap();
        assert_eq!(from, (host.parse::<IpAddr>().unwrap(), port).into());
    }
    client.send_to(b"more", ("127.0.0.1", port)).await.unwrap();
    let mut batch = Batch::new();
    while batch.len() < 2 {
        poll_fn(|cx| sessions[0].poll_recv_batch(cx, &mut batch))
            .await
            .map(drop)
            .unwrap();
    }
    let got: Vec<_> = batch.iter().map(|datagram| datagram.bytes).collect();
    assert_eq!(got, [&b"ask"[..], b"more"]);
}

/// Only the socket that was asked answers from there: another one may not be bound to it.
#[tokio::test]
async fn what_was_asked_of_one_socket_does_not_bind_another() {
    let (asked, other) = (
        bound("udp://0.0.0.0:0").await,
        bound("udp://127.0.0.1:0").await,
    );
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client
        .send_to(b"ask", ("127.0.0.2", port(asked.local())))
        .await
        .unwrap();
    let (_, _, from) = recv_from(&asked, &mut [0; 10]).await.unwrap();
    send_to(&other, b"answer", &from).await.unwrap();
    let (_, answered) = client.recv_from(&mut [0; 10]).await.unwrap();
    assert_eq!(Some(answered), other.local().socket_addr());
}

#[tokio::test]
async fn who_a_peer_is_does_not_depend_on_what_it_asked() {
    use std::collections::HashSet;
    let server = bound("udp://0.0.0.0:0").await;
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut peers = HashSet::new();
    for host in ["127.0.0.1", "127.0.0.2"] {
        let to = (host, port(server.local()));
        client.send_to(b"ask", to).await.unwrap();
        peers.insert(recv_from(&server, &mut [0; 10]).await.unwrap().2);
    }
    peers.insert(PeerAddr::from(client.local_addr().unwrap()));
    assert_eq!(peers.len(), 1);
}

/// An address that is none of this machine's any more, or never was one to send from, is no reason
/// not to answer.
#[tokio::test]
async fn where_nothing_can_leave_from_the_kernel_chooses() {
    for (at, nowhere) in [
        ("udp://0.0.0.0:0", "192.0.2.1"),
        ("udp://[::]:0", "2001:db8::1"),
        ("udp://[::]:0", "::ffff:192.0.2.1"),
    ] {
        let server = bound(at).await;
        let host = if nowhere.starts_with("2001") {
            "::1"
        } else {
            "127.0.0.1"
        };
        let client = client(host, port(server.local())).await;
        client.send(b"ask").await.unwrap();
        let (_, _, from) = recv_from(&server, &mut [0; 10]).await.unwrap();
        let PeerAddr::Ip { address, .. } = from else {
            unreachable!()
        };
        let local = Some(nowhere.parse().unwrap());
        let from = PeerAddr::Ip { address, local };
        send_to(&server, b"answer", &from).await.unwrap();
        assert_eq!(heard(&client).await, b"answer", "{at} {nowhere}");
        // All of it in one call still: nothing was wrong with the run.
        for _ in 0..2 {
            assert_eq!(server.try_send_run(b"abcd", 2, &from).unwrap(), 4);
            assert_eq!(heard(&client).await, b"ab");
            assert_eq!(heard(&client).await, b"cd");
        }
    }
}

/// Clients that are other programs.
#[tokio::test]
async fn real_clients_get_their_answers() {
    let python = "import socket, sys\n\
                  family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET\n\
                  s = socket.socket(family, socket.SOCK_DGRAM)\n\
                  s.settimeout(20); s.connect((sys.argv[1], int(sys.argv[2]))); s.send(b'ask')\n\
                  sys.stdout.buffer.write(s.recv(100))";
    for (at, asked) in ASKED {
        let mut server = UdpTransport::default()
            .listen(&at.parse().unwrap())
            .await
            .unwrap();
        let port = port(server.local());
        tokio::spawn(async move {
            while let Ok(mut session) = server.accept().await {
                let mut buf = [0; 100];
                let (len, _) = session.recv(&mut buf).await.unwrap();
                session.send_all(&buf[..len]).await.unwrap();
            }
        });
        let mut client = Command::new("python3");
        client.args(["-c", python, asked, &port.to_string()]);
        assert_eq!(said(client).await, "ask", "{at} {asked}");
        if !tools::has("socat") {
            continue;
        }
        let to = match asked.contains(':') {
            true => format!("UDP6:[{asked}]:{port}"),
            false => format!("UDP4:{asked}:{port}"),
        };
        let mut client = Command::new("sh");
        client.args([
            "-c",
            &format!("printf ask | socat -t20 - {to},shut-none,readbytes=3"),
        ]);
        assert_eq!(said(client).await, "ask", "{at} {asked}");
    }
}

async fn said(mut client: Command) -> String {
    let output = client.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(DEADLINE, output).await.expect("it hangs").unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A device with an address in a network of its own, and one on its link.
const DEVICE: &str = "ip link add one type veth peer name two; \
                      ip addr add 10.9.0.5/24 brd + dev one; ip addr add fe80::5/64 dev one nodad; \
                      ip link set one up; ip link set two up";

/// A broadcast address cannot be the source of an answer, so the kernel chooses another one.
#[test]
fn a_call_to_everybody_is_answered_by_somebody() {
    alone(
        "asked::a_call_to_everybody_is_answered_by_somebody",
        DEVICE,
        async {
            let server = bound("udp://0.0.0.0:0").await;
            let client = UdpSocket::bind("10.9.0.5:0").await.unwrap();
            client.set_broadcast(true).unwrap();
            let mut batch = Batch::new();
            for everybody in ["10.9.0.255", "255.255.255.255"] {
                let to = (everybody, port(server.local()));
                client.send_to(b"ask", to).await.unwrap();
                let (_, _, from) = recv_from(&server, &mut [0; 10]).await.unwrap();
                answered(&server, &from, &client).await;
            }
            for everybody in ["10.9.0.255", "255.255.255.255"] {
                let to = (everybody, port(server.local()));
                client.send_to(b"ask", to).await.unwrap();
                poll_fn(|cx| server.poll_recv_batch(cx, &mut batch))
                    .await
                    .unwrap();
                let from = batch.iter().next().unwrap().from.unwrap().clone();
                answered(&server, &from, &client).await;
                batch.clear();
            }
        },
    );
}

/// One by one and as a run, from the address of the device.
async fn answered(server: &OsDatagram, from: &PeerAddr, client: &UdpSocket) {
    send_to(server, b"answer", from).await.unwrap();
    assert_eq!(server.try_send_run(b"answer", 3, from).unwrap(), 6);
    for due in ["answer", "ans", "wer"] {
        let mut buf = [0; 10];
        let (len, from) = client.recv_from(&mut buf).await.unwrap();
        assert_eq!(&buf[..len], due.as_bytes());
        assert_eq!(from, ([10, 9, 0, 5], port(server.local())).into());
    }
}

#[test]
fn an_address_on_a_link_is_answered_from() {
    alone(
        "asked::an_address_on_a_link_is_answered_from",
        DEVICE,
        async {
            let mut server = UdpTransport::default()
                .listen(&"udp://[::]:0".parse().unwrap())
                .await
                .unwrap();
            let asked = format!("udp://[fe80::5%25one]:{}", port(server.local()));
            let mut client = UdpTransport::default()
                .connect(&asked.parse().unwrap())
                .await
                .unwrap();
            client.send_all(b"ask").await.unwrap();
            let mut session = server.accept().await.unwrap();
            assert_eq!(session.local(), client.peer());
            assert_eq!(session.peer(), client.local());
            session.send_all(b"answer").await.unwrap();
            let mut buf = [0; 10];
            let (len, _) = client.recv(&mut buf).await.unwrap();
            assert_eq!(&buf[..len], b"answer");
        },
    );
}
