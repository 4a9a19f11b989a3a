//! Connecting by name over real sockets: services, resolvers of transports, and proxies.

use std::net::IpAddr;

use socketry_names::{Names, Srv};
use socketry_proxy::{Passed, Via};
use socketry_quic::Quic;
use socketry_testkit::in_time;
use socketry_testkit::names::Known;
use socketry_transport::{
    ErrorKind, Half, Listener, RecvExt, Registry, SendExt, TcpTransport, Transport, UdpTransport,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::dnsmasq::Dnsmasq;
use crate::tools;

fn here() -> [IpAddr; 1] {
    ["127.0.0.1".parse().unwrap()]
}

#[tokio::test]
async fn a_client_reaches_the_server_that_a_dns_server_names() {
    let mut server = socketry_transport::listen("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let (port, closed) = (server.local().port().unwrap(), tools::free_port());
    let Some(dns) = Dnsmasq::start([
        "--host-record=one.example,127.0.0.1".to_owned(),
        "--cname=two.example,one.example".to_owned(),
        format!("--srv-host=_chat._tcp.example,one.example,{closed},10,1"),
        format!("--srv-host=_chat._tcp.example,two.example,{port},20,1"),
    ]) else {
        return;
    };
    let names = Names::servers([dns.at]);
    let registry = Srv::new(names.clone()).register(Registry::standard_with(names));
    let client = registry.connect("tcp+srv://_chat._tcp.example?nodelay=true");
    let mut client = in_time("a connection", client).await.unwrap();
    // The peer is an address, to which a client can connect.
    assert_eq!(client.peer(), server.local());
    client.send_all(b"hello").await.unwrap();
    let mut accepted = server.accept().await.unwrap();
    let mut buf = [0; 8];
    assert_eq!(accepted.recv(&mut buf).await.unwrap().0, 5);

    let error = registry
        .connect("tcp+srv://_none._tcp.example")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("_none._tcp.example"), "{error}");
}

#[tokio::test]
async fn datagrams_go_to_a_server_of_the_service() {
    let mut server = socketry_transport::listen("udp://127.0.0.1:0")
        .await
        .unwrap();
    let port = server.local().port().unwrap();
    let known = Known::default()
        .host("one.example", here())
        .service("_news._udp.example", [(1, 1, port, "one.example.")]);
    let registry = Srv::new(known.clone()).register(Registry::standard_with(known));
    let mut client = registry
        .connect("udp+srv://_news._udp.example")
        .await
        .unwrap();
    client.send_all(b"news").await.unwrap();
    let mut accepted = in_time("a datagram", server.accept()).await.unwrap();
    let mut buf = [0; 8];
    assert_eq!(accepted.recv(&mut buf).await.unwrap().0, 4);
}

/// Each of them asks the resolver that it was given, when it connects and when it listens.
#[tokio::test]
async fn every_transport_asks_its_own_resolver() {
    let known = Known::default().host("only.here", here());
    let tcp = TcpTransport::default().resolver(known.clone());
    let mut server = tcp
        .listen(&"tcp://only.here:0".parse().unwrap())
        .await
        .unwrap();
    let port = server.local().port().unwrap();
    let to = format!("tcp://only.here:{port}").parse().unwrap();
    tcp.connect(&to).await.unwrap();
    server.accept().await.unwrap();

    let udp = UdpTransport::default().resolver(known.clone());
    let at = "udp://only.here:0".parse().unwrap();
    udp.listen(&at).await.unwrap();
    udp.bind(&at).await.unwrap();
    udp.connect(&"udp://only.here:9".parse().unwrap())
        .await
        .unwrap();

    let identity = socketry_tls::Identity::made(["only.here"]).unwrap();
    let pin = identity.pin().unwrap();
    let quic = Quic::new().tls(socketry_tls::Tls::new().identity(identity));
    let registry = quic.resolver(known).register(Registry::empty());
    let mut server = registry.listen("quic://only.here:0").await.unwrap();
    let port = server.local().port().unwrap();
    let url = format!("quic://only.here:{port}?pin={pin}");
    let (client, accepted) = tokio::join!(registry.connect(&*url), server.accept());
    client.unwrap();
    accepted.unwrap();

    for scheme in ["tcp", "udp", "quic"] {
        let all = Quic::new().register(Registry::standard_with(Known::default()));
        let error = all.connect(&*format!("{scheme}://nowhere.invalid:9")).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(
            error.to_string().starts_with("cannot connect to"),
            "{error}"
        );
    }
}

/// A proxy that answers each CONNECT with yes, and tells what it was asked for.
async fn proxy() -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        client.write_all(b"HTTP/1.1 200 Yes\r\n\r\n").await.unwrap();
        let head = String::from_utf8(head).unwrap();
        head.lines().next().unwrap().to_owned()
    });
    (port, asked)
}

/// A proxy knows no records: they are asked for here, and the proxy resolves the host in them.
#[tokio::test]
async fn the_records_of_a_service_are_asked_for_before_the_proxy_is() {
    let (port, asked) = proxy().await;
    let known = Known::default().service("_chat._tcp.example", [(1, 1, 9000, "far.example.")]);
    let registry = Via::new()
        .register(Registry::standard_with(known.clone()))
        .unwrap();
    let registry = Srv::new(known).register(registry);
    let url = format!("tcp+srv://_chat._tcp.example?via=http://127.0.0.1:{port}");
    let client = in_time("a connection", registry.connect(&*url))
        .await
        .unwrap();
    assert!(client.info().get::<Passed>().is_some());
    assert_eq!(asked.await.unwrap(), "CONNECT far.example:9000 HTTP/1.1");
}

/// With `socks5://` the names of servers are resolved here, by the resolver of that layer.
#[tokio::test]
async fn a_proxy_that_resolves_nothing_gets_the_address_of_our_resolver() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let known = Known::default().host("far.example", ["192.0.2.77".parse().unwrap()]);
    let via = Via::new().resolver(known);
    let registry = via.register(Registry::standard()).unwrap();
    let asked = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut hello = [0; 3];
        client.read_exact(&mut hello).await.unwrap();
        client.write_all(&[5, 0]).await.unwrap();
        let mut request = [0; 10];
        client.read_exact(&mut request).await.unwrap();
        client
            .write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
            .await
            .unwrap();
        request
    });
    let url = format!("tcp://far.example:9000?via=socks5://127.0.0.1:{port}");
    in_time("a connection", registry.connect(&*url))
        .await
        .unwrap();
    let request = asked.await.unwrap();
    assert_eq!(request, [5, 1, 0, 1, 192, 0, 2, 77, 0x23, 0x28]);

    let error = registry
        .connect(&*format!(
            "tcp://nowhere.example:9000?via=socks5://127.0.0.1:{port}"
        ))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let due =
        "this machine does not know the name nowhere.example: nobody told of it; with socks5h";
    assert!(error.to_string().contains(due), "{error}");
}

/// Only one file asks the system for names: all else would pass a resolver by.
#[test]
fn no_other_code_asks_the_system_for_names() {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![crates];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match path.is_dir() {
                true if name != "tests" && name != "target" && name != "benches" => {
                    folders.push(path);
                }
                false if name.ends_with(".rs") => {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let asks = ["lookup_host", "to_socket_addrs", "getaddrinfo("];
                    if asks.iter().any(|call| text.contains(call)) {
                        found.push(path.file_name().unwrap().to_owned());
                        found.push(path.parent().unwrap().file_name().unwrap().to_owned());
                    }
                }
                _ => {}
            }
        }
    }
    found.sort();
    // The second has the numbers of interfaces, and no names of hosts.
    assert_eq!(found, ["kernel", "mod.rs", "multicast.rs", "names"]);
}
