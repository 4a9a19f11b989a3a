//! `udp://host:port`.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::addr::Scheme;
use crate::bound::OsDatagram;
use crate::connect::{in_time, resolve};
use crate::options;
use crate::os::{self, Os, OsSocket};
use crate::session::{SessionLimits, SessionListener};
use crate::{
    DatagramSocket, Encoding, Endpoint, Error, ErrorKind, Result, SocketOptions, TextSocket,
    Transport, addr,
};

/// UDP. Listening gives one socket for each peer address; [`bind`](UdpTransport::bind) gives the socket itself.
#[derive(Clone, Debug, Default)]
pub struct UdpTransport {
    options: SocketOptions,
}

impl UdpTransport {
    /// With `options` for every socket; the query of an endpoint goes over them.
    pub fn new(options: SocketOptions) -> Self {
        UdpTransport { options }
    }

    /// A socket that is bound at `at` and connected to nobody.
    ///
    /// # Errors
    /// As [`Transport::listen`].
    pub async fn bind(&self, at: &Endpoint) -> Result<OsDatagram> {
        Scheme::Udp.check(at, "listen at")?;
        bind(at, &self.options.resolve(at, options::UDP)?).await
    }
}

async fn bind(at: &Endpoint, options: &SocketOptions) -> Result<OsDatagram> {
    let address = first(resolve("listen at", at).await?, at)?;
    let failed = |error| Error::io("listen at", at, error);
    let socket = socket_for(&address).map_err(failed)?;
    options.apply_before_bind(&socket, at)?;
    socket.bind(&SockAddr::from(address)).map_err(failed)?;
    options.apply_after_bind(&socket, at)?;
    Ok(OsDatagram::new(
        Os::new(socket, Scheme::Udp).map_err(failed)?,
        None,
    ))
}

/// A socket whose peer is fixed: a route to it is all that this needs.
fn connected(address: SocketAddr, options: &SocketOptions, to: &Endpoint) -> Result<OsSocket> {
    let failed = |error| Error::io("connect to", to, error);
    let socket = socket_for(&address).map_err(failed)?;
    options.apply_before_bind(&socket, to)?;
    socket.connect(&SockAddr::from(address)).map_err(failed)?;
    options.apply_after_bind(&socket, to)?;
    let peer = addr::endpoint(Scheme::Udp, &SockAddr::from(address));
    Ok(OsSocket::new(
        Os::new(socket, Scheme::Udp).map_err(failed)?,
        peer,
    ))
}

fn first(addresses: Vec<SocketAddr>, endpoint: &Endpoint) -> Result<SocketAddr> {
    let none = || Error::new(ErrorKind::NotFound, "use", endpoint);
    addresses.into_iter().next().ok_or_else(none)
}

fn socket_for(address: &SocketAddr) -> io::Result<Socket> {
    os::open(
        Domain::for_address(*address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )
}

#[async_trait]
impl Transport for UdpTransport {
    type Socket = OsSocket;
    type Listener = SessionListener<OsDatagram>;

    fn keys(&self) -> &[&'static str] {
        options::UDP
    }

    /// Fixes the peer: datagrams of others do not arrive. Nothing is sent, so nothing can be refused yet.
    async fn connect(&self, to: &Endpoint) -> Result<OsSocket> {
        Scheme::Udp.check(to, "connect to")?;
        let options = self.options.resolve(to, options::UDP)?;
        let addresses = in_time(to, &options, resolve("connect to", to)).await?;
        let mut failure = None;
        for address in addresses {
            match connected(address, &options, to) {
                Ok(socket) => return Ok(socket),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorKind::NotFound, "connect to", to)))
    }

    async fn listen(&self, at: &Endpoint) -> Result<SessionListener<OsDatagram>> {
        Scheme::Udp.check(at, "listen at")?;
        let options = self.options.resolve(at, options::UDP)?;
        let limits = SessionLimits::from(&options);
        Ok(SessionListener::new(bind(at, &options).await?, limits))
    }
}

impl TextSocket<OsDatagram> {
    /// The tutorial's `MySocket`: a UDP socket at a free port that speaks `encoding`, a label such as `"gbk"` or an
    /// [`Encoding`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use socketry_transport::{PeerAddr, TextSocket};
    ///
    /// let server = TextSocket::udp_at("udp://127.0.0.1:0", "gbk").await?;
    /// let client = TextSocket::udp("gbk").await?;
    /// let to = PeerAddr::try_from(server.local())?;
    ///
    /// client.send_to("你好", &to).await?;
    /// let (text, _from) = server.recv_from(1024).await?;
    /// assert_eq!(text, "你好");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidOption`](ErrorKind::InvalidOption) for a label that names no encoding; else as
    /// [`UdpTransport::bind`].
    pub async fn udp<L>(encoding: L) -> Result<Self>
    where
        L: TryInto<Encoding>,
        L::Error: fmt::Display,
    {
        TextSocket::udp_at("udp://0.0.0.0:0", encoding).await
    }

    /// The same, bound at `at`.
    ///
    /// # Errors
    /// As [`udp`](TextSocket::udp).
    pub async fn udp_at<E, L>(at: E, encoding: L) -> Result<Self>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
        L: TryInto<Encoding>,
        L::Error: fmt::Display,
    {
        let at = at.try_into()?;
        let encoding = encoding.try_into().map_err(|error| {
            Error::new(ErrorKind::InvalidOption, "listen at", &at).because(error)
        })?;
        Ok(TextSocket::new(
            UdpTransport::default().bind(&at).await?,
            encoding,
        ))
    }
}

impl<S: DatagramSocket> TextSocket<S> {
    /// Where it is bound, with the real port.
    pub fn local(&self) -> &Endpoint {
        self.get_ref().local()
    }
}
