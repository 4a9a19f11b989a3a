//! Sending: how many writes it takes.

use std::io;
use std::time::Duration;

use socketry_codec::{Framed, Json, Line, Struct};
use socketry_transport::Socket;
use tokio_test::io::Builder;

use crate::{Call, Tap};

/// A fed payload of at least this length is written without a copy.
const LARGE: usize = 128 << 10;
/// A sent payload of at least this length is written without a copy.
const ALONE: usize = 16 << 10;

fn big_endian() -> Struct {
    Struct::new(">I".parse().unwrap())
}

#[tokio::test]
async fn fed_frames_go_out_in_one_write_at_the_flush() {
    let wire = b"\0\0\0\x01a\0\0\0\x02bb\0\0\0\0\0\0\0\x03ccc";
    let (socket, noted) = Tap::socket(Builder::new().write(wire));
    let mut framed = Framed::new(socket, big_endian());
    for frame in [&b"a"[..], b"bb", b"", b"ccc"] {
        framed.feed(frame).await.unwrap();
    }
    assert_eq!(noted.calls(), []);
    framed.flush().await.unwrap();
    assert_eq!(noted.calls(), [Call::Write(wire.len()), Call::Flush]);
}

#[tokio::test]
async fn a_small_frame_and_the_fed_frames_before_it_are_one_write() {
    let (socket, noted) = Tap::socket(Builder::new().write(b"one\n").write(b"two\nthree\n"));
    let mut framed = Framed::new(socket, Line::new());
    framed.send(b"one").await.unwrap();
    assert_eq!(noted.calls(), [Call::Write(4), Call::Flush]);
    framed.feed(b"two").await.unwrap();
    framed.send(b"three").await.unwrap();
    assert_eq!(noted.calls()[2..], [Call::Write(10), Call::Flush]);
}

#[tokio::test]
async fn beyond_the_high_water_mark_feeding_writes_only_the_waiting_frames() {
    let (socket, noted) = Tap::socket(Builder::new().write(b"12345\n67890\n").write(b"x\n"));
    let mut framed = Framed::new(socket, Line::new()).high_water(10);
    framed.feed(b"12345").await.unwrap();
    framed.feed(b"67890").await.unwrap();
    assert_eq!(noted.calls(), []);
    framed.feed(b"x").await.unwrap();
    assert_eq!(noted.calls(), [Call::Write(12)]);
    framed.flush().await.unwrap();
    assert_eq!(noted.calls()[1..], [Call::Write(2), Call::Flush]);
}

#[tokio::test]
async fn a_large_payload_is_written_in_place_after_the_waiting_frames() {
    let payload = vec![7; LARGE];
    let head = b"\0\0\0\x01a\0\x02\0\0";
    let (socket, noted) = Tap::vectored(Builder::new().write(head).write(&payload));
    let mut framed = Framed::new(socket, big_endian());
    framed.feed(b"a").await.unwrap();
    framed.feed(&payload).await.unwrap();
    framed.flush().await.unwrap();
    let parts = vec![head.len(), LARGE];
    assert_eq!(
        noted.calls(),
        [Call::Together(parts, head.len() + LARGE), Call::Flush]
    );
    assert!(noted.wrote_in_place(&payload));
}

#[tokio::test]
async fn a_large_line_has_its_ending_in_the_same_write() {
    let payload = vec![b'x'; LARGE];
    let (socket, noted) = Tap::vectored(Builder::new().write(&payload).write(b"\r\n"));
    let mut framed = Framed::new(socket, Line::crlf());
    framed.send(&payload).await.unwrap();
    assert_eq!(noted.calls()[0], Call::Together(vec![LARGE, 2], LARGE + 2));
    assert!(noted.wrote_in_place(&payload));
}

#[tokio::test]
async fn where_slices_go_one_at_a_time_a_large_payload_is_not_copied_either() {
    let payload = vec![7; LARGE];
    let (socket, noted) = Tap::socket(Builder::new().write(b"\0\x02\0\0").write(&payload));
    let mut framed = Framed::new(socket, big_endian());
    framed.send(&payload).await.unwrap();
    assert_eq!(
        noted.calls(),
        [Call::Write(4), Call::Write(LARGE), Call::Flush]
    );
    assert!(noted.wrote_in_place(&payload));
}

#[tokio::test]
async fn a_payload_just_below_that_is_copied_into_one_write() {
    let payload = vec![7; LARGE - 1];
    let (socket, noted) = Tap::vectored(Builder::new().write(b"\0\x01\xff\xff").write(&payload));
    let mut framed = Framed::new(socket, big_endian());
    framed.feed(&payload).await.unwrap();
    assert_eq!(noted.calls(), []);
    framed.flush().await.unwrap();
    assert_eq!(noted.calls(), [Call::Write(LARGE + 3), Call::Flush]);
    assert!(!noted.wrote_in_place(&payload));
}

#[tokio::test]
async fn a_payload_that_is_flushed_at_once_is_written_in_place_much_earlier() {
    for (len, in_place) in [(ALONE - 1, false), (ALONE, true)] {
        let payload = vec![7; len];
        let header = u32::try_from(len).unwrap().to_be_bytes();
        let (socket, noted) = Tap::vectored(Builder::new().write(&header).write(&payload));
        let mut framed = Framed::new(socket, big_endian());
        framed.send(&payload).await.unwrap();
        assert_eq!(noted.calls().len(), 2, "{:?}", noted.calls());
        assert_eq!(noted.wrote_in_place(&payload), in_place);
    }
}

/// In the script a wait is a socket that takes no more bytes for now. The next write begins where
/// the last one stopped.
#[tokio::test(start_paused = true)]
async fn short_writes_go_on_where_they_stopped() {
    let pause = Duration::from_millis(1);
    let mut script = Builder::new();
    script
        .write(b"\0\0")
        .wait(pause)
        .write(b"\0\x05h")
        .wait(pause)
        .write(b"ell")
        .wait(pause)
        .write(b"o");
    let (socket, noted) = Tap::socket(&mut script);
    let mut framed = Framed::new(socket, big_endian());
    framed.send(b"hello").await.unwrap();
    assert_eq!(
        noted.calls(),
        [2, 3, 3, 1]
            .map(Call::Write)
            .into_iter()
            .chain([Call::Flush])
            .collect::<Vec<_>>()
    );
}

#[tokio::test(start_paused = true)]
async fn short_writes_of_a_large_payload_go_on_where_they_stopped() {
    let pause = Duration::from_millis(1);
    let payload: Vec<u8> = (0..LARGE).map(|at| at.to_le_bytes()[0]).collect();
    for cut in [1, 4, 5, 1000, LARGE + 3] {
        let wire = [b"\0\x02\0\0", &payload[..]].concat();
        let mut script = Builder::new();
        script.write(&wire[..cut]).wait(pause).write(&wire[cut..]);
        let (socket, noted) = Tap::vectored(&mut script);
        let mut framed = Framed::new(socket, big_endian());
        framed.send(&payload).await.unwrap();
        let rest = match cut {
            ..4 => Call::Together(vec![4 - cut, LARGE], wire.len() - cut),
            _ => Call::Write(wire.len() - cut),
        };
        let first = Call::Together(vec![4, LARGE], cut);
        assert_eq!(noted.calls(), [first, rest, Call::Flush], "cut at {cut}");
    }
}

#[tokio::test]
async fn a_write_that_fails_ends_the_sending_side_only() {
    let refused = || io::Error::from(io::ErrorKind::BrokenPipe);
    let mut script = Builder::new();
    script
        .write(b"one\n")
        .write_error(refused())
        .read(b"still heard\n");
    let (socket, _) = Tap::socket(&mut script);
    let mut framed = Framed::new(socket, Line::new());
    framed.send(b"one").await.unwrap();
    assert!(framed.send(b"two").await.unwrap_err().is_fatal());
    assert!(framed.send(b"three").await.unwrap_err().is_fatal());
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"still heard");
}

#[tokio::test]
async fn a_header_and_the_first_of_its_body_are_one_write() {
    let head = b"\0\0\0\x0a{\"size\":6}";
    let mut script = Builder::new();
    script.write(head).write(b"abcdef").write(b"\0\0\0\x02{}");
    let (socket, noted) = Tap::vectored(&mut script);
    let mut framed = Framed::new(socket, Json::new(">I".parse().unwrap()));
    framed.feed(b"{\"size\":6}").await.unwrap();
    framed
        .body_writer(6)
        .unwrap()
        .write_all(b"abc")
        .await
        .unwrap();
    framed
        .body_writer(3)
        .unwrap()
        .write_all(b"def")
        .await
        .unwrap();
    framed.send(b"{}").await.unwrap();
    let calls = [
        Call::Together(vec![head.len(), 3], head.len() + 3),
        Call::Write(3),
        Call::Write(6),
        Call::Flush,
    ];
    assert_eq!(noted.calls(), calls);
}

#[tokio::test]
async fn finishing_writes_the_waiting_frames_and_half_closes_once() {
    let mut script = Builder::new();
    script.write(b"waits\n").read(b"answer\n");
    let (socket, noted) = Tap::socket(&mut script);
    let mut framed = Framed::new(socket, Line::new());
    framed.feed(b"waits").await.unwrap();
    framed.finish().await.unwrap();
    assert_eq!(noted.calls(), [Call::Write(6), Call::Shutdown]);
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"answer");
    assert!(framed.send(b"late").await.unwrap_err().is_fatal());
}

/// Unread bytes at a close would reset the connection, and destroy the bytes that the peer has not
/// read yet.
#[tokio::test]
async fn closing_half_closes_first_and_reads_to_the_end() {
    let mut script = Builder::new();
    script.write(b"bye\n").read(b"what").read(b"ever");
    let (socket, noted) = Tap::socket(&mut script);
    let mut framed = Framed::new(socket, Line::new());
    framed.feed(b"bye").await.unwrap();
    framed.close().await.unwrap();
    let calls = noted.calls();
    assert_eq!(calls[..2], [Call::Write(4), Call::Shutdown]);
    let reads = [Call::Read(4), Call::Read(4), Call::Read(0)];
    assert_eq!(
        calls
            .into_iter()
            .filter(|call| matches!(call, Call::Read(_)))
            .collect::<Vec<_>>(),
        reads
    );
}

#[tokio::test]
async fn a_sender_writes_all_waiting_frames_in_one_write() {
    let mut script = Builder::new();
    script
        .write(b"1\n2\n3\n")
        .wait(Duration::from_millis(5))
        .write(b"4\n5\n");
    let (socket, noted) = Tap::socket(&mut script);
    let (_recv, send) = Framed::new(socket, Line::new()).split();
    let sender = send.into_sender();
    for frame in [b"1", b"2", b"3"] {
        sender.send(frame).await.unwrap();
    }
    tokio::task::yield_now().await;
    for frame in [b"4", b"5"] {
        sender.clone().send(frame).await.unwrap();
    }
    sender.finish().await.unwrap();
    let writes: Vec<Call> = noted
        .calls()
        .into_iter()
        .filter(|call| matches!(call, Call::Write(_)))
        .collect();
    assert_eq!(writes, [Call::Write(6), Call::Write(4)]);
    assert_eq!(noted.calls().last(), Some(&Call::Shutdown));
}

/// Dropping a half writes nothing, since the other half may still be in use.
#[tokio::test]
async fn dropping_a_half_writes_nothing_and_closes_nothing() {
    let mut script = Builder::new();
    script.write(b"still here\n");
    let (socket, noted) = Tap::socket(&mut script);
    let (recv, send) = socket.split();
    drop(recv);
    let mut framed = Framed::new(send, Line::new());
    framed.send(b"still here").await.unwrap();
    drop(framed);
    assert_eq!(noted.calls(), [Call::Write(11), Call::Flush]);
}
