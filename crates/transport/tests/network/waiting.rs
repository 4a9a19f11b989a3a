//! How long sent bytes wait, and how many: the options `user_timeout` and `notsent_lowat`.

use std::future::poll_fn;
use std::io::IoSlice;
use std::task::Poll;

use socketry_transport::{
    Endpoint, Listener, OsSocket, RecvExt, SendExt, SendHalf, TcpTransport, Transport, connect,
};

use crate::alone::alone;
use crate::far::{CABLES, Far};

/// Answers the first bytes, and then nothing.
const SERVER: &str = "
l = socket.create_server(('10.9.0.2', 7000))
say('ready')
s, _ = l.accept()
s.sendall(s.recv(100))
heard()
";

/// Without the option the kernel would try for a quarter of an hour, and the test has two.
#[test]
fn a_peer_that_acknowledges_nothing_is_given_up() {
    let name = "waiting::a_peer_that_acknowledges_nothing_is_given_up";
    alone(name, CABLES, async {
        let mut far = Far::start(SERVER).await;
        assert_eq!(far.says().await, "ready");
        let to = "tcp://10.9.0.2:7000?user_timeout=1500ms";
        let mut socket = connect(to).await.unwrap();
        let mut buf = [0; 16];
        socket.send_all(b"heard").await.unwrap();
        assert_eq!(socket.recv(&mut buf).await.unwrap().0, 5);
        far.answers(false).await;
        socket.send_all(b"not heard").await.unwrap();
        let error = socket.recv(&mut buf).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "{error}");
    });
}

/// The bytes that are taken while the peer reads nothing.
async fn taken(sender: &mut OsSocket) -> usize {
    let chunk = [7; 4096];
    let mut taken = 0;
    // A send that waits may go on when the peer's kernel has taken more. So it is asked until it
    // has waited through many turns.
    let mut waits = 0;
    while waits < 200 {
        let sent = poll_fn(|cx| Poll::Ready(sender.poll_send(cx, &[IoSlice::new(&chunk)])));
        match sent.await {
            Poll::Ready(sent) => {
                taken += sent.unwrap();
                waits = 0;
            }
            Poll::Pending => {
                waits += 1;
                tokio::task::yield_now().await;
            }
        }
    }
    taken
}

async fn pair(options: &str) -> (OsSocket, OsSocket) {
    let at: Endpoint = "tcp://127.0.0.1:0?recv_buffer=16KiB".parse().unwrap();
    let transport = TcpTransport::default();
    let mut listener = transport.listen(&at).await.unwrap();
    let to: Endpoint = format!("{}?{options}", listener.local()).parse().unwrap();
    let client = transport.connect(&to).await.unwrap();
    (client, listener.accept().await.unwrap())
}

#[tokio::test]
async fn a_sender_waits_with_few_bytes_that_are_not_sent() {
    let (mut free, _reader) = pair("send_buffer=200KiB").await;
    let (mut held, mut reader) = pair("send_buffer=200KiB&notsent_lowat=8KiB").await;
    let (free, many) = (taken(&mut free).await, taken(&mut held).await);
    assert!(
        many + 100_000 < free,
        "{many} bytes with the option, {free} without"
    );

    // It goes on when the peer reads.
    let mut buf = vec![0; 65_536];
    let sending = async {
        held.send_all(&vec![7; 300_000]).await.unwrap();
        held.finish().await.unwrap();
    };
    let receiving = async {
        let mut all = 0;
        while let (len, true) = received(&mut reader, &mut buf).await {
            all += len;
        }
        all
    };
    let ((), all) = tokio::join!(sending, receiving);
    assert_eq!(all, many + 300_000);
}

/// The number of bytes, and whether there was no end.
async fn received(reader: &mut OsSocket, buf: &mut [u8]) -> (usize, bool) {
    let (len, received) = reader.recv(buf).await.unwrap();
    (len, received != socketry_transport::Received::End)
}
