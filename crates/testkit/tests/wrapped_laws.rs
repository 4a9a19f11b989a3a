//! A socket that is wrapped keeps the laws that it kept before: relabelled, and with bytes put
//! back.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use socketry_testkit::{Places, Script, datagram, datagram_laws, stream, stream_laws};
use socketry_transport::{
    Batch, BoxSocket, Credentials, Cut, Endpoint, Half, Joined, Keys, Listener, MemTransport,
    OsSocket, Prefixed, Received, RecvExt, RecvHalf, Relabelled, Result, Shape, Socket,
    TcpTransport, Transport, UdpTransport, UnixDgramTransport, UnixTransport, async_trait, connect,
    listen, prefix, relabel,
};

const NOTHING_TO_ASK: &str = "a wrapper has no descriptor to ask";

/// A transport all of whose sockets are wrapped twice.
struct Wrapping<T>(T);

type Wrapped<S> =
    Joined<Prefixed<Relabelled<<S as Socket>::Recv>>, Relabelled<<S as Socket>::Send>>;

/// What the label says besides.
#[derive(Debug, PartialEq)]
struct Seen(u32);

/// Nothing is put back: that is what no law may notice.
fn wrapped<S: Socket>(socket: S) -> Wrapped<S> {
    prefix(relabel(socket, |info| info.with(Seen(7))), Bytes::new())
}

#[async_trait]
impl<T: Transport> Transport for Wrapping<T> {
    type Socket = Wrapped<T::Socket>;
    type Listener = Wrapping<T::Listener>;

    fn keys(&self) -> Keys {
        self.0.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        self.0.connect(to).await.map(wrapped)
    }
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        self.0.listen(at).await.map(Wrapping)
    }
}

impl<L: Listener> Listener for Wrapping<L> {
    type Socket = Wrapped<L::Socket>;

    fn local(&self) -> &Endpoint {
        self.0.local()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        Poll::Ready(ready!(self.0.poll_accept(cx)).map(wrapped))
    }
}

fn streams<T: Transport + Default>(scheme: &str) -> stream::Subject<Wrapping<T>> {
    let places = Places::new();
    stream::Subject::new(Wrapping(T::default()), places.free(scheme))
        .except("options_applied_are_read_back", NOTHING_TO_ASK)
        .keeping(places)
}

fn datagrams<T: Transport + Default>(scheme: &str) -> datagram::Subject<Wrapping<T>> {
    let places = Places::new();
    let at = places.free(scheme).to_string();
    datagram::Subject::new(Wrapping(T::default()), &at)
        .except("options_are_read_back", NOTHING_TO_ASK)
        .keeping(places)
}

stream_laws!(tcp, streams::<TcpTransport>("tcp"));
stream_laws!(unix, streams::<UnixTransport>("unix"));
stream_laws!(mem, streams::<MemTransport>("mem"));
datagram_laws!(
    udp,
    datagrams::<UdpTransport>("udp")
        .unconnected(|at| async move { UdpTransport::default().bind(&at).await })
);
datagram_laws!(
    unix_dgram,
    datagrams::<UnixDgramTransport>("unix-dgram")
        .unconnected(|at| async move { UnixDgramTransport::default().bind(&at).await })
        .short_sender("send_buffer", "8192")
);

async fn recv<R: RecvHalf>(half: &mut R, room: usize) -> (Vec<u8>, Received) {
    let mut buf = vec![0; room];
    let (len, received) = half.recv(&mut buf).await.unwrap();
    buf.truncate(len);
    (buf, received)
}

#[tokio::test]
async fn what_was_read_too_far_of_a_stream_comes_first() {
    let mut socket = prefix(Script::stream().arriving([&b"world"[..]]), "hello");
    assert_eq!(recv(&mut socket, 0).await, (vec![], Received::Data));
    assert_eq!(recv(&mut socket, 2).await.0, b"he");
    assert_eq!(recv(&mut socket, 9).await.0, b"llo");
    assert_eq!(recv(&mut socket, 9).await.0, b"world");
    assert_eq!(recv(&mut socket, 9).await.1, Received::End);

    let mut socket = prefix(Script::stream().arriving([&b"world"[..]]), "hello");
    let mut batch = Batch::new();
    for _ in 0..2 {
        let _ = poll_fn(|cx| socket.poll_recv_batch(cx, &mut batch))
            .await
            .unwrap();
    }
    let all: Vec<_> = batch.iter().map(|datagram| datagram.bytes).collect();
    assert_eq!(all, [&b"hello"[..], b"world"]);
}

#[tokio::test]
async fn what_was_read_too_far_of_datagrams_is_one_datagram() {
    let script = || Script::datagrams(5).arriving([&b"next"[..]]);
    let mut socket = prefix(script(), "first one");
    assert_eq!(socket.recv_room(), 9);
    assert_eq!(
        recv(&mut socket, 64).await,
        (b"first one".to_vec(), Received::Data)
    );
    assert_eq!(socket.recv_room(), 5);
    assert_eq!(
        recv(&mut socket, 64).await,
        (b"next".to_vec(), Received::Data)
    );

    let mut socket = prefix(script(), "first one");
    assert_eq!(
        recv(&mut socket, 5).await,
        (
            b"first".to_vec(),
            Received::Cut(Cut {
                room: 5,
                len: Some(9)
            })
        )
    );
    assert_eq!(recv(&mut socket, 64).await.0, b"next");

    let mut socket = prefix(script(), "first one");
    let mut batch = Batch::new();
    let _ = poll_fn(|cx| socket.poll_recv_batch(cx, &mut batch))
        .await
        .unwrap();
    let (rest, _) = socket.into_halves().0.into_inner();
    assert!(rest.is_empty());
    assert_eq!(batch.iter().next().unwrap().bytes, b"first one");
}

#[tokio::test]
async fn a_label_changes_what_it_says_and_nothing_else() {
    let places = Places::new();
    let mut server = listen(places.free("unix")).await.unwrap();
    let _client = connect(server.local()).await.unwrap();
    let socket = server.accept().await.unwrap();
    let credentials = *socket.info().get::<Credentials>().unwrap();
    let behind: Endpoint = "tcp://192.0.2.1:7000".parse().unwrap();
    let wrong = Shape::Datagram { max_len: 1 };
    let socket = relabel(socket, |info| {
        info.with_peer(behind.clone())
            .with(Seen(1))
            .with_shape(wrong)
    });
    let (recv, send) = socket.split();
    for half in [&recv as &dyn Half, &send] {
        assert_eq!(half.peer(), &behind);
        assert_eq!(half.local(), server.local());
        assert_eq!(half.shape(), Shape::Stream);
        assert_eq!(half.info().get(), Some(&credentials));
        assert_eq!(half.info().get(), Some(&Seen(1)));
    }
    assert_ne!(recv.into_inner().peer(), &behind);
}

#[tokio::test]
async fn what_is_boxed_can_be_looked_into() {
    let server = listen("tcp://127.0.0.1:0").await.unwrap();
    let mut socket: BoxSocket = connect(server.local()).await.unwrap();
    let descriptor = socket.descriptor().map(|fd| format!("{fd:?}"));
    assert!(socket.is::<OsSocket>() && socket.downcast_mut::<OsSocket>().is_some());
    let inside = socket.downcast_ref::<OsSocket>().unwrap();
    assert_eq!(inside.local(), socket.local());

    // One box more is none.
    let socket = BoxSocket::new(BoxSocket::new(socket));
    let socket = socket.downcast::<Script>().unwrap_err();
    assert_eq!(socket.descriptor().map(|fd| format!("{fd:?}")), descriptor);
    socket.downcast::<OsSocket>().unwrap();

    let server = listen("mem://*").await.unwrap();
    let socket = connect(server.local()).await.unwrap();
    assert!(socket.descriptor().is_none() && !socket.is::<OsSocket>());
}
