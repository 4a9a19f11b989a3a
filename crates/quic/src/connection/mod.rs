//! A connection, as a handle.

mod datagrams;

use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use quinn::crypto::rustls::HandshakeData;
use quinn::{ConnectionError, RecvStream, SendStream};
use socketry_tls::rustls::pki_types::CertificateDer;
use socketry_tls::{Identity, TlsInfo, Within};
use socketry_transport::{BoxFuture, BoxSocket, Closed, Connection, Endpoint, Info, Result, Shape};
use tokio::runtime::Handle;
use tokio::task::coop::poll_proceed;

use crate::config::{QuicLimits, varint};
use crate::error;
use crate::stream::{self, QuicStream};

/// A connection over QUIC. Made by [`Quic`](crate::Quic).
///
/// A stream that is opened is announced to the peer at once, which can then accept it and speak
/// first.
///
/// Codes of [`close`](Connection::close) and of aborts go up to 2⁶² − 1; above, they are that. The
/// reason of a close is cut to what fits into one packet, which is less than
/// [`Closed::REASON`](socketry_transport::Closed::REASON) by some 100 bytes at least on a path
/// with small packets.
///
/// [`Info`](socketry_transport::Info) has the addresses of the handshake, and a
/// [`TlsInfo`](socketry_tls::TlsInfo). A client may change its address later:
/// [`remote`](QuicConnection::remote) is where it is now.
pub struct QuicConnection {
    pub(crate) inner: Arc<Inner>,
    opening: Option<Opening>,
    accepting: Option<Opening>,
}

type Opening = BoxFuture<'static, std::result::Result<(SendStream, RecvStream), ConnectionError>>;

/// What handles, streams and datagram sockets hold. The last one closes the connection in order.
pub(crate) struct Inner {
    pub(crate) quinn: quinn::Connection,
    pub(crate) info: Info,
    pub(crate) limits: QuicLimits,
    pub(crate) runtime: Handle,
    /// The client's socket: of this connection alone.
    port: Option<quinn::Endpoint>,
    /// The close of this end, if it closed.
    closed: OnceLock<Closed>,
}

/// Which end this is, and what it has.
enum End {
    Client(quinn::Endpoint),
    Server(Identity),
}

impl Inner {
    pub(crate) fn gone(&self, error: &ConnectionError) -> io::Error {
        error::gone(error, self.closed.get())
    }

    fn close(&self, code: u64, reason: &str) {
        let code = varint(code);
        let closed = Closed::by_us(code.into_inner(), reason);
        if self.closed.set(closed).is_ok() {
            let reason = self.closed.get().map_or("", |closed| &closed.reason);
            self.quinn.close(code, reason.as_bytes());
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close(0, "");
    }
}

impl QuicConnection {
    /// The client's end.
    pub(crate) fn connected(
        quinn: quinn::Connection,
        scheme: &str,
        local: SocketAddr,
        port: quinn::Endpoint,
        limits: QuicLimits,
    ) -> Result<Self> {
        Self::new(quinn, scheme, local, End::Client(port), limits)
    }

    /// The server's end, of an endpoint at `local`.
    pub(crate) fn accepted(
        quinn: quinn::Connection,
        scheme: &str,
        local: SocketAddr,
        identity: Identity,
        limits: QuicLimits,
    ) -> Result<Self> {
        let ip = quinn.local_ip().filter(|_| local.ip().is_unspecified());
        let local = SocketAddr::new(ip.unwrap_or(local.ip()), local.port());
        Self::new(quinn, scheme, local, End::Server(identity), limits)
    }

    fn new(
        quinn: quinn::Connection,
        scheme: &str,
        local: SocketAddr,
        end: End,
        limits: QuicLimits,
    ) -> Result<Self> {
        let (port, identity) = match end {
            End::Client(port) => (Some(port), None),
            End::Server(identity) => (None, Some(identity)),
        };
        let peer = canonical(quinn.remote_address());
        let local = Endpoint::new(scheme, canonical(local))?;
        let info = Info::new(Shape::Stream, local, Endpoint::new(scheme, peer)?);
        let inner = Inner {
            info: info.with(tls_info(&quinn, identity)),
            quinn,
            limits,
            runtime: Handle::current(),
            port,
            closed: OnceLock::new(),
        };
        Ok(Self::of(Arc::new(inner)))
    }

    fn of(inner: Arc<Inner>) -> Self {
        QuicConnection {
            inner,
            opening: None,
            accepting: None,
        }
    }

    /// Where the peer is now: a client may have moved since the handshake.
    pub fn remote(&self) -> SocketAddr {
        canonical(self.inner.quinn.remote_address())
    }

    /// Moves a client's end to another socket, when its network has changed, say: the connection
    /// and its streams go on (RFC 9000 §9). [`Info`](socketry_transport::Info) keeps the old
    /// address.
    ///
    /// # Errors
    /// `Unsupported` at a server's end, or as the system reports them. Then all is as it was.
    pub fn rebind(&self, socket: UdpSocket) -> io::Result<()> {
        let words = "only a client changes its address";
        let port = self.inner.port.as_ref();
        let port = port.ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, words))?;
        socket.set_nonblocking(true)?;
        port.rebind(socket)
    }

    /// The connection of the library below: for its figures, and for what no other transport has.
    pub fn quinn(&self) -> &quinn::Connection {
        &self.inner.quinn
    }
}

/// A socket for both families sees IPv4 addresses as `::ffff:a.b.c.d`.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn tls_info(quinn: &quinn::Connection, identity: Option<Identity>) -> TlsInfo {
    let data = quinn.handshake_data();
    let data = data.and_then(|data| data.downcast::<HandshakeData>().ok());
    let (alpn, server_name) = data.map_or((None, None), |data| (data.protocol, data.server_name));
    let chain = quinn.peer_identity();
    let chain = chain.and_then(|chain| chain.downcast::<Vec<CertificateDer<'static>>>().ok());
    let exporting = quinn.clone();
    TlsInfo::within(Within {
        peer_certificates: chain.map(|chain| *chain).unwrap_or_default(),
        identity,
        alpn,
        server_name,
        exporter: Arc::new(move |label| {
            let mut exported = [0; 32];
            let done = exporting.export_keying_material(&mut exported, label, &[]);
            let failed = |_| io::Error::other("this label cannot be exported");
            done.map(|()| exported).map_err(failed)
        }),
    })
}

/// Polls the future in `slot`, which `make` makes if there is none.
fn poll_slot(
    slot: &mut Option<Opening>,
    cx: &mut Context<'_>,
    make: impl FnOnce() -> Opening,
) -> Poll<std::result::Result<(SendStream, RecvStream), ConnectionError>> {
    let done = ready!(slot.get_or_insert_with(make).as_mut().poll(cx));
    *slot = None;
    Poll::Ready(done)
}

impl Clone for QuicConnection {
    fn clone(&self) -> Self {
        Self::of(Arc::clone(&self.inner))
    }
}

impl Connection for QuicConnection {
    type Stream = QuicStream;

    fn info(&self) -> &Info {
        &self.inner.info
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<QuicStream>> {
        // A peer may be as fast as this task, which would then keep its thread for itself.
        let turn = ready!(poll_proceed(cx));
        let quinn = &self.inner.quinn;
        let opened = ready!(poll_slot(&mut self.opening, cx, || {
            let quinn = quinn.clone();
            Box::pin(async move { quinn.open_bi().await })
        }));
        turn.made_progress();
        Poll::Ready(match opened {
            Ok((send, recv)) => Ok(stream::opened(&self.inner, send, recv)),
            Err(error) => Err(self.inner.gone(&error)),
        })
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<QuicStream>>> {
        let turn = ready!(poll_proceed(cx));
        let quinn = &self.inner.quinn;
        let accepted = ready!(poll_slot(&mut self.accepting, cx, || {
            let quinn = quinn.clone();
            Box::pin(async move { quinn.accept_bi().await })
        }));
        turn.made_progress();
        Poll::Ready(match accepted {
            Ok((send, recv)) => Ok(Some(stream::accepted(&self.inner, send, recv))),
            Err(ConnectionError::LocallyClosed) => Ok(None),
            Err(ConnectionError::ApplicationClosed(close))
                if close.error_code.into_inner() == 0 =>
            {
                Ok(None)
            }
            Err(error) => Err(self.inner.gone(&error)),
        })
    }

    fn close(&self, code: u64, reason: &str) {
        self.inner.close(code, reason);
    }

    fn datagrams(&self) -> Option<BoxSocket> {
        datagrams::socket(&self.inner)
    }
}

impl fmt::Debug for QuicConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, peer) = (self.local().redacted(), self.peer().redacted());
        write!(f, "QuicConnection({local} to {peer})")
    }
}
