//! Endpoints to listen at, one of every standard transport, that no other test uses.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use socketry_transport::Endpoint;
use tempfile::TempDir;

/// Endpoints to listen at, one of each standard transport, never the same twice. Socket files are
/// in a directory that is removed when this is dropped.
#[derive(Debug)]
pub struct Places {
    directory: TempDir,
    next: AtomicUsize,
}

impl Places {
    /// The schemes of the standard transports.
    pub const SCHEMES: [&str; 5] = ["tcp", "udp", "unix", "unix-dgram", "mem"];

    /// Makes the directory.
    ///
    /// # Panics
    /// If the system's temporary directory cannot be written to.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        Places {
            directory,
            next: AtomicUsize::new(0),
        }
    }

    /// A free endpoint of a standard scheme, or of `tls`, `tls+unix` and `quic`, with a directory
    /// for the certificate.
    ///
    /// # Panics
    /// For any other scheme.
    pub fn free(&self, scheme: &str) -> Endpoint {
        let url = match scheme {
            "tcp" | "udp" => format!("{scheme}://127.0.0.1:0"),
            "unix" | "unix-dgram" | "unix-seqpacket" => {
                format!("{scheme}://{}", self.path().display())
            }
            "mem" => "mem://*".to_owned(),
            "ws" => "ws://127.0.0.1:0/matrix".to_owned(),
            "wss" => format!("wss://127.0.0.1:0/?identity={}", self.path().display()),
            "ws+unix" => format!("ws+unix://{}", self.path().display()),
            "tls" | "quic" => {
                format!("{scheme}://127.0.0.1:0?identity={}", self.path().display())
            }
            "tls+unix" => {
                let (path, identity) = (self.path(), self.path());
                format!(
                    "{scheme}://{}?identity={}",
                    path.display(),
                    identity.display()
                )
            }
            other => panic!("{other} is no standard scheme"),
        };
        url.parse().expect("a well-formed endpoint")
    }

    /// A free endpoint of each standard scheme.
    pub fn all(&self) -> Vec<Endpoint> {
        Self::SCHEMES.map(|scheme| self.free(scheme)).to_vec()
    }

    /// An unused path in the directory.
    pub fn path(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.directory.path().join(number.to_string())
    }
}
