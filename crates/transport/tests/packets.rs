//! `unix-seqpacket`: packets in order with an end, between our sockets, those of Python, and socat.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use socketry_transport::{
    Credentials, Descriptors, Half, Listener, OsSocket, Received, RecvExt, RecvHalf, SendExt,
    Shape, SocketParts, Transport, UnixSeqpacketTransport, connect, listen,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// What hangs, hangs longer.
const DEADLINE: Duration = Duration::from_secs(30);

async fn pair(query: &str) -> (OsSocket, OsSocket, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let at = url(&directory.path().join("s"), query).parse().unwrap();
    let transport = UnixSeqpacketTransport::default();
    let mut listener = transport.listen(&at).await.unwrap();
    let client = transport.connect(&at).await.unwrap();
    let server = listener.accept().await.unwrap();
    (client, server, directory)
}

fn url(path: &Path, query: &str) -> String {
    format!("unix-seqpacket://{}?{query}", path.display())
}

async fn received(socket: &mut impl RecvHalf) -> std::io::Result<(Vec<u8>, Received)> {
    let mut buf = vec![0; socket.recv_room()];
    let received = timeout(DEADLINE, socket.recv(&mut buf)).await.unwrap();
    received.map(|(len, received)| (buf[..len].to_vec(), received))
}

async fn next(socket: &mut impl RecvHalf) -> Vec<u8> {
    let (packet, what) = received(socket).await.unwrap();
    assert_eq!(what, Received::Data);
    packet
}

async fn ended(socket: &mut impl RecvHalf) -> bool {
    matches!(received(socket).await, Ok((packet, Received::End)) if packet.is_empty())
}

#[tokio::test]
async fn a_reset_before_queued_packets_loses_none_and_is_no_end() {
    let (mut client, mut server, _directory) = pair("").await;
    client.send_all(b"unread").await.unwrap();
    for packet in [&b"one"[..], b"", b"three"] {
        server.send_all(packet).await.unwrap();
    }
    // The kernel tells the client of the reset before it gives the packets.
    drop(server);
    for packet in [&b"one"[..], b"", b"three"] {
        assert_eq!(next(&mut client).await, packet);
    }
    for _ in 0..2 {
        let error = received(&mut client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn a_reset_that_a_send_hears_of_is_told_to_the_receiver_too() {
    let (mut client, mut server, _directory) = pair("").await;
    client.send_all(b"unread").await.unwrap();
    server.send_all(b"last").await.unwrap();
    drop(server);
    let error = client.send_all(b"late").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(next(&mut client).await, b"last");
    let error = received(&mut client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn the_send_buffer_is_the_limit() {
    let (client, server, _directory) = pair("send_buffer=64KiB").await;
    let limit = |shape: Shape| shape.max_len().unwrap();
    // Linux doubles what is asked for, and keeps 32 bytes of it.
    assert_eq!(limit(client.shape()), 2 * 65_536 - 32);
    assert!(matches!(server.shape(), Shape::Message { .. }));
}

#[tokio::test]
async fn the_peer_is_known() {
    let (client, server, _directory) = pair("").await;
    for socket in [&client, &server] {
        let peer = socket.info().get::<Credentials>().unwrap();
        assert_eq!(peer.pid, Some(i32::try_from(std::process::id()).unwrap()));
    }
    assert_eq!(client.local(), server.peer());
}

#[tokio::test]
async fn descriptors_come_with_their_packet() {
    let (mut client, mut server, _directory) = pair("descriptors=4").await;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"in the file").unwrap();
    file.rewind().unwrap();
    client.send_with(b"", &[file.as_fd()]).await.unwrap();
    client.send_all(b"plain").await.unwrap();
    assert_eq!(next(&mut server).await, b"");
    let passed = server.info().get::<Descriptors>().unwrap().clone();
    let [descriptor] = <[OwnedFd; 1]>::try_from(passed.take(1).unwrap()).unwrap();
    let mut text = String::new();
    File::from(descriptor).read_to_string(&mut text).unwrap();
    assert_eq!(text, "in the file");
    assert_eq!(next(&mut server).await, b"plain");
    assert_eq!(passed.waiting(), 0);
}

#[tokio::test]
async fn a_socket_that_another_part_made_is_used() {
    use socket2::{Domain, Socket, Type};
    let (ours, theirs) = Socket::pair(Domain::UNIX, Type::SEQPACKET, None).unwrap();
    theirs.send(b"before").unwrap();
    theirs.send(b"").unwrap();
    let mut socket = SocketParts::from(ours).connected().unwrap();
    assert!(socket.shape().is_reliable() && !socket.shape().is_stream());
    assert_eq!(next(&mut socket).await, b"before");
    assert_eq!(next(&mut socket).await, b"");
    drop(theirs);
    assert!(ended(&mut socket).await);
}

/// A socket of Python that sends back each packet, and its end behind them.
const ECHO: &str = "
import socket, sys
end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
if sys.argv[1] == 'serve':
    end.bind(sys.argv[2]); end.listen(); print('ready', flush=True); end, _ = end.accept()
else:
    end.connect(sys.argv[2])
for _ in range(4):
    end.send(end.recv(1 << 20))
assert end.recv(1 << 20) == b''
end.shutdown(socket.SHUT_WR)
";

fn python(role: &str, path: &Path) -> Child {
    let mut command = Command::new("python3");
    command.args(["-c", ECHO, role]).arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

async fn talk(mut socket: impl socketry_transport::Socket, mut peer: Child) {
    let long = vec![b'x'; 100_000];
    for packet in [&b"one"[..], b"", &long, b"four"] {
        socket.send_all(packet).await.unwrap();
        assert_eq!(next(&mut socket).await, packet);
    }
    socket.finish().await.unwrap();
    assert!(ended(&mut socket).await);
    assert!(
        timeout(DEADLINE, peer.wait())
            .await
            .unwrap()
            .unwrap()
            .success()
    );
}

#[tokio::test]
async fn python_serves_and_connects() {
    if !tools::has("python3") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("theirs");
    let mut peer = python("serve", &path);
    let mut ready = [0; 6];
    let said = peer.stdout.as_mut().unwrap().read_exact(&mut ready);
    timeout(DEADLINE, said).await.unwrap().unwrap();
    talk(connect(&*url(&path, "")).await.unwrap(), peer).await;

    let path = directory.path().join("ours");
    let mut listener = listen(&*url(&path, "")).await.unwrap();
    let peer = python("connect", &path);
    talk(listener.accept().await.unwrap(), peer).await;
}

#[tokio::test]
async fn socat_connects() {
    if !tools::has("socat") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let mut listener = listen(&*url(&path, "")).await.unwrap();
    let mut command = Command::new("socat");
    command
        .arg("-")
        .arg(format!("UNIX-CONNECT:{},socktype=5", path.display()));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut peer = command.kill_on_drop(true).spawn().unwrap();
    let mut socket = listener.accept().await.unwrap();
    let mut input = peer.stdin.take().unwrap();
    input.write_all(b"to us").await.unwrap();
    assert_eq!(next(&mut socket).await, b"to us");
    socket.send_all(b"to them").await.unwrap();
    let mut output = [0; 7];
    let said = peer.stdout.as_mut().unwrap().read_exact(&mut output);
    timeout(DEADLINE, said).await.unwrap().unwrap();
    assert_eq!(&output, b"to them");
    drop(input);
    assert!(ended(&mut socket).await);
    socket.finish().await.unwrap();
    timeout(DEADLINE, peer.wait()).await.unwrap().unwrap();
}
