//! A third party's codec whose frames have another form on the wire, by each way to receive and to
//! send. What a form is, no caller of `Framed` sees.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use socketry_codec::{
    BoxCodec, Codec, CodecError, CodecRegistry, Compat, Decoded, End, Fault, Framed, Json, Line,
    Meter, Plus, Struct, Transform, limits,
};
use socketry_testkit::codec::{LAWS, Subject};
use socketry_testkit::{Script, in_time};
use socketry_transport::{BoxSocket, Listener, SendExt, connect, listen};
use tokio_util::codec::Decoder;

/// Runs of one byte: a byte for the count of runs, and for each run its length and its byte.
#[derive(Clone, Copy)]
struct Runs {
    max: usize,
}

impl Codec for Runs {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let Some(&runs) = input.first() else {
            return limits::unfinished(0, 1, end);
        };
        let consumed = 1 + 2 * usize::from(runs);
        if input.len() < consumed {
            return limits::unfinished(input.len(), consumed - input.len(), end);
        }
        Ok(Decoded::Coded {
            start: 1,
            end: consumed,
            consumed,
        })
    }

    fn restore(&mut self, coded: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        let before = out.len();
        for run in coded.chunks(2) {
            let len = out.len() - before + usize::from(run[0]);
            limits::admit(len, self.max, 0).map_err(|error| error.fault)?;
            out.resize(before + len, run[1]);
        }
        Ok(())
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        limits::check(frame, self.max)?;
        let runs: Vec<_> = frame.chunk_by(|one, next| one == next).collect();
        let runs: Vec<_> = runs.iter().flat_map(|run| run.chunks(255)).collect();
        let count = u8::try_from(runs.len());
        let count = count.map_err(|_| limits::refused("more than 255 runs"))?;
        out.extend_from_slice(&[count]);
        for run in runs {
            out.extend_from_slice(&[u8::try_from(run.len()).unwrap(), run[0]]);
        }
        Ok(())
    }

    fn at_boundary(&self) -> bool {
        true
    }
}

const RUNS: Runs = Runs { max: 100_000 };

/// Each byte plus one.
#[derive(Clone, Copy)]
struct Shifted;

impl Transform for Shifted {
    fn apply(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        out.extend(frame.iter().map(|byte| byte.wrapping_add(1)));
        Ok(())
    }
    fn restore(&mut self, coded: &[u8], _: usize, out: &mut BytesMut) -> Result<(), Fault> {
        out.extend(coded.iter().map(|byte| byte.wrapping_sub(1)));
        Ok(())
    }
    fn longest(&self, frame: usize) -> usize {
        frame
    }
}

fn wire<C: Codec>(mut codec: C, frames: &[&str]) -> Vec<u8> {
    let mut out = BytesMut::new();
    for frame in frames {
        codec.encode(frame.as_bytes(), &mut out).unwrap();
    }
    out.to_vec()
}

/// Received from `bytes`.
fn framed(bytes: &[u8]) -> Framed<Script, Runs> {
    Framed::new(Script::stream().arriving([bytes]), RUNS)
}

async fn pair<C: Codec + Clone>(codec: C) -> [Framed<BoxSocket, C>; 2] {
    let mut listener = listen("mem://*").await.unwrap();
    let ours = connect(listener.local()).await.unwrap();
    let theirs = listener.accept().await.unwrap();
    [Framed::new(ours, codec.clone()), Framed::new(theirs, codec)]
}

#[test]
fn a_third_partys_transform_keeps_the_laws() {
    let codecs = CodecRegistry::catalogue().with_transform("shifted", |_| Ok(Box::new(Shifted)));
    for name in [
        "struct:>H+shifted",
        "slip+shifted+crc16:usb",
        "cobs+shifted",
    ] {
        let mut subject = Subject::registered(&codecs, name);
        if name.starts_with("slip") {
            subject = subject.opening_with(1).taking_at_most(|len| 2 * len + 6);
        }
        LAWS.iter().for_each(|law| law.run(&subject));
    }
}

#[tokio::test]
async fn each_way_to_receive_gives_the_frames() {
    let sent = ["aaaa", "", "bbc", "d"];
    let bytes = wire(RUNS, &sent);
    let mut borrowed = framed(&bytes);
    let mut kept = framed(&bytes);
    let mut streamed = framed(&bytes);
    for frame in sent {
        assert_eq!(borrowed.recv().await.unwrap(), Some(frame.as_bytes()));
        assert_eq!(kept.recv_bytes().await.unwrap().unwrap(), frame);
        assert_eq!(streamed.next().await.unwrap().unwrap(), frame);
        assert_eq!(kept.unread().len(), borrowed.unread().len());
    }
    assert_eq!(borrowed.recv().await.unwrap(), None);

    let (mut many, mut into) = (framed(&bytes), Vec::new());
    let mut count = 0;
    while let Some(frames) = many.recv_many(9).await.unwrap() {
        count += frames.count();
    }
    assert_eq!(count, 4);
    let mut many = framed(&bytes);
    while many.recv_many_bytes(&mut into, 9).await.unwrap() > 0 {}
    assert_eq!(into, sent);
}

/// Kept frames stay as they are while others are restored into the same buffer.
#[tokio::test]
async fn kept_frames_stay() {
    let letters: Vec<String> = ('a'..='z')
        .map(|letter| letter.to_string().repeat(500))
        .collect();
    let sent: Vec<&str> = letters.iter().map(String::as_str).collect();
    let mut framed = framed(&wire(RUNS, &sent));
    let mut kept: Vec<Bytes> = Vec::new();
    while let Some(frame) = framed.recv_bytes().await.unwrap() {
        kept.push(frame);
    }
    assert_eq!(kept, sent);
}

/// It counts as received when the iterator gives it, and until then its bytes are still there.
#[tokio::test]
async fn a_frame_that_was_not_given_out_is_not_lost() {
    let bytes = wire(RUNS, &["aaaa", "b"]);
    let mut again = framed(&bytes);
    for _ in 0..3 {
        let _ = again.recv_many(9).await.unwrap();
        assert_eq!(again.unread(), bytes);
    }
    assert_eq!(again.recv().await.unwrap(), Some(&b"aaaa"[..]));
    let _ = again.recv_many(9).await.unwrap();
    let mut again = again.with_codec(RUNS).unwrap();
    assert_eq!(again.recv().await.unwrap(), Some(&b"b"[..]));

    let mut parted = framed(&bytes);
    let _ = parted.recv_many(9).await.unwrap();
    assert_eq!(parted.into_parts().unwrap().received, bytes);

    let mut body = framed(&bytes);
    let _ = body.recv_many(9).await.unwrap();
    let mut bytes_of_body = body.body(2).unwrap();
    assert_eq!(bytes_of_body.chunk().await.unwrap(), Some(&bytes[..2]));

    let one = wire(RUNS, &["aaaa"]);
    let mut datagrams = Framed::new(Script::datagrams(100).arriving([&one[..], &one]), RUNS);
    for _ in 0..2 {
        let _ = datagrams.recv_many(9).await.unwrap();
        datagrams = datagrams.with_codec(RUNS).unwrap();
        assert_eq!(datagrams.recv().await.unwrap(), Some(&b"aaaa"[..]));
    }
    assert_eq!(datagrams.recv().await.unwrap(), None);
}

#[tokio::test]
async fn a_body_follows_such_a_frame() {
    let bytes = [&wire(RUNS, &["aaaa"])[..], b"body", &wire(RUNS, &["b"])].concat();
    let pieces = [&bytes[..2], &bytes[2..5], &bytes[5..]];
    let mut framed = Framed::new(Script::stream().arriving(pieces), RUNS);
    assert_eq!(framed.recv().await.unwrap(), Some(&b"aaaa"[..]));
    let mut body = framed.body(4).unwrap();
    let mut read = Vec::new();
    while let Some(chunk) = body.chunk().await.unwrap() {
        read.extend_from_slice(chunk);
    }
    assert_eq!(read, b"body");
    assert_eq!(framed.recv().await.unwrap(), Some(&b"b"[..]));
}

#[tokio::test]
async fn a_frame_with_a_fault_is_one_error() {
    let bytes = wire(RUNS, &["aaaa", "bbbbbb", "c"]);
    let mut framed = Framed::new(Script::stream().arriving([&bytes[..]]), Runs { max: 5 });
    assert_eq!(framed.recv().await.unwrap(), Some(&b"aaaa"[..]));
    let error = framed.recv().await.unwrap_err();
    assert!(!error.is_fatal(), "{error}");
    assert_eq!(
        error.codec_fault(),
        Some(&Fault::TooLong {
            len: Some(6),
            max: 5
        })
    );
    assert_eq!(error.found(), &bytes[3..]);
    assert_eq!(framed.recv().await.unwrap(), Some(&b"c"[..]));
}

#[tokio::test]
async fn senders_values_and_halves_work_over_it() {
    let transformed =
        || -> BoxCodec { Box::new(Plus::new(Struct::new(">H".parse().unwrap()), Shifted)) };
    for codec in [
        Box::new(RUNS) as BoxCodec,
        transformed(),
        "cobs+crc16:usb".parse().unwrap(),
    ] {
        let [mut ours, theirs] = pair(codec).await;
        ours.feed_many(["one", "two"]).await.unwrap();
        SinkExt::send(&mut ours, Bytes::from("three"))
            .await
            .unwrap();
        let (_, sending) = ours.split();
        let sender = sending.into_sender();
        sender.send(b"four").await.unwrap();
        let values = sender.typed::<Value, Json>();
        values.send(&json!({"five": 5})).await.unwrap();
        let (mut receiving, _half) = theirs.split();
        for frame in ["one", "two", "three", "four"] {
            let received = in_time(frame, receiving.recv()).await.unwrap();
            assert_eq!(received, Some(frame.as_bytes()));
        }
        let mut values = receiving.typed::<Value, Json>();
        let value = in_time("a value", values.recv()).await.unwrap();
        assert_eq!(value, Some(json!({"five": 5})));
    }
}

#[test]
fn tokio_util_gets_the_frames() {
    let mut codec = Compat::new(Runs { max: 5 });
    let mut bytes = BytesMut::from(&wire(RUNS, &["aaaa", "bbbbbb", "c"])[..]);
    assert_eq!(codec.decode(&mut bytes).unwrap().unwrap().unwrap(), "aaaa");
    assert!(codec.decode(&mut bytes).unwrap().unwrap().is_err());
    assert_eq!(codec.decode(&mut bytes).unwrap().unwrap().unwrap(), "c");
    assert!(codec.decode(&mut bytes).unwrap().is_none());
}

#[derive(Default)]
struct Gauge {
    frames: AtomicUsize,
    held: AtomicUsize,
    most: AtomicUsize,
}

impl Meter for Gauge {
    fn frames_received(&self, count: usize) {
        self.frames.fetch_add(count, Ordering::SeqCst);
    }
    fn buffer(&self, before: usize, after: usize) -> io::Result<()> {
        if after > 60_000 {
            return Err(io::Error::other("full"));
        }
        let held = self.held.fetch_add(after, Ordering::SeqCst) + after;
        self.held.fetch_sub(before, Ordering::SeqCst);
        self.most.fetch_max(held - before, Ordering::SeqCst);
        Ok(())
    }
}

/// A few bytes may be a frame of many: those count, and are given back.
#[tokio::test]
async fn the_memory_of_such_a_frame_is_counted_and_given_back() {
    let gauge = Arc::new(Gauge::default());
    let [mut ours, theirs] = pair(RUNS).await;
    let mut theirs = theirs.metered(gauge.clone());
    ours.send(&[b'a'; 30_000]).await.unwrap();
    let _ = in_time("batch", theirs.recv_many(1)).await.unwrap();
    assert_eq!(theirs.recv().await.unwrap().unwrap().len(), 30_000);
    assert_eq!(gauge.frames.load(Ordering::SeqCst), 1);
    assert!(gauge.most.load(Ordering::SeqCst) >= 30_000);
    let waiting = tokio::spawn(async move {
        let error = theirs.recv().await.unwrap_err();
        assert!(
            error.is_fatal() && error.to_string().contains("full"),
            "{error}"
        );
        assert_eq!(theirs.recv().await.unwrap(), None);
    });
    while gauge.held.load(Ordering::SeqCst) > 2_000 {
        tokio::task::yield_now().await;
    }
    // This one is more than the meter takes.
    ours.send(&[b'a'; 63_000]).await.unwrap();
    in_time("the refusal", waiting).await.unwrap();
    assert_eq!(gauge.held.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn another_codec_takes_over_behind_it() {
    let bytes = [&wire(RUNS, &["aaaa"])[..], b"line\n"].concat();
    let mut framed = framed(&bytes);
    assert_eq!(framed.recv().await.unwrap(), Some(&b"aaaa"[..]));
    let mut lines = framed.with_codec(Line::new()).unwrap();
    assert_eq!(lines.recv().await.unwrap(), Some(&b"line"[..]));
    let [mut ours, mut theirs] = pair(RUNS).await;
    ours.socket_mut().send_all(&bytes).await.unwrap();
    assert_eq!(
        in_time("it", theirs.recv()).await.unwrap(),
        Some(&b"aaaa"[..])
    );
    assert_eq!(theirs.unread(), b"line\n");
}
