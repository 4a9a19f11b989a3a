//! HAProxy: `send-proxy`, `send-proxy-v2` with all its options, checks, and clients of Unix
//! sockets.

use std::net::SocketAddr;
use std::path::Path;

use socketry_codec::{Codec, FrameError, Framed, Line};
use socketry_proxy::{Origin, Version};
use socketry_service::{Limits, Server};
use socketry_testkit::in_time;
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{Half, Listener, Received, Registry, Socket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::behind::{Backend, address, balancer, end, header, source, talk};
use crate::daemon::{Daemon, command, directory, free_port};
use crate::tools;

/// HAProxy with these frontends and servers.
fn start(directory: &Path, frontend: &str, server: &str) -> Daemon {
    let config = format!(
        "global\n maxconn 64\n\
         defaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n\
         frontend in\n {frontend}\n default_backend out\n\
         backend out\n server one {server}\n"
    );
    let file = directory.join("haproxy.cfg");
    std::fs::write(&file, config).unwrap();
    let file = file.to_str().unwrap();
    Daemon::start(&mut command("haproxy", &["-db", "-f", file]), directory)
}

#[tokio::test]
async fn a_client_is_told_in_both_versions() {
    if !tools::has("haproxy") {
        return;
    }
    for (option, version) in [
        ("send-proxy", Version::V1),
        ("send-proxy-v2", Version::V2),
        (
            "send-proxy-v2 proxy-v2-options crc32c,unique-id,authority",
            Version::V2,
        ),
    ] {
        let mut backend = Backend::at("tcp://127.0.0.1:0?proxy_from=127.0.0.1").await;
        let (place, port) = (directory(), free_port());
        let server = format!("127.0.0.1:{} {option}", backend.port());
        let frontend = format!("unique-id-format %[uuid]\n bind 127.0.0.1:{port}");
        let mut haproxy = start(place.path(), &frontend, &server);
        let mut client = haproxy.connect(&format!("tcp://127.0.0.1:{port}")).await;
        // The header is a segment of its own, and this client is silent.
        let mut accepted = backend.accept().await;
        assert_eq!(accepted.peer(), client.local());
        let header = header(&accepted).clone();
        assert_eq!(header.version(), version);
        let has_options = option.contains("crc32c");
        assert_eq!(header.is_checked(), has_options);
        assert_eq!(header.fields().unique_id().is_some(), has_options);
        match header.origin() {
            Origin::Client { destination, .. } => assert_eq!(destination, client.peer()),
            other => panic!("{other:?}"),
        }
        talk(&mut client, &mut accepted).await;
    }
}

#[tokio::test]
async fn ipv4_over_a_bind_of_both_is_ipv4() {
    if !tools::has("haproxy") {
        return;
    }
    for option in ["send-proxy", "send-proxy-v2"] {
        let mut backend = Backend::at("tcp://127.0.0.1:0?proxy_from=127.0.0.1").await;
        let (place, port) = (directory(), free_port());
        let server = format!("127.0.0.1:{} {option}", backend.port());
        let mut haproxy = start(place.path(), &format!("bind :::{port} v4v6"), &server);
        let client = haproxy.connect(&format!("tcp://127.0.0.1:{port}")).await;
        let accepted = backend.accept().await;
        assert_eq!(accepted.peer(), client.local());
        assert_eq!(source(&accepted), client.local().to_string());
    }
}

/// Version 1 says nothing of them, and version 2 says `LOCAL`, as it does of checks.
#[tokio::test]
async fn clients_of_its_unix_sockets_have_no_address() {
    if !tools::has("haproxy") {
        return;
    }
    for (option, origin) in [
        ("send-proxy", Origin::Unknown),
        ("send-proxy-v2", Origin::Local),
    ] {
        let mut backend = Backend::at("tcp://127.0.0.1:0?proxy_from=127.0.0.1").await;
        let place = directory();
        let path = place.path().join("in");
        let frontend = format!("bind unix@{}", path.display());
        let server = format!("127.0.0.1:{} {option}", backend.port());
        let mut haproxy = start(place.path(), &frontend, &server);
        let mut client = haproxy.connect(&format!("unix://{}", path.display())).await;
        let mut accepted = backend.accept().await;
        assert_eq!(header(&accepted).origin(), &origin);
        assert!(accepted.peer().socket_addr().unwrap().ip().is_loopback());
        talk(&mut client, &mut accepted).await;
    }
}

#[tokio::test]
async fn a_server_at_a_unix_socket_is_told_of_clients_of_tcp() {
    if !tools::has("haproxy") {
        return;
    }
    let place = directory();
    let path = place.path().join("out");
    let url = format!("unix://{}?proxy_from=unix", path.display());
    let mut backend = Backend::at(&url).await;
    let port = free_port();
    let server = format!("unix@{} send-proxy-v2", path.display());
    let mut haproxy = start(place.path(), &format!("bind 127.0.0.1:{port}"), &server);
    let mut client = haproxy.connect(&format!("tcp://127.0.0.1:{port}")).await;
    let mut accepted = backend.accept().await;
    assert_eq!(accepted.peer(), client.local());
    talk(&mut client, &mut accepted).await;
}

/// Version 1 tells HAProxy's own end as the client of its checks, and version 2 says `LOCAL`. Both
/// end with a reset. A check without `check-send-proxy` resets within the handshake of TCP, so that
/// no server accepts it.
#[tokio::test]
async fn its_checks_are_ends_and_no_errors() {
    if !tools::has("haproxy") {
        return;
    }
    for option in ["send-proxy", "send-proxy-v2"] {
        let mut backend = Backend::at("tcp://127.0.0.1:0?proxy_from=127.0.0.1").await;
        let (place, port) = (directory(), free_port());
        let server = format!(
            "127.0.0.1:{} {option} check check-send-proxy inter 50ms",
            backend.port()
        );
        let _haproxy = start(place.path(), &format!("bind 127.0.0.1:{port}"), &server);
        for _ in 0..3 {
            let mut check = backend.accept().await;
            match header(&check).origin() {
                Origin::Client { source, .. } => assert_eq!(source, balancer(&check)),
                origin => assert_eq!((option, origin), ("send-proxy-v2", &Origin::Local)),
            }
            assert_eq!(check.peer(), balancer(&check));
            assert_eq!(end(&mut check).await.unwrap(), (0, Received::End));
        }
    }
}

/// The header first, and then the handshake: the client speaks TLS to our server, through HAProxy.
#[tokio::test]
async fn tls_goes_over_the_header() {
    if !tools::has("haproxy") {
        return;
    }
    let identity = Identity::made(["localhost"]).unwrap();
    let tls = Tls::new().trust(Trust::pin(identity.pin().unwrap()));
    let server = tls.clone().identity(identity);
    let over = |registry| server.register(registry).unwrap();
    let mut backend = Backend::over("tls://127.0.0.1:0?proxy_from=127.0.0.1", over).await;
    let (place, port) = (directory(), free_port());
    let server = format!("127.0.0.1:{} send-proxy-v2", backend.port());
    let mut haproxy = start(place.path(), &format!("bind 127.0.0.1:{port}"), &server);
    drop(haproxy.connect(&format!("tcp://127.0.0.1:{port}")).await);
    let registry = tls.register(Registry::standard()).unwrap();
    let url = format!("tls://127.0.0.1:{port}");
    let (client, accepted) = tokio::join!(registry.connect(&url), backend.listener.accept());
    let (mut client, mut accepted) = (client.unwrap(), accepted.unwrap());
    assert_eq!(accepted.peer(), client.local());
    assert_eq!(accepted.peer().scheme(), "tls");
    talk(&mut client, &mut accepted).await;
}

/// HAProxy ends the client's TLS, and tells what it knows of it.
#[tokio::test]
async fn it_tells_the_tls_of_its_client() {
    if !tools::has("haproxy") {
        return;
    }
    let place = directory();
    let kept = Identity::kept_in(place.path().join("tls"), ["localhost"]).unwrap();
    let both = place.path().join("both.pem");
    let mut pem = String::new();
    for entry in std::fs::read_dir(place.path().join("tls")).unwrap() {
        pem += &std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
    }
    std::fs::write(&both, pem).unwrap();

    let mut backend = Backend::at("tcp://127.0.0.1:0?proxy_from=127.0.0.1").await;
    let port = free_port();
    let frontend = format!("bind 127.0.0.1:{port} ssl crt {} alpn h2", both.display());
    let options = "proxy-v2-options ssl,cert-cn,ssl-cipher,authority,crc32c";
    let server = format!("127.0.0.1:{} send-proxy-v2-ssl {options}", backend.port());
    let mut haproxy = start(place.path(), &frontend, &server);
    drop(haproxy.connect(&format!("tcp://127.0.0.1:{port}")).await);
    let registry = Tls::new().register(Registry::standard()).unwrap();
    let pin = kept.pin().unwrap();
    let url = format!("tls://127.0.0.1:{port}?name=localhost&alpn=h2&pin={pin}");
    let mut client = registry.connect(&url).await.unwrap();
    let mut accepted = backend.accept().await;
    while accepted.peer().port() != client.local().port() {
        accepted = backend.accept().await;
    }
    assert_eq!(accepted.peer().socket_addr(), Some(address(&client)));
    let fields = header(&accepted).fields().clone();
    assert_eq!(fields.alpn(), Some(&b"h2"[..]));
    assert_eq!(fields.authority(), Some("localhost"));
    let tls = fields.tls().unwrap();
    assert!(tls.is_used() && !tls.has_certificate() && !tls.is_verified());
    assert!(
        tls.version()
            .is_some_and(|version| version.starts_with("TLSv1."))
    );
    assert!(tls.cipher().is_some());
    talk(&mut client, &mut accepted).await;
}

/// The limit of connections from one peer is one of the client's, and not of the balancer's.
#[tokio::test]
async fn limits_by_peer_see_the_client() {
    if !tools::has("haproxy") {
        return;
    }
    let backend = Backend::at("tcp://127.0.0.1:0?proxy_from=127.0.0.1").await;
    let (place, port) = (directory(), free_port());
    let server = format!("127.0.0.1:{} send-proxy-v2", backend.port());
    let mut haproxy = start(place.path(), &format!("bind 127.0.0.1:{port}"), &server);
    let limits = Limits {
        per_peer: 1,
        ..Limits::default()
    };
    let server = Server::new(backend.listener)
        .codec(Line::new())
        .limits(limits);
    let stopper = server.stopper();
    let serving = tokio::spawn(server.serve(echo));
    drop(haproxy.connect(&format!("tcp://127.0.0.1:{port}")).await);
    let mut first = client("127.0.0.2", port).await;
    let mut other = client("127.0.0.3", port).await;
    for client in [&mut first, &mut other] {
        client.write_all(b"hi\n").await.unwrap();
        let mut echoed = [0; 3];
        let got = in_time("an echo", client.read_exact(&mut echoed)).await;
        assert_eq!((got.unwrap(), &echoed), (3, b"hi\n"));
    }
    let mut again = client("127.0.0.2", port).await;
    let refused = in_time("an end", again.read(&mut [0; 9])).await;
    assert!(matches!(refused, Ok(0) | Err(_)), "{refused:?}");
    stopper.stop();
    drop((first, other));
    let _summary = serving.await.unwrap().unwrap();
}

async fn echo<S: Socket, C: Codec>(mut framed: Framed<S, C>) -> Result<(), FrameError> {
    while let Some(frame) = framed.recv().await? {
        let frame = frame.to_vec();
        framed.send(&frame).await?;
    }
    Ok(())
}

/// A client at this address of the loopback interface.
async fn client(ip: &str, port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(SocketAddr::new(ip.parse().unwrap(), 0))
        .unwrap();
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    in_time("a connection", socket.connect(to)).await.unwrap()
}
