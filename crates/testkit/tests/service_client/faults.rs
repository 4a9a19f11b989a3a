//! Clients over faulty sockets: each call gets its own answer or an error, and nothing that is not
//! idempotent is done twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socketry_codec::Struct;
use socketry_service::{Call, CallError, Client, ClientLimits, IntegerField};
use socketry_testkit::faulty::for_each_seed;
use socketry_testkit::{Fault, Faults, FaultyTransport, in_time};
use socketry_transport::{Listener, MemTransport, Registry, TcpTransport};
use tokio::task::JoinSet;

use crate::steps::Peer;

/// How often the server has done what each request asks for.
type Done = Arc<Mutex<HashMap<Vec<u8>, usize>>>;

async fn serve(mut peer: Peer, done: Done) {
    loop {
        match peer.recv_bytes().await {
            Ok(Some(frame)) => {
                // Behind the id.
                *done.lock().unwrap().entry(frame[8..].to_vec()).or_default() += 1;
                if peer.send(&frame).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) if error.is_fatal() => return,
            Err(_) => {}
        }
    }
}

async fn run(registry: Registry, at: &str, by_id: bool) {
    let mut listener = registry.listen(at).await.unwrap();
    let mut builder = Client::builder(listener.local())
        .unwrap()
        .registry(registry);
    if by_id {
        builder = builder.correlate(IntegerField::<u64>::at(0));
    }
    let limits = ClientLimits {
        backoff_min: Duration::from_millis(1),
        backoff_max: Duration::from_millis(20),
        // A connection that stalls is noticed.
        probe_interval: Duration::from_millis(100),
        probe_timeout: Duration::from_millis(100),
        ..ClientLimits::default()
    };
    let client = builder.limits(limits).probe(vec![0; 16]).start().unwrap();
    let done = Done::default();
    let counts = Arc::clone(&done);
    let server = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok(socket) = listener.accept().await {
            let peer = Peer::new(socket, Struct::default());
            connections.spawn(serve(peer, Arc::clone(&counts)));
        }
    });
    let mut callers = JoinSet::new();
    for caller in 0..8_u64 {
        let client = client.clone();
        callers.spawn(async move {
            let mut failed = Vec::new();
            for round in 0..30_u64 {
                let name = [caller.to_be_bytes(), round.to_be_bytes()].concat();
                let frame = [&[0; 8][..], &name].concat();
                let idempotent = caller % 2 == 0;
                let call = Call::new(frame).within(Duration::from_secs(20));
                let call = if idempotent { call.idempotent() } else { call };
                match client.call(call).await {
                    Ok(answer) => assert_eq!(answer[8..], name),
                    Err(error) => {
                        assert!(
                            !idempotent,
                            "an idempotent call is answered in the end: {error}"
                        );
                        assert!(matches!(error, CallError::MaybeDone(_)), "{error}");
                        failed.push(name);
                    }
                }
            }
            failed
        });
    }
    let failed = in_time("all callers", callers.join_all()).await.concat();
    in_time("the close", client.close()).await;
    server.abort();
    let done = done.lock().unwrap();
    for caller in (1..8_u64).step_by(2) {
        for round in 0..30_u64 {
            let name = [caller.to_be_bytes(), round.to_be_bytes()].concat();
            let times = done.get(&name).copied().unwrap_or(0);
            let least = usize::from(!failed.contains(&name));
            assert!((least..=1).contains(&times), "done {times} times");
        }
    }
}

fn block_on(run: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let mut runtime = runtime;
    runtime.enable_all().build().unwrap().block_on(run);
}

fn plan(seed: u64) -> Faults {
    Faults::harmless()
        .with(Fault::Reset, 300)
        .with(Fault::Stall, 50)
        .with(Fault::HalfOpen, 50)
        .within(4000)
        .seed(seed)
}

#[test]
fn nothing_is_done_twice_over_faulty_tcp_in_order() {
    let command = "cargo test -p socketry-testkit --test service_client faulty_tcp";
    for_each_seed(command, 30, |seed| {
        let faulty = FaultyTransport::new(TcpTransport::default(), &plan(seed));
        let registry = Registry::standard().with("tcp", faulty);
        block_on(run(registry, "tcp://127.0.0.1:0", false));
    });
}

#[test]
fn nothing_is_done_twice_over_faulty_mem_with_ids() {
    let command = "cargo test -p socketry-testkit --test service_client faulty_mem";
    for_each_seed(command, 30, |seed| {
        let faulty = FaultyTransport::new(MemTransport::default(), &plan(seed));
        let registry = Registry::standard().with("mem", faulty);
        block_on(run(registry, "mem://*", true));
    });
}

#[test]
fn harmless_faults_are_not_noticed() {
    let command = "cargo test -p socketry-testkit --test service_client harmless";
    for_each_seed(command, 10, |seed| {
        let faulty = FaultyTransport::new(TcpTransport::default(), &Faults::harmless().seed(seed));
        let registry = Registry::standard().with("tcp", faulty);
        block_on(run(registry, "tcp://127.0.0.1:0", seed % 2 == 0));
    });
}
