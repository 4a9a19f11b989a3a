//! Two layers over two transports: deadlines, which come with the library, and a meter of one's
//! own. The same layers serve a static type and the registry.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socketry_codec::{Framed, Line};
use socketry_transport::{
    Aborted, Deadlines, Endpoint, Half, Info, Joined, Keys, Layer, Listener, RecvExt, Registry,
    Result, SendHalf, Socket, Stack, TcpTransport, Transport, async_trait,
};

/// Counts the bytes that all sockets of a transport send.
#[derive(Clone, Default)]
struct Meter(Arc<AtomicUsize>);

/// A transport, a listener, or a sending half, metered.
struct Metered<T>(T, Meter);

/// Only the sending half is wrapped: the receiving half stays as it is.
type MeteredSocket<S> = Joined<<S as Socket>::Recv, Metered<<S as Socket>::Send>>;

impl Meter {
    fn over<S: Socket>(&self, socket: S) -> MeteredSocket<S> {
        let (recv, send) = socket.split();
        Joined::new(recv, Metered(send, self.clone()))
    }
}

impl<T: Transport> Layer<T> for Meter {
    type Transport = Metered<T>;

    fn layer(&self, inner: T) -> Metered<T> {
        Metered(inner, self.clone())
    }
}

#[async_trait]
impl<T: Transport> Transport for Metered<T> {
    type Socket = MeteredSocket<T::Socket>;
    type Listener = Metered<T::Listener>;

    fn keys(&self) -> Keys {
        self.0.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        Ok(self.1.over(self.0.connect(to).await?))
    }
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        Ok(Metered(self.0.listen(at).await?, self.1.clone()))
    }
}

impl<L: Listener> Listener for Metered<L> {
    type Socket = MeteredSocket<L::Socket>;

    fn local(&self) -> &Endpoint {
        self.0.local()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        let socket = ready!(self.0.poll_accept(cx))?;
        Poll::Ready(Ok(self.1.over(socket)))
    }
}

impl<W: SendHalf> Half for Metered<W> {
    fn info(&self) -> &Info {
        self.0.info()
    }
}

impl<W: SendHalf> SendHalf for Metered<W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(self.0.poll_send(cx, parts))?;
        self.1.0.fetch_add(sent, Ordering::Relaxed);
        Poll::Ready(Ok(sent))
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_finish(cx)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.0.abort(code)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.0.abort_on_drop(on)
    }
}

/// A question and its answer, and then silence.
async fn converse<T: Transport>(
    transport: &T,
    at: &Endpoint,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut listener = transport.listen(at).await?;
    let to = listener.local().clone().with("silence", "100ms");
    let mut client = Framed::new(transport.connect(&to).await?, Line::new());
    let mut server = Framed::new(listener.accept().await?, Line::new());
    client.send(b"question").await?;
    server.recv().await?;
    server.send(b"answer").await?;
    client.recv().await?;
    let mut socket = client.into_socket();
    let silence = socket.recv(&mut [0; 8]).await.map(drop);
    println!("{}: {}", to.scheme(), silence.unwrap_err());
    Ok(())
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let meter = Meter::default();
    let deadlines = Deadlines::default().connect_within(Duration::from_secs(5));

    let tcp = Stack::new(TcpTransport::default())
        .with(deadlines.clone())
        .with(meter.clone());
    converse(&tcp, &"tcp://127.0.0.1:0".parse()?).await?;

    let registry = Registry::standard()
        .layer("unix", deadlines)?
        .layer("unix", meter.clone())?;
    let place = std::env::temp_dir().join(format!("socketry-layered-{}", std::process::id()));
    let unix = registry.get("unix").ok_or("unix is registered")?;
    converse(&unix, &Endpoint::new("unix", place)?).await?;

    println!("{} bytes were sent", meter.0.load(Ordering::Relaxed));
    Ok(())
}
