//! What is known of a TLS connection.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, Connection, HandshakeKind, ProtocolVersion};

use crate::pin::Pin;
use crate::provider::sha256;
use crate::session::{Shared, lock};
use crate::within::Within;

/// What is known of a TLS connection: an extension of [`Info`](socketry_transport::Info).
///
/// ```
/// # use socketry_tls::{Identity, Tls, Trust};
/// # use socketry_transport::{Listener, Registry};
/// use socketry_tls::TlsInfo;
/// use socketry_transport::Half;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let identity = Identity::made(["localhost"])?;
/// # let tls = Tls::new().identity(identity.clone()).trust(Trust::pin(identity.pin()?));
/// # let registry = tls.register(Registry::standard())?;
/// # let mut listener = registry.listen("tls://127.0.0.1:0").await?;
/// # let (to, registry) = (listener.local().clone(), registry.clone());
/// # let client = tokio::spawn(async move { registry.connect(to).await });
/// # let _server = listener.accept().await?;
/// # let socket = client.await??;
/// let tls: &TlsInfo = socket.info().get().ok_or("not over TLS")?;
/// assert_eq!(tls.peer_pin(), Some(identity.pin()?));
/// assert_eq!(tls.alpn(), Some(socketry_tls::ALPN));
/// # Ok(()) }
/// ```
pub struct TlsInfo {
    chain: Vec<CertificateDer<'static>>,
    /// On the server: the certificate that it has shown.
    ours: Option<Arc<CertifiedKey>>,
    alpn: Option<Vec<u8>>,
    version: Option<ProtocolVersion>,
    suite: Option<CipherSuite>,
    server_name: Option<String>,
    resumed: bool,
    ended: Arc<Ended>,
    export: Export,
}

/// Exports 32 bytes for a label, with an empty context.
pub type Exporter = dyn Fn(&[u8]) -> io::Result<[u8; 32]> + Send + Sync;

/// Where exported bytes come from.
enum Export {
    Session(Weak<Shared>),
    Around(Arc<Exporter>),
}

/// How the peer's stream ended, if it did.
#[derive(Debug, Default)]
pub(crate) struct Ended(AtomicU8);

const CLOSE_NOTIFY: u8 = 1;
const SILENT: u8 = 2;

impl Ended {
    pub(crate) fn set(&self, in_order: bool) {
        let how = if in_order { CLOSE_NOTIFY } else { SILENT };
        self.0.store(how, Ordering::Relaxed);
    }
}

impl TlsInfo {
    pub(crate) fn of(shared: &Arc<Shared>) -> Self {
        let conn = lock(&shared.connection);
        let chain = conn.peer_certificates().unwrap_or_default();
        let server_name = match &*conn {
            Connection::Server(conn) => conn.server_name().map(str::to_owned),
            Connection::Client(_) => None,
        };
        TlsInfo {
            chain: chain.iter().map(|der| der.clone().into_owned()).collect(),
            ours: shared.ours.clone(),
            alpn: conn.alpn_protocol().map(<[u8]>::to_vec),
            version: conn.protocol_version(),
            suite: conn.negotiated_cipher_suite().map(|suite| suite.suite()),
            server_name,
            resumed: conn.handshake_kind() == Some(HandshakeKind::Resumed),
            ended: Arc::clone(&shared.ended),
            export: Export::Session(Arc::downgrade(shared)),
        }
    }

    /// Of a connection of another protocol with TLS 1.3 inside (QUIC). The
    /// [suite](TlsInfo::cipher_suite) is not known, and nothing says how it
    /// [ended](TlsInfo::ended_in_order).
    pub fn within(known: Within) -> Self {
        let name = known.server_name.as_deref();
        TlsInfo {
            ours: known.identity.and_then(|identity| identity.shown(name)),
            chain: known.peer_certificates,
            alpn: known.alpn,
            version: Some(ProtocolVersion::TLSv1_3),
            suite: None,
            server_name: known.server_name,
            resumed: false,
            ended: Arc::default(),
            export: Export::Around(known.exporter),
        }
    }

    /// The peer's certificates, its own first; none of a client that sent none.
    pub fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The pin of the peer's key.
    pub fn peer_pin(&self) -> Option<Pin> {
        Pin::of(self.chain.first()?).ok()
    }

    /// The SHA-256 of the server's certificate (its DER), the same at both ends. CPython gives it
    /// as `hashlib.sha256(sock.getpeercert(True)).digest()`.
    ///
    /// A proof that includes it is worth nothing to a server with another certificate.
    pub fn server_fingerprint(&self) -> Option<[u8; 32]> {
        let ours = self.ours.as_ref().map(|ours| ours.cert.first());
        let certificate = ours.unwrap_or_else(|| self.chain.first());
        certificate.map(|der| sha256(der))
    }

    /// The protocol that both ends agreed on; `None` if one of them offered none.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.alpn.as_deref()
    }

    /// The version of TLS: 1.2 or 1.3.
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.version
    }

    /// The cipher suite.
    pub fn cipher_suite(&self) -> Option<CipherSuite> {
        self.suite
    }

    /// On the server: the name that the client asked for (SNI).
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Whether an earlier session was resumed.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// How the peer's stream ended: `true` with a `close_notify`, `false` without one; `None` as
    /// long as it has not been received to its end.
    pub fn ended_in_order(&self) -> Option<bool> {
        match self.ended.0.load(Ordering::Relaxed) {
            CLOSE_NOTIFY => Some(true),
            SILENT => Some(false),
            _ => None,
        }
    }

    /// 32 bytes that only the two ends of this connection know (RFC 5705, RFC 8446 §7.5), for
    /// `label`, with an empty context.
    ///
    /// # Errors
    /// `Unsupported` over TLS 1.2, where such bytes do not belong to one connection for sure;
    /// `NotConnected` once the socket is dropped.
    pub fn export(&self, label: &[u8]) -> io::Result<[u8; 32]> {
        if self.version != Some(ProtocolVersion::TLSv1_3) {
            let words = "keys are exported over TLS 1.3 only";
            return Err(io::Error::new(io::ErrorKind::Unsupported, words));
        }
        let shared = match &self.export {
            Export::Session(shared) => shared,
            Export::Around(exporter) => return exporter(label),
        };
        let gone = || io::Error::from(io::ErrorKind::NotConnected);
        let shared = shared.upgrade().ok_or_else(gone)?;
        let conn = lock(&shared.connection);
        let exported = conn.export_keying_material([0; 32], label, Some(&[]));
        exported.map_err(io::Error::other)
    }
}

impl fmt::Debug for TlsInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alpn = self.alpn.as_deref().map(<[u8]>::escape_ascii);
        f.debug_struct("TlsInfo")
            .field("version", &self.version)
            .field("suite", &self.suite)
            .field("alpn", &alpn.map(|alpn| alpn.to_string()))
            .field("server_name", &self.server_name)
            .field("peer_pin", &self.peer_pin())
            .finish_non_exhaustive()
    }
}
