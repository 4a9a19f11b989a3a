//! Both ends of TLS against arbitrary bytes, and against each other with bytes changed on the way.
//! A handshake ends, with a socket or an error; what is received is what was sent.

use std::cell::OnceCell;
use std::time::Duration;

use socketry_tls::{Identity, Tls, TlsTransport, Trust};
use socketry_transport::{
    BoxSocket, Endpoint, Listener, MemTransport, Received, RecvExt, RecvHalf, SendExt, SendHalf,
    Socket, Stack, Transport, connect,
};
use tokio::runtime::Builder;
use tokio::time::timeout;

type Stacked = Stack<TlsTransport<MemTransport>>;

const SENT: &[u8] = b"what the other end sent";
/// Longer than a handshake may take.
const LONG: Duration = Duration::from_secs(60);

thread_local! {
    static TLS: OnceCell<Tls> = const { OnceCell::new() };
}

fn tls() -> Tls {
    let made = || {
        let identity = Identity::made(["localhost"]).expect("an identity");
        let trust = Trust::pin(identity.pin().expect("a pin"));
        Tls::new().identity(identity).trust(trust)
    };
    TLS.with(|tls| tls.get_or_init(made).clone())
}

/// The first byte says which end meets the rest as raw bytes, or whether it changes what two ends
/// say to each other.
pub fn run(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let hearing = async {
        match kind % 3 {
            0 => a_server_hears(rest).await,
            1 => a_client_hears(rest).await,
            _ => both_hear_changed(rest).await,
        }
    };
    let ended = runtime.block_on(async { timeout(10 * LONG, hearing).await });
    ended.expect("an end");
}

fn at() -> Endpoint {
    "mem://*".parse().expect("an endpoint")
}

/// Sends `bytes`, cut by the first of them, and then the end.
async fn say(socket: &mut BoxSocket, bytes: &[u8]) {
    let size = bytes.first().map_or(1, |first| usize::from(*first) + 1);
    for piece in bytes.chunks(size) {
        // The other end may be gone.
        if socket.send_all(piece).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    let _ = socket.finish().await;
}

/// Reads until the end or an error.
async fn read(recv: &mut impl RecvHalf) -> Vec<u8> {
    let (mut all, mut buf) = (Vec::new(), [0; 1000]);
    while let Ok(Ok((len, Received::Data))) = timeout(LONG, recv.recv(&mut buf)).await {
        all.extend_from_slice(&buf[..len]);
    }
    all
}

/// Without a certificate's key no handshake comes to its end.
async fn a_server_hears(bytes: &[u8]) {
    let stack: Stacked = Stack::new(MemTransport::default()).with(tls());
    let mut listener = stack.listen(&at()).await.expect("a listener");
    let raw = connect(listener.local().clone()).await;
    let mut raw = raw.expect("a connection");
    let saying = async {
        say(&mut raw, bytes).await;
        read(&mut raw).await
    };
    let accepting = timeout(LONG, listener.accept());
    let (_answer, accepted) = tokio::join!(saying, accepting);
    assert!(
        accepted.is_err(),
        "nobody shook hands, and there is a socket"
    );
    assert_eq!(listener.stats().succeeded, 0);
}

async fn a_client_hears(bytes: &[u8]) {
    let stack: Stacked = Stack::new(MemTransport::default()).with(tls());
    let mut raw = socketry_transport::listen(at()).await.expect("a listener");
    let to = raw.local().clone();
    let serving = async {
        let mut socket = raw.accept().await.expect("a client");
        say(&mut socket, bytes).await;
        read(&mut socket).await
    };
    let (_heard, connected) = tokio::join!(serving, stack.connect(&to));
    assert!(
        connected.is_err(),
        "nobody shook hands, and there is a socket"
    );
}

/// Pairs of bytes: how many pass as they are, and how the next one is changed.
async fn both_hear_changed(changes: &[u8]) {
    let stack: Stacked = Stack::new(MemTransport::default()).with(tls());
    let mut listener = stack.listen(&at()).await.expect("a listener");
    let mut middle = socketry_transport::listen(at()).await.expect("a listener");
    let to = middle.local().clone();
    let server = listener.local().clone();
    let (there, back) = changes.split_at(changes.len() / 2);
    let passing = async {
        let outer = middle.accept().await.expect("a client");
        let inner = connect(server).await;
        let (mut outer_recv, mut outer_send) = outer.split();
        let (mut inner_recv, mut inner_send) = inner.expect("a connection").split();
        tokio::join!(
            pass(&mut outer_recv, &mut inner_send, there),
            pass(&mut inner_recv, &mut outer_send, back),
        )
    };
    let client = async { hears_what_was_sent(stack.connect(&to).await.ok()).await };
    let server = async {
        let accepted = timeout(LONG, listener.accept()).await;
        hears_what_was_sent(accepted.ok().and_then(Result::ok)).await;
    };
    tokio::join!(passing, client, server);
}

async fn hears_what_was_sent<S: Socket>(socket: Option<S>) {
    let Some(socket) = socket else { return };
    let (mut recv, mut send) = socket.split();
    let _ = send.send_all(SENT).await;
    // Finished after it has heard: where a bad record comes behind a `close_notify` of its own,
    // rustls 0.23.46 fails an assertion that only debug builds have, and fuzzers.
    let (mut heard, mut buf) = (Vec::new(), [0; 1000]);
    while heard.len() < SENT.len() {
        match timeout(LONG, recv.recv(&mut buf)).await {
            Ok(Ok((len, Received::Data))) => heard.extend_from_slice(&buf[..len]),
            _ => break,
        }
    }
    assert!(SENT.starts_with(&heard), "{}", heard.escape_ascii());
    let _ = send.finish().await;
}

/// Hands on, changing a byte here and there.
async fn pass(recv: &mut impl RecvHalf, send: &mut impl SendHalf, changes: &[u8]) {
    let mut changes = changes.chunks_exact(2);
    let mut next = changes.next();
    let (mut passed, mut buf) = (0, [0; 1000]);
    while let Ok(Ok((len, Received::Data))) = timeout(LONG, recv.recv(&mut buf)).await {
        for byte in &mut buf[..len] {
            if let Some(&[skip, change]) = next {
                if passed == usize::from(skip) {
                    *byte ^= change;
                    next = changes.next();
                    passed = 0;
                    continue;
                }
                passed += 1;
            }
        }
        if send.send_all(&buf[..len]).await.is_err() {
            return;
        }
    }
    let _ = send.finish().await;
}
