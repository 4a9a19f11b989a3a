//! Frames and bodies over streams.

use bytes::Bytes;
use socketry_codec::{BoxCodec, Codec, Framed, Line, Struct};
use socketry_testkit::{Places, Script, in_time};
use socketry_transport::{
    BoxSocket, Endpoint, Listener, MemTransport, RecvHalf, SendHalf, Socket, TcpTransport,
    Transport, UnixTransport, connect, listen,
};

use super::watched::Watched;
use super::{CODECS, FRAME, WAIT, codec, counted, wire};

/// How many frames are exchanged to let the buffers grow, and then to be counted: many reads, and
/// several writes.
const FRAMES: usize = 15_000;
/// The length of a frame in bytes.
const BYTES: usize = FRAMES * FRAME.len();
/// The number of round trips.
const TRIPS: usize = 50;
/// The length of a body in bytes, and of the pieces in which it is written.
const BODY: usize = 1 << 20;
static PIECE: [u8; 16_384] = [b'x'; 16_384];
/// The most allocations for a read of frames that are kept: its buffer, and the part that the
/// frames share.
const READ: u64 = 2;

/// A receiving end whose reads are counted, and a sending end.
struct Pair<R, S, C> {
    receiving: Framed<Watched<R>, C>,
    sending: Framed<S, C>,
}

/// How many allocations each side made, and how many reads and waits there were.
#[derive(Debug)]
struct Costs {
    sent: u64,
    received: u64,
    reads: u64,
    waits: u64,
}

impl<R: RecvHalf, S: SendHalf, C: Codec + Clone> Pair<R, S, C> {
    fn new(receiving: R, sending: S, codec: C) -> Self {
        Pair {
            receiving: Framed::new(Watched::new(receiving), codec.clone()),
            sending: Framed::new(sending, codec),
        }
    }

    /// Sends twice and receives twice, both sides on one thread, and counts the second time. It
    /// flushes only then, since a flush gives the memory of a burst back. `receive` gets the number
    /// of bytes that are left, and returns how many it took.
    async fn exchange(
        &mut self,
        send: impl AsyncFn(&mut Framed<S, C>),
        mut receive: impl AsyncFnMut(&mut Framed<Watched<R>, C>, usize) -> usize,
    ) -> Costs {
        let Pair { receiving, sending } = self;
        let sends = async {
            send(sending).await;
            let ((), sent) = counted(send(sending)).await;
            sending.flush().await.unwrap();
            sent
        };
        let receives = async {
            let early = receive(receiving, BYTES).await;
            let (reads, waits) = receiving.socket().counts();
            let (_, received) = counted(receive(receiving, 2 * BYTES - early)).await;
            let now = receiving.socket().counts();
            (received, now.0 - reads, now.1 - waits)
        };
        let both = async { tokio::join!(sends, receives) };
        let (sent, (received, reads, waits)) = in_time("an exchange", both).await;
        Costs {
            sent,
            received,
            reads,
            waits,
        }
    }
}

async fn boxed(at: &Endpoint, name: &str) -> Pair<BoxSocket, BoxSocket, BoxCodec> {
    let mut listener = listen(at).await.unwrap();
    let client = connect(listener.local()).await.unwrap();
    Pair::new(client, listener.accept().await.unwrap(), codec(name))
}

async fn plain<C: Codec + Clone>(
    transport: impl Transport,
    at: &Endpoint,
    codec: C,
) -> Pair<impl Socket, impl Socket, C> {
    let mut listener = transport.listen(at).await.unwrap();
    let client = transport.connect(listener.local()).await.unwrap();
    Pair::new(client, listener.accept().await.unwrap(), codec)
}

/// Every codec over every stream transport.
fn pairings() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = ["tcp", "unix", "mem"].into_iter();
    all.flat_map(|scheme| CODECS.map(|name| (scheme, name)))
}

async fn feed<S: SendHalf, C: Codec>(framed: &mut Framed<S, C>) {
    for _ in 0..FRAMES {
        framed.feed(FRAME).await.unwrap();
    }
}

/// Receives this many bytes. `raw` gives frames of other sizes than were fed, so it may receive
/// more.
async fn receive<S: RecvHalf, C: Codec>(framed: &mut Framed<S, C>, bytes: usize) -> usize {
    let mut got = 0;
    while got < bytes {
        got += framed.recv().await.unwrap().unwrap().len();
    }
    got
}

#[tokio::test]
async fn a_frame_is_fed_and_received_without_an_allocation() {
    let places = Places::new();
    for (scheme, name) in pairings() {
        let pair = boxed(&places.free(scheme), name).await;
        frames_cost_nothing(&format!("{name} over {scheme}"), pair).await;
    }
}

#[tokio::test]
async fn so_it_is_where_the_types_are_known() {
    let places = Places::new();
    let (tcp, unix) = (TcpTransport::default(), UnixTransport::default());
    let pair = plain(tcp, &places.free("tcp"), Struct::default()).await;
    frames_cost_nothing("TcpTransport", pair).await;
    let pair = plain(unix, &places.free("unix"), Line::new()).await;
    frames_cost_nothing("UnixTransport", pair).await;
    let mem = MemTransport::default();
    let pair = plain(mem, &places.free("mem"), Struct::default()).await;
    frames_cost_nothing("MemTransport", pair).await;
}

/// Many a call: the places of a batch are shared by the thread, as its buffer is.
#[tokio::test]
async fn nor_does_one_of_many_allocate() {
    let places = Places::new();
    for (scheme, name) in pairings() {
        let mut pair = boxed(&places.free(scheme), name).await;
        let costs = pair.exchange(feed_many, receive_many).await;
        assert_eq!(costs.sent, 0, "{name} over {scheme}: {costs:?}");
        let bound = WAIT * costs.waits;
        assert!(costs.received <= bound, "{name} over {scheme}: {costs:?}");
        assert!(
            costs.waits < FRAMES as u64 / 10,
            "{name} over {scheme}: {costs:?}"
        );
    }
}

async fn feed_many<S: SendHalf, C: Codec>(framed: &mut Framed<S, C>) {
    let frames = std::iter::repeat_n(FRAME, FRAMES);
    assert_eq!(framed.feed_many(frames).await.unwrap(), FRAMES);
}

async fn receive_many<S: RecvHalf, C: Codec>(framed: &mut Framed<S, C>, bytes: usize) -> usize {
    let mut got = 0;
    while got < bytes {
        for frame in framed.recv_many(usize::MAX).await.unwrap().unwrap() {
            got += frame.len();
            if got == bytes {
                break;
            }
        }
    }
    got
}

async fn frames_cost_nothing<R, S, C>(what: &str, mut pair: Pair<R, S, C>)
where
    R: RecvHalf,
    S: SendHalf,
    C: Codec + Clone,
{
    let costs = pair.exchange(feed, receive).await;
    assert_eq!(costs.sent, 0, "{what}: {costs:?}");
    assert!(costs.received <= WAIT * costs.waits, "{what}: {costs:?}");
    assert!(costs.waits < FRAMES as u64 / 10, "{what}: {costs:?}");
}

/// Without a wait there is no allocation, wherever the reads cut the frames.
#[tokio::test]
async fn a_read_costs_nothing() {
    for name in CODECS {
        let mut codec = codec(name);
        let wire = wire(&mut codec, 2 * FRAMES);
        let script = Script::stream().arriving(wire.chunks(4_000));
        let mut framed = Framed::new(script, codec);
        let early = receive(&mut framed, BYTES).await;
        let (_, allocations) = counted(receive(&mut framed, 2 * BYTES - early)).await;
        assert_eq!(allocations, 0, "{name}");
    }
}

/// A task that waits for the next frame holds no buffer.
#[tokio::test]
async fn a_wait_between_frames_costs_one_buffer() {
    let places = Places::new();
    for (scheme, name) in pairings() {
        let Pair { receiving, sending } = boxed(&places.free(scheme), name).await;
        let (mut one, mut other) = (receiving, sending);
        let asking = async {
            ask(&mut one).await;
            let (_, before) = one.socket().counts();
            let ((), allocations) = counted(ask(&mut one)).await;
            (allocations, one.socket().counts().1 - before)
        };
        let answering = async {
            answer(&mut other).await;
            answer(&mut other).await;
        };
        let both = async { tokio::join!(asking, answering) };
        let ((allocations, waits), ()) = in_time("round trips", both).await;
        assert!(
            allocations <= waits,
            "{name} over {scheme}: {allocations} for {waits} waits"
        );
    }
}

async fn ask<S: RecvHalf + SendHalf, C: Codec>(framed: &mut Framed<S, C>) {
    for _ in 0..TRIPS {
        framed.send(FRAME).await.unwrap();
        assert_eq!(framed.recv().await.unwrap().unwrap(), FRAME);
    }
}

async fn answer<S: RecvHalf + SendHalf, C: Codec>(framed: &mut Framed<S, C>) {
    for _ in 0..TRIPS {
        assert_eq!(framed.recv().await.unwrap().unwrap(), FRAME);
        framed.send(FRAME).await.unwrap();
    }
}

/// Frames as `Bytes`, all of them kept: the allocations are per read, however many frames it holds.
#[tokio::test]
async fn frames_to_keep_cost_by_the_read() {
    let places = Places::new();
    for (scheme, name) in pairings() {
        let mut pair = boxed(&places.free(scheme), name).await;
        let mut kept = Vec::with_capacity(2 * FRAMES);
        let keep = async |framed: &mut _, bytes| keep(framed, &mut kept, bytes).await;
        let costs = pair.exchange(feed, keep).await;
        let bound = READ * costs.reads + WAIT * costs.waits;
        assert!(costs.received <= bound, "{name} over {scheme}: {costs:?}");
    }
}

/// Of many a call there are no more, whichever the frames.
#[tokio::test]
async fn many_frames_to_keep_cost_by_the_read_too() {
    let places = Places::new();
    for (scheme, name) in pairings() {
        let mut pair = boxed(&places.free(scheme), name).await;
        let mut kept = Vec::with_capacity(2 * FRAMES);
        let keep = async |framed: &mut Framed<_, _>, bytes: usize| {
            let (begun, mut got) = (kept.len(), 0);
            while got < bytes {
                let most = (bytes - got).div_ceil(FRAME.len());
                framed.recv_many_bytes(&mut kept, most).await.unwrap();
                got = kept[begun..].iter().map(Bytes::len).sum();
            }
            got
        };
        let costs = pair.exchange(feed_many, keep).await;
        let bound = READ * costs.reads + WAIT * costs.waits;
        assert!(costs.received <= bound, "{name} over {scheme}: {costs:?}");
    }
}

async fn keep<S: RecvHalf, C: Codec>(
    framed: &mut Framed<S, C>,
    kept: &mut Vec<Bytes>,
    bytes: usize,
) -> usize {
    let mut got = 0;
    while got < bytes {
        let frame = framed.recv_bytes().await.unwrap().unwrap();
        got += frame.len();
        kept.push(frame);
    }
    got
}

#[tokio::test]
async fn a_body_is_written_and_read_without_an_allocation() {
    let places = Places::new();
    for scheme in ["tcp", "unix", "mem"] {
        let mut pair = boxed(&places.free(scheme), "json").await;
        let costs = pair.exchange(write_body, read_body).await;
        assert_eq!(costs.sent, 0, "{scheme}: {costs:?}");
        assert!(costs.received <= WAIT * costs.waits, "{scheme}: {costs:?}");
    }
}

async fn write_body<S: SendHalf, C: Codec>(framed: &mut Framed<S, C>) {
    framed.feed(FRAME).await.unwrap();
    let mut body = framed.body_writer(BODY as u64).unwrap();
    for _ in 0..BODY / PIECE.len() {
        body.write_all(&PIECE).await.unwrap();
    }
}

async fn read_body<S: RecvHalf, C: Codec>(framed: &mut Framed<S, C>, _: usize) -> usize {
    framed.recv().await.unwrap().unwrap();
    let mut body = framed.body(BODY as u64).unwrap();
    while body.chunk().await.unwrap().is_some() {}
    BYTES
}
