//! Descriptors that are passed on purpose, between our sockets and those of Python.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::File;
use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use socketry_transport::{
    BoxSocket, Descriptors, Half, Listener, OsDatagram, OsSocket, PeerAddr, Received, RecvExt,
    SendExt, SendHalf, Socket, Transport, UnixDgramTransport, UnixTransport, connect, listen,
};
use tokio::process::Command;
use tokio::time::timeout;

/// What hangs, hangs longer.
const DEADLINE: Duration = Duration::from_secs(30);

fn file(text: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file
}

fn text(descriptor: OwnedFd) -> String {
    let mut text = String::new();
    File::from(descriptor).read_to_string(&mut text).unwrap();
    text
}

fn texts(descriptors: Vec<OwnedFd>) -> Vec<String> {
    descriptors.into_iter().map(text).collect()
}

fn passed(socket: &impl Half) -> &Descriptors {
    socket.info().get().expect("it has the option")
}

fn url(path: &Path, query: &str) -> String {
    format!("unix://{}?{query}", path.display())
}

/// Both ends of a connection, with their options.
async fn pair(server: &str, client: &str) -> (OsSocket, OsSocket, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let transport = UnixTransport::default();
    let at = |query| url(&path, query).parse().unwrap();
    let mut listener = transport.listen(&at(server)).await.unwrap();
    let client = transport.connect(&at(client)).await.unwrap();
    let server = listener.accept().await.unwrap();
    (server, client, directory)
}

async fn exactly(socket: &mut (impl RecvExt + ?Sized), count: usize) -> Vec<u8> {
    let mut all = vec![0; count];
    let mut filled = 0;
    while filled < count {
        let (len, received) = socket.recv(&mut all[filled..]).await.unwrap();
        assert_eq!(received, Received::Data);
        filled += len;
    }
    all
}

#[tokio::test]
async fn they_arrive_in_order_and_no_later_than_their_bytes() {
    let (mut server, mut client, _directory) = pair("descriptors=10", "descriptors=0").await;
    client.send_all(b"plain").await.unwrap();
    client
        .send_with(b"two", &[file("1").as_fd(), file("2").as_fd()])
        .await
        .unwrap();
    client.send_all(b"plain").await.unwrap();
    passed(&client).attach(file("3")).unwrap();
    client.send_all(b"one").await.unwrap();
    assert_eq!(exactly(&mut server, 8).await, b"plaintwo");
    assert_eq!(texts(passed(&server).take(2).unwrap()), ["1", "2"]);
    assert_eq!(exactly(&mut server, 8).await, b"plainone");
    assert_eq!(texts(passed(&server).take(1).unwrap()), ["3"]);
    assert_eq!(passed(&server).waiting(), 0);
}

#[tokio::test]
async fn they_pass_through_boxes_and_halves() {
    let (server, client, _directory) = pair("descriptors=2", "descriptors=2").await;
    let (mut server, client) = (BoxSocket::new(server), BoxSocket::new(client));
    let (_recv, mut send) = client.split();
    passed(&send).attach(file("boxed")).unwrap();
    send.send_all(b"x").await.unwrap();
    exactly(&mut server, 1).await;
    assert_eq!(texts(passed(&server).take(1).unwrap()), ["boxed"]);
}

#[tokio::test]
async fn what_is_above_the_bound_is_closed_and_told() {
    let (mut server, mut client, _directory) = pair("descriptors=2", "").await;
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let (one, two) = (file("1"), file("2"));
    let all = [one.as_fd(), two.as_fd(), ours.as_fd()];
    client.send_with(b"x", &all).await.unwrap();
    drop(ours);
    exactly(&mut server, 1).await;
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0, "it is open somewhere");
    // Those before it have their place still, and those behind it none.
    client.send_with(b"x", &[one.as_fd()]).await.unwrap();
    exactly(&mut server, 1).await;
    let error = passed(&server).take(3).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.to_string().contains("at most 2"), "{error}");
    assert_eq!(texts(passed(&server).take(2).unwrap()), ["1", "2"]);
    client.send_with(b"x", &[one.as_fd()]).await.unwrap();
    exactly(&mut server, 1).await;
    passed(&server).take(1).unwrap_err();
}

#[tokio::test]
async fn a_peer_that_takes_none_refuses_them_and_the_socket_goes_on() {
    if !refuses() {
        return;
    }
    let (mut server, mut client, _directory) = pair("", "descriptors=1").await;
    let file = file("1");
    let refused = client.send_with(b"x", &[file.as_fd()]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    passed(&client).attach(file).unwrap();
    let refused = client.send(b"x").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    client.send_all(b"plain").await.unwrap();
    assert_eq!(exactly(&mut server, 5).await, b"plain");
    assert!(server.info().get::<Descriptors>().is_none());
}

#[tokio::test]
async fn what_cannot_travel_is_refused() {
    let (_server, mut client, _directory) = pair("descriptors=1", "descriptors=1").await;
    let file = file("1");
    let refused = client.send_with(b"", &[file.as_fd()]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    let many = vec![file.as_fd(); Descriptors::MOST_AT_ONCE + 1];
    let refused = client.send_with(b"x", &many).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    for _ in 0..Descriptors::MOST_AT_ONCE {
        passed(&client).attach(file.try_clone().unwrap()).unwrap();
    }
    passed(&client).attach(file).unwrap_err();
    let error = passed(&client).take(1).unwrap_err();
    assert!(
        error.to_string().contains("1 descriptors are due, and 0"),
        "{error}"
    );

    let listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let mut tcp = socketry_transport::TcpTransport::default()
        .connect(listener.local())
        .await
        .unwrap();
    let other = tempfile::tempfile().unwrap();
    let refused = tcp.send_with(b"x", &[other.as_fd()]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn they_travel_with_the_first_byte_behind_many_empty_parts() {
    let (mut server, mut client, _directory) = pair("descriptors=2", "descriptors=2").await;
    let mut parts = vec![IoSlice::new(b""); 2000];
    parts.push(IoSlice::new(b"x"));
    passed(&client).attach(file("attached")).unwrap();
    let sent = poll_fn(|cx| client.poll_send(cx, &parts)).await;
    assert_eq!(sent.unwrap(), 1);
    assert_eq!(exactly(&mut server, 1).await, b"x");
    assert_eq!(texts(passed(&server).take(1).unwrap()), ["attached"]);
}

/// A datagram goes whole or not at all, with descriptors too.
#[tokio::test]
async fn a_datagram_of_too_many_parts_is_not_cut() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d");
    let server = bound(&path, "descriptors=2").await;
    let at = format!("unix-dgram://{}?descriptors=2", path.display());
    let mut client = connect(&*at).await.unwrap();
    passed(&client).attach(file("attached")).unwrap();
    let parts = vec![IoSlice::new(b"x"); 2000];
    let sent = poll_fn(|cx| client.poll_send(cx, &parts)).await;
    assert!(sent.is_err(), "{sent:?}");
    client.send_all(b"next").await.unwrap();
    let mut buf = [0; 10];
    let came = server.recv_with(&mut buf).await.unwrap();
    assert_eq!(&buf[..came.len], b"next");
}

#[tokio::test]
async fn as_many_as_the_kernel_takes_travel_with_one_byte() {
    let (mut server, mut client, _directory) = pair("descriptors=300", "").await;
    let file = file("1");
    let all = vec![file.as_fd(); Descriptors::MOST_AT_ONCE];
    client.send_with(b"x", &all).await.unwrap();
    exactly(&mut server, 1).await;
    assert_eq!(passed(&server).take(253).unwrap().len(), 253);
}

/// A second process is what counts: the tests of this one run beside one another.
#[test]
fn none_is_left_open() {
    const INSIDE: &str = "SOCKETRY_TEST_COUNTS_DESCRIPTORS";
    if std::env::var_os(INSIDE).is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "none_is_left_open"])
            .env(INSIDE, "1")
            .output()
            .unwrap();
        assert!(
            status.status.success(),
            "{}",
            String::from_utf8_lossy(&status.stdout)
        );
        return;
    }
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    // The first runtime of a process opens something for all that follow.
    pass_and_leave(1);
    let before = open();
    pass_and_leave(50);
    assert_eq!(open(), before);
}

/// Sent and not received, attached and not sent, arrived and not taken, above the bound.
fn pass_and_leave(times: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        for _ in 0..times {
            let (mut server, mut client, _directory) = pair("descriptors=3", "descriptors=3").await;
            note_processes(&server);
            let file = file("1");
            let all = vec![file.as_fd(); 10];
            client.send_with(b"x", &all).await.unwrap();
            exactly(&mut server, 1).await;
            drop(passed(&server).take(2).unwrap());
            client.send_with(b"x", &all).await.unwrap();
            passed(&server).attach(file).unwrap();
        }
    });
}

/// Has the kernel add a descriptor of the sender's process to each message (Linux 6.5; older
/// kernels refuse the option).
#[expect(unsafe_code, reason = "no crate here sets the option")]
fn note_processes(socket: &impl AsFd) {
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is open, and the kernel reads an `int` that outlives the call.
    unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PASSPIDFD,
            (&raw const on).cast(),
            4,
        );
    }
}

async fn bound(path: &Path, query: &str) -> OsDatagram {
    let at = format!("unix-dgram://{}?{query}", path.display());
    let at = at.parse().unwrap();
    UnixDgramTransport::default().bind(&at).await.unwrap()
}

#[tokio::test]
async fn datagrams_carry_them_connected_or_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (one, two) = (
        bound(&path("1"), "descriptors=2").await,
        bound(&path("2"), "descriptors=2").await,
    );
    let to = |path: PathBuf| PeerAddr::Path(path.into());
    let (first, second) = (file("first"), file("second"));
    let both = [first.as_fd(), second.as_fd()];
    one.send_with(b"two", &both, &to(path("2"))).await.unwrap();
    let mut buf = [0; 10];
    let came = two.recv_with(&mut buf).await.unwrap();
    assert_eq!(
        (&buf[..came.len], came.received, came.closed),
        (&b"two"[..], Received::Data, false)
    );
    assert_eq!(came.from, to(path("1")));
    assert_eq!(texts(came.descriptors), ["first", "second"]);

    let three = [first.as_fd(), second.as_fd(), first.as_fd()];
    one.send_with(b"", &three, &to(path("2"))).await.unwrap();
    let came = two.recv_with(&mut buf).await.unwrap();
    assert_eq!(
        (came.len, came.descriptors.len(), came.closed),
        (0, 2, true)
    );

    let at = format!("unix-dgram://{}?descriptors=1", path("1").display());
    let mut client = connect(&*at).await.unwrap();
    passed(&client).attach(file("attached")).unwrap();
    client.send_all(b"x").await.unwrap();
    let came = one.recv_with(&mut buf).await.unwrap();
    assert_eq!(texts(came.descriptors), ["attached"]);
    let mut second = second;
    second.rewind().unwrap();
    one.send_with(b"back", &[second.as_fd()], &came.from)
        .await
        .unwrap();
    exactly(&mut client, 4).await;
    assert_eq!(texts(passed(&client).take(1).unwrap()), ["second"]);

    let refused = listen(&*at.replace("/1?", "/3?")).await.unwrap_err();
    assert!(
        refused.to_string().contains("sessions pass no descriptors"),
        "{refused}"
    );
    let none = bound(&path("4"), "").await;
    assert_eq!(
        none.recv_with(&mut buf).await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

/// Runs a Python client; what it says.
async fn python(script: &str, path: &Path) -> String {
    let output = Command::new("python3")
        .args(["-c", &format!("import os, socket, sys\n{script}")])
        .arg(path)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(DEADLINE, output).await.expect("it hangs").unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn python_sends_and_receives_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let mut listener = listen(&*url(&path, "descriptors=4")).await.unwrap();
    let server = async {
        let mut socket = listener.accept().await.unwrap();
        assert_eq!(exactly(&mut socket, 3).await, b"ask");
        let mut pipe = File::from(passed(&socket).take(1).unwrap().pop().unwrap());
        pipe.write_all(b"in the pipe").unwrap();
        drop(pipe);
        for name in ["one", "two"] {
            passed(&socket).attach(file(name)).unwrap();
        }
        socket.send_all(b"answer").await.unwrap();
        socket.finish().await.unwrap();
        exactly(&mut socket, 1).await;
    };
    let client = python(
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n\
         r, w = os.pipe(); socket.send_fds(s, [b'ask'], [w]); os.close(w)\n\
         print(os.read(r, 100).decode())\n\
         data, fds, flags, peer = socket.recv_fds(s, 100, 10)\n\
         print(data.decode(), *[os.read(fd, 100).decode() for fd in fds]); s.send(b'x')",
        &path,
    );
    let ((), said) = tokio::join!(server, client);
    assert_eq!(said, "in the pipe\nanswer one two\n");
}

/// Whether this kernel is Linux 6.16 or later, and lets a socket refuse.
fn refuses() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map(str::parse::<u32>);
    let (major, minor) = (numbers.next().unwrap().unwrap(), numbers.next().unwrap());
    (major, minor.unwrap_or_default()) >= (6, 16)
}
