//! What both halves have in common.

use std::sync::{Arc, Mutex, OnceLock};

use rustls::Connection;
use rustls::sign::CertifiedKey;
use socketry_transport::Info;

use crate::info::{Ended, TlsInfo};

/// The connection, and what is known of it once a caller has asked: most callers never do.
pub(crate) struct Shared {
    pub(crate) connection: Mutex<Connection>,
    /// On the server: the certificate that it has shown.
    pub(crate) ours: Option<Arc<CertifiedKey>>,
    /// What is known of it may be kept for longer than this.
    pub(crate) ended: Arc<Ended>,
    info: OnceLock<Info>,
}

impl Shared {
    pub(super) fn new(connection: Connection, ours: Option<Arc<CertifiedKey>>) -> Arc<Self> {
        Arc::new(Shared {
            connection: Mutex::new(connection),
            ours,
            ended: Arc::default(),
            info: OnceLock::new(),
        })
    }

    /// What is known of the socket `inside`, and of this.
    pub(super) fn info(self: &Arc<Self>, inside: impl FnOnce() -> Info) -> &Info {
        self.info.get_or_init(|| inside().with(TlsInfo::of(self)))
    }
}
