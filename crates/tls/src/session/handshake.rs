//! Handshakes: both ends of them.

use std::future::poll_fn;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use rustls::pki_types::ServerName;
use rustls::server::{Accepted, AcceptedAlert, Acceptor, ClientHello, ResolvesServerCert};
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig};
use socketry_transport::{ErrorKind, Joined, Received, SendHalf, Socket};

use super::apart::Apart;
use super::incoming::{FULL, poll_read};
use super::records::Records;
use super::recv::{Reading, TlsRecv};
use super::send::TlsSend;
use super::shared::Shared;
use super::writing::{LastWords, Writing};
use super::{TlsSocket, lock};
use crate::error::{Role, TlsError, may_be_plain};
use crate::identity::Identity;

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
    let certified = config.client_auth_cert_resolver.has_certs();
    let role = Role::Client { certified };
    let conn = ClientConnection::new(Arc::clone(&config), name);
    let conn = conn.map_err(|error| TlsError::of(error, role))?;
    let shared = Shared::new(conn.into(), None);
    let mut wire = Wire::new(socket, role);
    match wire.drive(&shared.connection).await {
        Ok(()) => Ok(wire.finish(shared, strict)),
        Err(error) => Err(match error.rustls() {
            Some(rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol)) => {
                let ours = offered(config.alpn_protocols.iter().map(Vec::as_slice));
                error.hint(format!("we offer {ours}: add alpn=NAME of one that it has"))
            }
            _ => error,
        }),
    }
}

/// The server's end of a handshake.
pub(crate) async fn accept<S: Socket>(
    socket: S,
    server: Arc<Server>,
) -> Result<TlsSocket<S>, TlsError> {
    let mut wire = Wire::new(socket, Role::Server);
    let shared = wire.hello(&server).await?;
    wire.drive(&shared.connection).await?;
    Ok(wire.finish(shared, server.strict))
}

/// What is wrong if the client offers protocols, and none of ours.
fn mismatch(config: &ServerConfig, hello: &ClientHello<'_>) -> Option<TlsError> {
    let ours = || config.alpn_protocols.iter().map(Vec::as_slice);
    if hello.alpn()?.any(|one| ours().any(|known| known == one)) {
        return None;
    }
    let (theirs, ours) = (offered(hello.alpn()?), offered(ours()));
    let reason = format!("no protocol in common (ALPN): the client offers {theirs}, and we {ours}");
    Some(TlsError::new(ErrorKind::Protocol, reason).hint("alpn=A,B sets what we offer"))
}

/// Names of protocols, which may be the peer's.
pub(crate) fn offered<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> String {
    let names = names
        .into_iter()
        .map(|name| name.escape_ascii().to_string());
    names.take(16).collect::<Vec<_>>().join(", ")
}

/// The socket inside, and what has come from it.
struct Wire<S: Socket> {
    recv: S::Recv,
    writing: Writing<S::Send>,
    role: Role,
    received: Records,
    /// The first bytes of the peer.
    first: Vec<u8>,
}

impl<S: Socket> Wire<S> {
    fn new(socket: S, role: Role) -> Self {
        let (recv, send) = socket.split();
        Wire {
            recv,
            writing: Writing::new(send),
            role,
            received: Records::default(),
            first: Vec::new(),
        }
    }

    /// Receives the client's hello, which has to be seen before there is a connection: an error
    /// names the protocols that it offers.
    async fn hello(&mut self, server: &Server) -> Result<Arc<Shared>, TlsError> {
        let mut acceptor = Acceptor::default();
        loop {
            self.fill(|from| acceptor.read_tls(from)).await?;
            match acceptor.accept() {
                Ok(Some(accepted)) => return self.answer(accepted, server),
                Ok(None) => {}
                Err((error, alert)) => {
                    self.refuse(alert);
                    return Err(self.explain(error));
                }
            }
        }
    }

    /// The connection that answers a hello.
    fn answer(&mut self, accepted: Accepted, server: &Server) -> Result<Arc<Shared>, TlsError> {
        let mismatch = mismatch(&server.config, &accepted.client_hello());
        let ours = server.identity.resolve(accepted.client_hello());
        match accepted.into_connection(Arc::clone(&server.config)) {
            Ok(conn) => Ok(Shared::new(conn.into(), ours)),
            Err((error, alert)) => {
                self.refuse(alert);
                let no_protocol = error == rustls::Error::NoApplicationProtocol;
                let error = self.explain(error);
                Err(mismatch.filter(|_| no_protocol).unwrap_or(error))
            }
        }
    }

    /// Goes on until both ends have proved what they have to.
    async fn drive(&mut self, connection: &Mutex<Connection>) -> Result<(), TlsError> {
        loop {
            if let Err(error) = self.flush(connection).await {
                return Err(self.or_alert(connection, &error).await);
            }
            if !lock(connection).is_handshaking() {
                return Ok(());
            }
            self.fill(|from| lock(connection).read_tls(from)).await?;
            let mut conn = lock(connection);
            if let Err(error) = conn.process_new_packets() {
                self.writing.last_words(&mut conn);
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
    async fn flush(&mut self, connection: &Mutex<Connection>) -> io::Result<()> {
        poll_fn(|cx| {
            ready!(self.writing.poll_out(cx, &mut lock(connection)))?;
            self.writing.socket.poll_flush(cx)
        })
        .await
    }

    /// After a failed write: the alert that came before, or else the error of the write.
    async fn or_alert(&mut self, connection: &Mutex<Connection>, error: &io::Error) -> TlsError {
        while self
            .fill(|from| lock(connection).read_tls(from))
            .await
            .is_ok()
        {
            if let Err(alert) = lock(connection).process_new_packets() {
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
    fn refuse(&mut self, mut alert: AcceptedAlert) {
        let cx = &mut Context::from_waker(Waker::noop());
        let _ = alert.write_all(&mut self.writing.out(cx));
    }

    fn finish(self, shared: Arc<Shared>, strict: bool) -> TlsSocket<S> {
        lock(&shared.connection).set_buffer_limit(Some(64 * 1024));
        let writing = Arc::new(Mutex::new(self.writing));
        let alerts: Arc<Mutex<dyn LastWords>> = writing.clone();
        let reading = Arc::new(Mutex::new(Reading {
            socket: self.recv,
            records: self.received,
            apart: Apart::default(),
            role: self.role,
            strict,
            ended: Arc::clone(&shared.ended),
            writing: Arc::downgrade(&alerts),
            last: None,
            waker: None,
        }));
        let send = TlsSend {
            shared: Arc::clone(&shared),
            reading: Arc::clone(&reading),
            writing,
            role: self.role,
            closing: false,
        };
        Joined::new(TlsRecv { shared, reading }, send)
    }
}
