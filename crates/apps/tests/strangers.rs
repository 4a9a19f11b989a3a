//! One law for every app, transport and codec: a stranger that speaks another protocol is refused
//! with one line in the server's log, and nothing of what it sent is obeyed.
//!
//! The strangers are a browser's POST, the handshake of a WebSocket, a TLS greeting at a plain port
//! and plain frames at a TLS port. Each holds a frame of the server's codec that would be obeyed.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bytes::BytesMut;
use socket2::{Domain, SockAddr, Socket, Type};
use socketry_apps::Service;
use socketry_apps::matrix::{App, CODECS, SCHEMES, TLS_SCHEMES};
use socketry_codec::{BoxCodec, Codec};
use socketry_transport::Endpoint;

/// Long enough for a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// The words of an order that a server would obey from a client of its own.
fn order(app: App, codec: &str) -> Vec<u8> {
    let is_json = codec.starts_with("json");
    let words = match (app, is_json) {
        (App::Chat, true) => r#"{"from":"ann","text":"obeyed"}"#,
        (App::Chat, false) => "ann : obeyed",
        (App::Command, true) => r#"{"run":"touch obeyed"}"#,
        (App::Command, false) => "touch obeyed",
        (App::File, true) => r#"{"opt":"upload","filename":"obeyed","filesize":0,"content":""}"#,
        (App::File, false) => "get kept",
    };
    let mut wire = BytesMut::new();
    let mut codec: BoxCodec = codec.parse().unwrap();
    codec.encode(words.as_bytes(), &mut wire).unwrap();
    wire.to_vec()
}

fn post(order: &[u8]) -> Vec<u8> {
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://page.example\r\n\
                Content-Type: text/plain\r\nContent-Length: 10000\r\n\r\n";
    [head.as_bytes(), b"\n", order, b"\n"].concat()
}

fn websocket(order: &[u8]) -> Vec<u8> {
    let head = "GET /chat HTTP/1.1\r\nHost: localhost\r\nOrigin: http://page.example\r\n\
                Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    [head.as_bytes(), b"\x81\x20", order, b"\n"].concat()
}

/// A greeting of TLS 1.2 with a ticket that the page chose.
fn greeting(order: &[u8]) -> Vec<u8> {
    let ticket = [b"\n", order, b"\n"].concat();
    let head = &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..];
    [head, &[0x55; 32], &ticket, &[0x66; 512]].concat()
}

/// What a stranger sends, and the word for it in the log of a plain server.
fn strangers(order: &[u8], is_tls: bool) -> Vec<(Vec<u8>, &'static str)> {
    let mut all = vec![(post(order), "HTTP"), (websocket(order), "HTTP")];
    all.push(match is_tls {
        true => (order.to_vec(), ""),
        false => (greeting(order), "TLS"),
    });
    all
}

struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    at: Endpoint,
    log: Receiver<String>,
}

impl Server {
    fn start(home: &Path, app: App, scheme: &str, codec: &str) -> Self {
        let (_, transport) = scheme.split_once('+').unwrap_or(("", scheme));
        let url = match transport {
            "tcp" | "tls" | "udp" => format!("{scheme}://127.0.0.1:0"),
            _ => format!("{scheme}://{}", home.join("socket").display()),
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_socketry"));
        command.args([&*app.to_string(), "serve", &url, "--codec", codec]);
        match app {
            App::Chat => &mut command,
            App::Command => command.arg("--allow-any"),
            App::File => command.args(["--root", "root"]),
        };
        command.current_dir(home).env("XDG_STATE_HOME", home);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        let at = first.trim_end().strip_prefix("listening on ");
        let at = at.expect(&first).parse().unwrap();
        let (tell, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Server {
            child,
            stdout,
            at,
            log,
        }
    }

    /// Ends it, and asserts that it said no more, on no output.
    fn says_no_more(mut self, case: &str) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let mut shown = String::new();
        self.stdout.read_to_string(&mut shown).unwrap();
        assert_eq!(shown, "", "{case}");
        assert_eq!(self.log.iter().collect::<Vec<_>>(), [""; 0], "{case}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A peer without any library of ours, which keeps its socket until the server has spoken.
enum Peer {
    Tcp(TcpStream),
    Unix(UnixStream),
    Packets(Socket),
    Udp(UdpSocket),
    UnixDgram(UnixDatagram, PathBuf),
}

impl Peer {
    fn of(at: &Endpoint, home: &Path) -> Self {
        let path = || at.socket_path().unwrap();
        match at.scheme() {
            "tcp" | "tls" => Peer::Tcp(TcpStream::connect(at.socket_addr().unwrap()).unwrap()),
            "udp" => {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                socket.connect(at.socket_addr().unwrap()).unwrap();
                Peer::Udp(socket)
            }
            "unix-dgram" => {
                // A name of its own, since the session of an earlier peer may still be there.
                static NUMBER: AtomicUsize = AtomicUsize::new(0);
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let own = home.join(format!("peer-{number}"));
                let socket = UnixDatagram::bind(&own).unwrap();
                socket.connect(path()).unwrap();
                Peer::UnixDgram(socket, own)
            }
            "unix-seqpacket" => {
                let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None).unwrap();
                socket.connect(&SockAddr::unix(path()).unwrap()).unwrap();
                Peer::Packets(socket)
            }
            "tls+unix" => {
                let at = at.with_scheme("unix").unwrap();
                Peer::Unix(UnixStream::connect(at.socket_path().unwrap()).unwrap())
            }
            _ => Peer::Unix(UnixStream::connect(path()).unwrap()),
        }
    }

    /// Sends `bytes`, and hears a stream to its end. A browser does not half-close.
    fn send(&mut self, bytes: &[u8]) {
        fn converse(stream: &mut (impl Read + Write), bytes: &[u8]) {
            stream.write_all(bytes).unwrap();
            let ended = stream.read_to_end(&mut Vec::new());
            let is_late = |error: std::io::Error| error.kind() == ErrorKind::WouldBlock;
            assert!(!ended.is_err_and(is_late), "the conversation goes on");
        }
        match self {
            Peer::Tcp(stream) => {
                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                converse(stream, bytes);
            }
            Peer::Unix(stream) => {
                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                converse(stream, bytes);
            }
            Peer::Packets(socket) => {
                socket.set_read_timeout(Some(DEADLINE)).unwrap();
                converse(socket, bytes);
            }
            Peer::Udp(socket) => assert_eq!(socket.send(bytes).unwrap(), bytes.len()),
            Peer::UnixDgram(socket, _) => assert_eq!(socket.send(bytes).unwrap(), bytes.len()),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Peer::UnixDgram(_, own) = self {
            let _ = fs::remove_file(own);
        }
    }
}

fn obeys_no_stranger(home: &Path, app: App, scheme: &str, codec: &str) {
    let case = format!("{app} over {scheme} with {codec}");
    let server = Server::start(home, app, scheme, codec);
    let is_tls = TLS_SCHEMES.contains(&scheme);
    for (bytes, protocol) in strangers(&order(app, codec), is_tls) {
        let begins = String::from_utf8_lossy(&bytes[..bytes.len().min(8)]).into_owned();
        let mut peer = Peer::of(&server.at, home);
        peer.send(&bytes);
        let line = server.log.recv_timeout(DEADLINE);
        let line = line.unwrap_or_else(|_| panic!("{case}, {begins:?}: nothing is told"));
        let words = match is_tls {
            true => "refused: the handshake".to_owned(),
            false => format!("refused: speaks {protocol}"),
        };
        assert!(line.contains(&words), "{case}, {begins:?}: {line}");
    }
    server.says_no_more(&case);
    for place in ["obeyed", "root/obeyed"] {
        assert!(!home.join(place).exists(), "{case}");
    }
}

fn obeys_none(app: App) {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("root")).unwrap();
    fs::write(home.path().join("root/kept"), "a file").unwrap();
    for scheme in SCHEMES.into_iter().chain(TLS_SCHEMES) {
        for codec in CODECS {
            let runs = Service::with_codec(codec).unwrap().check(app, scheme);
            // QUIC drops what is none of its packets, and tells nobody.
            if !["mem", "quic"].contains(&scheme) && runs.is_ok() {
                obeys_no_stranger(home.path(), app, scheme, codec);
            }
        }
    }
}

#[test]
fn chat_obeys_no_stranger() {
    obeys_none(App::Chat);
}

#[test]
fn command_obeys_no_stranger() {
    obeys_none(App::Command);
}

#[test]
fn file_obeys_no_stranger() {
    obeys_none(App::File);
}
