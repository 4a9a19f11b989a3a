//! The laws of stream transports, for ours: each with its own types, and erased.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use socketry_testkit::Places;
use socketry_testkit::stream::Subject;
use socketry_transport::{
    Endpoint, Error, ErrorKind, FromIo, Info, Listener, MemTransport, OsSocket, Result, Shape,
    SocketOptions, TcpTransport, Transport, UnixTransport, async_trait, erase,
};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;

/// The reason for the exception of sockets whose options cannot be read back.
const NOTHING_TO_ASK: &str = "such a socket has no descriptor to ask";

fn tcp(at: &str) -> Subject<TcpTransport> {
    Subject::new(TcpTransport::default(), at)
        .without_listener_at("tcp://127.0.0.1:1")
        .reads_back(
            &[
                ("nodelay", "false"),
                ("ttl", "7"),
                ("keepalive", "9s"),
                ("keepalive_retries", "3"),
                ("send_buffer", "64KiB"),
                ("recv_buffer", "48KiB"),
            ],
            read_back,
        )
}

fn unix(at: Endpoint) -> Subject<UnixTransport> {
    Subject::new(UnixTransport::default(), at).reads_back(&[("send_buffer", "32KiB")], read_back)
}

fn read_back(socket: &OsSocket) -> io::Result<SocketOptions> {
    SocketOptions::read_back(socket)
}

fn unix_path() -> Subject<UnixTransport> {
    let places = Places::new();
    unix(places.free("unix")).keeping(places)
}

/// An unused name in the abstract namespace.
fn unix_name() -> Subject<UnixTransport> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    unix(
        format!("unix://@socketry-laws-{process}-{number}")
            .parse()
            .expect("a well-formed endpoint"),
    )
}

fn erased(transport: impl Transport, at: Endpoint) -> Subject<socketry_transport::BoxTransport> {
    Subject::new(erase(transport), at).except("options_applied_are_read_back", NOTHING_TO_ASK)
}

fn erased_unix() -> Subject<socketry_transport::BoxTransport> {
    let places = Places::new();
    erased(UnixTransport::default(), places.free("unix")).keeping(places)
}

fn at(url: &str) -> Endpoint {
    url.parse().expect("a well-formed endpoint")
}

socketry_testkit::stream_laws!(tcp_v4, tcp("tcp://127.0.0.1:0"));
socketry_testkit::stream_laws!(tcp_v6, tcp("tcp://[::1]:0"));
socketry_testkit::stream_laws!(
    tcp_erased,
    erased(TcpTransport::default(), at("tcp://127.0.0.1:0"))
);
socketry_testkit::stream_laws!(unix_path, unix_path());
socketry_testkit::stream_laws!(unix_name, unix_name());
socketry_testkit::stream_laws!(unix_erased, erased_unix());
socketry_testkit::stream_laws!(
    mem,
    Subject::new(MemTransport::default(), "mem://*")
        .except("options_applied_are_read_back", NOTHING_TO_ASK)
);
socketry_testkit::stream_laws!(mem_erased, erased(MemTransport::default(), at("mem://*")));
socketry_testkit::stream_laws!(pipes, Subject::new(Pipes::default(), "pipe://server"));

/// `FromIo` over `tokio::io::duplex`, as a third party would offer it. There is one listener, and a
/// channel passes it each client's other end.
#[derive(Default)]
struct Pipes {
    server: Arc<Mutex<Option<mpsc::UnboundedSender<Pipe>>>>,
    clients: AtomicUsize,
}

type Pipe = FromIo<DuplexStream>;

struct PipeListener {
    local: Endpoint,
    server: Arc<Mutex<Option<mpsc::UnboundedSender<Pipe>>>>,
    clients: mpsc::UnboundedReceiver<Pipe>,
}

#[async_trait]
impl Transport for Pipes {
    type Socket = Pipe;
    type Listener = PipeListener;

    async fn connect(&self, to: &Endpoint) -> Result<Pipe> {
        SocketOptions::from_query(to, self.keys())?;
        let refused = || Error::new(ErrorKind::Refused, "connect to", to);
        let number = self.clients.fetch_add(1, Ordering::Relaxed);
        let local = at(&format!("pipe://client-{number}"));
        let (ours, theirs) = tokio::io::duplex(10_000);
        let info = |local, peer| Info::new(Shape::Stream, local, peer);
        let theirs = FromIo::from_io(theirs, info(to.clone(), local.clone()));
        let server = self.server.lock().expect("the server");
        let sent = server.as_ref().ok_or_else(refused)?.send(theirs);
        sent.map_err(|_closed| refused())?;
        Ok(FromIo::from_io(ours, info(local, to.clone())))
    }

    async fn listen(&self, at: &Endpoint) -> Result<PipeListener> {
        SocketOptions::from_query(at, self.keys())?;
        let mut server = self.server.lock().expect("the server");
        if server.is_some() {
            return Err(Error::new(ErrorKind::InUse, "listen at", at));
        }
        let (sender, clients) = mpsc::unbounded_channel();
        *server = Some(sender);
        Ok(PipeListener {
            local: at.clone(),
            server: Arc::clone(&self.server),
            clients,
        })
    }
}

impl Listener for PipeListener {
    type Socket = Pipe;

    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Pipe>> {
        let closed = || Error::new(ErrorKind::Closed, "accept at", &self.local);
        Poll::Ready(ready!(self.clients.poll_recv(cx)).ok_or_else(closed))
    }
}

impl Drop for PipeListener {
    fn drop(&mut self) {
        *self.server.lock().expect("the server") = None;
    }
}
