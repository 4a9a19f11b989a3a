//! Encodings against the bytes that CPython writes, every split of every encoding, the policies, and the socket.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::IoSlice;
use std::sync::Mutex;
use std::task::{Context, Poll};

use proptest::prelude::*;
use tokio::io::ReadBuf;

use super::*;
use crate::contract::datagram::{BoxFuture, DatagramSocket, PeerAddr};
use crate::contract::endpoint::Endpoint;
use crate::contract::socket::{Half, Received, RecvHalf, SendHalf, Shape};
use Undecodable::{Detect, Replace, Strict};

/// All that can be spoken: the encodings of the WHATWG standard but `replacement`, UTF-8 and UTF-16 with a mark, and CPython's.
const ALL: [&str; 49] = [
    "utf-8",
    "utf-8-sig",
    "ibm866",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-8-i",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "koi8-r",
    "koi8-u",
    "macintosh",
    "windows-874",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "x-mac-cyrillic",
    "gbk",
    "gb18030",
    "big5",
    "euc-jp",
    "iso-2022-jp",
    "shift_jis",
    "euc-kr",
    "utf-16le",
    "utf-16be",
    "utf-16",
    "x-user-defined",
    "python:latin_1",
    "python:gbk",
    "python:gb18030",
    "python:big5",
    "python:shift_jis",
    "python:euc_jp",
    "python:euc_kr",
    "python:iso2022_jp",
];

/// Something for everyone.
const SAMPLE: &str =
    "Hello! é ž ß ą ġ ħ ŵ ș Привет ї Γειά שלום مرحبا สวัสดี 你好 漢字 こんにちは 안녕 😀 \u{f780}";

fn enc(label: &str) -> Encoding {
    label.parse().unwrap()
}

/// What of the sample an encoding has.
fn sample(encoding: Encoding) -> String {
    let has = |c: &char| encoding.encode(&c.to_string(), Strict).is_ok();
    SAMPLE.chars().filter(has).collect()
}

/// All of the text, one call for each piece.
fn decode_pieces(encoding: Encoding, policy: Undecodable, pieces: &[&[u8]]) -> String {
    let mut decoder = TextDecoder::new(encoding, policy);
    let mut text = String::new();
    for piece in pieces {
        decoder.decode(piece, false, &mut text).unwrap();
    }
    decoder.decode(&[], true, &mut text).unwrap();
    text
}

#[test]
fn bytes_are_those_of_cpython() {
    let table: &[(&str, &str, &[u8])] = &[
        ("gbk", "你好", b"\xc4\xe3\xba\xc3"),
        ("gbk", "a你b", b"a\xc4\xe3b"),
        (
            "gbk",
            "Привет",
            b"\xa7\xb1\xa7\xe2\xa7\xda\xa7\xd3\xa7\xd6\xa7\xe4",
        ),
        ("gb18030", "你好", b"\xc4\xe3\xba\xc3"),
        ("gb18030", "😀", b"\x94\x39\xfc\x36"),
        ("gb18030", "café", b"caf\xa8\xa6"),
        ("gb18030", "안녕", b"\x83\x32\xe0\x37\x82\x38\xda\x30"),
        ("big5", "你好", b"\xa7\x41\xa6\x6e"),
        ("shift_jis", "日本語", b"\x93\xfa\x96\x7b\x8c\xea"),
        ("euc_jp", "日本語", b"\xc6\xfc\xcb\xdc\xb8\xec"),
        ("euc-kr", "안녕", b"\xbe\xc8\xb3\xe7"),
        (
            "iso-2022-jp",
            "日本語",
            b"\x1b$B\x46\x7c\x4b\x5c\x38\x6c\x1b(B",
        ),
        ("koi8-r", "Привет", b"\xf0\xd2\xc9\xd7\xc5\xd4"),
        ("windows-1252", "café", b"caf\xe9"),
        ("utf-16", "你好", b"\xff\xfe\x60\x4f\x7d\x59"),
        ("utf-16", "", b"\xff\xfe"),
        ("utf-16-le", "你好", b"\x60\x4f\x7d\x59"),
        ("utf-16le", "😀", b"\x3d\xd8\x00\xde"),
        ("utf-16-be", "😀", b"\xd8\x3d\xde\x00"),
        ("utf-8", "你好", b"\xe4\xbd\xa0\xe5\xa5\xbd"),
    ];
    for &(label, text, bytes) in table {
        let encoding = enc(label);
        assert_eq!(
            &*encoding.encode(text, Strict).unwrap(),
            bytes,
            "{label} {text}"
        );
        assert_eq!(
            encoding.decode(bytes, Strict).unwrap(),
            text,
            "{label} {text}"
        );
    }
}

#[test]
fn what_is_the_same_in_utf_8_is_borrowed() {
    for (label, text, same) in [
        ("utf-8", "你好", true),
        ("gbk", "hi", true),
        ("gbk", "你好", false),
        ("utf-16le", "hi", false),
    ] {
        let encoding = enc(label);
        let bytes = encoding.encode(text, Strict).unwrap();
        assert_eq!(matches!(bytes, Cow::Borrowed(_)), same, "{label} {text}");
    }
}

#[test]
fn debugging_output_says_how_much_is_held_and_not_what() {
    let mut decoder = TextDecoder::new(Encoding::GBK, Strict);
    decoder
        .decode(b"ab\xffcd", false, &mut String::new())
        .unwrap_err();
    assert_eq!(
        format!("{decoder:?}"),
        "TextDecoder { encoding: Encoding(gbk), policy: Strict, held: 2, offset: 3 }"
    );
}

#[test]
fn labels_are_known_by_many_names_and_print_as_one() {
    for (label, name) in [
        ("UTF8", "utf-8"),
        ("utf_8", "utf-8"),
        ("UTF_8_SIG", "utf-8-sig"),
        (" GBK ", "gbk"),
        ("gb2312", "gbk"),
        ("Shift-JIS", "shift_jis"),
        ("sjis", "shift_jis"),
        ("euc_kr", "euc-kr"),
        ("latin1", "python:latin_1"),
        ("latin-1", "python:latin_1"),
        ("ISO-8859-1", "python:latin_1"),
        ("us-ascii", "python:ascii"),
        ("l5", "python:iso8859_9"),
        ("cp1252", "windows-1252"),
        ("python:cp1252", "python:cp1252"),
        (" Python:GBK", "python:gbk"),
        ("python:koi8-r", "koi8-r"),
        ("python:utf_16", "utf-16"),
        ("iso2022_jp", "python:iso2022_jp"),
        ("iso-2022-jp", "iso-2022-jp"),
        ("latin_1", "python:latin_1"),
        ("cp936", "python:gbk"),
        ("cp932", "python:cp932"),
        ("cp949", "euc-kr"),
        ("uhc", "euc-kr"),
        ("cp950", "python:cp950"),
        ("big5hkscs", "big5"),
        ("ujis", "python:euc_jp"),
        ("utf-8-sig", "utf-8-sig"),
        ("UTF_16", "utf-16"),
        ("utf_16_le", "utf-16le"),
        ("UTF-16BE", "utf-16be"),
    ] {
        assert_eq!(enc(label).to_string(), name, "{label}");
        assert_eq!(Encoding::try_from(label).unwrap(), enc(label));
    }
    for name in ALL {
        assert_eq!(enc(name).to_string(), name);
        assert_eq!(serde_json::to_value(enc(name)).unwrap(), name);
        let read: Encoding = serde_json::from_value(name.into()).unwrap();
        assert_eq!(read, enc(name));
    }
    assert_eq!(Encoding::default(), enc("utf-8"));
}

#[test]
fn unknown_labels_are_named_with_some_that_are_known() {
    for label in [
        "klingon",
        "",
        "replacement",
        "hz-gb-2312",
        "iso-2022-kr",
        "\u{1b}[2J",
    ] {
        let words = label.parse::<Encoding>().unwrap_err().to_string();
        assert!(
            words.contains(&format!("'{}'", label.escape_debug())),
            "{words}"
        );
        assert!(
            words.contains("gbk") && words.contains("utf-16le"),
            "{words}"
        );
    }
    for label in encoding::SOME_LABELS.split(", ") {
        assert!(label.parse::<Encoding>().is_ok(), "{label}");
    }
}

#[test]
fn every_encoding_survives_every_split() {
    for label in ALL {
        let encoding = enc(label);
        let text = sample(encoding);
        assert!(!text.is_ascii(), "{label} has only {text}");
        let bytes = encoding.encode(&text, Strict).unwrap();
        for at in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(at);
            let whole = decode_pieces(encoding, Strict, &[head, tail]);
            assert_eq!(whole, text, "{label} at {at}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode_pieces(encoding, Strict, &single), text, "{label}");
    }
}

#[test]
fn a_byte_order_mark_is_obeyed_by_utf_16_and_kept_by_the_others() {
    let marked = Encoding::UTF_16;
    assert_eq!(marked.decode(b"\xfe\xff\x4f\x60", Strict).unwrap(), "你");
    assert_eq!(marked.decode(b"\xff\xfe\x60\x4f", Strict).unwrap(), "你");
    assert_eq!(marked.decode(b"\x60\x4f", Strict).unwrap(), "你");
    assert_eq!(marked.decode(b"", Strict).unwrap(), "");
    assert_eq!(
        decode_pieces(marked, Strict, &[b"\xfe", b"\xff\x4f", b"\x60"]),
        "你"
    );
    assert_eq!(
        enc("utf-16le").decode(b"\xff\xfea\0", Strict).unwrap(),
        "\u{feff}a"
    );
    assert_eq!(
        Encoding::UTF_8.decode(b"\xef\xbb\xbfa", Strict).unwrap(),
        "\u{feff}a"
    );
    let alone = marked
        .decode(b"\xff\xfea\0\x3d\xd8a\0", Strict)
        .unwrap_err();
    assert_eq!(alone.to_string(), "the bytes at offset 4 are not utf-16");
    let half = marked.decode(b"a", Strict).unwrap_err();
    assert!(matches!(half, TextError::Undecodable { offset: 0, .. }));
}

#[test]
fn strict_names_the_offset_and_goes_on_behind_the_bad_bytes() {
    let mut decoder = TextDecoder::new(Encoding::UTF_8, Strict);
    let mut text = String::new();
    decoder.decode(b"ab\xe4", false, &mut text).unwrap();
    decoder.decode(b"\xbd\xa0", false, &mut text).unwrap();
    let error = decoder
        .decode(b"c\xffd\xe4\xbde", false, &mut text)
        .unwrap_err();
    assert_eq!(text, "ab你c");
    assert_eq!(error.to_string(), "the bytes at offset 6 are not utf-8");
    let error = decoder.decode(b"f", false, &mut text).unwrap_err();
    assert_eq!(text, "ab你cd");
    assert!(
        matches!(error, TextError::Undecodable { offset: 8, .. }),
        "{error}"
    );
    decoder.decode(b"g\xe4", false, &mut text).unwrap();
    assert_eq!(text, "ab你cdefg");
    let error = decoder.decode(b"", true, &mut text).unwrap_err();
    assert!(
        matches!(error, TextError::Undecodable { offset: 13, .. }),
        "{error}"
    );
    decoder.decode(b"", true, &mut text).unwrap();
    let error = decoder.decode(b"\xff", true, &mut text).unwrap_err();
    assert!(
        matches!(error, TextError::Undecodable { offset: 0, .. }),
        "{error}"
    );
}

#[test]
fn an_incomplete_end_is_one_error_and_then_the_end_in_every_encoding() {
    for (label, bytes) in [
        ("utf-8", &b"a\xf0\x9f\x98"[..]),
        ("gbk", b"a\xc4"),
        ("gb18030", b"a\x81\x30\x81"),
        ("big5", b"a\xa7"),
        ("shift_jis", b"a\x93"),
        ("euc-jp", b"a\x8f\xb0"),
        ("euc-kr", b"a\xbe"),
        ("iso-2022-jp", b"a\x1b$B\x46"),
        ("utf-16le", b"a\0\x3d\xd8"),
    ] {
        let mut decoder = TextDecoder::new(enc(label), Strict);
        let mut text = String::new();
        let error = decoder.decode(bytes, true, &mut text);
        assert!(error.is_err() && text == "a", "{label}: {error:?} {text}");
        decoder.decode(&[], false, &mut text).unwrap();
        decoder.decode(&[], true, &mut text).unwrap();
        assert_eq!(text, "a", "{label}");
    }
}

#[test]
fn replace_writes_the_replacement_character_and_the_question_mark() {
    assert_eq!(
        Encoding::UTF_8.decode(b"a\xffb\xe4", Replace).unwrap(),
        "a\u{fffd}b\u{fffd}"
    );
    assert_eq!(
        Encoding::GBK.decode(b"a\xffb\xc4", Replace).unwrap(),
        "a\u{fffd}b\u{fffd}"
    );
    let latin = enc("windows-1252");
    assert_eq!(&*latin.encode("é你好!", Replace).unwrap(), b"\xe9??!");
    let japanese = enc("iso-2022-jp");
    let bytes = japanese.encode("日😀本", Replace).unwrap();
    assert_eq!(japanese.decode(&bytes, Strict).unwrap(), "日?本");
}

#[test]
fn strict_and_detect_name_the_character_that_is_lacking() {
    for policy in [Strict, Detect] {
        let error = enc("windows-1252").encode("é你", policy).unwrap_err();
        assert_eq!(error.to_string(), "windows-1252 has no '你' (U+4F60)");
    }
    // `encoding_rs` reports U+FFFD for these.
    let error = enc("iso-2022-jp").encode("a\u{1b}b", Strict).unwrap_err();
    assert_eq!(error.to_string(), "iso-2022-jp has no '\\u{1b}' (U+001B)");
}

#[test]
fn detect_is_utf_8_until_proven_otherwise() {
    let any = enc("big5");
    assert_eq!(any.decode("你好".as_bytes(), Detect).unwrap(), "你好");
    assert_eq!(
        any.decode(b"ok \xc4\xe3\xba\xc3", Detect).unwrap(),
        "ok 你好"
    );
    // Its first character would be UTF-8 too: a datagram is judged as a whole.
    assert_eq!(any.decode(b"\xc4\xa3\xba\xc3", Detect).unwrap(), "模好");
    assert_eq!(any.decode(b"\xc4\xe3\xff", Detect).unwrap(), "你\u{fffd}");

    let mut decoder = TextDecoder::new(any, Detect);
    let mut text = String::new();
    for piece in [
        &b"a\xe4\xbd"[..],
        b"\xa0",
        b"\xc4",
        b"\xe3\xba",
        b"\xc3\xe4",
        b"\xbd",
    ] {
        decoder.decode(piece, false, &mut text).unwrap();
    }
    decoder.decode(&[], true, &mut text).unwrap();
    assert_eq!(text, "a你你好浣", "and for ever after");
    text.clear();
    decoder.decode("é".as_bytes(), true, &mut text).unwrap();
    assert_eq!(text, "é", "but for another stream");
}

proptest! {
    #[test]
    fn any_text_survives_any_split_where_all_of_unicode_is(
        text in "\\PC*",
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        label in prop::sample::select(vec!["utf-8", "gb18030", "utf-16", "utf-16le", "utf-16be"]),
    ) {
        // Private characters, of which gb18030 gave some away between its editions.
        let text: String = text.chars().filter(|c| !('\u{e000}'..='\u{f8ff}').contains(c)).collect();
        let bytes = enc(label).encode(&text, Strict).unwrap();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
        prop_assert_eq!(decode_pieces(enc(label), Strict, &pieces), text);
    }

    /// Whatever comes in whatever pieces: strict with its errors passed over finds what it finds in one piece.
    #[test]
    fn garbage_in_any_pieces_is_the_same_garbage(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        label in prop::sample::select(ALL.to_vec()),
    ) {
        let (head, tail) = bytes.split_at(at.index(bytes.len() + 1));
        let found = |pieces: &[&[u8]]| {
            let mut decoder = TextDecoder::new(enc(label), Strict);
            let (mut text, mut errors) = (String::new(), Vec::new());
            for (i, piece) in pieces.iter().enumerate() {
                let last = i + 1 == pieces.len();
                let mut piece = *piece;
                while let Err(error) = decoder.decode(piece, last, &mut text) {
                    errors.push(error);
                    assert!(errors.len() <= bytes.len() + 1, "no end");
                    piece = &[];
                }
            }
            (text, errors)
        };
        let (text, errors) = found(&[&bytes]);
        prop_assert_eq!(found(&[head, tail]), (text.clone(), errors.clone()));

        let replaced = enc(label).decode(&bytes, Replace).unwrap();
        let bad = |text: &str| text.matches('\u{fffd}').count();
        prop_assert_eq!(replaced.replace('\u{fffd}', ""), text.replace('\u{fffd}', ""));
        prop_assert_eq!(bad(&replaced), bad(&text) + errors.len());
    }

    #[test]
    fn encoding_anything_never_writes_an_entity(text in "\\PC{0,20}", label in prop::sample::select(ALL.to_vec())) {
        let text = text.replace("&#", "");
        let bytes = enc(label).encode(&text, Replace).unwrap();
        let back = enc(label).decode(&bytes, Replace).unwrap();
        prop_assert!(!back.contains("&#"), "{} {:?}", label, back);
        match enc(label).encode(&text, Strict) {
            Ok(strict) => prop_assert_eq!(strict, bytes),
            Err(TextError::Unencodable { character, .. }) => prop_assert!(text.contains(character)),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

/// A socket whose arrivals are written down, and whose stream takes three bytes at a time.
struct Script {
    shape: Shape,
    at: Endpoint,
    arriving: Mutex<VecDeque<(Vec<u8>, Received)>>,
    sent: Mutex<Vec<Vec<u8>>>,
    /// How many more sends there is room for.
    room: usize,
}

impl Script {
    fn new(shape: Shape, arriving: &[&[u8]]) -> Self {
        let arriving = arriving
            .iter()
            .map(|bytes| (bytes.to_vec(), Received::Data));
        Script {
            shape,
            at: "mem://peer".parse().unwrap(),
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
        let cut = (bytes.to_vec(), Received::Cut);
        self.arriving.lock().unwrap().push_back(cut);
        self
    }

    fn take(&self, buf: &mut ReadBuf<'_>) -> Received {
        let Some((bytes, received)) = self.arriving.lock().unwrap().pop_front() else {
            return Received::End;
        };
        let fits = bytes.len().min(buf.remaining());
        buf.put_slice(&bytes[..fits]);
        if fits < bytes.len() {
            return Received::Cut;
        }
        received
    }

    fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().concat()
    }
}

impl Half for Script {
    fn shape(&self) -> Shape {
        self.shape
    }
    fn local(&self) -> &Endpoint {
        &self.at
    }
    fn peer(&self) -> &Endpoint {
        &self.at
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
        let most = if self.shape.is_stream() {
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
}

/// The same without a connection; what is sent comes back.
struct Loop(Script);

impl DatagramSocket for Loop {
    fn local(&self) -> &Endpoint {
        &self.0.at
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
        TextSocket::new(Script::stream(&arriving), Encoding::UTF_8).on_undecodable(Replace);
    assert_eq!(recv_all(&mut socket).await.concat_ok(), "a\u{fffd}\u{fffd}");
    let mut socket =
        TextSocket::new(Script::stream(&arriving), Encoding::UTF_8).on_undecodable(Detect);
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
    let cut = "a datagram from mem://peer is no text: it was cut after 4 bytes, its rest is lost";
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
        error.to_string().contains("bob") && error.to_string().contains("cut"),
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

#[test]
fn escape_sequences_in_a_row_are_no_error_wherever_they_are_cut() {
    let bytes = b"\x1b(B\x1b$BF|\x1b(B\x1b$B\x1b(J\x1b$BK\\\x1b(B";
    for at in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(at);
        assert_eq!(
            decode_pieces(enc("iso-2022-jp"), Strict, &[head, tail]),
            "日本",
            "{at}"
        );
    }
    let unknown = enc("iso-2022-jp")
        .decode(b"\x1b(B\x1b$X", Strict)
        .unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "the bytes at offset 3 are not iso-2022-jp"
    );
}

#[test]
fn marks_are_dropped_before_each_text_of_a_stream_and_before_one_alone() {
    for label in ["utf-16", "utf-8-sig"] {
        let alone = enc(label).encode("你", Strict).unwrap();
        let twice = [&*alone, &*alone].concat();
        for at in 0..=twice.len() {
            let (head, tail) = twice.split_at(at);
            assert_eq!(
                decode_pieces(enc(label), Strict, &[head, tail]),
                "你你",
                "{label}"
            );
        }
        assert_eq!(enc(label).decode(&twice, Strict).unwrap(), "你\u{feff}你");
        for text in ["\u{feff}a", "a\u{feff}", "\u{fffe}"] {
            let bytes = enc(label).encode(text, Strict).unwrap();
            assert_eq!(enc(label).decode(&bytes, Strict).unwrap(), text, "{label}");
        }
        let mut stream = TextEncoder::new(enc(label), Strict);
        let error = stream.encode("a\u{feff}").unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{label} has no '\\u{{feff}}' (U+FEFF)")
        );
        let mut stream = TextEncoder::new(enc(label), Replace);
        let bytes = stream.encode("a\u{feff}b").unwrap();
        assert_eq!(decode_pieces(enc(label), Strict, &[&bytes]), "ab");
    }
    let mut stream = TextEncoder::new(enc("utf-16"), Replace);
    let bytes = stream.encode("a\u{fffe}b").unwrap();
    assert_eq!(decode_pieces(enc("utf-16"), Strict, &[&bytes]), "a?b");
    assert!(
        TextEncoder::new(enc("utf-16"), Strict)
            .encode("\u{fffe}")
            .is_err()
    );
}

#[test]
fn strict_refuses_what_would_come_back_as_another_and_replace_writes_its_like() {
    for (label, text, like) in [
        ("shift_jis", "a¥‾−b", "a\\~－b"),
        ("euc-jp", "¥1", "\\1"),
        ("iso-2022-jp", "ｱｲ", "アイ"),
        ("gbk", "\u{e78d}", "\u{fe10}"),
    ] {
        let character = text.trim_start_matches('a').chars().next().unwrap();
        let error = enc(label).encode(text, Strict).unwrap_err();
        assert!(matches!(error, TextError::Unencodable { character: c, .. } if c == character));
        let bytes = enc(label).encode(text, Replace).unwrap();
        assert_eq!(enc(label).decode(&bytes, Strict).unwrap(), like, "{label}");
    }
    // The first of both kinds.
    let error = enc("shift_jis").encode("😀¥", Strict).unwrap_err();
    assert!(matches!(
        error,
        TextError::Unencodable {
            character: '😀',
            ..
        }
    ));
}
