//! A socket whose halves were split and joined keeps the same laws as before.

use std::task::{Context, Poll, ready};

use socketry_testkit::{Places, datagram, datagram_laws, stream, stream_laws};
use socketry_transport::{
    Endpoint, Joined, Keys, Listener, MemTransport, Result, Socket, TcpTransport, Transport,
    UdpTransport, UnixDgramTransport, UnixTransport, async_trait,
};

const NOTHING_TO_ASK: &str = "two halves have no descriptor to ask";

/// A transport whose sockets were all split and joined again.
struct Rejoined<T>(T);

type Whole<S> = Joined<<S as Socket>::Recv, <S as Socket>::Send>;

fn rejoined<S: Socket>(socket: S) -> Whole<S> {
    let (recv, send) = socket.split();
    Joined::new(recv, send)
}

#[async_trait]
impl<T: Transport> Transport for Rejoined<T> {
    type Socket = Whole<T::Socket>;
    type Listener = Rejoined<T::Listener>;

    fn keys(&self) -> Keys {
        self.0.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        self.0.connect(to).await.map(rejoined)
    }
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        self.0.listen(at).await.map(Rejoined)
    }
}

impl<L: Listener> Listener for Rejoined<L> {
    type Socket = Whole<L::Socket>;

    fn local(&self) -> &Endpoint {
        self.0.local()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        Poll::Ready(ready!(self.0.poll_accept(cx)).map(rejoined))
    }
}

fn streams<T: Transport + Default>(scheme: &str) -> stream::Subject<Rejoined<T>> {
    let places = Places::new();
    stream::Subject::new(Rejoined(T::default()), places.free(scheme))
        .except("options_applied_are_read_back", NOTHING_TO_ASK)
        .keeping(places)
}

fn datagrams<T: Transport + Default>(scheme: &str) -> datagram::Subject<Rejoined<T>> {
    let places = Places::new();
    let at = places.free(scheme).to_string();
    datagram::Subject::new(Rejoined(T::default()), &at)
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
