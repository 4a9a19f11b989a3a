//! The frames that `feed_many` takes, and the bytes that it writes.

use std::task::Poll;

use bytes::BytesMut;
use socketry_codec::{
    Codec, CodecError, Decoded, End, Fault, FeedError, FrameError, FrameFault, FrameSource, Framed,
    Line, Raw, Struct,
};
use socketry_testkit::Script;
use tokio_test::{assert_pending, assert_ready, task};

use super::{encoded, encoded_by, frames};

#[tokio::test]
async fn frames_of_any_kind_go_out_in_one_write() {
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Struct::default());
    assert_eq!(framed.feed_many(["one", "two"]).await.unwrap(), 2);
    assert_eq!(framed.feed_many(vec![b"three".to_vec()]).await.unwrap(), 1);
    assert_eq!(framed.feed_many([[0u8; 0]; 0]).await.unwrap(), 0);
    assert!(socket.writes().is_empty());
    framed.flush().await.unwrap();
    assert_eq!(socket.writes(), [encoded(&[b"one", b"two", b"three"])]);
}

#[tokio::test]
async fn no_more_waits_than_the_high_water_mark() {
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Struct::default()).high_water(1000);
    let frames = std::iter::repeat_n([7; 100], 1000);
    assert_eq!(framed.feed_many(frames).await.unwrap(), 1000);
    assert!(
        socket
            .writes()
            .iter()
            .all(|write| write.len() <= 1000 + 104)
    );
    framed.flush().await.unwrap();
    assert_eq!(socket.written(), encoded(&[&[7; 100][..]; 1000]));
}

#[tokio::test]
async fn a_frame_that_is_refused_says_how_many_went_and_the_others_are_left() {
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Line::new());
    let mut lines = ["one", "two", "no\nline", "three"].into_iter();
    let FeedError { fed, error } = framed.feed_many(&mut lines).await.unwrap_err();
    assert_eq!(fed, 2);
    assert!(
        !error.is_fatal() && error.codec_fault().is_some(),
        "{error}"
    );
    assert_eq!(framed.feed_many(lines).await.unwrap(), 1);
    framed.flush().await.unwrap();
    assert_eq!(socket.written(), b"one\ntwo\nthree\n");
    let error: FrameError = framed.feed_many(["\n"]).await.unwrap_err().into();
    assert!(error.codec_fault().is_some());
}

#[tokio::test]
async fn a_finished_or_body_owing_socket_takes_no_frames() {
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Struct::default());
    let _ = framed.body_writer(2).unwrap();
    let mut frames = ["one", "two"].into_iter();
    let owed = framed.feed_many(&mut frames).await.unwrap_err();
    assert!(matches!(owed.error.fault(), FrameFault::BodyUnwritten(2)));
    framed
        .body_writer(2)
        .unwrap()
        .write_all(b"ab")
        .await
        .unwrap();
    framed.finish().await.unwrap();
    let over = framed.feed_many(&mut frames).await.unwrap_err();
    assert!(over.error.is_fatal() && over.fed == 0);
    assert_eq!(frames.count(), 2, "none was taken");
    assert_eq!(socket.written(), b"ab");
}

#[tokio::test]
async fn each_is_a_datagram_and_one_too_long_is_refused() {
    let socket = Script::datagrams(100);
    let mut framed = Framed::new(socket.clone(), Raw);
    let mut frames = [&b"one"[..], b"", &[0; 101], &[0; 1 << 20], b"two"].into_iter();
    let refused = framed.feed_many(&mut frames).await.unwrap_err();
    assert!(refused.fed == 2 && !refused.error.is_fatal());
    let refused = framed.feed_many(&mut frames).await.unwrap_err();
    assert!(refused.fed == 0 && !refused.error.is_fatal());
    assert_eq!(framed.feed_many(frames).await.unwrap(), 1);
    framed.flush().await.unwrap();
    assert_eq!(socket.writes(), [&b"one"[..], b"", b"two"]);
}

#[tokio::test]
async fn a_vanished_peer_is_reported_with_the_fed_frames() {
    let socket = Script::stream().taking([Some(0)]);
    let mut framed = Framed::new(socket, Struct::default()).high_water(10);
    let gone = framed.feed_many([[0; 6]; 5]).await.unwrap_err();
    assert!(gone.error.is_fatal());
    assert_eq!(gone.fed, 1);
}

/// Cancelled after any byte: the frames left in the iterator were not fed, and all others go out
/// once.
#[test]
fn a_cancelled_feed_goes_on_with_the_rest() {
    let all = frames(12);
    let wire = encoded_by(&mut Struct::default(), &all);
    for cut in 1..wire.len() {
        let socket = Script::stream().taking([Some(cut), None]);
        let mut framed = Framed::new(socket.clone(), Struct::default()).high_water(40);
        let mut left = all.iter();
        let first = task::spawn(framed.feed_many(&mut left)).poll();
        let fed = match first {
            Poll::Ready(fed) => fed.unwrap(),
            Poll::Pending => all.len() - left.len(),
        };
        let rest = assert_ready!(task::spawn(framed.feed_many(left)).poll()).unwrap();
        assert_eq!(fed + rest, all.len(), "{cut}");
        assert_ready!(task::spawn(framed.flush()).poll()).unwrap();
        assert_eq!(socket.written(), wire, "{cut}");
    }
}

/// A frame that is written in place was taken: it goes out whole, or not at all.
#[test]
fn a_large_one_among_them_is_never_cut() {
    let large = vec![1; 200_000];
    let all: [&[u8]; 3] = [b"before", &large, b"after"];
    for cut in [0, 5, 10, 11, 1000, 200_000] {
        let sizes = if cut > 0 {
            vec![Some(cut), None]
        } else {
            vec![None]
        };
        let socket = Script::stream().taking(sizes);
        let mut framed = Framed::new(socket.clone(), Struct::default());
        let mut left = all.iter();
        assert_pending!(task::spawn(framed.feed_many(&mut left)).poll());
        assert_eq!(left.len(), 1);
        assert_ready!(task::spawn(framed.feed_many(left)).poll()).unwrap();
        assert_ready!(task::spawn(framed.flush()).poll()).unwrap();
        let whole = cut > 10;
        let due = if whole { &all[..] } else { &[all[0], all[2]] };
        assert!(socket.written() == encoded(due), "{cut}");
    }
}

/// Encodes many frames in a way of its own.
#[derive(Clone, Debug)]
struct Careless(fn(&mut dyn FrameSource, &mut BytesMut) -> Result<(), CodecError>);

impl Codec for Careless {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        Raw.decode(input, end)
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        out.extend_from_slice(frame);
        Ok(())
    }
    fn encode_many(
        &mut self,
        frames: &mut dyn FrameSource,
        out: &mut BytesMut,
        _: usize,
    ) -> Result<(), CodecError> {
        (self.0)(frames, out)
    }
    fn at_boundary(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_codec_that_takes_no_frame_is_not_asked_for_ever() {
    let mut framed = Framed::new(Script::stream(), Careless(|_, _| Ok(())));
    let error = framed.feed_many(["one"]).await.unwrap_err();
    assert_eq!(error.fed, 0);
    assert!(error.to_string().contains("made no progress"), "{error}");
}

#[tokio::test]
async fn a_codec_that_fails_before_it_takes_a_frame_refuses_none() {
    let fails = |_: &mut dyn FrameSource, _: &mut BytesMut| {
        Err(CodecError::fatal(Fault::Other("no".into())))
    };
    let mut framed = Framed::new(Script::stream(), Careless(fails));
    let FeedError { fed, .. } = framed.feed_many(["one"]).await.unwrap_err();
    assert_eq!(fed, 0);
}

#[tokio::test]
async fn a_codec_that_asks_on_loses_no_large_frame() {
    let socket = Script::stream();
    let asks = |frames: &mut dyn FrameSource, out: &mut BytesMut| {
        for _ in 0..9 {
            out.extend_from_slice(frames.next_frame().unwrap_or_default());
        }
        Ok(())
    };
    let mut framed = Framed::new(socket.clone(), Careless(asks));
    let frames = [vec![1; 1], vec![2; 1 << 20], vec![3; 1]];
    assert_eq!(framed.feed_many(&frames).await.unwrap(), 3);
    framed.flush().await.unwrap();
    assert!(socket.written() == frames.concat());
}
