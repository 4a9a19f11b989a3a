//! The programs that start a process with sockets: plain Python, `systemd-socket-activate`, a
//! shell.

use std::env;
use std::process::{Command, Output};

use crate::tools;

/// The common part of the scripts: `start` runs this program with descriptors, the first as
/// number 3, and `finish` waits for its end.
const COMMON: &str = r#"
import os, socket, subprocess, sys
socket.setdefaulttimeout(30)

def start(orders, inherited=(), **more):
    # Each gets a number above those that it may have to take.
    kept = [os.dup2(one.fileno(), 100 + at) for at, one in enumerate(inherited)]
    def place():
        for at, one in enumerate(kept):
            os.dup2(one, 3 + at)
    numbers = tuple(range(3, 3 + len(kept)))
    child = subprocess.Popen([sys.argv[1]], env={**os.environ, "ECHO_ORDERS": orders},
        preexec_fn=place, close_fds=False, stderr=subprocess.PIPE, **more)
    for one in kept:
        os.close(one)
    return child

def finish(child, words):
    said = child.stderr.read().decode()
    assert child.wait(30) == 0, said
    assert words in said, said

def echoed(client, words=b"hello"):
    client.sendall(words)
    client.shutdown(socket.SHUT_WR)
    answer = b""
    while part := client.recv(4096):
        answer += part
    assert answer == words, answer
"#;

/// Runs a script whose argument is this program.
pub(crate) fn python(script: &str) {
    if !tools::has("python3") {
        return;
    }
    let own = env::current_exe().unwrap();
    let script = format!("{COMMON}{script}");
    let ended = Command::new("python3")
        .args(["-c", &script])
        .arg(own)
        .output();
    good(&ended.unwrap());
}

fn good(ended: &Output) {
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}");
}

pub(crate) fn a_listener_is_served() {
    python(
        r#"
listener = socket.create_server(("127.0.0.1", 0))
child = start("listen fd://3", [listener])
echoed(socket.create_connection(listener.getsockname()))
finish(child, "")
"#,
    );
}

pub(crate) fn a_unix_listener_is_served() {
    python(
        r#"
import tempfile
with tempfile.TemporaryDirectory() as directory:
    at = os.path.join(directory, "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(at)
    listener.listen()
    child = start("listen fd://3", [listener])
    client = socket.socket(socket.AF_UNIX)
    client.connect(at)
    # SO_PEERCRED: those of the process that called listen, which is this one.
    assert client.getsockopt(socket.SOL_SOCKET, 17, 12)[:4] == os.getpid().to_bytes(4, sys.byteorder)
    echoed(client)
    finish(child, "")
    assert os.path.exists(at), "the file is its maker's"
"#,
    );
}

pub(crate) fn datagrams_become_sessions() {
    python(
        r#"
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
child = start("listen fd://3", [server])
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(server.getsockname())
client.send(b"hello")
assert client.recv(100) == b"hello"
finish(child, "")
"#,
    );
}

pub(crate) fn a_connected_socket_is_used() {
    python(
        r#"
ours, theirs = socket.socketpair()
child = start("connect fd://3", [theirs])
theirs.close()
echoed(ours)
finish(child, "")
"#,
    );
}

pub(crate) fn a_descriptor_is_taken_once() {
    python(
        r#"
ours, theirs = socket.socketpair()
child = start("connect fd://3\nconnect fd://3", [theirs])
theirs.close()
echoed(ours)
finish(child, "descriptor 3 is not open")
"#,
    );
}

pub(crate) fn a_descriptor_of_this_process_is_refused() {
    let own = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&own);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listening = socketry_transport::listen(format!("fd://{number}"));
    let error = runtime
        .block_on(listening)
        .map(drop)
        .unwrap_err()
        .to_string();
    assert!(error.contains("not an inherited one"), "{error}");
    for wrong in ["fd://2", "fd://-1", "fd://three", "fd://3?nodelay=true"] {
        let refused = runtime.block_on(socketry_transport::listen(wrong));
        assert!(refused.is_err(), "{wrong}");
    }
    // It was neither closed nor changed.
    own.set_nonblocking(true).unwrap();
    let waits = own.accept().unwrap_err();
    assert_eq!(waits.kind(), std::io::ErrorKind::WouldBlock);
}

/// A script that starts this program by `systemd-socket-activate`, with two Unix sockets.
const ACTIVATED: &str = r#"
import tempfile, time
def reach(at, kind=socket.SOCK_STREAM):
    while True: # until the activator has made the socket
        try:
            client = socket.socket(socket.AF_UNIX, kind)
            client.connect(at)
            return client
        except (FileNotFoundError, ConnectionRefusedError):
            assert activator.poll() is None, activator.stderr.read()

with tempfile.TemporaryDirectory() as directory:
    one, two = (os.path.join(directory, name) for name in ("one", "two"))
    activator = subprocess.Popen(["systemd-socket-activate", *options(one, two), sys.argv[1]],
        env={**os.environ, "ECHO_ORDERS": orders}, stderr=subprocess.PIPE)
    try:
        talk(one, two)
    finally:
        activator.terminate()
        activator.wait(30)
"#;

/// Runs a script that says `orders`, `options` and `talk`, with such an activator.
pub(crate) fn activated(script: &str) {
    python(&format!("{script}{ACTIVATED}"));
}

pub(crate) fn systemd_passes_sockets_by_name() {
    if !tools::has("systemd-socket-activate") {
        return;
    }
    activated(
        r#"
orders = "listen systemd://admin\nlisten systemd://web\nlisten systemd://mail"
def options(one, two):
    return ["-l", one, "-l", two, "--fdname=web:admin", "-E", "ECHO_ORDERS"]
def talk(one, two):
    first, second = reach(two), reach(one)
    echoed(first, b"to admin")
    echoed(second, b"to web")
    said = activator.stderr.read().decode()
    assert "those that were: web, admin" in said, said
"#,
    );
}

pub(crate) fn systemd_passes_a_socket_for_each_client() {
    if !tools::has("systemd-socket-activate") {
        return;
    }
    activated(
        r#"
orders = "connect systemd://connection"
def options(one, two):
    # Without a name it passes none, unlike systemd itself (252): the socket is then "unknown".
    return ["--accept", "-l", one, "--fdname=connection", "-E", "ECHO_ORDERS"]
def talk(one, two):
    echoed(reach(one), b"first")
    echoed(reach(one), b"second")
"#,
    );
}

pub(crate) fn sockets_of_another_process_are_refused() {
    python(
        r#"
listener = socket.create_server(("127.0.0.1", 0))
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
finish(start("listen systemd://web", [listener]), "must start this one with exec")
del os.environ["LISTEN_FDS"]
finish(start("listen systemd://web", [listener]), "LISTEN_FDS or LISTEN_PID is not set")
"#,
    );
}

pub(crate) fn pipes_are_a_stream() {
    python(
        r#"
child = start("connect stdio://\nconnect stdio://", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
large = os.urandom(1 << 20)
import threading
def tell():
    child.stdin.write(large)
    child.stdin.close()
threading.Thread(target=tell).start()
assert child.stdout.read() == large, "with an end, and nothing that was printed"
finish(child, "not for the peer")
"#,
    );
    python(
        r#"
child = start("connect stdio://\nconnect stdio://", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
assert child.stdout.read() == b""
finish(child, "were taken already")
"#,
    );
}

pub(crate) fn files_are_a_stream() {
    python(
        r#"
import tempfile
with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as taken:
    large = os.urandom(1 << 20)
    given.write(large)
    given.seek(0)
    finish(start("connect stdio://", stdin=given, stdout=taken), "not for the peer")
    taken.seek(0)
    assert taken.read() == large
"#,
    );
}

pub(crate) fn a_socket_of_inetd_is_a_stream() {
    python(
        r#"
ours, theirs = socket.socketpair()
child = start("connect stdio://", stdin=theirs, stdout=theirs)
theirs.close()
echoed(ours, os.urandom(1 << 16))
finish(child, "not for the peer")
"#,
    );
}
