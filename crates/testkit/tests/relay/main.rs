//! A relay between peers of any two transports and codecs.
#![allow(clippy::unwrap_used, reason = "tests")]

mod line;

use std::time::Duration;

use line::{Side, carried, line, soon};
use socketry_codec::{Framed, Line};
use socketry_transport::{Aborted, SendExt, SendHalf};
use tokio::time::timeout;

const STREAMS: [&str; 4] = ["tcp", "unix", "mem", "tls"];
/// Streams whose peer can tell a reset from an end.
const RESETTING: [&str; 3] = ["tcp", "mem", "tls"];
const LINGER: Duration = Duration::from_millis(500);
const ALL: [&str; 7] = [
    "tcp",
    "unix",
    "mem",
    "tls",
    "unix-seqpacket",
    "udp",
    "unix-dgram",
];

fn pairs<'a>(schemes: &'a [&'a str]) -> impl Iterator<Item = (Side<'a>, Side<'a>)> {
    schemes.iter().flat_map(move |near| {
        schemes
            .iter()
            .map(move |far| ((*near, "line"), (*far, "struct:<H")))
    })
}

#[tokio::test]
async fn any_two_sides_exchange_frames() {
    for (near, far) in pairs(&ALL) {
        let mut line = line(near, far, b"first", |relay| relay).await;
        for round in 0..20 {
            let frame = vec![b'a' + round; usize::from(round) * 50];
            carried(&mut line.left, &mut line.right, &frame).await;
            carried(&mut line.right, &mut line.left, &frame).await;
        }
        assert_eq!(line.traffic.to_far.frames(), 21, "{near:?} to {far:?}");
        assert_eq!(line.traffic.to_near.bytes(), 20 * 19 / 2 * 50);
    }
}

#[tokio::test]
async fn a_half_close_is_passed_on_and_answers_still_come() {
    for (near, far) in pairs(&STREAMS) {
        let mut line = line(near, far, b"question", |relay| relay).await;
        soon(line.left.finish()).await.unwrap();
        assert_eq!(soon(line.right.recv()).await.unwrap(), None);
        for answer in [&b"one"[..], b"two"] {
            carried(&mut line.right, &mut line.left, answer).await;
        }
        soon(line.right.finish()).await.unwrap();
        assert_eq!(soon(line.left.recv()).await.unwrap(), None);
        soon(line.relaying).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_side_that_takes_nothing_holds_the_other_back() {
    /// More than all buffers on the way can hold.
    const MOST: usize = 64 << 20;
    let frame = vec![b'x'; 60_000];
    for (near, far) in pairs(&STREAMS) {
        let mut line = line(near, far, b"first", |relay| relay).await;
        let mut sent = 0;
        while let Ok(done) = timeout(Duration::from_millis(200), line.left.feed(&frame)).await {
            done.unwrap();
            sent += 1;
            assert!(sent * frame.len() < MOST, "{near:?} to {far:?}");
        }
        let rest = async {
            line.left.flush().await.unwrap();
            line.left.finish().await.unwrap();
        };
        let received = async {
            let mut received = 0;
            while let Some(found) = line.right.recv().await.unwrap() {
                assert!(found == frame);
                received += 1;
            }
            received
        };
        let ((), received) = soon(async { tokio::join!(rest, received) }).await;
        assert_eq!(received, sent, "{near:?} to {far:?}");
    }
}

#[tokio::test]
async fn a_reset_of_one_side_is_no_end_for_the_other() {
    for (near, far) in pairs(&RESETTING) {
        let mut line = line(near, far, b"first", |relay| relay).await;
        let aborted = line.right.socket_mut().abort(7).unwrap();
        assert_eq!(aborted, Aborted::Reset, "{far:?}");
        assert!(soon(line.left.recv()).await.is_err(), "{near:?} to {far:?}");
        let error = soon(line.relaying).await.unwrap().unwrap_err();
        assert_eq!(error.after, 0);
    }
}

#[tokio::test]
async fn a_dropped_relay_is_no_end_for_either() {
    for (near, far) in pairs(&RESETTING) {
        let mut line = line(near, far, b"first", |relay| relay).await;
        line.relaying.abort();
        assert!(soon(line.left.recv()).await.is_err(), "{near:?} to {far:?}");
        assert!(
            soon(line.right.recv()).await.is_err(),
            "{near:?} to {far:?}"
        );
    }
}

#[tokio::test]
async fn a_frame_that_cannot_be_carried_ends_it_with_a_reason() {
    let mut line = line(("tcp", "struct"), ("mem", "line"), b"first", |relay| relay).await;
    soon(line.left.send(b"two\nlines")).await.unwrap();
    let error = soon(line.relaying).await.unwrap().unwrap_err();
    assert_eq!(error.after, 1);
    let words = error.to_string();
    assert!(
        words.starts_with("frame 2 from tcp://127.0.0.1:"),
        "{words}"
    );
    assert!(words.contains(" to mem://"), "{words}");
    assert!(soon(line.left.recv()).await.is_err());
    assert!(soon(line.right.recv()).await.is_err());
}

/// The last line has no end.
#[tokio::test]
async fn frames_before_a_fault_are_answered() {
    let mut line = line(("tcp", "line"), ("udp", "raw"), b"first", |relay| relay).await;
    let mut plain = line.left.into_parts().unwrap().socket;
    plain.send_all(b"no end").await.unwrap();
    plain.finish().await.unwrap();
    let mut left = Framed::new(plain, Line::new());
    soon(line.right.send(b"an answer")).await.unwrap();
    assert_eq!(soon(left.recv()).await.unwrap(), Some(&b"an answer"[..]));
    assert!(soon(left.recv()).await.is_err());
    assert!(soon(line.relaying).await.unwrap().is_err());
}

#[tokio::test]
async fn the_frames_before_one_that_cannot_be_carried_arrive() {
    let mut line = line(("tcp", "struct"), ("tcp", "line"), b"first", |relay| relay).await;
    for frame in [&b"second"[..], b"two\nlines"] {
        soon(line.left.feed(frame)).await.unwrap();
    }
    soon(line.left.flush()).await.unwrap();
    assert_eq!(soon(line.right.recv()).await.unwrap(), Some(&b"second"[..]));
    assert!(soon(line.right.recv()).await.is_err());
    let error = soon(line.relaying).await.unwrap().unwrap_err();
    assert_eq!(error.after, 2);
}

#[tokio::test]
async fn a_frame_that_cannot_be_carried_is_counted_where_that_is_asked() {
    let sides = (("tcp", "struct"), ("unix", "line"));
    let mut line = line(sides.0, sides.1, b"first", |relay| relay.passing_over(true)).await;
    for frame in [&b"two\nlines"[..], b"", b"one line"] {
        soon(line.left.feed(frame)).await.unwrap();
    }
    soon(line.left.finish()).await.unwrap();
    for frame in [&b""[..], b"one line"] {
        assert_eq!(soon(line.right.recv()).await.unwrap(), Some(frame));
    }
    assert_eq!(soon(line.right.recv()).await.unwrap(), None);
    let to_far = &line.traffic.to_far;
    assert_eq!((to_far.frames(), to_far.bytes(), to_far.lost()), (3, 13, 1));
}

#[tokio::test]
async fn datagrams_that_come_after_the_end_are_passed_on_for_a_while() {
    let sides = (STREAMS.iter()).flat_map(|near| ["udp", "unix-dgram"].map(|far| (*near, far)));
    for (near, far) in sides {
        let sides = ((near, "line"), (far, "raw"));
        let mut line = line(sides.0, sides.1, b"question", |relay| relay.linger(LINGER)).await;
        soon(line.left.finish()).await.unwrap();
        for answer in [&b"one"[..], b"two"] {
            carried(&mut line.right, &mut line.left, answer).await;
        }
        assert_eq!(soon(line.left.recv()).await.unwrap(), None, "{near}");
        soon(line.relaying).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn no_more_datagrams_are_an_end_for_the_other_side() {
    for far in STREAMS {
        let sides = (("udp", "raw"), (far, "line"));
        let mut line = line(sides.0, sides.1, b"question", |relay| relay.linger(LINGER)).await;
        carried(&mut line.right, &mut line.left, b"answer").await;
        soon(line.right.finish()).await.unwrap();
        assert_eq!(soon(line.right.recv()).await.unwrap(), None, "{far}");
        soon(line.relaying).await.unwrap().unwrap();
    }
}

/// A socket of datagrams tells in a receive that one which was sent has reached nobody.
#[tokio::test]
async fn a_datagram_that_reached_nobody_is_counted_in_the_direction_of_it() {
    let mut line = line(("tcp", "line"), ("udp", "raw"), b"first", |relay| {
        relay.passing_over(true).linger(LINGER)
    })
    .await;
    drop(line.right);
    soon(line.left.send(b"to nobody")).await.unwrap();
    let (to_far, to_near) = (&line.traffic.to_far, &line.traffic.to_near);
    let lost = async {
        while to_far.lost() + to_near.lost() == 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(lost).await;
    assert_eq!((to_far.lost(), to_near.lost()), (1, 0));
    soon(line.left.finish()).await.unwrap();
    soon(line.relaying).await.unwrap().unwrap();
}
