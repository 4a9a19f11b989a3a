//! Unix sockets whose names fill the kernel's room: legal for C, and refused by std, tokio and
//! Python.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use socketry_transport::{
    DatagramSocket, Endpoint, Half, Listener, RecvExt, SendExt, UnixDgramTransport, connect,
    listen, recv_from, send_to,
};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// What hangs, hangs longer.
const DEADLINE: Duration = Duration::from_secs(30);

/// A file in `directory` whose path has `len` bytes.
fn path(directory: &Path, name: &str, len: usize) -> PathBuf {
    let before = directory.as_os_str().as_bytes().len() + 1 + name.len();
    let path = directory.join(format!("{name}{}", "x".repeat(len - before)));
    assert_eq!(path.as_os_str().as_bytes().len(), len);
    path
}

/// A peer that gives the kernel addresses as C does; it says "ready" before what it is told to do
/// is done.
struct Peer {
    _process: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    async fn start(script: &str, arguments: &[&Path]) -> Self {
        let before = "import ctypes, os, socket, sys\n\
            libc = ctypes.CDLL(None, use_errno=True)\n\
            def call(what, s, path):\n    \
                a = b'\\x01\\0' + os.fsencode(path)\n    \
                if what(s.fileno(), a, len(a)): raise OSError(ctypes.get_errno(), 'refused')\n\
            def bind(s, path): call(libc.bind, s, path)\n\
            def connect(s, path): call(libc.connect, s, path)\n\
            def say(*words): print(*words, flush=True)\n";
        let mut process = Command::new("python3")
            .args(["-c", &format!("{before}{script}")])
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut peer = Peer {
            _process: process,
            said,
        };
        assert_eq!(peer.says().await, "ready");
        peer
    }

    async fn says(&mut self) -> String {
        let line = timeout(DEADLINE, self.said.next_line()).await;
        line.expect("it hangs").unwrap().expect("it failed")
    }
}

/// A client that sends `ask` and prints the answer.
const ASKS: &str = "s.send(b'ask'); say(s.recv(100).decode())";
/// A server that sends back the bytes of its first client.
const ANSWERS: &str = "c = s.accept()[0]; c.send(c.recv(100))";

#[tokio::test]
async fn a_stream_listens_at_a_path_that_fills_the_room() {
    let directory = tempfile::tempdir().unwrap();
    let path = path(directory.path(), "s", 108);
    let mut server = listen(path.as_path()).await.unwrap();
    assert_eq!(server.local().socket_path().as_deref(), Some(&*path));
    let script =
        format!("s = socket.socket(socket.AF_UNIX); connect(s, sys.argv[1]); say('ready'); {ASKS}");
    let mut peer = Peer::start(&script, &[&path]).await;
    let mut accepted = server.accept().await.unwrap();
    assert_eq!(accepted.local().socket_path().as_deref(), Some(&*path));
    let mut buf = [0; 10];
    let (len, _) = accepted.recv(&mut buf).await.unwrap();
    accepted.send_all(&buf[..len]).await.unwrap();
    assert_eq!(peer.says().await, "ask");
    // Ours reaches it too, and it is no stale one while it listens.
    let _client = connect(path.as_path()).await.unwrap();
    server.accept().await.unwrap();
    listen(path.as_path()).await.unwrap_err();
    drop(server);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_stale_file_of_that_length_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = path(directory.path(), "s", 108);
    let script = "s = socket.socket(socket.AF_UNIX); bind(s, sys.argv[1]); s.listen(); \
                  s.close(); say('ready')";
    Peer::start(script, &[&path]).await;
    assert!(path.exists());
    listen(path.as_path()).await.unwrap();
}

#[tokio::test]
async fn a_stream_connects_to_a_c_programs_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = path(directory.path(), "s", 108);
    let script = format!(
        "s = socket.socket(socket.AF_UNIX); bind(s, sys.argv[1]); s.listen(); \
         say('ready'); {ANSWERS}"
    );
    let _peer = Peer::start(&script, &[&path]).await;
    let mut client = connect(path.as_path()).await.unwrap();
    assert_eq!(client.peer().socket_path().as_deref(), Some(&*path));
    client.send_all(b"ask").await.unwrap();
    let mut buf = [0; 10];
    let (len, _) = client.recv(&mut buf).await.unwrap();
    assert_eq!(&buf[..len], b"ask");
}

#[tokio::test]
async fn a_client_with_such_a_path_is_accepted_and_answered() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) = (
        path(directory.path(), "o", 108),
        path(directory.path(), "t", 108),
    );
    for kind in ["unix", "unix-dgram"] {
        let at = format!("{kind}://{}", ours.display());
        let mut server = listen(&*at).await.unwrap();
        let kind = match kind {
            "unix" => "STREAM",
            _ => "DGRAM",
        };
        let script = format!(
            "s = socket.socket(socket.AF_UNIX, socket.SOCK_{kind})\n\
             bind(s, sys.argv[1]); connect(s, sys.argv[2]); say('ready'); {ASKS}"
        );
        let mut peer = Peer::start(&script, &[&theirs, &ours]).await;
        let mut accepted = server.accept().await.unwrap();
        assert_eq!(accepted.peer().socket_path().as_deref(), Some(&*theirs));
        let mut buf = [0; 10];
        let (len, _) = accepted.recv(&mut buf).await.unwrap();
        accepted.send_all(&buf[..len]).await.unwrap();
        assert_eq!(peer.says().await, "ask", "{kind}");
        std::fs::remove_file(&theirs).unwrap();
    }
}

#[tokio::test]
async fn unconnected_datagrams_are_answered_at_paths_and_names() {
    let directory = tempfile::tempdir().unwrap();
    let ours = directory.path().join("s");
    let at: Endpoint = format!("unix-dgram://{}", ours.display()).parse().unwrap();
    let server = UnixDgramTransport::default().bind(&at).await.unwrap();
    // Abstract names are for the whole machine: this one is of this process.
    let name = format!("\\0{:x<107}", std::process::id());
    let path = path(directory.path(), "t", 108);
    for theirs in ["sys.argv[1]".to_owned(), format!("'{name}'")] {
        let script = format!(
            "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
             bind(s, {theirs}); s.connect(sys.argv[2]); say('ready'); {ASKS}"
        );
        let mut peer = Peer::start(&script, &[&path, &ours]).await;
        let mut buf = [0; 10];
        let (len, _, from) = recv_from(&server, &mut buf).await.unwrap();
        send_to(&server, &buf[..len], &from).await.unwrap();
        assert_eq!(peer.says().await, "ask");
        let there = from.endpoint("unix-dgram").unwrap();
        assert_eq!(there.to_string().parse::<Endpoint>().unwrap(), there);
    }
    assert_eq!(server.local().socket_path().as_deref(), Some(&*ours));
}

#[tokio::test]
async fn a_datagram_socket_connects_to_such_a_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = path(directory.path(), "s", 108);
    let script = "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); \
                  bind(s, sys.argv[1]); say('ready')\n\
                  heard, peer = s.recvfrom(100); s.sendto(heard, peer)";
    let _peer = Peer::start(script, &[&path]).await;
    let mut client = connect(&*format!("unix-dgram://{}", path.display()))
        .await
        .unwrap();
    client.send_all(b"ask").await.unwrap();
    let mut buf = [0; 10];
    let (len, _) = client.recv(&mut buf).await.unwrap();
    assert_eq!(&buf[..len], b"ask");
}

#[tokio::test]
async fn one_byte_more_is_refused_in_words_and_so_is_a_nul() {
    let directory = tempfile::tempdir().unwrap();
    let long = path(directory.path(), "s", 109);
    let name = "n".repeat(108);
    for (at, words) in [
        (long.display().to_string(), "109 bytes"),
        (format!("@{name}"), "at most 107"),
        ("/tmp/a%00b".to_owned(), "no NUL"),
    ] {
        let error = listen(&*format!("unix://{at}"))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{error}");
    }
}
