//! Handshakes: both ends of them.

use std::future::poll_fn;
use std::io::{self, IoSlice, Read, Write};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use rustls::pki_types::ServerName;
use rustls::server::{Acceptor, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig};
use socketry_transport::{ErrorKind, Half, Joined, Received, SendHalf, Socket};

use super::apart::Apart;
use super::incoming::{FULL, poll_read};
use super::records::Records;
use super::recv::{Reading, TlsRecv};
use super::send::{Out, TlsSend};
use super::{TlsSocket, lock};
use crate::error::{Role, TlsError, may_be_plain};
use crate::identity::Identity;
use crate::info::{Ended, TlsInfo};

/// How much of what is not TLS an error shows.
const SHOWN: usize = 24;

/// What the accepting end needs.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) identity: Identity,
    pub(crate) strict: bool,
}

/// The client's end of a handshake.
pub(crate) async fn connect<S: Socket>(
    socket: S,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    strict: bool,
) -> Result<TlsSocket<S>, TlsError> {
    let alpn = offered(config.alpn_protocols.iter().map(Vec::as_slice));
    let certified = config.client_auth_cert_resolver.has_certs();
    let role = Role::Client { certified };
    let conn = ClientConnection::new(config, name);
    let conn = conn.map_err(|error| TlsError::of(error, role))?;
    let mut wire = Wire::new(socket, role);
    let conn = wire
        .drive(conn.into())
        .await
        .map_err(|error| match error.rustls() {
            Some(rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol)) => {
                error.hint(format!("we offer {alpn}: add alpn=NAME of one that it has"))
            }
            _ => error,
        })?;
    Ok(wire.finish(conn, None, strict))
}

/// The server's end of a handshake.
pub(crate) async fn accept<S: Socket>(
    socket: S,
    server: Arc<Server>,
) -> Result<TlsSocket<S>, TlsError> {
    let mut wire = Wire::new(socket, Role::Server);
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        wire.fill(|from| acceptor.read_tls(from)).await?;
        match acceptor.accept() {
            Ok(Some(accepted)) => break accepted,
            Ok(None) => {}
            Err((error, mut alert)) => {
                let _ = alert.write_all(&mut wire.now());
                return Err(wire.explain(error));
            }
        }
    };
    let theirs = accepted.client_hello().alpn().map(offered);
    let ours = server.identity.resolve(accepted.client_hello());
    match accepted.into_connection(Arc::clone(&server.config)) {
        Ok(conn) => {
            let conn = wire.drive(conn.into()).await?;
            Ok(wire.finish(conn, ours, server.strict))
        }
        Err((error, mut alert)) => {
            let _ = alert.write_all(&mut wire.now());
            let no_protocol = error == rustls::Error::NoApplicationProtocol;
            let error = wire.explain(error);
            match theirs.filter(|_| no_protocol) {
                Some(theirs) => Err(mismatch(&server.config, &theirs)),
                None => Err(error),
            }
        }
    }
}

fn mismatch(config: &ServerConfig, theirs: &str) -> TlsError {
    let ours = offered(config.alpn_protocols.iter().map(Vec::as_slice));
    let reason = format!("no protocol in common (ALPN): the client offers {theirs}, and we {ours}");
    TlsError::new(ErrorKind::Protocol, reason).hint("alpn=A,B sets what we offer")
}

/// Names of protocols, which may be the peer's.
fn offered<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> String {
    let names = names
        .into_iter()
        .map(|name| name.escape_ascii().to_string());
    names.take(16).collect::<Vec<_>>().join(", ")
}

/// The socket inside, and what has come from it.
struct Wire<S: Socket> {
    recv: S::Recv,
    send: S::Send,
    role: Role,
    received: Records,
    sent: Records,
    /// The first bytes of the peer.
    first: Vec<u8>,
}

impl<S: Socket> Wire<S> {
    fn new(socket: S, role: Role) -> Self {
        let (recv, send) = socket.split();
        Wire {
            recv,
            send,
            role,
            received: Records::default(),
            sent: Records::default(),
            first: Vec::new(),
        }
    }

    /// Goes on until both ends have proved what they have to.
    async fn drive(&mut self, mut conn: Connection) -> Result<Connection, TlsError> {
        loop {
            if let Err(error) = self.flush(&mut conn).await {
                return Err(self.or_alert(&mut conn, &error).await);
            }
            if !conn.is_handshaking() {
                return Ok(conn);
            }
            self.fill(|from| conn.read_tls(from)).await?;
            if let Err(error) = conn.process_new_packets() {
                self.last_words(&mut conn);
                return Err(self.explain(error));
            }
        }
    }

    /// Receives something, which `read_tls` takes.
    async fn fill(
        &mut self,
        mut read_tls: impl FnMut(&mut dyn Read) -> io::Result<usize>,
    ) -> Result<(), TlsError> {
        let received = poll_fn(|cx| {
            let (records, first) = (&mut self.received, &mut self.first);
            let note = |bytes: &[u8]| {
                records.pass(bytes);
                first.extend(bytes.iter().take(SHOWN - first.len()));
            };
            poll_read(cx, &mut self.recv, note, &mut read_tls).unwrap_or_else(|| {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, FULL)))
            })
        });
        let received = received.await.map_err(|error| TlsError::io(&error))?;
        if received == Received::End {
            return Err(TlsError::ended(self.role, !self.first.is_empty()));
        }
        Ok(())
    }

    /// Sends all that the connection has to say.
    async fn flush(&mut self, conn: &mut Connection) -> io::Result<()> {
        poll_fn(|cx| {
            while conn.wants_write() {
                let mut out = Out {
                    socket: &mut self.send,
                    cx,
                    records: &mut self.sent,
                };
                match conn.write_tls(&mut out) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        return Poll::Pending;
                    }
                    Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    written => drop(written?),
                }
            }
            self.send.poll_flush(cx)
        })
        .await
    }

    /// After a failed write: the alert that came before, or else the error of the write.
    async fn or_alert(&mut self, conn: &mut Connection, error: &io::Error) -> TlsError {
        while self.fill(|from| conn.read_tls(from)).await.is_ok() {
            if let Err(alert) = conn.process_new_packets() {
                return self.explain(alert);
            }
        }
        TlsError::io(error)
    }

    fn explain(&self, error: rustls::Error) -> TlsError {
        // The type of a record is between 20 and 24.
        let plain = self
            .first
            .first()
            .is_some_and(|first| !(20..=24).contains(first));
        match may_be_plain(&error) && plain {
            true => TlsError::plain(&self.first, self.role, error),
            false => TlsError::of(error, self.role),
        }
    }

    /// Sends an alert as far as that needs no wait.
    fn last_words(&mut self, conn: &mut Connection) {
        while conn.wants_write() && matches!(conn.write_tls(&mut self.now()), Ok(1..)) {}
    }

    /// A writer that does not wait.
    fn now(&mut self) -> Now<'_, S::Send> {
        Now(&mut self.send)
    }

    fn finish(
        self,
        conn: Connection,
        ours: Option<Arc<CertifiedKey>>,
        strict: bool,
    ) -> TlsSocket<S> {
        let connection = Arc::new(Mutex::new(conn));
        let ended = Arc::new(Ended::default());
        let info = self.recv.info().clone();
        let info = info.with(TlsInfo::of(&connection, ours, &ended));
        lock(&connection).set_buffer_limit(Some(64 * 1024));
        let reading = Arc::new(Mutex::new(Reading {
            socket: self.recv,
            records: self.received,
            apart: Apart::default(),
            role: self.role,
            strict,
            ended,
            last: None,
            waker: None,
        }));
        let send = TlsSend {
            socket: self.send,
            connection: Arc::clone(&connection),
            reading: Arc::clone(&reading),
            records: self.sent,
            info: info.clone(),
            role: self.role,
            closing: false,
        };
        let recv = TlsRecv {
            connection,
            reading,
            info,
        };
        Joined::new(recv, send)
    }
}

struct Now<'a, W>(&'a mut W);

impl<W: SendHalf> Write for Now<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let cx = &mut Context::from_waker(Waker::noop());
        match self.0.poll_send(cx, &[IoSlice::new(bytes)]) {
            Poll::Ready(sent) => sent,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
