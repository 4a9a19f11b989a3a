//! Your own transport, chosen by its scheme from our apps: `plain://host:port` is TCP made of
//! tokio's types. Anything that is `AsyncRead + AsyncWrite` becomes a socket through `FromIo`.
//!
//! `cargo run --example custom_transport -- command serve --allow-any plain://127.0.0.1:9001`

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::task::{Context, Poll, ready};

use socketry_apps::cli::CommandLine;
use socketry_apps::matrix;
use socketry_transport::{
    Endpoint, Error, FromIo, Info, Listener, Result, Shape, SocketOptions, Transport, async_trait,
};
use tokio::net::{TcpListener, TcpStream};

struct Plain;

#[async_trait]
impl Transport for Plain {
    type Socket = FromIo<TcpStream>;
    type Listener = PlainListener;

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        let stream = TcpStream::connect(address(to)?).await;
        socket(stream).map_err(|error| Error::io("connect to", to, error))
    }

    async fn listen(&self, at: &Endpoint) -> Result<PlainListener> {
        let failed = |error| Error::io("listen at", at, error);
        let tcp = TcpListener::bind(address(at)?).await.map_err(failed)?;
        let local = endpoint(tcp.local_addr()).map_err(failed)?;
        Ok(PlainListener { tcp, local })
    }
}

struct PlainListener {
    tcp: TcpListener,
    local: Endpoint,
}

impl Listener for PlainListener {
    type Socket = FromIo<TcpStream>;

    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        let accepted = ready!(self.tcp.poll_accept(cx)).map(|(stream, _)| stream);
        Poll::Ready(socket(accepted).map_err(|error| Error::io("accept at", &self.local, error)))
    }
}

/// Host and port; options there are none.
fn address(endpoint: &Endpoint) -> Result<(String, u16)> {
    SocketOptions::from_query(endpoint, Plain.keys())?;
    let (host, port) = endpoint.require_host_port("use")?;
    Ok((host.into_owned(), port))
}

fn endpoint(address: io::Result<SocketAddr>) -> io::Result<Endpoint> {
    Ok(Endpoint::new("plain", address?)?)
}

fn socket(stream: io::Result<TcpStream>) -> io::Result<FromIo<TcpStream>> {
    let stream = stream?;
    let (local, peer) = (stream.local_addr(), stream.peer_addr());
    let info = Info::new(Shape::Stream, endpoint(local)?, endpoint(peer)?);
    Ok(FromIo::from_io(stream, info))
}

// This one line runs every law of streams against it:
// `cargo test -p socketry-examples --example custom_transport`.
#[cfg(test)]
socketry_testkit::stream_laws!(
    plain,
    socketry_testkit::stream::Subject::new(Plain, "plain://127.0.0.1:0")
);

fn main() -> ExitCode {
    let transports = matrix::transports().with("plain", Plain);
    CommandLine::default().transports(transports).main()
}
