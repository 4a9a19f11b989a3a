//! Texts over a stream, against CPython: one that encodes each text alone, and one whose encoder
//! keeps its state.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use socketry_transport::{BoxSocket, Encoding, RecvHalf, TextPolicy, TextSocket, connect};

/// Takes one connection, and prints its port first. `alone` and `stream` send two texts, in one
/// write or byte by byte; `read` prints what a decoder of a stream reads, a byte at a time, then
/// the bytes.
const PEER: &str = r"
import codecs, socket, sys
label, job = sys.argv[1:3]
texts = sys.argv[3:]
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
if job == 'read':
    read = b''.join(iter(lambda: connection.recv(4096), b''))
    decoder = codecs.getincrementaldecoder(label)()
    text = ''.join(decoder.decode(bytes([byte])) for byte in read)
    print(ascii(text + decoder.decode(b'', True)), read.hex())
else:
    if job.startswith('alone'):
        sent = b''.join(text.encode(label) for text in texts)
    else:
        encoder = codecs.getincrementalencoder(label)()
        sent = b''.join(encoder.encode(text) for text in texts) + encoder.encode('', True)
    if job.endswith('slowly'):
        for byte in sent:
            connection.send(bytes([byte]))
    else:
        connection.sendall(sent)
connection.close()
";

/// A process that is told to end when it is no longer needed.
struct Peer(Child, BufReader<ChildStdout>);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The peer, and a socket that is connected to it.
async fn peer(
    label: &str,
    python: &str,
    job: &str,
    texts: &[&str],
) -> (Peer, TextSocket<BoxSocket>) {
    let mut child = Command::new("python3")
        .args(["-c", PEER, python, job])
        .args(texts)
        .env("PYTHONUTF8", "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let said = BufReader::new(child.stdout.take().unwrap());
    let mut peer = Peer(child, said);
    let mut port = String::new();
    peer.1.read_line(&mut port).unwrap();
    let at = format!("tcp://127.0.0.1:{}", port.trim());
    let encoding: Encoding = label.parse().unwrap();
    let socket = connect(at.as_str()).await.unwrap();
    (peer, TextSocket::new(socket, encoding))
}

async fn all<S: RecvHalf>(socket: &mut TextSocket<S>) -> String {
    let mut all = String::new();
    while let Some(text) = socket.recv().await.unwrap() {
        all.push_str(&text);
    }
    all
}

/// Our label, CPython's, and two texts. Each encoding has a state, a mark, or characters of several
/// bytes.
const TEXTS: [(&str, &str, [&str; 3]); 9] = [
    ("iso-2022-jp", "iso2022_jp", ["日本", "語", "a¥"]),
    ("python:iso2022_jp", "iso2022_jp", ["日本", "語", "〜¥"]),
    ("python:euc_kr", "euc_kr", ["안녕", "뷁", "똠!"]),
    ("utf-16", "utf-16", ["日本", "語", "😀"]),
    ("utf-8-sig", "utf-8-sig", ["日本", "語", "😀"]),
    ("utf-8", "utf-8", ["日本", "語", "😀"]),
    ("gb18030", "gb18030", ["日本", "語", "😀"]),
    ("shift_jis", "shift_jis", ["日本", "語", "ｱ"]),
    ("utf-16be", "utf-16-be", ["日本", "語", "😀"]),
];

#[tokio::test]
async fn texts_that_cpython_encodes_each_alone_arrive_whole() {
    for (label, python, texts) in TEXTS {
        for job in ["alone", "alone slowly", "stream", "stream slowly"] {
            let (mut peer, mut socket) = peer(label, python, job, &texts).await;
            assert_eq!(all(&mut socket).await, texts.concat(), "{label} {job}");
            assert!(peer.0.wait().unwrap().success());
        }
    }
}

#[tokio::test]
async fn a_stream_of_texts_is_one_text_for_cpython() {
    for (label, python, texts) in TEXTS {
        let (mut peer, mut socket) = peer(label, python, "read", &[]).await;
        for text in texts {
            socket.send(text).await.unwrap();
        }
        socket.finish().await.unwrap();
        let mut words = String::new();
        peer.1.read_to_string(&mut words).unwrap();
        let whole = texts.concat();
        let encoded = socket.encoding().encode(&whole, TextPolicy::Strict);
        let bytes: String = encoded
            .unwrap()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let ascii = ascii(&whole);
        assert_eq!(words.trim_end(), format!("'{ascii}' {bytes}"), "{label}");
        assert!(peer.0.wait().unwrap().success());
    }
}

/// As CPython's `ascii()` writes these characters.
fn ascii(text: &str) -> String {
    let escape = |c: char| match u32::from(c) {
        code @ 0x1_0000.. => format!("\\U{code:08x}"),
        code @ 0x100.. => format!("\\u{code:04x}"),
        code @ 0x80.. => format!("\\x{code:02x}"),
        _ => c.to_string(),
    };
    text.chars().map(escape).collect()
}

#[tokio::test]
async fn each_mark_decides_the_order_of_what_follows_it() {
    let little_then_big = "\u{feff}a".encode_utf16().flat_map(u16::to_le_bytes);
    let big = "\u{feff}b".encode_utf16().flat_map(u16::to_be_bytes);
    let sent: Vec<u8> = little_then_big.chain(big).collect();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("tcp://{}", listener.local_addr().unwrap());
    let mut socket = TextSocket::new(connect(at.as_str()).await.unwrap(), Encoding::UTF_16);
    let (mut peer, _) = listener.accept().await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut peer, &sent)
        .await
        .unwrap();
    drop(peer);
    assert_eq!(all(&mut socket).await, "ab");
}
