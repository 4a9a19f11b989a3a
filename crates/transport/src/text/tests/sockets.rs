//! Text over streams and datagrams.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::IoSlice;
use std::sync::Mutex;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use super::*;
use crate::contract::datagram::{BoxFuture, DatagramSocket, PeerAddr};
use crate::contract::endpoint::Endpoint;
use crate::contract::socket::info::Info;
use crate::contract::socket::{Aborted, Cut, Half, Received, RecvHalf, SendHalf, Shape};

/// A socket that receives from a list, and whose stream takes three bytes at a time.
struct Script {
    info: Info,
    arriving: Mutex<VecDeque<(Vec<u8>, Received)>>,
    sent: Mutex<Vec<Vec<u8>>>,
    /// The number of further sends for which there is room.
    room: usize,
}

impl Script {
    fn new(shape: Shape, arriving: &[&[u8]]) -> Self {
        let arriving = arriving
            .iter()
            .map(|bytes| (bytes.to_vec(), Received::Data));
        let at = || "mem://peer".parse().unwrap();
        Script {
            info: Info::new(shape, at(), at()),
            arriving: Mutex::new(arriving.collect()),
            sent: Mutex::default(),
            room: usize::MAX,
        }
    }

    fn stream(arriving: &[&[u8]]) -> Self {
        Script::new(Shape::Stream, arriving)
    }

    fn datagrams(arriving: &[&[u8]]) -> Self {
        Script::new(Shape::Datagram { max_len: 100 }, arriving)
    }

    fn cut(self, bytes: &[u8]) -> Self {
        let sizes = Cut {
            room: bytes.len(),
            len: None,
        };
        let cut = (bytes.to_vec(), Received::Cut(sizes));
        self.arriving.lock().unwrap().push_back(cut);
        self
    }

    fn take(&self, buf: &mut ReadBuf<'_>) -> Received {
        let Some((bytes, received)) = self.arriving.lock().unwrap().pop_front() else {
            return Received::End;
        };
        match Received::whole(&bytes, buf) {
            Received::Data => received,
            cut => cut,
        }
    }

    fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().concat()
    }
}

impl Half for Script {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl RecvHalf for Script {
    fn poll_recv(
        &mut self,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        Poll::Ready(Ok(self.take(buf)))
    }
}

impl SendHalf for Script {
    fn poll_send(&mut self, _: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.room == 0 {
            return Poll::Pending;
        }
        self.room -= 1;
        let most = if self.shape().is_stream() {
            3
        } else {
            usize::MAX
        };
        let len = parts[0].len().min(most);
        self.sent.lock().unwrap().push(parts[0][..len].to_vec());
        Poll::Ready(Ok(len))
    }
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn abort(&mut self, _: u64) -> io::Result<Aborted> {
        Ok(Aborted::quiet(self.shape()))
    }
}

/// The same without a connection. Datagrams that are sent come back.
struct Loop(Script);

impl DatagramSocket for Loop {
    fn local(&self) -> &Endpoint {
        self.0.local()
    }
    fn max_len(&self) -> usize {
        100
    }
    fn poll_recv_from(
        &self,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>> {
        Poll::Ready(Ok((self.0.take(buf), PeerAddr::Name("bob".into()))))
    }
    fn try_send_to(&self, parts: &[IoSlice<'_>], _: &PeerAddr) -> io::Result<usize> {
        let datagram = (parts[0].to_vec(), Received::Data);
        self.0.arriving.lock().unwrap().push_back(datagram);
        Ok(parts[0].len())
    }
    fn writable<'a>(&'a self, _: &'a PeerAddr) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

async fn recv_all<S: RecvHalf>(socket: &mut TextSocket<S>) -> Vec<Result<String, String>> {
    let mut all = Vec::new();
    loop {
        assert!(all.len() < 20, "{all:?}");
        match socket.recv().await {
            Ok(None) => return all,
            Ok(Some(text)) => all.push(Ok(text)),
            Err(error) => all.push(Err(error.to_string())),
        }
    }
}

fn ok(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

#[tokio::test]
async fn a_stream_never_gives_half_a_character_or_nothing() {
    let script = Script::stream(&[b"a\xc4", b"\xe3", b"\xba", b"\xc3b", b"\xc4"]);
    let mut socket = TextSocket::new(script, Encoding::GBK);
    let all = recv_all(&mut socket).await;
    let incomplete = "the bytes at offset 6 are not gbk".to_owned();
    assert_eq!(all, [ok("a"), ok("你"), ok("好b"), Err(incomplete)]);
    assert_eq!(socket.recv().await.unwrap(), None, "and so it stays");
}

#[tokio::test]
async fn a_stream_goes_on_behind_every_error_and_loses_nothing() {
    let script = Script::stream(&[b"one\xfftwo\xff\xffthree", b"four"]);
    let mut socket = TextSocket::new(script, Encoding::UTF_8);
    let all = recv_all(&mut socket).await;
    let bad = |offset| Err(format!("the bytes at offset {offset} are not utf-8"));
    assert_eq!(
        all,
        [
            ok("one"),
            bad(3),
            ok("two"),
            bad(7),
            bad(8),
            ok("three"),
            ok("four")
        ]
    );
}

#[tokio::test]
async fn a_read_of_a_stream_brings_up_to_16_kib() {
    let arriving = vec![b'a'; 16 << 10];
    let mut socket = TextSocket::new(Script::stream(&[&arriving]), Encoding::UTF_8);
    let text = socket.recv().await.unwrap().unwrap();
    assert_eq!(text.len(), arriving.len());
}

#[tokio::test]
async fn policies_hold_over_a_stream() {
    let arriving: [&[u8]; 2] = [b"a\xc4", b"\xe3"];
    let mut socket =
        TextSocket::new(Script::stream(&arriving), Encoding::UTF_8).with_policy(Replace);
    assert_eq!(recv_all(&mut socket).await.concat_ok(), "a\u{fffd}\u{fffd}");
    let mut socket =
        TextSocket::new(Script::stream(&arriving), Encoding::UTF_8).with_policy(Detect);
    assert_eq!(recv_all(&mut socket).await.concat_ok(), "a你");
}

trait ConcatOk {
    fn concat_ok(self) -> String;
}

impl ConcatOk for Vec<Result<String, String>> {
    fn concat_ok(self) -> String {
        self.into_iter().map(Result::unwrap).collect()
    }
}

#[tokio::test]
async fn each_datagram_stands_alone() {
    let script = Script::datagrams(&[b"a\xc4", b"", b"\xc4\xe3"]).cut(b"head");
    script
        .arriving
        .lock()
        .unwrap()
        .push_back((b"end".to_vec(), Received::Data));
    let mut socket = TextSocket::new(script, Encoding::GBK);
    let bad = "a datagram from mem://peer is no text: the bytes at offset 1 are not gbk";
    let cut =
        "a datagram from mem://peer is no text: it was cut to its first 4 bytes, and has more";
    assert_eq!(
        recv_all(&mut socket).await,
        [
            Err(bad.to_owned()),
            ok(""),
            ok("你"),
            Err(cut.to_owned()),
            ok("end")
        ]
    );
}

#[tokio::test]
async fn sends_are_whole_in_spite_of_short_writes_and_cancelling() {
    let mut socket = TextSocket::new(Script::stream(&[]), Encoding::UTF_16);
    socket.send("").await.unwrap();
    socket.get_mut().room = 1;
    {
        let mut send = std::pin::pin!(socket.send("你好"));
        let first = poll_fn(|cx| Poll::Ready(send.as_mut().poll(cx))).await;
        assert!(first.is_pending());
    }
    assert_eq!(socket.get_ref().sent(), b"\xff\xfe\x60");
    socket.get_mut().room = usize::MAX;
    socket.send("!").await.unwrap();
    let sent = socket.into_inner().sent();
    assert_eq!(
        Encoding::UTF_16.decode(&sent, Strict).unwrap(),
        "你好!",
        "one mark"
    );
    assert_eq!(sent.len(), 2 + 4 + 2);
}

#[tokio::test]
async fn a_datagram_is_one_send_and_what_cannot_be_encoded_is_none() {
    let mut socket = TextSocket::new(Script::datagrams(&[]), enc("big5"));
    socket.send("你好").await.unwrap();
    socket.send("").await.unwrap();
    let error = socket.send("a😀").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "big5 has no '😀' (U+1F600)");
    assert_eq!(socket.encoding(), enc("big5"));
    let sent = socket.into_inner().sent.into_inner().unwrap();
    assert_eq!(sent, [b"\xa7\x41\xa6\x6e".to_vec(), Vec::new()]);
}

#[tokio::test]
async fn the_tutorials_socket_sends_to_and_receives_from() {
    let bob = PeerAddr::Name("bob".into());
    let socket = TextSocket::new(Loop(Script::datagrams(&[b"\xff"])), Encoding::GBK);
    let error = socket.recv_from(1024).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(
        error
            .to_string()
            .starts_with("a datagram from bob is no text"),
        "{error}"
    );

    for text in ["你好", ""] {
        socket.send_to(text, &bob).await.unwrap();
        let got = socket.recv_from(1024).await.unwrap();
        assert_eq!(got, (text.to_owned(), bob.clone()));
    }
    socket.send_to("你好", &bob).await.unwrap();
    socket.send_to("next", &bob).await.unwrap();
    let error = socket.recv_from(3).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("it was cut to the first 3 of its 4 bytes"),
        "{error}"
    );
    assert_eq!(socket.recv_from(4).await.unwrap().0, "next");
}

#[test]
fn the_futures_can_be_spawned() {
    fn spawnable<T: Send>(_: T) {}
    let mut stream = TextSocket::new(Script::stream(&[]), Encoding::GBK);
    spawnable(stream.recv());
    spawnable(stream.send(""));
    let datagrams = TextSocket::new(Loop(Script::datagrams(&[])), Encoding::GBK);
    spawnable(datagrams.recv_from(1));
    spawnable(datagrams.send_to("", &PeerAddr::Unnamed));
}

#[tokio::test]
async fn over_datagrams_each_text_returns_to_ascii() {
    let mut socket = TextSocket::new(Script::datagrams(&[]), enc("iso-2022-jp"));
    for text in ["日本", "語"] {
        socket.send(text).await.unwrap();
    }
    let sent = socket.into_inner().sent.into_inner().unwrap();
    assert_eq!(
        sent,
        [b"\x1b$BF|K\\\x1b(B".to_vec(), b"\x1b$B8l\x1b(B".to_vec()]
    );
}

#[tokio::test]
async fn over_a_stream_a_shift_is_kept_until_another_is_needed_or_the_end() {
    let mut socket = TextSocket::new(Script::stream(&[]), enc("iso-2022-jp"));
    for text in ["a", "日", "", "本¥", "b¥", "¥", "c", "語"] {
        socket.send(text).await.unwrap();
    }
    let error = socket.send("本😀").await.unwrap_err();
    assert_eq!(error.to_string(), "iso-2022-jp has no '😀' (U+1F600)");
    socket.send("本").await.unwrap();
    socket.finish().await.unwrap();
    let sent = socket.into_inner().sent();
    let whole = enc("iso-2022-jp").encode("a日本¥b¥¥c語本", Strict).unwrap();
    assert_eq!(
        sent.escape_ascii().to_string(),
        whole.escape_ascii().to_string()
    );
}
