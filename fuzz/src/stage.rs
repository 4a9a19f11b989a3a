//! The common part of the three apps' targets: a server in memory, in virtual time, and clients
//! that send what the input says.

use std::future::Future;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use bytes::BytesMut;
use socketry_apps::{AppError, Service};
use socketry_codec::{BoxCodec, Codec, CodecRegistry, CodecSpec};
use socketry_transport::{
    BoxSocket, Encoding, Endpoint, MemTransport, RecvExt, Registry, SendExt, SocketOptions,
};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// An action of a client. The first number says which client.
#[derive(Arbitrary, Debug)]
enum Move<'a> {
    /// Bytes, as they are.
    Sends(u8, &'a [u8]),
    /// A whole frame of the server's codec.
    SendsFrame(u8, &'a [u8]),
    Reads(u8),
    HalfCloses(u8),
    Vanishes(u8),
    /// All clients wait for 10 ms times this number.
    Waits(u8),
}

/// The most clients at a time.
const CLIENTS: usize = 4;
/// How many moves of an input are used.
const MOVES: usize = 32;
/// How long a client tries to send, and how long it reads.
const PATIENCE: Duration = Duration::from_millis(100);
/// The longest wait of a well-behaved client: far longer than any limit of a server.
const LONG: Duration = Duration::from_secs(1200);

/// A server's service, whose codec the input's first byte chooses, and the moves of the clients.
pub struct Stage<'a> {
    pub service: Service,
    moves: Vec<Move<'a>>,
}

impl<'a> Stage<'a> {
    /// `None` for an input that is too short.
    pub fn read(codecs: &[&str], input: &'a [u8]) -> Option<Self> {
        let mut input = Unstructured::new(input);
        let (codec, encoding, small) = input.arbitrary::<(u8, bool, bool)>().ok()?;
        let moves = input.arbitrary_iter().ok()?.take(MOVES);
        let codec = CodecSpec::new(codecs[usize::from(codec) % codecs.len()]);
        // With few bytes of buffer, messages are often cut and often have to wait.
        let options = SocketOptions {
            recv_buffer: small.then_some(64),
            ..SocketOptions::default()
        };
        Some(Stage {
            service: Service {
                registry: Registry::empty().with("mem", MemTransport::new(options)),
                codec,
                codecs: CodecRegistry::standard(),
                encoding: match encoding {
                    true => Encoding::GBK,
                    false => Encoding::UTF_8,
                },
                ..Service::default()
            },
            moves: moves.flatten().collect(),
        })
    }

    /// Plays the clients' moves, and returns all bytes that they read.
    pub async fn play(&self, at: &Endpoint) -> Vec<u8> {
        let codec = self.service.codec.build().expect("a codec");
        let mut clients = Clients {
            service: &self.service,
            at,
            codec,
            sockets: [const { None }; CLIENTS],
            read: Vec::new(),
        };
        for step in &self.moves {
            clients.play(step).await;
        }
        clients.read
    }
}

struct Clients<'a> {
    service: &'a Service,
    at: &'a Endpoint,
    codec: BoxCodec,
    sockets: [Option<BoxSocket>; CLIENTS],
    read: Vec<u8>,
}

impl Clients<'_> {
    async fn play(&mut self, step: &Move<'_>) {
        match step {
            Move::Sends(who, bytes) => self.send(*who, bytes).await,
            Move::SendsFrame(who, frame) => {
                let mut bytes = BytesMut::new();
                // A frame that the codec cannot carry is not sent.
                let _ = self.codec.clone().encode(frame, &mut bytes);
                self.send(*who, &bytes).await;
            }
            Move::Reads(who) => self.listen(*who).await,
            Move::HalfCloses(who) => {
                let _ = timeout(PATIENCE, self.socket(*who).await.finish()).await;
            }
            Move::Vanishes(who) => self.sockets[number(*who)] = None,
            Move::Waits(time) => sleep(Duration::from_millis(10) * u32::from(*time).pow(2)).await,
        }
    }

    /// The client's socket; it connects if it has none.
    async fn socket(&mut self, who: u8) -> &mut BoxSocket {
        let place = &mut self.sockets[number(who)];
        if place.is_none() {
            let socket = self.service.registry.connect(self.at).await;
            *place = Some(socket.expect("the server listens"));
        }
        place.as_mut().expect("just put there")
    }

    async fn send(&mut self, who: u8, bytes: &[u8]) {
        // A server may stop reading, or may have ended the connection.
        let _ = timeout(PATIENCE, self.socket(who).await.send_all(bytes)).await;
    }

    async fn listen(&mut self, who: u8) {
        let mut buf = [0; 4096];
        let heard = timeout(PATIENCE, self.socket(who).await.recv(&mut buf)).await;
        if let Ok(Ok((len, _))) = heard {
            self.read.extend_from_slice(&buf[..len]);
        }
    }
}

fn number(who: u8) -> usize {
    usize::from(who) % CLIENTS
}

/// Where a server listens.
pub fn place() -> Endpoint {
    "mem://server".parse().expect("a well-formed endpoint")
}

/// Runs a conversation in virtual time, and asserts that no task outlives it.
pub fn in_virtual_time(conversation: impl Future<Output = ()>) {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        conversation.await;
        let tasks = Handle::current().metrics().num_alive_tasks();
        assert_eq!(tasks, 0, "tasks were left behind");
    });
}

/// A server that runs beside its clients, until it is told to stop.
pub struct Serving {
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), AppError>>,
}

impl Serving {
    /// Runs `serve` with a future that tells it to stop.
    pub fn start<F>(serve: impl FnOnce(oneshot::Receiver<()>) -> F) -> Self
    where
        F: Future<Output = Result<(), AppError>> + Send + 'static,
    {
        let (stop, told) = oneshot::channel();
        Serving {
            stop,
            ended: tokio::spawn(serve(told)),
        }
    }

    /// Stops the server, and asserts that it ends without an error.
    pub async fn stop(self) {
        self.stop.send(()).expect("it still runs");
        let ended = within_long("the server ends", self.ended).await;
        ended.expect("no panic").expect("no error");
        // The writers of dropped connections notice that now.
        sleep(LONG).await;
    }
}

/// The result of `wait`, which must come within [`LONG`].
pub async fn within_long<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match timeout(LONG, wait).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: not within {LONG:?}"),
    }
}
