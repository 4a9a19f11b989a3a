//! A third party's scheme over our sockets: its peers are accepted, and named by that scheme.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use socketry_transport::{
    BoxFuture, DatagramSocket, Endpoint, ErrorKind, Half, Keys, Listener, OsDatagram, OsSocket,
    PeerAddr, Received, RecvExt, Registry, Result, SendExt, SessionLimits, SessionListener,
    SocketOptions, Transport, UdpTransport, UnixDgramTransport, async_trait,
};
use tokio::io::ReadBuf;

/// A bound socket of ours under another scheme.
struct Renamed {
    inner: OsDatagram,
    local: Endpoint,
}

impl Renamed {
    fn new(inner: OsDatagram, scheme: &str) -> Result<Self> {
        let local = inner.local().with_scheme(scheme)?;
        Ok(Renamed { inner, local })
    }
}

impl DatagramSocket for Renamed {
    fn local(&self) -> &Endpoint {
        &self.local
    }
    fn max_len(&self) -> usize {
        self.inner.max_len()
    }
    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>> {
        self.inner.poll_recv_from(cx, buf)
    }
    fn try_send_to(&self, parts: &[IoSlice<'_>], to: &PeerAddr) -> io::Result<usize> {
        self.inner.try_send_to(parts, to)
    }
    fn writable<'a>(&'a self, to: &'a PeerAddr) -> BoxFuture<'a, io::Result<()>> {
        self.inner.writable(to)
    }
}

/// `myudp://host:port`, whose query belongs to the URL but for `ttl`.
struct MyUdp;

#[async_trait]
impl Transport for MyUdp {
    type Socket = OsSocket;
    type Listener = SessionListener<Renamed>;

    fn keys(&self) -> Keys {
        Keys::new(&["ttl"]).with_others()
    }
    async fn connect(&self, to: &Endpoint) -> Result<OsSocket> {
        let options = SocketOptions::from_query(to, self.keys())?;
        let to = to.clone().without_query().with_scheme("udp")?;
        UdpTransport::new(options).connect(&to).await
    }
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        let options = SocketOptions::from_query(at, self.keys())?;
        let at = at.clone().without_query().with_scheme("udp")?;
        let socket = UdpTransport::new(options).bind(&at).await?;
        let socket = Renamed::new(socket, "myudp")?;
        Ok(SessionListener::new(socket, SessionLimits::default()))
    }
}

#[tokio::test]
async fn a_datagram_listener_under_another_scheme_accepts_peers() {
    let registry = Registry::standard().with("myudp", MyUdp);
    for host in ["127.0.0.1", "[::1]"] {
        let url = format!("myudp://{host}:0?ttl=9&flag&ttl2=x");
        let mut listener = registry.listen(url.as_str()).await.unwrap();
        let mut client = registry.connect(listener.local()).await.unwrap();
        client.send_all(b"hello").await.unwrap();

        let mut session = listener.accept().await.unwrap();
        let peer = session.peer().clone();
        let port = client.local().port().unwrap();
        assert_eq!(peer.to_string(), format!("myudp://{host}:{port}"));
        assert_eq!(peer.to_string().parse::<Endpoint>().unwrap(), peer);
        assert_eq!(
            PeerAddr::try_from(&peer).unwrap(),
            PeerAddr::try_from(client.local()).unwrap()
        );
        session.send_all(b"hello yourself").await.unwrap();
        let mut buf = [0; 32];
        let (len, _) = client.recv(&mut buf).await.unwrap();
        assert_eq!(&buf[..len], b"hello yourself");
    }
}

#[tokio::test]
async fn so_does_one_whose_peers_are_paths_and_names() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| {
        let path = directory.path().join(name);
        Endpoint::new("unix-dgram", path).unwrap()
    };
    let transport = UnixDgramTransport::default();
    let server = transport.bind(&at("server")).await.unwrap();
    let server = Renamed::new(server, "my+unix").unwrap();
    let to = PeerAddr::try_from(&server.local).unwrap();
    assert_eq!(server.local.scheme(), "my+unix");
    let mut listener = SessionListener::new(server, SessionLimits::default());

    let path = transport.bind(&at("client: a@b")).await.unwrap();
    let name = format!("unix-dgram://@my-unix:{}/%00", std::process::id());
    let name = transport.bind(&name.parse().unwrap()).await.unwrap();
    for client in [path, name] {
        socketry_transport::send_to(&client, b"hello", &to)
            .await
            .unwrap();
        let session = listener.accept().await.unwrap();
        let peer = session.peer().to_string();
        let read = PeerAddr::try_from(&peer.parse::<Endpoint>().unwrap()).unwrap();
        assert_eq!(&read, session.peer_addr(), "{peer}");
        assert_eq!(read, PeerAddr::try_from(client.local()).unwrap());
    }
    assert_eq!(listener.stats().refused_peers, 0);
}

#[tokio::test]
async fn keys_are_checked_before_a_transport_is_asked_and_values_by_it() {
    let registry = Registry::standard().with("myudp", MyUdp);
    let refused = async |url: &str| registry.listen(url).await.err().unwrap();
    // Even a key of ours belongs to the URL where others do; a value of an option is still checked.
    registry
        .listen("myudp://127.0.0.1:0?linger=x&linger=y")
        .await
        .unwrap();
    let error = refused("myudp://127.0.0.1:0?ttl=x").await;
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    let error = refused("tcp://127.0.0.1:0?join=x").await.to_string();
    assert!(error.contains("option 'join' does not apply to tcp; tcp takes reuse_address, "));
    let error = refused("mem://x?flags=1").await.to_string();
    assert!(error.contains("there is no option 'flags'; mem takes recv_buffer, backlog"));
    // A transport that wraps another one adds to its keys.
    let keys = UdpTransport::default().keys().and(["silence", "ttl"]);
    assert_eq!(
        keys.options().iter().filter(|key| **key == "ttl").count(),
        1
    );
    assert!(keys.takes("silence") && !keys.takes("flag"));
}
