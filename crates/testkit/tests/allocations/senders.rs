//! Frames through a `Sender`: the caller's part and the writer's, which is a task of the same
//! thread.

use allocation_counter::measure;
use socketry_codec::{BoxCodec, Framed, Sender};
use socketry_testkit::{Places, in_time};
use socketry_transport::{BoxRecv, Listener, Socket, connect, listen};
use tokio::runtime::{Builder, Runtime};

use super::{CODECS, FRAME, codec};

/// How many frames are queued before the writer runs.
const BURST: usize = 200;
/// How many bursts are sent to let the buffers grow, and then to be counted.
const BURSTS: usize = 20;

#[test]
fn a_frame_is_put_and_written_without_an_allocation() {
    let places = Places::new();
    for scheme in ["tcp", "unix", "mem"] {
        for name in CODECS {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let (sender, mut peer) = runtime.block_on(pair(&places, scheme, name));
            let mut bursts = || {
                (0..BURSTS)
                    .map(|_| burst(&runtime, &sender, &mut peer))
                    .sum::<u64>()
            };
            let (_warm_up, allocations) = (bursts(), bursts());
            assert_eq!(allocations, 0, "{name} over {scheme}");
        }
    }
}

async fn pair(places: &Places, scheme: &str, name: &str) -> (Sender, Framed<BoxRecv, BoxCodec>) {
    let mut listener = listen(&places.free(scheme)).await.unwrap();
    let client = connect(listener.local()).await.unwrap();
    let (_, send) = client.split();
    let (peer, _) = listener.accept().await.unwrap().split();
    let sender = Framed::new(send, codec(name)).into_sender();
    (sender, Framed::new(peer, codec(name)))
}

/// How often this thread allocated while a burst was sent. The burst is received afterwards.
fn burst(runtime: &Runtime, sender: &Sender, peer: &mut Framed<BoxRecv, BoxCodec>) -> u64 {
    let send = async {
        for _ in 0..BURST {
            sender.send(FRAME).await.unwrap();
        }
        sender.flush().await.unwrap();
    };
    let allocations = measure(|| runtime.block_on(in_time("a burst", send))).count_total;
    runtime.block_on(in_time("its frames", receive(peer)));
    allocations
}

async fn receive(peer: &mut Framed<BoxRecv, BoxCodec>) {
    let mut left = BURST * FRAME.len();
    while left > 0 {
        left -= peer.recv().await.unwrap().unwrap().len();
    }
}
