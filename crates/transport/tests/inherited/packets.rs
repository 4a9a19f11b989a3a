//! Sockets of packets (`SOCK_SEQPACKET`) that a process is started with.

use crate::parents::{activated, python};
use crate::tools;

/// Each packet comes back as it was sent: an empty one too, which is no end, and one above what the
/// echo has room for as its front. Then the end comes back.
const ECHOED: &str = r#"
def echoed_packets(client):
    for packet in [b"one", b"", b"two", b"x" * 5000]:
        client.send(packet)
        answer = client.recv(8192)
        assert answer == packet[:4096], answer
    client.shutdown(socket.SHUT_WR)
    assert client.recv(8192) == b""
"#;

pub(crate) fn a_listener_is_served() {
    python(&format!(
        r#"
import tempfile
{ECHOED}
with tempfile.TemporaryDirectory() as directory:
    at = os.path.join(directory, "socket")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(at)
    listener.listen()
    child = start("listen fd://3", [listener])
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(at)
    echoed_packets(client)
    finish(child, "")
    assert os.path.exists(at), "the file is its maker's"
"#
    ));
}

pub(crate) fn a_connected_socket_is_used() {
    python(&format!(
        r#"
{ECHOED}
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
child = start("connect fd://3", [theirs])
theirs.close()
echoed_packets(ours)
finish(child, "")
"#
    ));
}

pub(crate) fn systemd_passes_listeners_by_name() {
    if !tools::has("systemd-socket-activate") {
        return;
    }
    activated(&format!(
        r#"
{ECHOED}
KIND = socket.SOCK_SEQPACKET
orders = "listen systemd://admin\nlisten systemd://web"
def options(one, two):
    return ["--seqpacket", "-l", one, "-l", two, "--fdname=web:admin", "-E", "ECHO_ORDERS"]
def talk(one, two):
    # Both wait in their listeners before the first is served.
    first, second = reach(two, KIND), reach(one, KIND)
    echoed_packets(first)
    echoed_packets(second)
"#
    ));
}

pub(crate) fn systemd_passes_a_socket_for_each_client() {
    if !tools::has("systemd-socket-activate") {
        return;
    }
    activated(&format!(
        r#"
{ECHOED}
KIND = socket.SOCK_SEQPACKET
orders = "connect systemd://connection"
def options(one, two):
    return ["--seqpacket", "--accept", "-l", one, "--fdname=connection", "-E", "ECHO_ORDERS"]
def talk(one, two):
    echoed_packets(reach(one, KIND))
    echoed_packets(reach(one, KIND))
"#
    ));
}
