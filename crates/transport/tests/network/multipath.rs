//! Multipath TCP, against Python, with a second path, and with peers that have none.
//!
//! A kernel without MPTCP runs the test of the errors alone.

use std::time::Duration;

use socketry_transport::{
    Endpoint, ErrorKind, Half, Listener, Mptcp, OsListener, OsSocket, RecvExt, SendExt,
    SocketOptions, SocketParts, TcpTransport, Transport, connect, listen,
};
use tokio::process::{Child, Command};

use crate::alone::alone;
use crate::far::{CABLES, Far, here};
use crate::tools;

/// `IPPROTO_MPTCP` in programs of Python, some of which have no name for it.
const PROTOCOL: i32 = 262;

fn there_is_mptcp() -> bool {
    let on = std::fs::read_to_string("/proc/sys/net/mptcp/enabled");
    tools::may("MPTCP", on.is_ok_and(|on| on.trim() == "1"))
}

fn at(text: &str) -> Endpoint {
    text.parse().unwrap()
}

/// The listener itself, which counts.
async fn listener(options: &str) -> socketry_transport::NameListener<OsListener> {
    let at = at(&format!("tcp://127.0.0.1:0?mptcp=true{options}"));
    TcpTransport::default().listen(&at).await.unwrap()
}

fn paths(socket: &impl Half) -> Option<u32> {
    let mptcp = socket.info().get::<Mptcp>().expect("it was asked for");
    mptcp.paths().unwrap()
}

/// A client in Python of this protocol, which sends a line and waits for the end.
fn client(protocol: i32, port: u16) -> Child {
    let program = format!(
        "import socket\n\
         s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, {protocol})\n\
         s.connect(('127.0.0.1', {port}))\n\
         s.sendall(b'line\\n')\n\
         while s.recv(100): pass\n"
    );
    let mut command = Command::new("python3");
    command.args(["-c", &program]).kill_on_drop(true);
    command.spawn().unwrap()
}

async fn line(socket: &mut OsSocket) {
    let mut buf = [0; 16];
    let (len, _) = socket.recv(&mut buf).await.unwrap();
    assert_eq!(&buf[..len], b"line\n");
}

#[tokio::test]
async fn both_ends_know_that_it_is_mptcp() {
    if !there_is_mptcp() {
        return;
    }
    let mut listener = listener("").await;
    let to = listener.local().clone().with("mptcp", true);
    let mut client = connect(&to).await.unwrap();
    let mut accepted = listener.accept().await.unwrap();
    client.send_all(b"line\n").await.unwrap();
    line(&mut accepted).await;
    assert_eq!((paths(&client), paths(&accepted)), (Some(1), Some(1)));
    let mptcp = accepted.info().get::<Mptcp>().unwrap().clone();
    assert!(mptcp.refused().unwrap().is_empty());
    assert_eq!(
        SocketOptions::read_back(&accepted).unwrap().mptcp,
        Some(true)
    );
    drop(accepted);
    let error = mptcp.paths().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
    let plain = connect(listener.local()).await.unwrap();
    assert!(plain.info().get::<Mptcp>().is_none(), "nobody asked for it");
}

/// The options that MPTCP refuses, on sockets that are MPTCP and on those that are not.
#[tokio::test]
async fn an_accepted_socket_has_the_options_that_it_takes() {
    if !there_is_mptcp() || !tools::has("python3") {
        return;
    }
    let mut listener = listener("&user_timeout=5s&ttl=9&notsent_lowat=16KiB&priority=3").await;
    let port = listener.local().port().unwrap();
    let wanted = |read: &SocketOptions| {
        let seconds = read.user_timeout.map(|time| time.as_secs());
        (seconds, read.ttl, read.notsent_lowat, read.priority)
    };

    let _plain = client(0, port);
    let mut accepted = listener.accept().await.unwrap();
    line(&mut accepted).await;
    assert_eq!(paths(&accepted), None);
    assert!(
        accepted
            .info()
            .get::<Mptcp>()
            .unwrap()
            .refused()
            .unwrap()
            .is_empty()
    );
    let read = SocketOptions::read_back(&accepted).unwrap();
    assert_eq!(wanted(&read), (Some(5), Some(9), Some(16_384), Some(3)));
    assert_eq!(read.mptcp, Some(false));

    let _multipath = client(PROTOCOL, port);
    let mut accepted = listener.accept().await.unwrap();
    line(&mut accepted).await;
    assert_eq!(paths(&accepted), Some(1));
    // Later kernels may take more of them, and those that refuse one do not have it.
    let refused = accepted.info().get::<Mptcp>().unwrap().refused().unwrap();
    let read = SocketOptions::read_back(&accepted).unwrap();
    assert_eq!(
        read.user_timeout.is_none(),
        refused.contains(&"user_timeout")
    );
    assert_eq!(read.ttl.is_none(), refused.contains(&"ttl"));
    assert_eq!(read.priority, Some(3));
    assert!(!refused.is_empty(), "no option is left to test with");
    let counted: Vec<_> = listener.listeners().map(OsListener::unapplied).collect();
    assert_eq!(counted, [1]);
}

#[tokio::test]
async fn a_server_without_it_is_served_over_tcp() {
    if !there_is_mptcp() {
        return;
    }
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let to = listener.local().clone().with("mptcp", true);
    let mut client = connect(&to).await.unwrap();
    let mut accepted = listener.accept().await.unwrap();
    client.send_all(b"words").await.unwrap();
    assert_eq!(accepted.recv(&mut [0; 16]).await.unwrap().0, 5);
    assert_eq!(paths(&client), None);
}

#[tokio::test]
async fn an_option_that_mptcp_refuses_is_an_error_for_a_client() {
    if !there_is_mptcp() {
        return;
    }
    let listener = listener("").await;
    let to = listener.local().clone().with("mptcp", true).with("ttl", 9);
    let error = connect(&to).await.err().unwrap().to_string();
    for words in [
        "set option ttl on tcp://127.0.0.1:",
        "leave out ttl, or mptcp",
    ] {
        assert!(error.contains(words), "{error}");
    }
}

/// As a service manager would hand it over (`SocketProtocol=mptcp` of systemd).
#[tokio::test]
async fn a_listener_from_elsewhere_is_asked_too() {
    if !there_is_mptcp() {
        return;
    }
    let parts = SocketParts::new(libc::AF_INET, libc::SOCK_STREAM, PROTOCOL).unwrap();
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    parts.as_socket().bind(&any.into()).unwrap();
    parts.as_socket().listen(8).unwrap();
    let mut listener = parts.listening().unwrap();
    let to = listener.local().clone();
    let _plain = connect(&to).await.unwrap();
    assert_eq!(paths(&listener.accept().await.unwrap()), None);
    let _multipath = connect(&to.with("mptcp", true)).await.unwrap();
    assert_eq!(paths(&listener.accept().await.unwrap()), Some(1));
}

/// Repeats what comes, over as many paths as the client offers.
const ECHO: &str = "
sh('ip mptcp limits set subflow 2')
l = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
l.bind(('10.9.0.2', 7000))
l.listen()
say('ready')
s, _ = l.accept()
while data := s.recv(1000):
    s.sendall(data)
";

/// The second address has a way of its own to the server.
const SECOND_PATH: &str = "
    ip mptcp limits set subflow 2
    ip mptcp endpoint add 10.8.0.1 dev vc subflow
    ip route add 10.9.0.2 via 10.8.0.2 dev vc table 5
    ip rule add from 10.8.0.1 table 5
";

#[test]
fn a_connection_outlives_its_first_path() {
    if !there_is_mptcp() {
        return;
    }
    let name = "multipath::a_connection_outlives_its_first_path";
    alone(name, &format!("{CABLES}{SECOND_PATH}"), async {
        let mut far = Far::start(ECHO).await;
        assert_eq!(far.says().await, "ready");
        let mut socket = connect("tcp://10.9.0.2:7000?mptcp=true").await.unwrap();
        let echoed = async |socket: &mut socketry_transport::BoxSocket| {
            let mut buf = [0; 16];
            socket.send_all(b"x").await.unwrap();
            assert_eq!(socket.recv(&mut buf).await.unwrap().0, 1);
        };
        // The kernel opens the second one once the first has carried bytes.
        while paths(&socket) != Some(2) {
            echoed(&mut socket).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        here("ip link set va down").await;
        for _ in 0..3 {
            echoed(&mut socket).await;
        }
    });
}

#[test]
fn a_system_without_mptcp_says_how_to_get_it() {
    let name = "multipath::a_system_without_mptcp_says_how_to_get_it";
    let off = "echo 0 > /proc/sys/net/mptcp/enabled || true";
    alone(name, off, async {
        let url = "tcp://127.0.0.1:1?mptcp=true";
        let listening = listen(url).await.err().unwrap();
        let connecting = connect(url).await.err().unwrap();
        for error in [listening, connecting] {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let words = error.to_string();
            assert!(
                words.starts_with(&format!("cannot set option mptcp on {url}: ")),
                "{words}"
            );
            assert!(words.contains("sysctl -w net.mptcp.enabled=1"), "{words}");
        }
        listen("tcp://127.0.0.1:0?mptcp=false").await.unwrap();
    });
}
