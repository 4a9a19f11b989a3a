//! TLS over sockets with faults: what arrives is what was sent, or there is an error.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;
use std::time::Duration;

use socketry_testkit::faulty::for_each_seed;
use socketry_testkit::stream::Subject;
use socketry_testkit::{Fault, Faults, FaultyTransport};
use socketry_tls::{Identity, Tls, TlsTransport, Trust};
use socketry_transport::{
    Endpoint, Listener, MemTransport, Received, RecvExt, RecvHalf, SendExt, Socket, Stack,
    Transport,
};
use tokio::time::timeout;

type Faulted = Stack<TlsTransport<FaultyTransport<MemTransport>>>;

static TLS: LazyLock<Tls> = LazyLock::new(|| {
    let identity = Identity::made(["localhost"]).unwrap();
    let trust = Trust::pin(identity.pin().unwrap());
    Tls::new().identity(identity).trust(trust)
});

fn over(plan: &Faults) -> Faulted {
    Stack::new(FaultyTransport::new(MemTransport::default(), plan)).with(TLS.clone())
}

/// Pieces that are small, and yet let twelve megabytes through in time.
fn harmless() -> Subject<Faulted> {
    let plan = Faults::harmless().seed(1).longest_delay(Duration::ZERO);
    Subject::new(over(&plan.longest_piece(4000)), "mem://*").except(
        "options_applied_are_read_back",
        "a layer has no descriptor to ask",
    )
}

socketry_testkit::stream_laws!(harmless, harmless());

const LEN: usize = 50_000;

fn pattern() -> Vec<u8> {
    (0..=250).cycle().take(LEN).collect()
}

/// What comes until the end, and whether that end was one.
async fn read(recv: &mut impl RecvHalf) -> (Vec<u8>, bool) {
    let (mut all, mut buf) = (Vec::new(), [0; 777]);
    loop {
        // With a peer that has vanished nothing comes for ever.
        match timeout(Duration::from_secs(60), recv.recv(&mut buf)).await {
            Ok(Ok((len, Received::Data))) => all.extend_from_slice(&buf[..len]),
            Ok(Ok(_)) => return (all, true),
            Ok(Err(_)) | Err(_) => return (all, false),
        }
    }
}

/// One end: sends, finishes, and reads. Faults may break off any of it.
async fn converse<S: Socket>(socket: S) -> (Vec<u8>, bool) {
    let (mut recv, mut send) = socket.split();
    let sending = async {
        let sending = async {
            send.send_all(&pattern()).await?;
            send.finish().await
        };
        let _ = timeout(Duration::from_secs(60), sending).await;
    };
    tokio::join!(sending, read(&mut recv)).1
}

async fn run(plan: Faults) {
    let transport = over(&plan);
    let at: Endpoint = "mem://*".parse().unwrap();
    let mut listener = transport.listen(&at).await.unwrap();
    let at = listener.local().clone();
    let client = async { Some(converse(transport.connect(&at).await.ok()?).await) };
    let server = async {
        // A handshake that fails gives no socket.
        let accepted = timeout(Duration::from_secs(60), listener.accept()).await;
        Some(converse(accepted.ok()?.unwrap()).await)
    };
    let (client, server) = tokio::join!(client, server);
    for (came, _ended) in [client, server].into_iter().flatten() {
        assert!(
            pattern().starts_with(&came),
            "{} bytes came, and others",
            came.len()
        );
    }
}

fn with_each_seed(name: &str, plan: &(dyn Fn(u64) -> Faults + Sync)) {
    let command = format!("cargo test -p socketry-testkit --test tls_faults {name}");
    for_each_seed(&command, 60, |seed| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(plan(seed)));
    });
}

#[test]
fn a_connection_that_breaks_gives_what_came_before() {
    with_each_seed("breaks", &|seed| {
        Faults::hostile().seed(seed).within(200_000)
    });
}

#[test]
fn a_changed_bit_is_never_given_out() {
    with_each_seed("changed", &|seed| {
        Faults::none().seed(seed).with(Fault::StreamCorruption, 100)
    });
}
