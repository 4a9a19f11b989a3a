//! What goes over the wire: how full records are, and when they leave.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{
    Aborted, Endpoint, Half, Info, Joined, Keys, Listener, MemTransport, RecvExt, Result, SendExt,
    SendHalf, Socket, Stack, Transport, async_trait,
};

/// Keeps what connecting sockets send.
#[derive(Clone, Default)]
struct Tap(Arc<Mutex<Vec<u8>>>);

struct Tapped<T>(T, Tap);

#[async_trait]
impl<T: Transport> Transport for Tapped<T> {
    type Socket = Joined<<T::Socket as Socket>::Recv, Tapped<<T::Socket as Socket>::Send>>;
    type Listener = T::Listener;

    fn keys(&self) -> Keys {
        self.0.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        let (recv, send) = self.0.connect(to).await?.split();
        Ok(Joined::new(recv, Tapped(send, self.1.clone())))
    }
    async fn listen(&self, at: &Endpoint) -> Result<T::Listener> {
        self.0.listen(at).await
    }
}

impl<W: Half> Half for Tapped<W> {
    fn info(&self) -> &Info {
        self.0.info()
    }
}

impl<W: SendHalf> SendHalf for Tapped<W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(self.0.poll_send(cx, parts))?;
        let all = parts.iter().flat_map(|part| part.iter().copied());
        self.1.0.lock().unwrap().extend(all.take(sent));
        Poll::Ready(Ok(sent))
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_finish(cx)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.0.abort(code)
    }
}

/// A record of TLS 1.3 has a byte for its type and 16 for its tag besides what it carries.
const OVERHEAD: usize = 17;
const FULL: usize = 16_384;

impl Tap {
    /// How much each record carried since this was asked last.
    fn carried(&self) -> Vec<usize> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        let (mut rest, mut carried) = (&bytes[..], Vec::new());
        while !rest.is_empty() {
            assert_eq!(rest[0], 23, "a record of application data");
            let len = usize::from(u16::from_be_bytes([rest[3], rest[4]]));
            carried.push(len - OVERHEAD);
            rest = &rest[5 + len..];
        }
        carried
    }
}

async fn pair() -> (Tap, impl Socket, impl Socket) {
    let identity = Identity::made(["localhost"]).unwrap();
    let trust = Trust::pin(identity.pin().unwrap());
    let tap = Tap::default();
    // A pipe that holds all that the tests send.
    let inner = Tapped(MemTransport::default(), tap.clone());
    let stack = Stack::new(inner).with(Tls::new().identity(identity).trust(trust));
    let mut listener = stack.listen(&"mem://*".parse().unwrap()).await.unwrap();
    let at = listener.local().clone();
    let (client, server) = tokio::join!(stack.connect(&at), listener.accept());
    tap.0.lock().unwrap().clear();
    (tap, client.unwrap(), server.unwrap())
}

#[tokio::test]
async fn what_is_sent_alone_leaves_at_once() {
    let (tap, mut client, mut server) = pair().await;
    for len in [1, 100, FULL] {
        assert_eq!(client.send(&vec![7; len]).await.unwrap(), len);
        assert_eq!(tap.carried(), [len]);
        let mut buf = vec![0; len];
        let mut at = 0;
        while at < len {
            at += server.recv(&mut buf[at..]).await.unwrap().0;
        }
    }
    client.send(b"").await.unwrap();
    assert_eq!(tap.carried(), []);
}

#[tokio::test]
async fn many_parts_are_one_record() {
    let (tap, mut client, _server) = pair().await;
    let parts = [&b"head"[..], b"", b"body", &[1; 1000]].map(IoSlice::new);
    let sent = poll_fn(|cx| client.poll_send(cx, &parts)).await.unwrap();
    assert_eq!(sent, 1008);
    assert_eq!(tap.carried(), [1008]);
}

#[tokio::test]
async fn records_are_full_where_there_is_enough() {
    let (tap, mut client, mut server) = pair().await;
    let all = 5 * FULL + 5;
    let reading = async {
        let (mut buf, mut left) = (vec![0; 70_000], all);
        while left > 0 {
            left -= server.recv(&mut buf).await.unwrap().0;
        }
    };
    let bytes = vec![3; all];
    let sending = async { client.send_all(&bytes).await.unwrap() };
    tokio::join!(sending, reading);
    let carried = tap.carried();
    let full = carried.iter().filter(|len| **len == FULL).count();
    assert_eq!(
        (full, carried.iter().sum::<usize>()),
        (5, all),
        "{carried:?}"
    );
}
