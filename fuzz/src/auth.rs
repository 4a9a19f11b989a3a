//! Both ends of the exchange of tokens against arbitrary bytes, and against each other with bytes
//! changed on the way. Nobody is let in by name without the token; a plain client that is let in is
//! heard to the byte; each exchange ends.

use std::time::Duration;

use socketry_auth::{
    Anonymous, Auth, AuthTransport, FirstOf, Identity, Secret, Token, Tokens, fuzzing,
};
use socketry_transport::{
    BoxSocket, Endpoint, Half, Listener, MemTransport, Received, RecvExt, RecvHalf, SendExt,
    SendHalf, Socket, Stack, Transport, connect,
};
use tokio::runtime::Builder;
use tokio::time::timeout;

type Stacked = Stack<AuthTransport<MemTransport>>;

/// Longer than an exchange may take.
const LONG: Duration = Duration::from_secs(60);

fn token() -> Token {
    let secret = Secret::new([7; 32]).expect("a secret");
    Token::new("ann", secret).expect("a token")
}

fn server(open: bool) -> Stacked {
    let tokens = Tokens::new([token()]).expect("tokens");
    let who = FirstOf::new().or(tokens);
    let who = if open { who.or(Anonymous) } else { who };
    Stack::new(MemTransport::default()).with(Auth::new().require(who))
}

fn client() -> Stacked {
    Stack::new(MemTransport::default()).with(Auth::new().token(token()))
}

/// The first byte says which end meets the rest as raw bytes, or whether it changes what two ends
/// say to each other.
pub fn run(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    if let Ok(text) = std::str::from_utf8(rest) {
        text.lines().for_each(fuzzing::parse);
    }
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let hearing = async {
        match kind % 4 {
            0 => a_server_hears(rest, false).await,
            1 => a_server_hears(rest, true).await,
            2 => a_client_hears(rest).await,
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

async fn a_server_hears(bytes: &[u8], open: bool) {
    let mut listener = server(open).listen(&at()).await.expect("a listener");
    let raw = connect(listener.local().clone()).await;
    let mut raw = raw.expect("a connection");
    let saying = async {
        say(&mut raw, bytes).await;
        read(&mut raw).await
    };
    let accepting = async {
        let accepted = timeout(LONG, listener.accept()).await;
        let Ok(Ok(mut socket)) = accepted else {
            return;
        };
        assert!(open, "nobody proved the token, and there is a socket");
        assert_eq!(Identity::of(socket.info()), Some(&Identity::anonymous()));
        assert!(!bytes.starts_with(b"socketry-auth "));
        assert_eq!(read(&mut socket).await, bytes);
    };
    tokio::join!(saying, accepting);
}

async fn a_client_hears(bytes: &[u8]) {
    let mut raw = socketry_transport::listen(at()).await.expect("a listener");
    let to = raw.local().clone();
    let serving = async {
        let mut socket = raw.accept().await.expect("a client");
        say(&mut socket, bytes).await;
        read(&mut socket).await
    };
    let client = client();
    let (_heard, connected) = tokio::join!(serving, client.connect(&to));
    assert!(
        connected.is_err(),
        "nobody proved the token, and there is a socket"
    );
}

/// Pairs of bytes: how many pass as they are, and how the next one is changed.
async fn both_hear_changed(changes: &[u8]) {
    let mut listener = server(false).listen(&at()).await.expect("a listener");
    let mut middle = socketry_transport::listen(at()).await.expect("a listener");
    let (to, to_server) = (middle.local().clone(), listener.local().clone());
    let (there, back) = changes.split_at(changes.len() / 2);
    let passing = async {
        let outer = middle.accept().await.expect("a client");
        let inner = connect(to_server).await;
        let (mut outer_recv, mut outer_send) = outer.split();
        let (mut inner_recv, mut inner_send) = inner.expect("a connection").split();
        tokio::join!(
            pass(&mut outer_recv, &mut inner_send, there),
            pass(&mut inner_recv, &mut outer_send, back),
        )
    };
    let client = client();
    let connecting = async { client.connect(&to).await.map(drop) };
    let accepting = async {
        let Ok(Ok(socket)) = timeout(LONG, listener.accept()).await else {
            return;
        };
        let name = Identity::of(socket.info()).map(Identity::name);
        assert_eq!(name, Some("ann"));
    };
    let _ = tokio::join!(passing, connecting, accepting);
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
