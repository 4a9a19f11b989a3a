//! TCP Fast Open, against Python. The kernel says of each connection whether bytes came with its
//! first packet.

use std::io::ErrorKind;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use socketry_transport::{
    BoxSocket, Half, Listener, Received, RecvExt, SendExt, close, connect, listen,
};
use tokio::process::Command;

use crate::alone::alone;
use crate::far::{CABLES, Far, here};

/// What hangs, hangs longer.
const LIMIT: Duration = Duration::from_secs(30);

/// Allows it for clients and servers.
const ALLOWED: &str = "echo 3 > /proc/sys/net/ipv4/tcp_fastopen";

/// Tells of each connection whether its first packet had bytes (`TCPI_OPT_SYN_DATA`), and of what
/// came of it.
const SERVER: &str = "
sh('echo 3 > /proc/sys/net/ipv4/tcp_fastopen')
l = socket.socket()
l.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
l.bind(('10.9.0.2', 7000))
l.listen()
say('ready')
while True:
    s, _ = l.accept()
    first = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[5] & 32
    try:
        s.sendall(b'hello')
        came = b''
        while data := s.recv(100):
            came += data
        say('first' if first else 'later', came.decode())
    except OSError as error:
        say(error)
    s.close()
";

async fn server() -> Far {
    let mut far = Far::start(SERVER).await;
    assert_eq!(far.says().await, "ready");
    far
}

const TO: &str = "tcp://10.9.0.2:7000?fastopen=true";

/// What the server says first.
async fn hello(socket: &mut BoxSocket) {
    let mut buf = [0; 16];
    let (len, _) = socket.recv(&mut buf).await.unwrap();
    assert_eq!(&buf[..len], b"hello");
}

async fn ended(socket: &mut BoxSocket) {
    let (_, received) = socket.recv(&mut [0; 16]).await.unwrap();
    assert_eq!(received, Received::End);
}

/// A whole conversation, from which the kernel has a cookie of the server.
async fn said(words: &str) {
    let mut socket = connect(TO).await.unwrap();
    socket.send_all(words.as_bytes()).await.unwrap();
    hello(&mut socket).await;
    socket.finish().await.unwrap();
    ended(&mut socket).await;
}

#[test]
fn the_first_bytes_of_a_known_server_leave_with_the_first_packet() {
    let name = "fast_open::the_first_bytes_of_a_known_server_leave_with_the_first_packet";
    alone(name, &format!("{ALLOWED}; {CABLES}"), async {
        let mut far = server().await;
        for came in ["later", "first", "first"] {
            said("words").await;
            assert_eq!(far.says().await, format!("{came} words"));
        }
    });
}

/// It would wait for a connection that nobody has opened.
#[test]
fn a_client_that_receives_first_opens_the_connection() {
    let name = "fast_open::a_client_that_receives_first_opens_the_connection";
    alone(name, &format!("{ALLOWED}; {CABLES}"), async {
        let mut far = server().await;
        said("cookie").await;
        assert_eq!(far.says().await, "later cookie");
        let mut socket = connect(TO).await.unwrap();
        hello(&mut socket).await;
        socket.send_all(b"answer").await.unwrap();
        socket.finish().await.unwrap();
        ended(&mut socket).await;
        assert_eq!(far.says().await, "later answer");
    });
}

/// The kernel would throw the connection away, and the bytes that are on the way.
#[test]
fn a_half_close_waits_for_the_answer_of_the_server() {
    let name = "fast_open::a_half_close_waits_for_the_answer_of_the_server";
    alone(name, &format!("{ALLOWED}; {CABLES}"), async {
        let mut far = server().await;
        said("cookie").await;
        assert_eq!(far.says().await, "later cookie");
        for words in ["", "on the way"] {
            far.answers(false).await;
            let mut socket = connect(TO).await.unwrap();
            if !words.is_empty() {
                socket.send_all(words.as_bytes()).await.unwrap();
            }
            {
                let mut finishing = pin!(socket.finish());
                let now =
                    std::future::poll_fn(|cx| std::task::Poll::Ready(finishing.as_mut().poll(cx)));
                assert!(now.await.is_pending(), "{words}");
                far.answers(true).await;
                finishing.await.unwrap();
            }
            hello(&mut socket).await;
            ended(&mut socket).await;
            let came = far.says().await;
            assert!(came.ends_with(&format!(" {words}")), "{words:?}: {came:?}");
        }
    });
}

#[test]
fn a_refusal_is_told_by_the_first_call() {
    let name = "fast_open::a_refusal_is_told_by_the_first_call";
    alone(name, &format!("{ALLOWED}; {CABLES}"), async {
        let mut far = server().await;
        said("cookie").await;
        assert_eq!(far.says().await, "later cookie");
        let nobody = TO.replace("7000", "7001");

        let mut socket = connect(&*nobody).await.unwrap();
        let error = socket.recv(&mut [0; 16]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

        let mut socket = connect(&*nobody).await.unwrap();
        let sent = socket.send_all(b"x").await;
        let error = match sent {
            Ok(()) => socket.recv(&mut [0; 16]).await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

        let mut socket = connect(&*nobody).await.unwrap();
        let error = socket.finish().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

/// Connects twice, and tells whether the first packet of each had bytes that the server took.
const CLIENT: &str = "
import socket, sys
for _ in range(2):
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, 30, 1)
    s.connect(('127.0.0.1', int(sys.argv[1])))
    s.sendall(b'words')
    assert s.recv(100) == b'words'
    first = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[5] & 32
    print('first' if first else 'later')
    s.close()
";

#[test]
fn a_listener_takes_bytes_with_the_first_packet() {
    let name = "fast_open::a_listener_takes_bytes_with_the_first_packet";
    alone(name, ALLOWED, async {
        for (fastopen, second) in [("true", "first"), ("false", "later")] {
            let at = format!("tcp://127.0.0.1:0?fastopen={fastopen}");
            let mut listener = listen(&*at).await.unwrap();
            let port = listener.local().port().unwrap().to_string();
            let client = Command::new("python3")
                .args(["-c", CLIENT, &port])
                .stdout(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            for _ in 0..2 {
                let mut socket = listener.accept().await.unwrap();
                let mut buf = [0; 16];
                let (len, _) = socket.recv(&mut buf).await.unwrap();
                socket.send_all(&buf[..len]).await.unwrap();
                close(socket, 1024, LIMIT).await.unwrap();
            }
            let said = client.wait_with_output().await.unwrap().stdout;
            assert_eq!(
                String::from_utf8(said).unwrap(),
                format!("later\n{second}\n")
            );
        }
    });
}

/// Linux would take the option of a listener, and ignore it.
#[test]
fn what_the_system_does_not_allow_is_refused_with_the_way_out() {
    let name = "fast_open::what_the_system_does_not_allow_is_refused_with_the_way_out";
    alone(name, "true", async {
        for bits in [0, 1, 2] {
            here(&format!("echo {bits} > /proc/sys/net/ipv4/tcp_fastopen")).await;
            let at = "tcp://127.0.0.1:0?fastopen=true";
            let listening = listen(at).await;
            assert_eq!(listening.is_ok(), bits & 2 != 0, "{bits}");
            let to = "tcp://127.0.0.1:1?fastopen=true";
            let error = connect(to).await.err().unwrap().to_string();
            assert_eq!(
                error.contains("set option fastopen on"),
                bits & 1 == 0,
                "{error}"
            );
            let listening = listening.err().map(|error| error.to_string());
            for words in listening.iter().chain((bits & 1 == 0).then_some(&error)) {
                assert!(
                    words.contains("option fastopen on tcp://127.0.0.1:"),
                    "{words}"
                );
                assert!(words.contains("net.ipv4.tcp_fastopen=3"), "{words}");
            }
        }
        let listener = listen("tcp://127.0.0.1:0?fastopen=false").await.unwrap();
        assert!(connect(listener.local()).await.unwrap().local().port() > Some(0));
    });
}
