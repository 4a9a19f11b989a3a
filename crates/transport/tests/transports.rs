//! The standard transports, through the free functions and by their types.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use socketry_transport::{
    BoxSocket, Credentials, Cut, DatagramSocket, Endpoint, ErrorKind, FromIo, Half, Info, IntoIo,
    Listener, MemTransport, PeerAddr, Received, RecvExt, Registry, SendExt, SendHalf, Shape,
    Socket, SocketOptions, SocketParts, TcpTransport, Transport, UdpTransport, UnixDgramTransport,
    UnixTransport, connect, listen,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn unix(directory: &Path, name: &str) -> Endpoint {
    let path = directory.join(name);
    format!("unix://{}", path.display()).parse().unwrap()
}

fn dgram(directory: &Path, name: &str) -> Endpoint {
    let path = directory.join(name);
    format!("unix-dgram://{}", path.display()).parse().unwrap()
}

fn at(url: &str) -> Endpoint {
    url.parse().unwrap()
}

/// An endpoint of each kind, in a directory that lives as long as the test.
fn everywhere(directory: &Path) -> Vec<Endpoint> {
    let name = directory.file_name().unwrap().to_str().unwrap();
    vec![
        at("tcp://127.0.0.1:0"),
        at("tcp://[::1]:0"),
        at("tcp://localhost:0"),
        unix(directory, "stream"),
        at(&format!("unix://@{name}")),
        at("mem://*"),
        at("udp://127.0.0.1:0"),
        at("udp://[::1]:0"),
        dgram(directory, "dgram"),
        at(&format!("unix-dgram://@{name}")),
    ]
}

/// A client and the socket that the server accepted; the client has said "hello".
async fn pair(at: &Endpoint) -> (BoxSocket, BoxSocket) {
    let mut listener = listen(at).await.unwrap();
    let mut client = connect(listener.local()).await.unwrap();
    client.send_all(b"hello").await.unwrap();
    let mut accepted = listener.accept().await.unwrap();
    assert_eq!(accepted.local(), listener.local());
    let mut buf = [0; 16];
    assert_eq!(accepted.recv(&mut buf).await.unwrap(), (5, Received::Data));
    (client, accepted)
}

#[tokio::test]
async fn both_ends_talk_and_know_each_other() {
    let directory = tempfile::tempdir().unwrap();
    for at in everywhere(directory.path()) {
        let (mut client, mut server) = pair(&at).await;
        server.send_all(b"to you").await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(
            client.recv(&mut buf).await.unwrap(),
            (6, Received::Data),
            "{at}"
        );
        assert_eq!(&buf[..6], b"to you");
        assert_eq!(client.peer(), server.local(), "{at}");
        // A Unix stream client has no name; a datagram client had to bind one to be answered.
        if at.scheme() != "unix" {
            assert_eq!(server.peer(), client.local(), "{at}");
        }
    }
}

#[tokio::test]
async fn finishing_closes_one_direction_of_a_stream() {
    let directory = tempfile::tempdir().unwrap();
    for at in everywhere(directory.path()) {
        let (client, mut server) = pair(&at).await;
        if !client.shape().is_stream() {
            continue;
        }
        let (mut recv, mut send) = client.split();
        send.finish().await.unwrap();
        send.finish().await.unwrap();
        let mut buf = [0; 16];
        for _ in 0..2 {
            assert_eq!(
                server.recv(&mut buf).await.unwrap(),
                (0, Received::End),
                "{at}"
            );
        }
        server.send_all(b"still here").await.unwrap();
        assert_eq!(
            recv.recv(&mut buf).await.unwrap(),
            (10, Received::Data),
            "{at}"
        );
    }
}

#[tokio::test]
async fn dropping_a_half_says_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for at in everywhere(directory.path()) {
        let (client, mut server) = pair(&at).await;
        let (mut recv, send) = client.split();
        drop(send);
        server.send_all(b"more").await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(
            recv.recv(&mut buf).await.unwrap(),
            (4, Received::Data),
            "{at}"
        );
        if server.shape().is_stream() {
            let waiting = tokio::time::timeout(Duration::from_millis(20), server.recv(&mut buf));
            assert!(
                waiting.await.is_err(),
                "{at}: the peer saw the end too early"
            );
            drop(recv);
            assert_eq!(
                server.recv(&mut buf).await.unwrap().1,
                Received::End,
                "{at}"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_buffer_is_not_the_end() {
    let directory = tempfile::tempdir().unwrap();
    for at in everywhere(directory.path()) {
        let (mut client, mut server) = pair(&at).await;
        assert_eq!(
            server.recv(&mut []).await.unwrap(),
            (0, Received::Data),
            "{at}"
        );
        client.send_all(b"x").await.unwrap();
        let mut buf = [0; 16];
        assert_eq!(
            server.recv(&mut buf).await.unwrap(),
            (1, Received::Data),
            "{at}"
        );
    }
}

#[tokio::test]
async fn datagrams_keep_their_boundaries_and_their_limit() {
    let directory = tempfile::tempdir().unwrap();
    for at in everywhere(directory.path()) {
        let (mut client, mut server) = pair(&at).await;
        let Shape::Datagram { max_len } = client.shape() else {
            continue;
        };
        let mut buf = vec![0; max_len + 1];
        for len in [0, 1, 512, 1472, 9000, max_len] {
            let sent = vec![7; len];
            let (first, second) = sent.split_at(len / 2);
            let parts = [IoSlice::new(first), IoSlice::new(second)];
            let taken = std::future::poll_fn(|cx| client.poll_send(cx, &parts)).await;
            assert_eq!(taken.unwrap(), len, "{at}");
            assert_eq!(
                server.recv(&mut buf).await.unwrap(),
                (len, Received::Data),
                "{at}"
            );
        }
        let refused = client.send(&vec![0; max_len + 1]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        client.send_all(b"cut here").await.unwrap();
        assert_eq!(
            server.recv(&mut buf[..3]).await.unwrap(),
            (
                3,
                Received::Cut(Cut {
                    room: 3,
                    len: Some(8)
                })
            ),
            "{at}"
        );
        client.send_all(b"next").await.unwrap();
        assert_eq!(
            server.recv(&mut buf).await.unwrap(),
            (4, Received::Data),
            "{at}"
        );
    }
}

#[tokio::test]
async fn the_peer_is_who_was_reached() {
    for (listening, any, here) in [
        ("0.0.0.0", "0.0.0.0", "127.0.0.1"),
        ("[::]", "[::]", "[::1]"),
        ("0.0.0.0", "[::ffff:0.0.0.0]", "[::ffff:127.0.0.1]"),
    ] {
        let listener = listen(&format!("tcp://{listening}:0")).await.unwrap();
        let port = listener.local().socket_addr().unwrap().port();
        let client = connect(&format!("tcp://{any}:{port}")).await.unwrap();
        assert_eq!(client.peer().to_string(), format!("tcp://{here}:{port}"));
    }
}

#[tokio::test]
async fn a_failed_connect_is_a_value() {
    let directory = tempfile::tempdir().unwrap();
    let free = listen("tcp://127.0.0.1:0").await.unwrap().local().clone();
    std::fs::write(directory.path().join("plain"), "not a socket").unwrap();
    for (at, kind) in [
        (free.to_string(), ErrorKind::Refused),
        (
            unix(directory.path(), "nobody").to_string(),
            ErrorKind::NotFound,
        ),
        (
            unix(directory.path(), "plain").to_string(),
            ErrorKind::Refused,
        ),
        (
            dgram(directory.path(), "nobody").to_string(),
            ErrorKind::NotFound,
        ),
        ("mem://nobody".to_owned(), ErrorKind::Refused),
        (
            "tcp://no-such-host.invalid:1".to_owned(),
            ErrorKind::NotFound,
        ),
        ("tcp://127.0.0.1".to_owned(), ErrorKind::InvalidEndpoint),
        ("carrier-pigeon://roof".to_owned(), ErrorKind::UnknownScheme),
        (
            "tcp://127.0.0.1:1?mode=0600".to_owned(),
            ErrorKind::InvalidOption,
        ),
        ("unix://".to_owned(), ErrorKind::InvalidEndpoint),
    ] {
        let error = connect(&at).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{at}: {error}");
    }
    let refused = connect(&free).await.unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::ECONNREFUSED));
    let taken = listen(free).await.unwrap();
    assert_eq!(
        listen(taken.local()).await.unwrap_err().kind(),
        ErrorKind::InUse
    );
}

#[tokio::test]
async fn a_connect_that_nobody_answers_times_out() {
    // A listener that accepts no client, and whose backlog is full: a Unix connect waits for it.
    let directory = tempfile::tempdir().unwrap();
    let at = unix(directory.path(), "full").with("backlog", 1);
    let listener = listen(at).await.unwrap();
    let to = listener.local().clone().with("connect_timeout", "50ms");
    let mut waiting = Vec::new();
    let error = loop {
        match connect(&to).await {
            Ok(socket) => waiting.push(socket),
            Err(error) => break error,
        }
        assert!(waiting.len() < 100, "the backlog has no end");
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
}

#[tokio::test]
async fn an_unknown_scheme_lists_those_that_are() {
    let error = connect("sctp://h:1").await.unwrap_err().to_string();
    assert_eq!(
        error,
        "cannot connect to sctp://h:1: no transport is registered for 'sctp'; \
         the schemes here are fd, mem, mem-mux, stdio, systemd, tcp, udp, unix, unix-dgram, \
         unix-seqpacket"
    );
}

#[tokio::test]
async fn options_from_code_and_url_reach_the_kernel() {
    let options = SocketOptions {
        send_buffer: Some(32 * 1024),
        ..Default::default()
    };
    let tcp = TcpTransport::new(options);
    let mut listener = tcp.listen(&at("tcp://127.0.0.1:0")).await.unwrap();
    let to = listener.local().clone();
    let to = to
        .with("nodelay", false)
        .with("ttl", 7)
        .with("keepalive", "9s");
    let client = tcp.connect(&to).await.unwrap();
    let set = SocketOptions::read_back(&client).unwrap();
    assert_eq!((set.nodelay, set.ttl), (Some(false), Some(7)));
    assert_eq!(set.keepalive, Some(Duration::from_secs(9)));
    assert!(set.send_buffer.unwrap() >= 32 * 1024);
    let accepted = listener.accept().await.unwrap();
    let default = SocketOptions::read_back(&accepted).unwrap();
    assert_eq!(default.nodelay, Some(true));

    let udp = UdpTransport::new(SocketOptions {
        nodelay: Some(true),
        ..Default::default()
    });
    let error = udp.bind(&at("udp://127.0.0.1:0")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("'nodelay'"), "{error}");
}

#[tokio::test]
async fn a_stale_socket_file_is_taken_over_and_nothing_else_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    // A killed server leaves the file of a socket that is no longer open.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let at = unix(directory.path(), "app.sock");
    let refused = listen(at.clone().with("reclaim", false)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InUse);

    let listener = listen(&at).await.unwrap();
    for same in [at.clone(), dgram(directory.path(), "app.sock")] {
        let second = listen(same).await.unwrap_err();
        assert_eq!(second.kind(), ErrorKind::InUse);
        assert!(
            second.to_string().contains("another server listens there"),
            "{second}"
        );
    }
    drop(listener);
    assert!(!path.exists(), "a listener removes its file");

    std::fs::write(&path, "precious").unwrap();
    let error = listen(&at).await.unwrap_err();
    assert!(error.to_string().contains("no socket"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn a_listener_leaves_a_file_that_replaced_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let listener = listen(unix(directory.path(), "app.sock")).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "somebody else's").unwrap();
    drop(listener);
    assert!(path.exists());
}

#[tokio::test]
async fn the_mode_of_a_socket_file_is_set_exactly() {
    let directory = tempfile::tempdir().unwrap();
    for (at, mode) in [
        (unix(directory.path(), "private"), 0o600),
        (unix(directory.path(), "open"), 0o666),
        (dgram(directory.path(), "dgram"), 0o620),
    ] {
        let listener = listen(at.with("mode", format!("{mode:o}"))).await.unwrap();
        let path = listener.local().socket_path().unwrap();
        let found = std::fs::metadata(path).unwrap();
        assert!(found.file_type().is_socket());
        assert_eq!(found.permissions().mode() & 0o777, mode);
    }
}

#[tokio::test]
async fn the_kernel_vouches_for_unix_peers() {
    let directory = tempfile::tempdir().unwrap();
    let (client, server) = pair(&unix(directory.path(), "s")).await;
    for socket in [client, server] {
        let peer = *socket.info().get::<Credentials>().unwrap();
        assert_eq!(peer.pid, Some(i32::try_from(std::process::id()).unwrap()));
    }
    let (client, _server) = pair(&at("tcp://127.0.0.1:0")).await;
    assert_eq!(client.info().get::<Credentials>(), None);
}

/// Since Linux 6.5.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_unix_peers_process_has_a_descriptor() {
    use socketry_transport::PeerProcess;

    let directory = tempfile::tempdir().unwrap();
    let (client, server) = pair(&unix(directory.path(), "s")).await;
    for socket in [&client, &server] {
        let opened = socket.info().get::<PeerProcess>().unwrap().open();
        let old = matches!(&opened, Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT));
        if !tools::may("SO_PEERPIDFD", !old) {
            return;
        }
        let process = opened.unwrap();
        let shown = format!("/proc/self/fdinfo/{}", process.as_raw_fd());
        let shown = std::fs::read_to_string(shown).unwrap();
        let own = format!("Pid:\t{}", std::process::id());
        assert!(shown.lines().any(|line| line == own), "{shown}");
    }
    let info = server.info().clone();
    drop((client, server));
    let gone = info.get::<PeerProcess>().unwrap().open().unwrap_err();
    assert_eq!(gone.kind(), io::ErrorKind::NotConnected);
    let (client, _server) = pair(&at("tcp://127.0.0.1:0")).await;
    assert!(client.info().get::<PeerProcess>().is_none());
}

#[tokio::test]
async fn sockets_from_parts() {
    let parts = SocketParts::new(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_UDP).unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    parts.as_socket().bind(&any.into()).unwrap();
    assert_eq!(parts.bound().unwrap().local().scheme(), "udp");

    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut ours = SocketParts::from(OwnedFd::from(ours)).connected().unwrap();
    let mut theirs = SocketParts::from(OwnedFd::from(theirs))
        .connected()
        .unwrap();
    ours.send_all(b"by descriptor").await.unwrap();
    let mut buf = [0; 32];
    assert_eq!(theirs.recv(&mut buf).await.unwrap(), (13, Received::Data));

    let std = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut listener = SocketParts::from(OwnedFd::from(std)).listening().unwrap();
    let _client = connect(listener.local()).await.unwrap();
    listener.accept().await.unwrap();

    let not_listening = SocketParts::new(libc::AF_INET, libc::SOCK_STREAM, 0).unwrap();
    assert!(not_listening.listening().is_err());
}

#[tokio::test]
async fn anything_that_reads_and_writes_is_a_socket_and_back() {
    let (one, two) = tokio::io::duplex(64);
    let info = Info::new(Shape::Stream, at("pipe://one"), at("pipe://two"));
    let mut one = FromIo::from_io(one, info);
    let info = Info::new(Shape::Stream, at("pipe://two"), at("pipe://one"));
    let two = FromIo::from_io(two, info);
    one.send_all(b"through").await.unwrap();
    let mut two = IntoIo::new(two).unwrap();
    let mut buf = [0; 7];
    two.read_exact(&mut buf).await.unwrap();
    assert_eq!(&buf, b"through");
    two.write_all(b"and back").await.unwrap();
    two.shutdown().await.unwrap();
    let mut buf = [0; 16];
    assert_eq!(one.recv(&mut buf).await.unwrap(), (8, Received::Data));
    assert_eq!(one.recv(&mut buf).await.unwrap().1, Received::End);

    let (client, _server) = pair(&at("udp://127.0.0.1:0")).await;
    assert!(IntoIo::new(client).is_err(), "datagrams are no stream");
}

#[tokio::test]
async fn names_in_memory_are_apart_and_freed() {
    let here = at("mem://here");
    let [one, two] = [(); 2].map(|()| MemTransport::new(SocketOptions::default()));
    let listener = one.listen(&here).await.unwrap();
    assert_eq!(
        one.listen(&here).await.unwrap_err().kind(),
        ErrorKind::InUse
    );
    assert_eq!(
        two.connect(&here).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
    one.connect(&here).await.unwrap();
    drop(listener);
    assert_eq!(
        one.connect(&here).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
    one.listen(&here).await.unwrap();
}

#[tokio::test]
async fn a_full_backlog_in_memory_refuses_the_newcomer() {
    let mem = MemTransport::new(SocketOptions::default());
    let mut listener = mem.listen(&at("mem://small?backlog=1")).await.unwrap();
    let to = listener.local().clone();
    let _first = mem.connect(&to).await.unwrap();
    assert_eq!(
        mem.connect(&to).await.unwrap_err().kind(),
        ErrorKind::Refused
    );
    listener.accept().await.unwrap();
    mem.connect(&to).await.unwrap();
}

#[tokio::test]
async fn a_registry_takes_third_parties_and_checks_their_keys() {
    let registry = Registry::empty().with("inner", MemAs);
    let mut listener = registry.listen("inner://x").await.unwrap();
    registry.connect("inner://x").await.unwrap();
    listener.accept().await.unwrap();
    let error = registry
        .connect("inner://x?nodelay=true")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("'nodelay'"), "{error}");
    let error = registry.connect("tcp://h:1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownScheme);
    assert_eq!(format!("{registry:?}"), r#"{"inner"}"#);
}

/// A third party's transport: memory under another scheme, with no options.
struct MemAs;

#[socketry_transport::async_trait]
impl Transport for MemAs {
    type Socket = <MemTransport as Transport>::Socket;
    type Listener = <MemTransport as Transport>::Listener;

    async fn connect(&self, to: &Endpoint) -> socketry_transport::Result<Self::Socket> {
        let to = to.with_scheme("mem")?;
        MemTransport::default().connect(&to).await
    }
    async fn listen(&self, at: &Endpoint) -> socketry_transport::Result<Self::Listener> {
        let at = at.with_scheme("mem")?;
        MemTransport::default().listen(&at).await
    }
}

#[tokio::test]
async fn one_socket_answers_many_peers() {
    let directory = tempfile::tempdir().unwrap();
    let udp = UdpTransport::default();
    answers_many(udp.bind(&at("udp://127.0.0.1:0")).await.unwrap()).await;
    let unix_dgram = UnixDgramTransport::default();
    answers_many(
        unix_dgram
            .bind(&dgram(directory.path(), "many"))
            .await
            .unwrap(),
    )
    .await;
}

async fn answers_many(server: impl DatagramSocket) {
    let mut clients = Vec::new();
    for i in 0..4u8 {
        let mut client = connect(server.local()).await.unwrap();
        client.send_all(&[i]).await.unwrap();
        clients.push(client);
    }
    let mut buf = [0; 16];
    for _ in &clients {
        let (_, _, from) = socketry_transport::recv_from(&server, &mut buf)
            .await
            .unwrap();
        socketry_transport::send_to(&server, &[buf[0] + 100], &from)
            .await
            .unwrap();
    }
    for (i, client) in (0u8..).zip(&mut clients) {
        assert_eq!(client.recv(&mut buf).await.unwrap(), (1, Received::Data));
        assert_eq!(buf[0], i + 100);
    }
}

#[tokio::test]
async fn a_full_unix_queue_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let transport = UnixDgramTransport::default();
    let receiver = transport
        .bind(&dgram(directory.path(), "slow"))
        .await
        .unwrap();
    let sender = transport
        .bind(&dgram(directory.path(), "fast"))
        .await
        .unwrap();
    let path = receiver.local().socket_path().unwrap();
    let to = PeerAddr::Path((*path).into());
    let sending = async {
        for i in 0..200u8 {
            socketry_transport::send_to(&sender, &[i], &to)
                .await
                .unwrap();
        }
    };
    let receiving = async {
        let mut buf = [0; 4];
        for i in 0..200u8 {
            let (_, _, from) = socketry_transport::recv_from(&receiver, &mut buf)
                .await
                .unwrap();
            assert_eq!(buf[0], i);
            assert_eq!(&from.endpoint("unix-dgram").unwrap(), sender.local());
        }
    };
    tokio::join!(sending, receiving);
}

#[tokio::test]
async fn many_connections_at_once() {
    let directory = tempfile::tempdir().unwrap();
    for at in [unix(directory.path(), "many"), at("tcp://127.0.0.1:0")] {
        let mut listener = listen(at).await.unwrap();
        let to = listener.local().clone();
        let echoed = |i: u8| {
            let to = to.clone();
            async move {
                let mut client = connect(to).await.unwrap();
                client.send_all(&[i]).await.unwrap();
                let mut buf = [0; 1];
                let _ = client.recv(&mut buf).await.unwrap();
                assert_eq!(buf[0], i);
            }
        };
        let clients: Vec<_> = (0..200).map(|i| tokio::spawn(echoed(i))).collect();
        for _ in 0..200 {
            let mut accepted = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut buf = [0; 1];
                let _ = accepted.recv(&mut buf).await.unwrap();
                accepted.send_all(&buf).await.unwrap();
            });
        }
        for client in clients {
            client.await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_write_to_a_closed_peer_is_an_error_and_no_signal() {
    let directory = tempfile::tempdir().unwrap();
    for at in [
        unix(directory.path(), "gone"),
        at("tcp://127.0.0.1:0"),
        at("mem://*"),
    ] {
        let (mut client, server) = pair(&at).await;
        drop(server);
        let error = loop {
            if let Err(error) = client.send(b"anybody?").await {
                break error;
            }
        };
        let kind = error.kind();
        let expected = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
        assert!(expected.contains(&kind), "{at}: {error}");
    }
}

#[tokio::test]
async fn closing_with_unread_bytes_destroys_nothing() {
    let (mut client, mut server) = pair(&at("tcp://127.0.0.1:0")).await;
    client.send_all(&[1; 1000]).await.unwrap();
    let closing = tokio::spawn(async move {
        server.send_all(&vec![2; 300_000]).await.unwrap();
        let patience = Duration::from_secs(5);
        socketry_transport::close(server, 1 << 20, patience)
            .await
            .unwrap();
    });
    let mut arrived = 0;
    let mut buf = vec![0; 4096];
    while let (len, Received::Data) = client.recv(&mut buf).await.unwrap() {
        arrived += len;
    }
    assert_eq!(arrived, 300_000);
    drop(client);
    closing.await.unwrap();
}

#[tokio::test]
async fn unix_transports_by_type() {
    let directory = tempfile::tempdir().unwrap();
    let transport = UnixTransport::new(SocketOptions::default());
    let mut listener = transport
        .listen(&unix(directory.path(), "typed"))
        .await
        .unwrap();
    let client = transport.connect(listener.local()).await.unwrap();
    let (_recv, mut send) = client.split();
    send.send_all(b"x").await.unwrap();
    listener.accept().await.unwrap();
    let wrong = transport
        .connect(&at("tcp://127.0.0.1:1"))
        .await
        .unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::InvalidEndpoint);
}

#[tokio::test]
async fn a_refused_datagram_wakes_who_waits_to_receive() {
    let directory = tempfile::tempdir().unwrap();
    let gone = listen("udp://127.0.0.1:0").await.unwrap().local().clone();
    let bound = UnixDgramTransport::default()
        .bind(&dgram(directory.path(), "gone"))
        .await
        .unwrap();
    let mut udp = connect(gone).await.unwrap();
    udp.send_all(b"anybody?").await.unwrap();
    let mut buf = [0; 16];
    let refused = tokio::time::timeout(Duration::from_secs(10), udp.recv(&mut buf)).await;
    assert_eq!(
        refused.unwrap().unwrap_err().kind(),
        io::ErrorKind::ConnectionRefused
    );
    // The socket goes on.
    udp.send_all(b"still?").await.unwrap();

    let mut unix = connect(bound.local()).await.unwrap();
    drop(bound);
    let refused = unix.send(b"anybody?").await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
}
