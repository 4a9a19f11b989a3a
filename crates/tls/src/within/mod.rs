//! TLS inside of another protocol, which carries the handshake itself: QUIC (RFC 9001).

mod client;
mod heard;
mod server;

use std::sync::Arc;

use rustls::AlertDescription;
use rustls::pki_types::CertificateDer;

use crate::config::KEYS;
use crate::error::{Role, TlsError};
use crate::identity::Identity;
use crate::info::Exporter;
pub use client::ClientWithin;
pub use server::ServerWithin;

/// The keys of the URL that belong to TLS over a byte stream alone.
const OF_STREAMS: [&str; 1] = ["close_notify"];

/// The query keys of TLS inside of another protocol: those of the [page of this crate](crate),
/// without `close_notify`. That protocol has an end of its own for each of its streams.
pub fn keys_within() -> impl Iterator<Item = &'static str> {
    KEYS.into_iter().filter(|key| !OF_STREAMS.contains(key))
}

/// What a protocol with TLS inside knows of a connection, for
/// [`TlsInfo::within`](crate::TlsInfo::within).
pub struct Within {
    /// The peer's certificates, its own first.
    pub peer_certificates: Vec<CertificateDer<'static>>,
    /// On the server: its [identity](ServerWithin::identity), of which a certificate was shown.
    pub identity: Option<Identity>,
    /// The protocol that both ends agreed on.
    pub alpn: Option<Vec<u8>>,
    /// On the server: the name that the client asked for (SNI).
    pub server_name: Option<String>,
    /// Exports 32 bytes for a label, with an empty context (RFC 8446 §7.5).
    pub exporter: Arc<Exporter>,
}

/// The words for an `alert` of the peer that ended a handshake.
fn alerted(alert: u8, us: Role) -> TlsError {
    TlsError::of(
        rustls::Error::AlertReceived(AlertDescription::from(alert)),
        us,
    )
}
