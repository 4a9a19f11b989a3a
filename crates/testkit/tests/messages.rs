//! `Framed` over a socket of messages: boundaries as of datagrams, everything else as of a stream.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::ErrorKind;

use bytes::BytesMut;
use socketry_codec::{
    Codec, Fault, FrameError, FrameFault, Framed, FramedParts, Line, Raw, Struct,
};
use socketry_testkit::Script;
use socketry_transport::{Aborted, RecvExt, SendHalf, Shape, prefix};
use tokio_test::{assert_pending, task};

fn encoded(frames: &[&[u8]]) -> Vec<u8> {
    let mut out = BytesMut::new();
    for frame in frames {
        Struct::default().encode(frame, &mut out).unwrap();
    }
    out.to_vec()
}

fn framed(socket: Script) -> Framed<Script, Struct> {
    Framed::new(socket, Struct::default())
}

fn io_kind(error: &FrameError) -> ErrorKind {
    match error.fault() {
        FrameFault::Io(error) => error.kind(),
        other => panic!("{other}"),
    }
}

async fn next(framed: &mut Framed<Script, impl Codec>) -> Vec<u8> {
    framed.recv().await.unwrap().unwrap().to_vec()
}

#[test]
fn a_shape_answers_each_question() {
    let shapes = [
        Shape::Stream,
        Shape::Message { max_len: 9 },
        Shape::Datagram { max_len: 9 },
    ];
    let answers = shapes.map(|shape| (shape.is_stream(), shape.max_len(), shape.is_reliable()));
    let due = [
        (true, None, true),
        (false, Some(9), true),
        (false, Some(9), false),
    ];
    assert_eq!(answers, due);
    assert_eq!(shapes[1].to_string(), "messages of at most 9 bytes");
    let quiet = shapes.map(Aborted::quiet);
    assert_eq!(quiet, [Aborted::End, Aborted::End, Aborted::Nothing]);
}

#[tokio::test]
async fn an_error_of_the_socket_is_fatal_when_receiving() {
    let socket = Script::messages(100)
        .arriving([&encoded(&[b"one"])[..]])
        .failing(ErrorKind::ConnectionReset)
        .arriving([&encoded(&[b"two"])[..]]);
    let mut framed = framed(socket);
    assert_eq!(next(&mut framed).await, b"one");
    let error = framed.recv().await.unwrap_err();
    assert!(error.is_fatal(), "{error}");
    assert_eq!(io_kind(&error), ErrorKind::ConnectionReset);
    assert!(framed.recv().await.unwrap().is_none());
}

#[tokio::test]
async fn an_error_of_the_socket_is_fatal_when_sending() {
    let socket = Script::messages(100).refusing(ErrorKind::ConnectionReset);
    let mut sending = framed(socket.clone());
    let error = sending.send(b"one").await.unwrap_err();
    assert!(error.is_fatal(), "{error}");
    let error = sending.send(b"two").await.unwrap_err();
    assert!(matches!(error.fault(), FrameFault::Over), "{error}");
    assert!(socket.writes().is_empty());
}

#[tokio::test]
async fn a_fault_of_the_codec_drops_the_rest_of_its_message_only() {
    let spoilt = [&encoded(&[b"before"])[..], &[0xFF; 6], &encoded(&[b"lost"])].concat();
    let unfinished = &encoded(&[b"unfinished"])[..8];
    let socket = Script::messages(100).arriving([
        &spoilt[..],
        &encoded(&[b"one"]),
        unfinished,
        &encoded(&[b"two"]),
    ]);
    let mut framed = framed(socket);
    assert_eq!(next(&mut framed).await, b"before");
    // On a stream, no frame can be found behind this one.
    assert!(!framed.recv().await.unwrap_err().is_fatal());
    assert_eq!(next(&mut framed).await, b"one");
    let error = framed.recv().await.unwrap_err();
    assert!(matches!(error.codec_fault(), Some(Fault::Truncated { .. })));
    assert!(!error.is_fatal());
    assert_eq!(next(&mut framed).await, b"two");
    assert!(framed.recv().await.unwrap().is_none());
}

#[tokio::test]
async fn a_message_that_is_cut_is_an_error_and_the_next_one_arrives() {
    let socket = Script::messages(10).arriving([&b"longer than ten"[..], b"next"]);
    let mut framed = Framed::new(socket, Raw);
    let error = framed.recv().await.unwrap_err();
    assert!(matches!(error.fault(), FrameFault::Cut(_)) && !error.is_fatal());
    assert_eq!(next(&mut framed).await, b"next");
}

#[tokio::test]
async fn a_message_is_not_cut_where_the_socket_takes_it() {
    const LEN: usize = 5 << 20;
    let long = vec![7; LEN];
    let socket = Script::messages(LEN).arriving([&long[..], b"next"]);
    let mut framed = Framed::new(socket, Raw);
    assert_eq!(next(&mut framed).await, long);
    assert_eq!(next(&mut framed).await, b"next");
}

#[tokio::test]
async fn an_empty_message_is_a_frame_and_no_end() {
    let socket = Script::messages(100).arriving([&b""[..], b"x", b""]);
    let mut framed = Framed::new(socket, Raw);
    assert_eq!(next(&mut framed).await, b"");
    assert_eq!(next(&mut framed).await, b"x");
    assert_eq!(next(&mut framed).await, b"");
    assert!(framed.recv().await.unwrap().is_none());
    assert!(framed.recv().await.unwrap().is_none());
}

#[tokio::test]
async fn several_frames_may_stand_in_one_message() {
    let socket = Script::messages(100).arriving([&encoded(&[b"one", b"", b"three"])[..]]);
    let mut framed = framed(socket);
    let frames = framed.recv_many(8).await.unwrap().unwrap();
    assert_eq!(frames.collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
    assert!(framed.recv().await.unwrap().is_none());
}

#[tokio::test]
async fn the_end_of_a_message_ends_a_line() {
    let socket = Script::messages(100).arriving([&b"one\ntwo"[..], b"three"]);
    let mut framed = Framed::new(socket, Line::new());
    for line in [&b"one"[..], b"two", b"three"] {
        assert_eq!(next(&mut framed).await, line);
    }
}

#[tokio::test]
async fn frames_that_are_fed_are_messages_of_their_own() {
    let socket = Script::messages(100).taking([None, None]);
    let mut sending = Framed::new(socket.clone(), Raw);
    for frame in [&b"one"[..], b"", b"three"] {
        sending.feed(frame).await.unwrap();
    }
    sending.feed_many([b"four", b"five"]).await.unwrap();
    sending.finish().await.unwrap();
    assert_eq!(
        socket.writes(),
        [&b"one"[..], b"", b"three", b"four", b"five"]
    );
}

#[tokio::test]
async fn frames_of_a_sender_are_messages_of_their_own() {
    let socket = Script::messages(100).taking([None, None]);
    let sender = Framed::new(socket.clone(), Raw).into_sender();
    for frame in [&b"one"[..], b"", b"three"] {
        sender.send(frame).await.unwrap();
    }
    sender.send_encoded(b"four").await.unwrap();
    sender.finish().await.unwrap();
    assert_eq!(socket.writes(), [&b"one"[..], b"", b"three", b"four"]);
}

#[tokio::test]
async fn an_error_of_the_socket_ends_a_sender() {
    let socket = Script::messages(100).refusing(ErrorKind::ConnectionReset);
    let sender = Framed::new(socket, Raw).into_sender();
    sender.send(b"one").await.unwrap();
    let error = sender.closed().await.unwrap_err();
    assert!(error.is_fatal(), "{error}");
    assert_eq!(io_kind(&error), ErrorKind::ConnectionReset);
    assert!(sender.send(b"two").await.unwrap_err().is_fatal());
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_refused_and_the_next_one_is_sent() {
    let socket = Script::messages(10);
    let mut sending = framed(socket.clone());
    let error = sending.send(b"seven b").await.unwrap_err();
    let too_long = Fault::TooLong {
        len: Some(11),
        max: 10,
    };
    assert_eq!(error.codec_fault(), Some(&too_long));
    assert!(!error.is_fatal());
    sending.send(b"six by").await.unwrap();
    assert_eq!(socket.writes(), [encoded(&[b"six by"])]);
}

#[tokio::test]
async fn a_cancelled_send_leaves_whole_messages() {
    let socket = Script::messages(100).taking([None]);
    let mut sending = Framed::new(socket.clone(), Raw);
    let mut send = task::spawn(sending.send(b"first"));
    assert_pending!(send.poll());
    drop(send);
    sending.send(b"second").await.unwrap();
    assert_eq!(socket.writes(), [&b"first"[..], b"second"]);
}

#[tokio::test]
async fn bytes_of_one_message_stay_together_for_another_owner() {
    let two = encoded(&[b"one", b"two"]);
    let socket = Script::messages(100).arriving([&two[..], &encoded(&[b"three"])]);
    let mut receiving = framed(socket.clone());
    receiving.feed(b"unsent").await.unwrap();
    assert_eq!(next(&mut receiving).await, b"one");
    let parts = receiving.into_parts().unwrap();
    assert_eq!(&parts.received[..], encoded(&[b"two"]));
    let mut receiving = Framed::from_parts(FramedParts { ..parts });
    assert_eq!(next(&mut receiving).await, b"two");
    assert_eq!(next(&mut receiving).await, b"three");
    receiving.send(b"sent").await.unwrap();
    assert_eq!(
        socket.writes(),
        [encoded(&[b"unsent"]), encoded(&[b"sent"])]
    );
}

#[tokio::test]
async fn what_was_read_too_early_is_one_message() {
    let socket = Script::messages(100).arriving([&b"second"[..]]);
    let mut socket = prefix(socket, &b"first"[..]);
    let mut buf = [0; 20];
    for (room, due) in [(3, &b"fir"[..]), (20, b"second")] {
        let (len, _) = socket.recv(&mut buf[..room]).await.unwrap();
        assert_eq!(&buf[..len], due);
    }
}

mod bodies {
    use super::*;

    async fn body_of(framed: &mut Framed<Script, Struct>, len: u64) -> Vec<u8> {
        let mut body = framed.body(len).unwrap();
        let mut whole = Vec::new();
        while let Some(chunk) = body.chunk().await.unwrap() {
            whole.extend_from_slice(chunk);
        }
        whole
    }

    /// In which messages ten bytes of a body may come, between a header and the next frame.
    fn cuts() -> Vec<Vec<Vec<u8>>> {
        let (header, next) = (encoded(&[b"header"]), encoded(&[b"next"]));
        let body = b"0123456789";
        vec![
            vec![[&header[..], body, &next].concat()],
            vec![[&header[..], body].concat(), next.clone()],
            vec![header.clone(), body.to_vec(), next.clone()],
            vec![
                [&header[..], &body[..4]].concat(),
                Vec::new(),
                body[4..7].to_vec(),
                [&body[7..], &next].concat(),
            ],
        ]
    }

    #[tokio::test]
    async fn a_body_is_bytes_wherever_the_messages_end() {
        for messages in cuts() {
            let socket = Script::messages(100).arriving(messages.iter().map(Vec::as_slice));
            let mut framed = framed(socket);
            assert_eq!(next(&mut framed).await, b"header");
            assert_eq!(body_of(&mut framed, 10).await, b"0123456789");
            assert_eq!(next(&mut framed).await, b"next", "{messages:?}");
            assert!(framed.recv().await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn a_body_that_the_peer_leaves_unfinished_is_a_fatal_error() {
        let socket = Script::messages(100).arriving([&encoded(&[b"header"])[..], b"0123"]);
        let mut framed = framed(socket);
        assert_eq!(next(&mut framed).await, b"header");
        let mut body = framed.body(10).unwrap();
        assert_eq!(body.chunk().await.unwrap(), Some(&b"0123"[..]));
        let error = body.chunk().await.unwrap_err();
        assert!(matches!(error.fault(), FrameFault::BodyCut(6)), "{error}");
        assert!(error.is_fatal());
    }

    #[tokio::test]
    async fn a_body_whose_message_is_cut_is_a_fatal_error() {
        let header = encoded(&[b"a"]);
        let socket = Script::messages(8).arriving([&header[..], b"longer than eight"]);
        let mut framed = framed(socket);
        assert_eq!(next(&mut framed).await, b"a");
        let error = framed.body(17).unwrap().drain().await.unwrap_err();
        assert!(matches!(error.fault(), FrameFault::Cut(_)), "{error}");
        assert!(error.is_fatal());
    }

    #[tokio::test]
    async fn a_body_is_sent_behind_its_header_and_in_messages_that_fit() {
        let socket = Script::messages(16);
        let mut sending = framed(socket.clone());
        sending.feed(b"header").await.unwrap();
        let mut body = sending.body_writer(20).unwrap();
        body.write_all(&[b'x'; 20]).await.unwrap();
        sending.send(b"next").await.unwrap();
        let due = [
            encoded(&[b"header"]),
            vec![b'x'; 16],
            vec![b'x'; 4],
            encoded(&[b"next"]),
        ];
        assert_eq!(socket.writes(), due);
    }

    #[tokio::test]
    async fn one_message_of_a_body_has_at_most_64_kib() {
        let socket = Script::messages(1 << 20);
        let mut sending = framed(socket.clone());
        let mut body = sending.body_writer(100_000).unwrap();
        body.write_all(&vec![0; 100_000]).await.unwrap();
        let lens: Vec<_> = socket.writes().iter().map(Vec::len).collect();
        assert_eq!(lens, [65_536, 34_464]);
    }
}

#[tokio::test]
async fn an_abort_is_answered_as_that_of_a_stream() {
    let socket = Script::messages(100).open();
    let mut half = framed(socket.clone());
    assert_eq!(half.socket_mut().abort(7).unwrap(), Aborted::Reset);
    assert_eq!(socket.aborted(), Some(7));
    assert!(half.recv().await.unwrap_err().is_fatal());
}
