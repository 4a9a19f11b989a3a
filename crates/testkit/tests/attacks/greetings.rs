//! What a peer of TLS sends in place of its hello, or as its hello.

use allocation_counter::measure;
use socketry_testkit::{Places, in_time};
use socketry_transport::{
    BoxSocket, Listener, Received, RecvExt, RecvHalf, SendExt, SendHalf, Socket,
};
use tokio::sync::mpsc;

use crate::victims::{TLS, connect, free, listen, registry, served_once};

/// The schemes over TLS, and what is inside of each.
pub(crate) const OVER_TLS: [(&str, &str); 3] =
    [("tls", "tcp"), ("tls+unix", "unix"), ("tls+mem", "mem")];

/// The most memory that both ends of an attack may hold, in bytes. A claim is for 64 KiB or more.
const MOST: u64 = 400 << 10;

/// A record of the type `handshake`, whose header claims `len` bytes.
fn record(kind: u8, len: usize, payload: &[u8]) -> Vec<u8> {
    let [.., high, low] = len.to_be_bytes();
    let mut record = vec![kind, 3, 1, high, low];
    record.extend(payload);
    record
}

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// The header of a ClientHello of 16 MiB - 1.
const ENDLESS_HELLO: [u8; 4] = [1, 0xff, 0xff, 0xff];
/// The same of a ServerHello.
const ENDLESS_ANSWER: [u8; 4] = [2, 0xff, 0xff, 0xff];
/// A warning that a name is not known.
const WARNING: [u8; 2] = [1, 112];

/// What a peer sends again and again, and how often.
struct Greeting {
    name: &'static str,
    first: Vec<u8>,
    again: Vec<u8>,
    times: usize,
}

fn greetings(hello: [u8; 4]) -> Vec<Greeting> {
    let greeting = |name, first: &[u8], again: Vec<u8>, times| Greeting {
        name,
        first: first.to_vec(),
        again,
        times,
    };
    let endless = record(HANDSHAKE, 4, &hello);
    vec![
        greeting("empty records", &[], record(HANDSHAKE, 0, &[]), 10_000),
        greeting(
            "a record of 65,535 bytes",
            &[],
            record(HANDSHAKE, 0xffff, &[0; 4]),
            1,
        ),
        greeting(
            "a hello of 16 MiB",
            &endless,
            record(HANDSHAKE, 16_384, &[0; 16_384]),
            1_024,
        ),
        greeting(
            "a hello of 16 MiB, in records of a byte",
            &endless,
            record(HANDSHAKE, 1, &[0]),
            100_000,
        ),
        greeting("warnings", &[], record(ALERT, 2, &WARNING), 10_000),
        greeting("data", &[], record(23, 16_384, &[0; 16_384]), 1_000),
    ]
}

/// Sends it until it is sent, or the other end closes.
async fn greet(socket: &mut BoxSocket, greeting: &Greeting) {
    if socket.send_all(&greeting.first).await.is_err() {
        return;
    }
    for _ in 0..greeting.times {
        if socket.send_all(&greeting.again).await.is_err() {
            return;
        }
    }
}

fn block_on(attack: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(attack);
}

/// Long before its deadline, which is 10 seconds, and with little memory.
#[test]
fn no_greeting_holds_a_server_up() {
    for (scheme, inside) in OVER_TLS {
        for greeting in greetings(ENDLESS_HELLO) {
            let what = format!("{} over {scheme}", greeting.name);
            let attack = || block_on(attack_a_server(scheme, inside, &greeting, &what));
            let held = measure(attack).bytes_max;
            assert!(held < MOST, "{what}: {held} bytes");
        }
    }
}

async fn attack_a_server(scheme: &str, inside: &str, greeting: &Greeting, what: &str) {
    let places = Places::new();
    let (line, mut lines) = mpsc::unbounded_channel();
    let tls = TLS.clone().on_failure(move |failure| {
        let _ = line.send(failure.to_string());
    });
    let registry = registry(&tls);
    let mut listener = registry.listen(&free(&places, scheme)).await.unwrap();
    let local = listener.local().clone();
    let accepting = tokio::spawn(async move {
        let mut all = Vec::new();
        while let Ok(socket) = listener.accept().await {
            all.push(socket);
        }
    });
    let plain = local.with_scheme(inside).unwrap();
    let mut attacker = registry.connect(&plain).await.unwrap();
    greet(&mut attacker, greeting).await;
    let line = in_time(what, lines.recv()).await.unwrap();
    assert!(!line.contains("not finished within"), "{what}: {line}");
    assert_eq!(line.lines().count(), 1);
    let _client = in_time(what, registry.connect(&local)).await.unwrap();
    accepting.abort();
}

#[test]
fn no_greeting_holds_a_client_up() {
    for (scheme, inside) in OVER_TLS {
        for greeting in greetings(ENDLESS_ANSWER) {
            let what = format!("{} over {scheme}", greeting.name);
            let attack = || block_on(attack_a_client(scheme, inside, &greeting, &what));
            let held = measure(attack).bytes_max;
            assert!(held < MOST, "{what}: {held} bytes");
        }
    }
}

async fn attack_a_client(scheme: &str, inside: &str, greeting: &Greeting, what: &str) {
    let places = Places::new();
    let mut listener = listen(&free(&places, inside)).await.unwrap();
    let to = listener.local().with_scheme(scheme).unwrap();
    let attacking = async {
        let mut attacker = listener.accept().await.unwrap();
        greet(&mut attacker, greeting).await;
        // Open until the client has given up.
        while matches!(attacker.recv(&mut [0; 4096]).await, Ok((_, Received::Data))) {}
    };
    let connecting = async {
        let error = connect(&to).await.unwrap_err().to_string();
        assert!(
            !error.contains("no TLS handshake within"),
            "{what}: {error}"
        );
    };
    in_time(what, async { tokio::join!(attacking, connecting) }).await;
}

/// Hands on each record of the handshake as records of one byte, and the rest as it is.
async fn cut(recv: &mut impl RecvHalf, send: &mut impl SendHalf) {
    let (mut come, mut buf) = (Vec::new(), [0; 4096]);
    while let Ok((len, Received::Data)) = recv.recv(&mut buf).await {
        come.extend_from_slice(&buf[..len]);
        let mut out = Vec::new();
        while let [kind, 3, _, high, low, rest @ ..] = come.as_slice() {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            let Some(payload) = rest.get(..len) else {
                break;
            };
            match *kind {
                HANDSHAKE => payload
                    .iter()
                    .for_each(|byte| out.extend(record(HANDSHAKE, 1, &[*byte]))),
                kind => out.extend(record(kind, len, payload)),
            }
            come.drain(..5 + len);
        }
        if send.send_all(&out).await.is_err() {
            return;
        }
    }
    let _ = send.finish().await;
}

/// A middle that cuts each message into records of a byte harms nobody: the versions of the records
/// are not part of what both ends sign.
#[tokio::test]
async fn a_hello_in_records_of_a_byte_is_a_hello() {
    for (scheme, inside) in OVER_TLS {
        let places = Places::new();
        let mut server = listen(&free(&places, scheme)).await.unwrap();
        let mut middle = listen(&free(&places, inside)).await.unwrap();
        let to = middle.local().with_scheme(scheme).unwrap();
        let behind = server.local().with_scheme(inside).unwrap();
        let passing = tokio::spawn(async move {
            let (mut here, mut back) = middle.accept().await.unwrap().split();
            let (mut there, mut on) = connect(&behind).await.unwrap().split();
            tokio::join!(cut(&mut here, &mut on), cut(&mut there, &mut back));
        });
        let met = async { tokio::join!(connect(&to), server.accept()) };
        let (client, accepted) = in_time(scheme, met).await;
        served_once(client.unwrap(), accepted.unwrap()).await;
        passing.abort();
    }
}
