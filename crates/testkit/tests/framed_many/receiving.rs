//! The frames that `recv_many` returns, and when it returns.

use std::io;

use socketry_codec::limits::FRAMES_AT_ONCE;
use socketry_codec::{Fault, FrameFault, Framed, Json, Line, Raw, Struct};
use socketry_testkit::Script;
use socketry_transport::RecvHalf;
use tokio_test::{assert_pending, task};

use super::{CODECS, encoded, encoded_by, frames, named};

/// All frames of one call; no frames are the end.
async fn taken<S: RecvHalf, C: socketry_codec::Codec>(
    framed: &mut Framed<S, C>,
    most: usize,
) -> Vec<Vec<u8>> {
    let frames = framed.recv_many(most).await.unwrap();
    frames.into_iter().flatten().map(<[u8]>::to_vec).collect()
}

#[tokio::test]
async fn frames_that_are_not_taken_come_again_however_they_are_asked_for() {
    let wire = encoded(&[b"one", b"two", b"three", b"four", b"five", b"six"]);
    let mut framed = Framed::new(Script::stream().arriving([&wire[..]]), Struct::default());
    let mut frames = framed.recv_many(9).await.unwrap().unwrap();
    assert_eq!(frames.size_hint(), (1, Some(9)));
    assert_eq!(frames.next().unwrap(), b"one");
    drop(frames);
    assert_eq!(framed.unread().len(), wire.len() - 7);
    let _ = framed.recv_many(9).await.unwrap();
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"two");
    assert_eq!(framed.recv_bytes().await.unwrap().unwrap(), b"three"[..]);
    let mut kept = vec!["before".into()];
    assert_eq!(framed.recv_many_bytes(&mut kept, 1).await.unwrap(), 1);
    assert_eq!(kept, ["before", "four"]);
    assert_eq!(framed.recv_many_bytes(&mut kept, 9).await.unwrap(), 2);
    assert_eq!(kept[2..], ["five", "six"]);
    assert!(framed.recv_many(9).await.unwrap().is_none());
    assert_eq!(framed.recv_many_bytes(&mut kept, 9).await.unwrap(), 0);
}

#[tokio::test]
async fn a_batch_is_bounded_by_the_caller_and_by_its_places() {
    for codec in CODECS {
        let due = frames(3 * FRAMES_AT_ONCE);
        let wire = encoded_by(&mut named(codec), &due);
        for most in [0, 1, 7, FRAMES_AT_ONCE, usize::MAX] {
            let socket = Script::stream().arriving(wire.chunks(wire.len()));
            let mut framed = Framed::new(socket, named(codec));
            let (mut all, mut largest) = (Vec::new(), 0);
            loop {
                let batch = taken(&mut framed, most).await;
                assert!(batch.len() <= most.clamp(1, FRAMES_AT_ONCE), "{codec}");
                largest = largest.max(batch.len());
                if batch.is_empty() {
                    break;
                }
                all.extend(batch);
            }
            assert_eq!(largest, most.clamp(1, FRAMES_AT_ONCE), "{codec}");
            assert_eq!(all, due, "{codec}");
        }
    }
}

/// Frames of a batch live as long as its borrow, and so together.
#[tokio::test]
async fn a_batch_can_be_held() {
    let wire = encoded(&[b"a", b"", b"ccc"]);
    let mut framed = Framed::new(Script::stream().arriving([&wire[..]]), Struct::default());
    let frames: Vec<&[u8]> = framed.recv_many(9).await.unwrap().unwrap().collect();
    assert_eq!(frames, [&b"a"[..], b"", b"ccc"]);
}

#[tokio::test]
async fn it_waits_for_the_first_frame_and_for_no_other() {
    let wire = encoded(&[b"one", b"two"]);
    let socket = Script::stream().arriving([&wire[..9]]).open();
    let mut framed = Framed::new(socket.clone(), Struct::default());
    assert_eq!(taken(&mut framed, 9).await, [b"one"]);
    assert_pending!(task::spawn(framed.recv_many(9)).poll());
    let _ = socket.arriving([&wire[9..]]);
    assert_eq!(taken(&mut framed, 9).await, [b"two"]);
}

#[tokio::test]
async fn an_error_comes_between_the_frames_around_it() {
    let mut wire = encoded(&[b"one", b"two"]);
    wire.extend(encoded(&[&[7; 50]]));
    wire.extend(encoded(&[b"three"]));
    wire.extend([0xFF; 4]);
    for size in [1, 3, 10, 1000] {
        let socket = Script::stream().arriving(wire.chunks(size));
        let mut framed = Framed::new(socket, Struct::default().max_frame(10));
        let (mut all, mut errors) = (Vec::new(), Vec::new());
        for _ in 0..100 {
            match framed.recv_many(9).await {
                Ok(None) => break,
                Ok(Some(frames)) => all.extend(frames.map(<[u8]>::to_vec)),
                Err(error) => errors.push((all.len(), error.is_fatal())),
            }
        }
        assert_eq!(all, [&b"one"[..], b"two", b"three"], "{size}");
        assert_eq!(errors, [(2, false), (3, true)], "{size}");
    }
}

/// An error in later bytes is reported when its turn comes, although `recv_many` has seen them.
#[tokio::test]
async fn a_later_error_is_reported_when_its_turn_comes() {
    let socket = Script::stream()
        .arriving([&b"one\ntwo\nmuch too long\nthree\n"[..]])
        .open();
    let mut framed = Framed::new(socket, Line::new().max_frame(5));
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"one");
    assert!(framed.at_boundary());
    let mut kept = Vec::new();
    assert_eq!(framed.recv_many_bytes(&mut kept, 9).await.unwrap(), 1);
    let error = framed.recv_many_bytes(&mut kept, 9).await.unwrap_err();
    assert!(matches!(error.codec_fault(), Some(Fault::TooLong { .. })));
    assert_eq!(error.found(), b"much too long\nthree\n");
    assert_eq!(taken(&mut framed, 9).await, [b"three"]);
    assert_eq!(kept, ["two"]);
}

#[tokio::test]
async fn the_frames_of_a_datagram_come_together_and_a_bad_one_touches_no_other() {
    let (two, bad) = (encoded(&[b"one", b"two"]), [5, 0, 0, 0, 1]);
    let half_bad = [&two[..], &bad].concat();
    let socket = Script::datagrams(100)
        .arriving([&two[..], b"", &bad, &half_bad, &[0; 101]])
        .failing(io::ErrorKind::ConnectionRefused)
        .arriving([&two[..]])
        .open();
    let mut framed = Framed::new(socket, Struct::default());
    let both = [b"one", b"two"];
    assert_eq!(taken(&mut framed, 9).await, both);
    assert!(!framed.recv_many(9).await.unwrap_err().is_fatal());
    assert_eq!(taken(&mut framed, 1).await, [b"one"]);
    assert_eq!(taken(&mut framed, 9).await, [b"two"]);
    let truncated = framed.recv_many(9).await.unwrap_err();
    assert!(matches!(
        truncated.codec_fault(),
        Some(Fault::Truncated { .. })
    ));
    let cut = framed.recv_many(9).await.unwrap_err();
    assert!(matches!(cut.fault(), FrameFault::Cut(_)));
    let refused = framed.recv_many(9).await.unwrap_err();
    assert!(matches!(refused.fault(), FrameFault::Io(_)));
    let mut kept = Vec::new();
    assert_eq!(framed.recv_many_bytes(&mut kept, 9).await.unwrap(), 2);
    assert_eq!(kept, both.map(|frame| frame.to_vec()));
    assert_pending!(task::spawn(framed.recv_many(9)).poll());
}

#[tokio::test]
async fn empty_datagrams_are_empty_frames_once_each() {
    let socket = Script::datagrams(100)
        .arriving([&b""[..], b"x", b"", b""])
        .open();
    let mut framed = Framed::new(socket, Raw);
    assert_eq!(taken(&mut framed, 9).await, [b""]);
    let mut kept = Vec::new();
    assert_eq!(framed.recv_many_bytes(&mut kept, 9).await.unwrap(), 1);
    assert_eq!(framed.recv_many_bytes(&mut kept, 9).await.unwrap(), 1);
    assert_eq!(kept, ["x", ""]);
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"");
    assert_pending!(task::spawn(framed.recv_many(9)).poll());
}

/// Wherever a receive is cancelled, and however many of its frames are taken. (Without a runtime,
/// since its budget for one poll would be used up.)
#[test]
fn a_cancelled_receive_loses_nothing_and_gives_nothing_twice() {
    let due = frames(5);
    for codec in CODECS {
        let wire = encoded_by(&mut named(codec), &due);
        for cut in 1..wire.len() {
            for take in [1, 2, 9] {
                let socket = Script::stream()
                    .arriving([&wire[..cut]])
                    .pause()
                    .arriving([&wire[cut..]]);
                let mut framed = Framed::new(socket, named(codec)).frame_time(None);
                assert_eq!(cancelled_often(&mut framed, take), due, "{codec}, {cut}");
            }
        }
    }
}

/// Polls each receive once, and takes so many frames of each, alternately borrowed and owned.
fn cancelled_often<C: socketry_codec::Codec>(
    framed: &mut Framed<Script, C>,
    take: usize,
) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for turn in 0.. {
        if turn % 2 == 0 {
            let mut receiving = task::spawn(framed.recv_many(9));
            match receiving.poll().map(Result::unwrap) {
                std::task::Poll::Ready(None) => return all,
                std::task::Poll::Ready(Some(frames)) => {
                    all.extend(frames.take(take).map(<[u8]>::to_vec));
                }
                std::task::Poll::Pending => {}
            }
        } else {
            let mut kept = Vec::new();
            drop(task::spawn(framed.recv_many_bytes(&mut kept, take)).poll());
            all.extend(kept.into_iter().map(Vec::from));
        }
    }
    all
}

#[tokio::test]
async fn json_headers_are_looked_at_ahead_too() {
    let wire = encoded(&[b"{}", b"{\"a\":1}", b"no", b"{}"]);
    let mut framed = Framed::new(Script::stream().arriving([&wire[..]]), Json::default());
    assert_eq!(
        taken(&mut framed, 9).await,
        [b"{}".to_vec(), b"{\"a\":1}".to_vec()]
    );
    assert!(!framed.recv_many(9).await.unwrap_err().is_fatal());
    assert_eq!(taken(&mut framed, 9).await, [b"{}"]);
}
