//! The effects of faults, and the effects that they never have.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use futures_util::FutureExt;
use socketry_codec::{BoxCodec, Framed};
use socketry_testkit::{Fault, Faults, Faulty, FaultyTransport, Places, Trace, in_time};
use socketry_transport::{
    Batch, BoxSocket, Credentials, Cut, Half, Listener, MemTransport, Received, RecvExt, RecvHalf,
    Registry, SendExt, Socket, connect, listen,
};
use tokio::time::{Instant, timeout};
use tokio_test::{assert_pending, task};

const ALWAYS: u16 = 1000;
const HOUR: Duration = Duration::from_secs(3600);

/// Two ends of a connection over a standard transport. A datagram server knows its client after a
/// first datagram.
async fn pair(scheme: &str) -> (BoxSocket, BoxSocket) {
    let places = Places::new();
    let mut listener = listen(places.free(scheme)).await.unwrap();
    let mut client = connect(listener.local()).await.unwrap();
    if client.shape().is_stream() {
        return (client, listener.accept().await.unwrap());
    }
    client.send_all(b"hello").await.unwrap();
    let mut server = listener.accept().await.unwrap();
    let _ = server.recv(&mut [0; 16]).await.unwrap();
    (client, server)
}

/// A connection of which one end always has these faults.
async fn with(scheme: &str, plan: &Faults) -> (Faulty<BoxSocket>, BoxSocket) {
    let (client, server) = pair(scheme).await;
    (plan.over(client), server)
}

fn only(fault: Fault) -> Faults {
    Faults::none().with(fault, ALWAYS)
}

async fn read_all(socket: &mut impl RecvHalf, want: usize) -> io::Result<Vec<u8>> {
    let (mut all, mut buf) = (Vec::new(), vec![0; 4096]);
    while all.len() < want {
        let (len, received) = socket.recv(&mut buf).await?;
        all.extend_from_slice(&buf[..len]);
        if received == Received::End {
            break;
        }
    }
    Ok(all)
}

fn sample(len: usize) -> Vec<u8> {
    (0..251).cycle().take(len).collect()
}

#[tokio::test]
async fn without_faults_a_faulty_socket_is_as_the_one_inside() {
    for scheme in Places::SCHEMES {
        let (client, mut server) = pair(scheme).await;
        let trace = Trace::new();
        let known = (client.shape(), client.local().clone(), client.recv_room());
        let credentials = client.info().get::<Credentials>().copied();
        let mut faulty = Faults::none().traced(&trace).over(client);
        let same = (faulty.shape(), faulty.local().clone(), faulty.recv_room());
        assert_eq!(same, known);
        assert_eq!(faulty.info().get().copied(), credentials);

        faulty.send_all(b"question").await.unwrap();
        let mut buf = [0; 32];
        assert_eq!(
            server.recv(&mut buf).await.unwrap(),
            (8, Received::Data),
            "{scheme}"
        );
        server.send_all(b"answer").await.unwrap();
        let mut batch = Batch::new();
        let received = std::future::poll_fn(|cx| faulty.poll_recv_batch(cx, &mut batch)).await;
        assert_eq!(received.unwrap(), Received::Data);
        assert_eq!(batch.iter().next().unwrap().bytes, b"answer");
        assert_eq!(trace.events(), []);
    }
}

#[tokio::test]
async fn harmless_faults_change_no_byte() {
    let data = sample(20_000);
    for scheme in ["tcp", "unix", "mem"] {
        let trace = Trace::new();
        for seed in 0..8 {
            let plan = Faults::harmless().longest_delay(Duration::from_micros(100));
            let (client, server) = pair(scheme).await;
            let client = plan.clone().seed(seed).traced(&trace).over(client);
            let server = plan.seed(seed).number(1).over(server);
            let (mut here, mut there) = (client.split(), server.split());
            let talk = async {
                let sending = async {
                    here.1.send_all(&data).await.unwrap();
                    here.1.finish().await.unwrap();
                };
                let echoing = async {
                    let heard = read_all(&mut there.0, usize::MAX).await.unwrap();
                    there.1.send_all(&heard).await.unwrap();
                    there.1.finish().await.unwrap();
                };
                let hearing = read_all(&mut here.0, usize::MAX);
                tokio::join!(sending, echoing, hearing).2.unwrap()
            };
            let back = in_time("an echo", talk).await;
            assert!(back == data, "{scheme}, seed {seed}");
        }
        for fault in Fault::HARMLESS {
            assert!(trace.count(fault) > 0, "{fault:?} never happened");
        }
    }
}

#[tokio::test]
async fn harmless_faults_keep_datagrams_whole() {
    for scheme in ["udp", "unix-dgram"] {
        let plan = Faults::harmless().longest_delay(Duration::from_micros(100));
        let (client, server) = pair(scheme).await;
        let mut client = plan.over(client);
        let mut server = plan.number(1).over(server);
        let mut buf = vec![0; 4096];
        for len in (0..2000).step_by(97) {
            client.send_all(&sample(len)).await.unwrap();
            let got = in_time("a datagram", server.recv(&mut buf)).await.unwrap();
            assert_eq!(got, (len, Received::Data));
            assert!(buf[..len] == sample(len));
        }
    }
}

/// Frames over a socket with harmless faults, received by calls that are cancelled again and again.
#[tokio::test(start_paused = true)]
async fn framed_loses_nothing_to_harmless_faults_and_cancelled_calls() {
    let frames: Vec<String> = (0..30)
        .map(|n| format!("{{\"n\":\"{}\"}}", "x".repeat(n * n * 3)))
        .collect();
    for codec in [
        "line",
        "line:crlf",
        "struct",
        "struct:>H",
        "json",
        "json:bare",
    ] {
        for seed in 0..5 {
            let codec: BoxCodec = codec.parse().unwrap();
            let plan = Faults::harmless().seed(seed);
            let (client, server) = pair("mem").await;
            let mut there = Framed::new(plan.over(client), codec.clone());
            let mut here = Framed::new(plan.number(1).over(server), codec.clone());
            let sending = async {
                for frame in &frames {
                    there.feed(frame.as_bytes()).await.unwrap();
                    let _cancelled = there.flush().now_or_never();
                }
                there.finish().await.unwrap();
            };
            let receiving = async {
                let mut all = Vec::new();
                loop {
                    match here.recv().now_or_never() {
                        Some(Ok(Some(frame))) => all.push(frame.to_vec()),
                        Some(Ok(None)) => return all,
                        Some(Err(error)) => panic!("{error}"),
                        None => tokio::time::sleep(Duration::from_millis(1)).await,
                    }
                }
            };
            let both = async { tokio::join!(sending, receiving).1 };
            let got = timeout(HOUR, both).await.unwrap();
            assert!(
                got.iter().eq(frames.iter().map(String::as_bytes)),
                "seed {seed}"
            );
        }
    }
}

#[tokio::test]
async fn a_short_read_gives_a_byte_and_the_rest_later() {
    let plan = only(Fault::ShortRead).longest_piece(1);
    let (mut faulty, mut peer) = with("tcp", &plan).await;
    peer.send_all(b"abc").await.unwrap();
    let mut buf = [0; 16];
    for expected in b"abc" {
        let got = faulty.recv(&mut buf).await.unwrap();
        assert_eq!((got, buf[0]), ((1, Received::Data), *expected));
    }
}

#[tokio::test]
async fn a_short_write_takes_a_byte_across_all_parts() {
    let plan = only(Fault::ShortWrite).longest_piece(1);
    let (mut faulty, mut peer) = with("tcp", &plan).await;
    assert_eq!(faulty.send(b"abc").await.unwrap(), 1);
    faulty.send_all(b"bcdef").await.unwrap();
    assert_eq!(read_all(&mut peer, 6).await.unwrap(), b"abcdef");
}

#[tokio::test]
async fn a_spurious_pending_wakes_its_task_once() {
    let (mut faulty, mut peer) = with("mem", &only(Fault::Pending)).await;
    peer.send_all(b"abc").await.unwrap();
    let mut buf = [0; 16];
    let mut receiving = task::spawn(faulty.recv(&mut buf));
    assert_pending!(receiving.poll());
    assert!(receiving.is_woken());
    assert!(receiving.poll().is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_delay_passes_in_tokios_time() {
    let plan = only(Fault::Delay).longest_delay(HOUR);
    let (mut faulty, mut peer) = with("mem", &plan).await;
    peer.send_all(b"abc").await.unwrap();
    let begun = Instant::now();
    let _ = faulty.recv(&mut [0; 16]).await.unwrap();
    let took = begun.elapsed();
    assert!(took > Duration::ZERO && took <= HOUR, "{took:?}");
}

#[tokio::test]
async fn a_call_that_was_pending_is_not_another_one() {
    let trace = Trace::new();
    let (mut faulty, _peer) = with("mem", &only(Fault::Pending).traced(&trace)).await;
    let mut buf = [0; 16];
    let mut receiving = task::spawn(faulty.recv(&mut buf));
    for _ in 0..10 {
        assert_pending!(receiving.poll());
    }
    assert_eq!(trace.count(Fault::Pending), 1);
}

#[tokio::test]
async fn a_reset_comes_at_a_byte_and_stays() {
    let plan = only(Fault::Reset).within(1000);
    let mut reached = BTreeSet::new();
    for seed in 0..40 {
        let (mut faulty, mut peer) = with("mem", &plan.clone().seed(seed)).await;
        peer.send_all(&sample(5000)).await.unwrap();
        let mut got = 0;
        let error = loop {
            match faulty.recv(&mut [0; 300]).await {
                Ok((len, _)) => got += len,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert!(got <= 1000);
        reached.insert(got);
        for _ in 0..2 {
            assert!(faulty.recv(&mut [0; 300]).await.is_err());
            assert!(faulty.send(b"x").await.is_err());
        }
    }
    // Early and late, and in the middle of one read.
    assert!(reached.iter().any(|at| *at < 20) && reached.iter().any(|at| *at > 300));
    assert!(reached.iter().any(|at| at % 300 != 0));
}

#[tokio::test]
async fn between_calls_a_reset_cuts_nothing() {
    let plan = only(Fault::Reset).within(1000).between_calls();
    for seed in 0..20 {
        let (mut faulty, mut peer) = with("mem", &plan.clone().seed(seed)).await;
        while faulty.send(&[1; 100]).await.is_ok() {}
        drop(faulty);
        let mut got = 0;
        while let Ok((len, Received::Data)) = peer.recv(&mut [0; 64]).await {
            got += len;
        }
        assert_eq!(got % 100, 0);
    }
}

#[tokio::test]
async fn a_reset_reaches_the_peer_where_there_is_one() {
    let (mut faulty, mut peer) = with("tcp", &only(Fault::Reset).within(0)).await;
    assert!(faulty.recv(&mut [0; 16]).await.is_err());
    drop(faulty);
    let heard = in_time("a reset", peer.recv(&mut [0; 16])).await;
    assert_eq!(heard.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_waiting_half_learns_of_a_reset_in_the_other() {
    let plan = only(Fault::Reset).within(100);
    for seed in 0..10 {
        let (faulty, _peer) = with("tcp", &plan.clone().seed(seed)).await;
        let (mut recv, mut send) = faulty.split();
        let waiting = async { recv.recv(&mut [0; 16]).await };
        let sending = async { while send.send(&[0; 10]).await.is_ok() {} };
        let both = async { tokio::join!(waiting, sending).0 };
        assert!(in_time("a reset", both).await.is_err());
    }
}

#[tokio::test]
async fn a_datagram_socket_goes_on_after_a_refusal() {
    let (mut faulty, mut peer) = with("udp", &only(Fault::Reset).within(0)).await;
    peer.send_all(b"abc").await.unwrap();
    let mut buf = [0; 16];
    let refused = faulty.recv(&mut buf).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    let got = in_time("a datagram", faulty.recv(&mut buf)).await.unwrap();
    assert_eq!(got, (3, Received::Data));
}

#[tokio::test(start_paused = true)]
async fn after_a_stall_nothing_arrives_and_nothing_is_taken() {
    let (mut faulty, mut peer) = with("mem", &only(Fault::Stall).within(0)).await;
    peer.send_all(b"abc").await.unwrap();
    assert!(timeout(HOUR, faulty.recv(&mut [0; 16])).await.is_err());
    assert!(timeout(HOUR, faulty.send(b"x")).await.is_err());
    assert!(timeout(HOUR, faulty.finish()).await.is_err());
    assert!(timeout(HOUR, peer.recv(&mut [0; 16])).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn half_open_swallows_sent_bytes() {
    let (mut faulty, mut peer) = with("mem", &only(Fault::HalfOpen).within(0)).await;
    peer.send_all(b"abc").await.unwrap();
    assert!(timeout(HOUR, faulty.recv(&mut [0; 16])).await.is_err());
    faulty.send_all(&sample(1 << 20)).await.unwrap();
    faulty.finish().await.unwrap();
    assert!(timeout(HOUR, peer.recv(&mut [0; 16])).await.is_err());
}

/// The result of receiving three datagrams with these faults.
async fn of_three(plan: &Faults) -> Vec<(Vec<u8>, Received)> {
    let (mut faulty, mut peer) = with("udp", plan).await;
    for datagram in [&b"first"[..], b"second", b"third"] {
        peer.send_all(datagram).await.unwrap();
    }
    let (mut got, mut buf) = (Vec::new(), [0; 64]);
    let quiet = Duration::from_millis(100);
    while let Ok(received) = timeout(quiet, faulty.recv(&mut buf)).await {
        let (len, received) = received.unwrap();
        got.push((buf[..len].to_vec(), received));
    }
    got
}

fn texts(got: &[(Vec<u8>, Received)]) -> Vec<&str> {
    got.iter()
        .map(|(bytes, _)| std::str::from_utf8(bytes).unwrap_or("no text"))
        .collect()
}

#[tokio::test]
async fn datagrams_are_lost_repeated_and_reordered() {
    assert_eq!(of_three(&only(Fault::Loss)).await, []);
    let twice = of_three(&only(Fault::Duplication)).await;
    assert_eq!(
        texts(&twice),
        ["first", "first", "second", "second", "third", "third"]
    );
    let swapped = of_three(&only(Fault::Reordering)).await;
    assert_eq!(texts(&swapped), ["second", "first", "third"]);
}

#[tokio::test]
async fn a_held_datagram_needs_no_timer_without_delays() {
    let plan = only(Fault::Reordering).longest_delay(Duration::ZERO);
    assert_eq!(texts(&of_three(&plan).await).len(), 3);
}

#[tokio::test]
async fn datagrams_are_cut_with_and_without_a_word() {
    for (fault, told) in [(Fault::Truncation, false), (Fault::Cut, true)] {
        let got = of_three(&only(fault)).await;
        for ((bytes, received), whole) in got.iter().zip(["first", "second", "third"]) {
            let cut = told.then_some(Cut {
                room: bytes.len(),
                len: Some(whole.len()),
            });
            assert_eq!(received.cut(), cut);
            assert!(bytes.len() < whole.len() && whole.as_bytes().starts_with(bytes));
        }
        assert_eq!(got.len(), 3);
    }
}

#[tokio::test]
async fn corruption_flips_one_bit() {
    let got = of_three(&only(Fault::Corruption)).await;
    assert_eq!(got.len(), 3);
    for ((bytes, _), whole) in got.iter().zip(["first", "second", "third"]) {
        assert_eq!(flipped(bytes, whole.as_bytes()), 1);
    }
}

#[tokio::test]
async fn streams_are_corrupted_only_on_demand() {
    assert_eq!(Faults::hostile().rate(Fault::StreamCorruption), 0);
    let (mut faulty, mut peer) = with("tcp", &only(Fault::StreamCorruption)).await;
    peer.send_all(b"abcdef").await.unwrap();
    let mut buf = [0; 16];
    let (len, _) = faulty.recv(&mut buf).await.unwrap();
    assert_eq!(flipped(&buf[..len], &b"abcdef"[..len]), 1);
}

fn flipped(one: &[u8], other: &[u8]) -> u32 {
    assert_eq!(one.len(), other.len());
    let pairs = one.iter().zip(other);
    pairs.map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// The faults of the same conversation, call by call.
async fn trace_of(plan: &Faults) -> Vec<String> {
    let trace = Trace::new();
    let (mut faulty, mut peer) = with("mem", &plan.clone().traced(&trace)).await;
    peer.send_all(&sample(3000)).await.unwrap();
    let _ = timeout(HOUR, faulty.send_all(&sample(3000))).await;
    let _ = timeout(HOUR, read_all(&mut faulty, 3000)).await;
    trace.events().iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_faults_and_another_gives_others() {
    let plan = Faults::hostile();
    for seed in 0..10 {
        let plan = plan.clone().seed(seed);
        let first = trace_of(&plan).await;
        assert_eq!(first, trace_of(&plan).await, "seed {seed}");
        assert_ne!(first, trace_of(&plan.clone().seed(seed + 100)).await);
        assert_ne!(first, trace_of(&plan.number(2)).await);
    }
}

#[tokio::test]
async fn a_faulty_transport_numbers_its_sockets_and_can_be_calmed() {
    let trace = Trace::new();
    let plan = only(Fault::Pending).traced(&trace);
    let faulty = FaultyTransport::new(MemTransport::default(), &plan);
    let registry = Registry::standard().with("mem", faulty.clone());
    let mut server = registry.listen("mem://*").await.unwrap();
    for _ in 0..2 {
        let mut client = registry.connect(server.local()).await.unwrap();
        let mut accepted = server.accept().await.unwrap();
        client.send_all(b"abc").await.unwrap();
        read_all(&mut accepted, 3).await.unwrap();
    }
    let sockets: BTreeSet<_> = trace.events().iter().map(|event| event.socket).collect();
    assert_eq!(sockets, BTreeSet::from([0, 1, 2, 3]));

    faulty.calm();
    let before = trace.events().len();
    let mut client = registry.connect(server.local()).await.unwrap();
    let mut accepted = server.accept().await.unwrap();
    client.send_all(b"abc").await.unwrap();
    read_all(&mut accepted, 3).await.unwrap();
    assert_eq!(trace.events().len(), before);
}

#[tokio::test]
async fn a_plan_can_be_made_of_numbers() {
    let plan = Faults::from_rates(3, [ALWAYS]);
    assert_eq!(plan.rate(Fault::ShortRead), ALWAYS);
    assert_eq!(plan.rate(Fault::Corruption), 0);
    // Any numbers are a plan.
    let wild = Faults::from_rates(3, [u16::MAX; 20]).longest_delay(Duration::ZERO);
    for within in [0, u64::MAX] {
        let (mut faulty, _peer) = with("mem", &wild.clone().within(within)).await;
        let sent = in_time("an answer", faulty.send_all(b"abc")).await;
        assert_eq!(sent.is_err(), within == 0);
    }
}
