//! `unix:///path`, `unix-seqpacket:///path` and `unix-dgram:///path`, or `unix://@name` in Linux'
//! abstract space.

pub(crate) mod address;
pub(crate) mod credentials;
#[cfg(target_os = "linux")]
pub(crate) mod descriptors;
pub(crate) mod file;

use std::io;
use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use socket2::{Domain, SockAddr, Socket};

use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use crate::kernel::accept::OsListener;
use crate::kernel::addr::{self, Scheme};
use crate::kernel::bound::OsDatagram;
use crate::kernel::connect::{begin, in_time, settled};
use crate::kernel::hint;
use crate::kernel::os::{self, Os, OsSocket, Place};
use crate::options;
use crate::options::SocketOptions;
use crate::session::{SessionLimits, SessionListener};

/// How often a connect that found the backlog full is tried again.
const BACKLOG_RETRY: Duration = Duration::from_millis(2);

/// Unix stream sockets.
///
/// Descriptors that a peer passes are refused where the kernel can do so (Linux 6.16; the peer gets
/// EPERM), and closed elsewhere. With the option `descriptors` the program can take them: see
/// [`SocketOptions::descriptors`].
///
/// A listener's file is made with the mode of the options, and removed when the listener is
/// dropped. A stale file (a socket without a listener) is replaced. Any other file is left alone,
/// and the error says so.
#[derive(Clone, Debug, Default)]
pub struct UnixTransport {
    options: SocketOptions,
}

/// Unix sockets of packets (`SOCK_SEQPACKET`): each send is one [message](crate::Shape::Message),
/// all arrive in order, and then the end.
///
/// A message has at most as many bytes as the send buffer less 32: 212,960 by default on Linux, and
/// more with the option `send_buffer`. An empty packet is a message. If the peer closes with bytes
/// that it has not read, the packets before that still arrive, and then a reset and no end. Files,
/// and descriptors that a peer passes along, are treated as by [`UnixTransport`].
///
/// Linux only: other systems refuse to make such a socket. A client that sends gets an abstract
/// name from the kernel, which its peer does not see.
#[derive(Clone, Debug, Default)]
pub struct UnixSeqpacketTransport {
    options: SocketOptions,
}

/// Unix datagram sockets: datagrams arrive in order, and none is lost on the way.
///
/// Listening gives one socket for each peer address; [`bind`](UnixDgramTransport::bind) gives the
/// socket itself. A connecting socket binds itself to an abstract name that the kernel chooses, so
/// that it can be answered. Files, and descriptors that a peer passes along, are treated as by
/// [`UnixTransport`].
#[derive(Clone, Debug, Default)]
pub struct UnixDgramTransport {
    options: SocketOptions,
}

impl UnixTransport {
    /// A transport with `options` for every socket. The query of an endpoint overrides them.
    pub fn new(options: SocketOptions) -> Self {
        UnixTransport { options }
    }
}

impl UnixSeqpacketTransport {
    /// A transport with `options` for every socket. The query of an endpoint overrides them.
    pub fn new(options: SocketOptions) -> Self {
        UnixSeqpacketTransport { options }
    }
}

impl UnixDgramTransport {
    /// A transport with `options` for every socket. The query of an endpoint overrides them.
    pub fn new(options: SocketOptions) -> Self {
        UnixDgramTransport { options }
    }

    /// A socket that is bound at `at` and not connected.
    ///
    /// # Errors
    /// As [`Transport::listen`].
    pub async fn bind(&self, at: &Endpoint) -> Result<OsDatagram> {
        Scheme::UnixDgram.check(at, "listen at")?;
        bind_dgram(at, &self.options.resolve(at, options::UNIX_DGRAM)?).await
    }
}

fn socket_for(scheme: Scheme, options: &SocketOptions, endpoint: &Endpoint) -> Result<Socket> {
    let made = os::open(Domain::UNIX, scheme.socket_type(), None);
    let socket = made.map_err(|error| hint::failed("open a socket for", endpoint, error))?;
    #[cfg(target_os = "linux")]
    if options.descriptors.unwrap_or(0) == 0 {
        os::refuse_descriptors(&socket);
    }
    #[cfg(not(target_os = "linux"))]
    if options.descriptors.is_some() {
        return Err(Error::new(ErrorKind::Unsupported, "use", endpoint)
            .because("descriptors are passed on Linux only"));
    }
    options.apply_before_bind(&socket, endpoint)?;
    Ok(socket)
}

async fn bind_dgram(at: &Endpoint, options: &SocketOptions) -> Result<OsDatagram> {
    let socket = socket_for(Scheme::UnixDgram, options, at)?;
    let file = file::bind(&socket, at, options).await?;
    let (os, local) = Os::located(socket, Scheme::UnixDgram)
        .map_err(|error| hint::failed("listen at", at, error))?;
    let os = os.passing_at_most(options.descriptors);
    Ok(OsDatagram::new(os, &local, file))
}

/// Connects. While the backlog is full it tries again, since no event tells when there is room.
async fn connected(socket: Socket, scheme: Scheme, to: &SockAddr) -> io::Result<Os> {
    loop {
        match begin(&socket, to) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(BACKLOG_RETRY).await;
            }
            done => return settled(socket, scheme, done?).await,
        }
    }
}

#[async_trait]
impl Transport for UnixTransport {
    type Socket = OsSocket;
    type Listener = OsListener;

    fn keys(&self) -> Keys {
        options::UNIX
    }

    async fn connect(&self, to: &Endpoint) -> Result<OsSocket> {
        connect(Scheme::Unix, &self.options, to).await
    }

    async fn listen(&self, at: &Endpoint) -> Result<OsListener> {
        listen(Scheme::Unix, &self.options, at).await
    }
}

#[async_trait]
impl Transport for UnixSeqpacketTransport {
    type Socket = OsSocket;
    type Listener = OsListener;

    fn keys(&self) -> Keys {
        options::UNIX
    }

    async fn connect(&self, to: &Endpoint) -> Result<OsSocket> {
        connect(Scheme::UnixSeqpacket, &self.options, to).await
    }

    async fn listen(&self, at: &Endpoint) -> Result<OsListener> {
        listen(Scheme::UnixSeqpacket, &self.options, at).await
    }
}

/// Connects a socket of streams or packets.
async fn connect(scheme: Scheme, options: &SocketOptions, to: &Endpoint) -> Result<OsSocket> {
    scheme.check(to, "connect to")?;
    let options = options.resolve(to, options::UNIX)?;
    let address = addr::unix_sockaddr(to, "connect to")?;
    let connecting = pin!(async {
        let socket = socket_for(scheme, &options, to)?;
        let os = connected(socket, scheme, &address)
            .await
            .map_err(|error| hint::failed("connect to", to, error))?;
        // It was not bound, and the kernel gives no name to such a socket.
        let os = os.passing_at_most(options.descriptors);
        let peer = Place::Known(to.clone().without_query());
        Ok(OsSocket::connected(os, Place::Unnamed, peer))
    });
    in_time(to, &options, connecting).await
}

/// Listens with a socket of streams or packets.
async fn listen(scheme: Scheme, options: &SocketOptions, at: &Endpoint) -> Result<OsListener> {
    scheme.check(at, "listen at")?;
    let options = options.resolve(at, options::UNIX)?;
    let failed = |error| hint::failed("listen at", at, error);
    let socket = socket_for(scheme, &options, at)?;
    let file = file::bind(&socket, at, &options).await?;
    let backlog = options.backlog.unwrap_or(SocketOptions::DEFAULT_BACKLOG);
    socket
        .listen(i32::try_from(backlog).unwrap_or(i32::MAX))
        .map_err(failed)?;
    let (os, local) = Os::located(socket, scheme).map_err(failed)?;
    Ok(OsListener::new(os, &local, file).passing_at_most(options.descriptors))
}

#[async_trait]
impl Transport for UnixDgramTransport {
    type Socket = OsSocket;
    type Listener = SessionListener<OsDatagram>;

    fn keys(&self) -> Keys {
        options::UNIX_DGRAM
    }

    async fn connect(&self, to: &Endpoint) -> Result<OsSocket> {
        Scheme::UnixDgram.check(to, "connect to")?;
        let options = self.options.resolve(to, options::UNIX_DGRAM)?;
        let address = addr::unix_sockaddr(to, "connect to")?;
        let socket = socket_for(Scheme::UnixDgram, &options, to)?;
        let failed = |error| hint::failed("connect to", to, error);
        autobind(&socket).map_err(failed)?;
        socket.connect(&address).map_err(failed)?;
        let (os, local) = Os::located(socket, Scheme::UnixDgram).map_err(failed)?;
        let os = os.passing_at_most(options.descriptors);
        let peer = Place::Known(to.clone().without_query());
        Ok(OsSocket::connected(
            os,
            Place::of(Scheme::UnixDgram, &local),
            peer,
        ))
    }

    async fn listen(&self, at: &Endpoint) -> Result<SessionListener<OsDatagram>> {
        Scheme::UnixDgram.check(at, "listen at")?;
        let options = self.options.resolve(at, options::UNIX_DGRAM)?;
        if options.descriptors.is_some() {
            return Err(Error::new(ErrorKind::InvalidOption, "listen at", at)
                .because("sessions pass no descriptors")
                .hint("use UnixDgramTransport::bind, or unix:// in place of unix-dgram://"));
        }
        let limits = SessionLimits::from(&options);
        Ok(SessionListener::new(
            bind_dgram(at, &options).await?,
            limits,
        ))
    }
}

/// Binds to a free abstract name that the kernel chooses.
fn autobind(socket: &Socket) -> io::Result<()> {
    socket.bind(&address::any())
}
