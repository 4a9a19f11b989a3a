//! Datagrams: of a connected socket, of a session, and in batches.

use std::future::poll_fn;

use allocation_counter::measure;
use socketry_codec::{Framed, Raw};
use socketry_testkit::{Places, in_time};
use socketry_transport::{
    Batch, BoxSocket, DatagramSocket, Listener, PeerAddr, RecvExt, RecvHalf, SendExt, SendHalf,
    UdpTransport, connect, listen, send_to,
};
use tokio::runtime::{Builder, Runtime};

use super::watched::Watched;
use super::{FRAME, WAIT};

type End = Framed<Watched<BoxSocket>, Raw>;

/// How many datagrams are sent before they are received: no more than the shortest queue holds.
const BURST: usize = 8;
/// How many bursts there are to let the buffers grow, and then to be counted.
const BURSTS: usize = 20;

/// How many allocations it took to pass datagrams from one end to the other.
#[derive(Debug)]
struct Costs {
    sent: u64,
    received: u64,
    waits: u64,
}

/// A client, its session at a listener, and their runtime. Everything happens on the thread of the
/// test, and so is counted.
struct Talk {
    runtime: Runtime,
    client: End,
    session: End,
}

impl Talk {
    fn new(places: &Places, scheme: &str) -> Self {
        let runtime = current_thread();
        let (client, session) = runtime.block_on(in_time("a session", async {
            let mut listener = listen(&places.free(scheme)).await.unwrap();
            let mut client = connect(listener.local()).await.unwrap();
            client.send(FRAME).await.unwrap();
            let mut session = listener.accept().await.unwrap();
            let _ = session.recv(&mut [0; FRAME.len()]).await.unwrap();
            (client, session)
        }));
        let framed = |socket| Framed::new(Watched::new(socket), Raw);
        Talk {
            runtime,
            client: framed(client),
            session: framed(session),
        }
    }

    fn towards_the_session(&mut self) -> Costs {
        let mut bursts = || bursts(&self.runtime, &mut self.client, &mut self.session);
        let (_warm_up, costs) = (bursts(), bursts());
        costs
    }

    fn towards_the_client(&mut self) -> Costs {
        let mut bursts = || bursts(&self.runtime, &mut self.session, &mut self.client);
        let (_warm_up, costs) = (bursts(), bursts());
        costs
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn bursts(runtime: &Runtime, from: &mut End, to: &mut End) -> Costs {
    let (mut sent, mut received) = (0, 0);
    let (_, before) = to.socket().counts();
    for _ in 0..BURSTS {
        sent += measure(|| runtime.block_on(in_time("a burst", send(from)))).count_total;
        received += measure(|| runtime.block_on(in_time("its datagrams", receive(to)))).count_total;
    }
    let (_, waits) = to.socket().counts();
    Costs {
        sent,
        received,
        waits: waits - before,
    }
}

async fn send<S: SendHalf>(framed: &mut Framed<S, Raw>) {
    for _ in 0..BURST {
        framed.send(FRAME).await.unwrap();
    }
}

async fn receive<S: RecvHalf>(framed: &mut Framed<S, Raw>) {
    for _ in 0..BURST {
        assert_eq!(framed.recv().await.unwrap().unwrap(), FRAME);
    }
}

/// How many datagrams are counted in all.
const ALL: u64 = (BURST * BURSTS) as u64;

#[test]
fn a_connected_socket_sends_and_receives_without_an_allocation() {
    let places = Places::new();
    for scheme in ["udp", "unix-dgram"] {
        let mut talk = Talk::new(&places, scheme);
        assert_eq!(talk.towards_the_session().sent, 0, "{scheme}");
        let costs = talk.towards_the_client();
        assert!(costs.received <= WAIT * costs.waits, "{scheme}: {costs:?}");
    }
}

/// A datagram waits in a session's queue in memory of its own. On Unix sockets its sender has a
/// name in addition.
#[test]
fn a_session_costs_one_allocation_a_datagram_and_one_for_a_name() {
    let places = Places::new();
    for (scheme, each) in [("udp", 1), ("unix-dgram", 2)] {
        let mut talk = Talk::new(&places, scheme);
        let costs = talk.towards_the_session();
        let bound = each * ALL + WAIT * costs.waits;
        assert!(costs.received <= bound, "{scheme}: {costs:?}");
        assert_eq!(talk.towards_the_client().sent, 0, "{scheme}");
    }
}

#[test]
fn a_batch_is_filled_without_an_allocation() {
    let runtime = current_thread();
    let at = "udp://127.0.0.1:0".parse().unwrap();
    let udp = UdpTransport::default();
    let (one, other) = runtime.block_on(async { (udp.bind(&at).await, udp.bind(&at).await) });
    let (one, other) = (one.unwrap(), other.unwrap());
    let to = PeerAddr::try_from(other.local()).unwrap();
    let mut batch = Batch::new();
    let mut burst = || {
        runtime.block_on(in_time("a batch", async {
            for _ in 0..BURST {
                send_to(&one, FRAME, &to).await.unwrap();
            }
            while batch.len() < BURST {
                poll_fn(|cx| other.poll_recv_batch(cx, &mut batch))
                    .await
                    .unwrap();
            }
            batch.clear();
        }));
    };
    (0..BURSTS).for_each(|_| burst());
    let counted = measure(|| (0..BURSTS).for_each(|_| burst()));
    assert_eq!(counted.count_total, 0);
}
