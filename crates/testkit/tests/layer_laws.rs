//! What goes around transports and listeners keeps the laws that held inside.

use std::convert::Infallible;

use socketry_testkit::{Places, datagram, datagram_laws, stream, stream_laws};
use socketry_transport::{
    BoxSocket, BoxTransport, Deadlined, Deadlines, Endpoint, Keys, Layer, Listener, ListenerExt,
    Listeners, MemTransport, Registry, Result, TcpTransport, Transport, UdpTransport,
    UnixDgramTransport, UnixTransport, UpgradeLimits, Upgrading, async_trait, erase,
};

const NOTHING_TO_ASK: &str = "a socket under a layer has no descriptor to ask";

fn streams<T: Transport>(transport: T, scheme: &str) -> stream::Subject<T> {
    let places = Places::new();
    stream::Subject::new(transport, places.free(scheme))
        .except("options_applied_are_read_back", NOTHING_TO_ASK)
        .keeping(places)
}

/// Deadlines that nothing in a law reaches.
fn deadlines<T: Transport>(inner: T) -> Deadlined<T> {
    let hour = std::time::Duration::from_secs(3600);
    Deadlines::default()
        .connect_within(hour)
        .silence(hour)
        .send_within(hour)
        .layer(inner)
}

stream_laws!(
    deadlines_tcp,
    streams(deadlines(TcpTransport::default()), "tcp")
);
stream_laws!(
    deadlines_unix,
    streams(deadlines(UnixTransport::default()), "unix")
);
stream_laws!(
    deadlines_mem,
    streams(deadlines(MemTransport::default()), "mem")
);
stream_laws!(
    deadlines_twice,
    streams(deadlines(deadlines(MemTransport::default())), "mem")
);
stream_laws!(deadlines_erased, streams(registered("tcp"), "tcp"));

/// The same layer in a registry.
fn registered(scheme: &str) -> BoxTransport {
    let registry = Registry::standard().layer(scheme, deadlines);
    let registry = registry.expect("the scheme is registered");
    registry.get(scheme).expect("it was just registered")
}

fn datagrams<T: Transport>(transport: T, scheme: &str) -> datagram::Subject<T> {
    let places = Places::new();
    let at = places.free(scheme).to_string();
    datagram::Subject::new(transport, &at)
        .except("options_are_read_back", NOTHING_TO_ASK)
        .keeping(places)
}

datagram_laws!(
    deadlines_udp,
    datagrams(deadlines(UdpTransport::default()), "udp")
        .unconnected(|at| async move { UdpTransport::default().bind(&at).await })
);
datagram_laws!(
    deadlines_unix_dgram,
    datagrams(deadlines(UnixDgramTransport::default()), "unix-dgram")
        .unconnected(|at| async move { UnixDgramTransport::default().bind(&at).await })
        .short_sender("send_buffer", "8192")
);
datagram_laws!(
    deadlines_udp_erased,
    datagrams(registered("udp"), "udp")
        .unconnected(|at| async move { UdpTransport::default().bind(&at).await })
);

/// A transport whose listeners have each socket go through a handshake that changes nothing.
struct Upgraded<T>(T);

#[async_trait]
impl<T: Transport> Transport for Upgraded<T> {
    type Socket = T::Socket;
    type Listener = Upgrading<T::Listener, <T::Listener as Listener>::Socket>;

    fn keys(&self) -> Keys {
        self.0.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        self.0.connect(to).await
    }
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        let listener = self.0.listen(at).await?;
        let unchanged = |socket| async move {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(socket)
        };
        Ok(listener.upgrading(UpgradeLimits::default(), unchanged))
    }
}

stream_laws!(
    upgrading_tcp,
    streams(Upgraded(TcpTransport::default()), "tcp")
);
stream_laws!(
    upgrading_unix,
    streams(Upgraded(UnixTransport::default()), "unix")
);
stream_laws!(
    upgrading_mem,
    streams(Upgraded(MemTransport::default()), "mem")
);

/// A transport whose listeners are several, of which one is where it was asked for.
struct Several(BoxTransport);

#[async_trait]
impl Transport for Several {
    type Socket = BoxSocket;
    type Listener = Listeners;

    fn keys(&self) -> Keys {
        self.0.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        self.0.connect(to).await
    }
    async fn listen(&self, at: &Endpoint) -> Result<Listeners> {
        let mut listeners = Listeners::new();
        listeners.add(self.0.listen(at).await?);
        listeners.add(MemTransport::default().listen(&"mem://*".parse()?).await?);
        Ok(listeners)
    }
}

stream_laws!(
    listeners_tcp,
    streams(Several(erase(TcpTransport::default())), "tcp")
);
stream_laws!(
    listeners_unix,
    streams(Several(erase(UnixTransport::default())), "unix")
);
stream_laws!(
    listeners_mem,
    streams(Several(erase(MemTransport::default())), "mem")
);
