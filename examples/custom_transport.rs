//! A transport of one's own, for a scheme of one's own: `loopback://PORT` is TCP that cannot leave this machine, made of
//! tokio's types. Anything that is `AsyncRead + AsyncWrite` becomes a socket through `IoSocket`.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::task::{Context, Poll, ready};

use socketry_codec::{Framed, Line};
use socketry_transport::{
    Address, Endpoint, Error as SocketError, ErrorKind, IoSocket, Listener, Registry, Result,
    Transport, async_trait,
};
use tokio::net::{TcpListener, TcpStream};

struct Loopback;

/// The address behind `loopback://PORT`.
fn address(endpoint: &Endpoint) -> Result<SocketAddr> {
    match endpoint.address() {
        Address::Name(port) => port
            .parse()
            .map(|port| (Ipv4Addr::LOCALHOST, port).into())
            .map_err(|_| {
                SocketError::new(ErrorKind::InvalidEndpoint, "use", endpoint)
                    .because("it names no port")
                    .hint("write loopback://9000, say")
            }),
        _ => Err(SocketError::new(
            ErrorKind::InvalidEndpoint,
            "use",
            endpoint,
        )),
    }
}

fn endpoint(address: std::io::Result<SocketAddr>) -> Result<Endpoint> {
    let port = address.map_or(0, |address| address.port());
    Endpoint::new("loopback", Address::Name(port.to_string()))
}

fn socket(stream: TcpStream) -> Result<IoSocket<TcpStream>> {
    let (local, peer) = (
        endpoint(stream.local_addr())?,
        endpoint(stream.peer_addr())?,
    );
    Ok(IoSocket::new(stream, local, peer))
}

#[async_trait]
impl Transport for Loopback {
    type Socket = IoSocket<TcpStream>;
    type Listener = LoopbackListener;

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        let connected = TcpStream::connect(address(to)?).await;
        socket(connected.map_err(|error| SocketError::io("connect to", to, error))?)
    }

    async fn listen(&self, at: &Endpoint) -> Result<LoopbackListener> {
        let bound = TcpListener::bind(address(at)?).await;
        let inner = bound.map_err(|error| SocketError::io("listen at", at, error))?;
        let local = endpoint(inner.local_addr())?;
        Ok(LoopbackListener { inner, local })
    }
}

struct LoopbackListener {
    inner: TcpListener,
    local: Endpoint,
}

impl Listener for LoopbackListener {
    type Socket = IoSocket<TcpStream>;

    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        let accepted = ready!(self.inner.poll_accept(cx));
        let (stream, _) =
            accepted.map_err(|error| SocketError::io("accept at", &self.local, error))?;
        Poll::Ready(socket(stream))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::standard().with("loopback", Loopback);
    let mut listener = registry.listen("loopback://0").await?;
    let mut client = Framed::new(registry.connect(listener.local()).await?, Line::new());
    let mut server = Framed::new(listener.accept().await?, Line::new());
    client.send(b"from a transport of one's own").await?;
    let line = server.recv().await?.ok_or("closed")?;
    println!("{}: {}", listener.local(), String::from_utf8_lossy(line));
    // Options that this transport does not have are refused before it is asked.
    println!(
        "{}",
        registry
            .connect("loopback://1?nodelay=true")
            .await
            .unwrap_err()
    );
    Ok(())
}
