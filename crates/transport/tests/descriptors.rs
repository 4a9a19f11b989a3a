//! What a read stops at, with more behind it: a descriptor that a peer passes along, and urgent
//! data. Real peers do it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use socketry_transport::{
    BoxSocket, Descriptors, Endpoint, Half, Listener, OsListener, Received, RecvExt, SendExt,
    Socket, SocketParts, Transport, UnixTransport, listen, prefix,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// What hangs, hangs longer.
const DEADLINE: Duration = Duration::from_secs(30);

/// A peer that connects to `sys.argv[1]` as `s`, says "sent" on its standard output, and then what
/// it hears.
fn peer(connect: &str, send: &str, at: &str) -> Child {
    let script = format!(
        "import os, socket, sys\n{connect}\n{send}\nprint('sent', flush=True)\nprint(s.recv(100))\n"
    );
    Command::new("python3")
        .args(["-c", &script, at])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

const UNIX: &str = "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])";
const TCP: &str = "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))";

/// A listener that was made outside of this crate, with the system's defaults.
fn inherited(path: &Path) -> OsListener {
    let listener = UnixListener::bind(path).unwrap();
    SocketParts::from(OwnedFd::from(listener))
        .listening()
        .unwrap()
}

/// Reads `due`, which the peer has sent before any read, and answers it. Gives the peer's output.
async fn answered(mut listener: impl Listener, mut peer: Child, due: &[u8]) -> String {
    let serve = async {
        let mut said = BufReader::new(peer.stdout.take().unwrap());
        let mut line = String::new();
        while line != "sent\n" {
            line.clear();
            assert!(said.read_line(&mut line).await.unwrap() > 0, "it failed");
        }
        let mut socket = listener.accept().await.unwrap();
        assert_eq!(read(&mut socket, due.len()).await, due);
        socket.send_all(b"heard").await.unwrap();
        let mut rest = String::new();
        said.read_to_string(&mut rest).await.unwrap();
        rest
    };
    timeout(DEADLINE, serve).await.expect("it hangs")
}

async fn read(socket: &mut impl Socket, len: usize) -> Vec<u8> {
    let mut found = Vec::new();
    while found.len() < len {
        let mut buf = [0; 100];
        let (len, received) = socket.recv(&mut buf).await.unwrap();
        assert_eq!(received, Received::Data);
        found.extend_from_slice(&buf[..len]);
    }
    found
}

#[tokio::test]
async fn what_stands_behind_a_descriptor_is_read_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let listener = inherited(&path);
    let send = "s.sendall(b'a'); socket.send_fds(s, [b'b'], [0]); s.sendall(b'c'); \
                socket.send_fds(s, [b'd'], [0, 1]); s.sendall(b'e')";
    let peer = peer(UNIX, send, path.to_str().unwrap());
    assert_eq!(answered(listener, peer, b"abcde").await, "b'heard'\n");
}

/// The program did not ask for it. If it were kept, it would use a place in the table of this
/// process for ever.
#[tokio::test]
async fn a_descriptor_that_comes_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let listener = inherited(&path);
    let send = "r, w = os.pipe(); socket.send_fds(s, [b'x'], [w]); os.close(w)";
    let connect = format!("{UNIX}\nimport atexit\natexit.register(lambda: print(os.read(r, 1)))");
    let peer = peer(&connect, send, path.to_str().unwrap());
    assert_eq!(answered(listener, peer, b"x").await, "b'heard'\nb''\n");
}

/// Where the kernel can refuse them (Linux 6.16), the peer hears of it, and goes on without.
#[tokio::test]
async fn our_own_sockets_refuse_descriptors_audibly() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let send = "try:\n socket.send_fds(s, [b'x'], [0]); print('passed')\n\
                except PermissionError: print('refused'); s.sendall(b'x')";
    let listener = listen(path.as_path()).await.unwrap();
    let mut peer = peer(UNIX, send, path.to_str().unwrap());
    let said = peer.stdout.take().unwrap();
    let mut said = BufReader::new(said).lines();
    let first = timeout(DEADLINE, said.next_line()).await.unwrap().unwrap();
    assert_eq!(
        first.as_deref(),
        Some(if refuses() { "refused" } else { "passed" })
    );
    let mut listener = listener;
    let mut socket = listener.accept().await.unwrap();
    assert_eq!(read(&mut socket, 1).await, b"x");
    socket.send_all(b"heard").await.unwrap();
    assert_eq!(said.next_line().await.unwrap().as_deref(), Some("sent"));
    assert_eq!(said.next_line().await.unwrap().as_deref(), Some("b'heard'"));
}

#[tokio::test]
async fn so_do_those_that_connect_and_those_of_datagrams() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let sends = "def passes(s, *to):\n \
                 try: socket.send_fds(s, [b'x'], [0], 0, *to); return 'passed'\n \
                 except PermissionError: return 'refused'\n";
    let script = format!(
        "import socket, sys\n{sends}\
         l = socket.socket(socket.AF_UNIX); l.bind(sys.argv[1]); l.listen()\n\
         print('ready', flush=True)\n\
         print(passes(l.accept()[0]))\n\
         d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); d.connect(sys.argv[2])\n\
         print(passes(d))"
    );
    let (stream, datagrams) = (path("s"), path("d"));
    let at = format!("unix-dgram://{}", datagrams.display());
    let _server = listen(at).await.unwrap();
    let mut peer = Command::new("python3")
        .args(["-c", &script])
        .args([&stream, &datagrams])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(peer.stdout.take().unwrap()).lines();
    let mut next = async || timeout(DEADLINE, said.next_line()).await.unwrap().unwrap();
    assert_eq!(next().await.as_deref(), Some("ready"));
    let _client = socketry_transport::connect(stream.as_path()).await.unwrap();
    let due = if refuses() { "refused" } else { "passed" };
    assert_eq!(next().await.as_deref(), Some(due));
    assert_eq!(next().await.as_deref(), Some(due));
}

/// Where the kernel notes the sender of each message (SO_PASSCRED), a read stops where that
/// changes.
#[tokio::test]
async fn what_stands_behind_another_sender_is_read_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let at = Endpoint::try_from(path.as_path()).unwrap();
    let listener = UnixTransport::default().listen(&at).await.unwrap();
    socket2::SockRef::from(&listener)
        .set_passcred(true)
        .unwrap();
    let send = "s.sendall(b'a')\nif os.fork() == 0: s.sendall(b'b'); os._exit(0)\n\
                os.wait(); s.sendall(b'c')";
    let peer = peer(UNIX, send, path.to_str().unwrap());
    assert_eq!(answered(listener, peer, b"abc").await, "b'heard'\n");
}

/// Whether this kernel is Linux 6.16 or later.
fn refuses() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map(str::parse::<u32>);
    let (major, minor) = (numbers.next().unwrap().unwrap(), numbers.next().unwrap());
    (major, minor.unwrap_or_default()) >= (6, 16)
}

/// The urgent byte itself is not part of the stream.
#[tokio::test]
async fn what_stands_behind_tcps_urgent_mark_is_read_at_once() {
    let listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let port = listener.local().socket_addr().unwrap().port();
    let peer = peer(
        TCP,
        "s.sendall(b'ab'); s.send(b'!', socket.MSG_OOB); s.sendall(b'cd')",
        &port.to_string(),
    );
    assert_eq!(answered(listener, peer, b"abcd").await, "b'heard'\n");
}

/// Unix streams have such a mark too, where the kernel was built with it.
#[tokio::test]
async fn so_is_what_stands_behind_a_unix_streams() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let listener = listen(path.as_path()).await.unwrap();
    let send = "s.sendall(b'ab')\ntry: s.send(b'!', socket.MSG_OOB)\nexcept OSError: pass\n\
                s.sendall(b'cd')";
    let peer = peer(UNIX, send, path.to_str().unwrap());
    assert_eq!(answered(listener, peer, b"abcd").await, "b'heard'\n");
}

#[tokio::test]
async fn a_socket_made_by_hand_passes_descriptors() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("s");
    let parts = SocketParts::from(OwnedFd::from(UnixListener::bind(&path).unwrap()));
    let mut listener = parts.descriptors(4).listening().unwrap();
    let _client = UnixStream::connect(&path).unwrap();
    let accepted = listener.accept().await.unwrap();
    assert!(accepted.info().get::<Descriptors>().is_some());

    let (datagrams, _peer) = UnixDatagram::pair().unwrap();
    let parts = SocketParts::from(OwnedFd::from(datagrams)).descriptors(0);
    assert!(
        parts
            .connected()
            .unwrap()
            .info()
            .get::<Descriptors>()
            .is_some()
    );

    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = SocketParts::from(OwnedFd::from(tcp))
        .descriptors(4)
        .listening();
    assert_eq!(
        refused.unwrap_err().to_string(),
        "only Unix sockets pass descriptors"
    );
}

#[tokio::test]
async fn a_layer_does_not_give_its_inner_descriptor_away() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let socket = SocketParts::from(OwnedFd::from(ours)).connected().unwrap();
    let ahead = prefix(socket, b"read ahead".to_vec());
    assert!(BoxSocket::new(ahead).descriptor().is_none());
}
