//! The transports of this crate by their schemes, and `connect` and `listen` with all of them.

use std::sync::{Arc, LazyLock};

use crate::contract::boxed::{BoxListener, BoxSocket};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, Result};
use crate::contract::names::Resolve;
use crate::contract::transport::registry::Registry;
use crate::layers::streams::Streams;
use crate::mem::MemTransport;
use crate::mem::mux::MemMux;

static STANDARD: LazyLock<Registry> = LazyLock::new(Registry::standard);

impl Default for Registry {
    fn default() -> Self {
        Self::standard()
    }
}

impl Registry {
    /// `tcp`, `udp`, `unix`, `unix-dgram`, `unix-seqpacket`, `mem` and `mem-mux`, with default
    /// options, and the sockets that a process was started with: `fd`, `systemd` and `stdio`. Where
    /// this crate has no kernel sockets yet (Windows), `mem` and `mem-mux` only.
    pub fn standard() -> Self {
        let registry = Registry::empty()
            .with("mem", MemTransport::default())
            .with("mem-mux", Streams::new(MemMux::default()));
        #[cfg(unix)]
        let registry = with_kernel(registry);
        registry
    }

    /// The same, where `names` knows the addresses of hosts, for `tcp` and `udp`. Layers over them
    /// need no other.
    #[cfg(unix)]
    pub fn standard_with(names: impl Resolve) -> Self {
        use crate::kernel::{tcp::TcpTransport, udp::UdpTransport};

        let names: Arc<dyn Resolve> = Arc::new(names);
        Registry::standard()
            .with("tcp", TcpTransport::default().resolver(Arc::clone(&names)))
            .with("udp", UdpTransport::default().resolver(names))
    }
}

#[cfg(unix)]
fn with_kernel(registry: Registry) -> Registry {
    use crate::kernel::inherited::{FdTransport, StdioTransport, SystemdTransport};
    use crate::kernel::tcp::TcpTransport;
    use crate::kernel::udp::UdpTransport;
    use crate::kernel::unix::{UnixDgramTransport, UnixSeqpacketTransport, UnixTransport};

    registry
        .with("tcp", TcpTransport::default())
        .with("udp", UdpTransport::default())
        .with("unix", UnixTransport::default())
        .with("unix-dgram", UnixDgramTransport::default())
        .with("unix-seqpacket", UnixSeqpacketTransport::default())
        .with("fd", FdTransport)
        .with("systemd", SystemdTransport)
        .with("stdio", StdioTransport)
}

/// Connects to `to`, a URL or an [`Endpoint`], with the standard transports.
///
/// ```
/// # use socketry_transport::{Listener, RecvExt, SendExt};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = socketry_transport::listen("tcp://127.0.0.1:0").await?;
/// let mut client = socketry_transport::connect(server.local()).await?;
/// client.send_all(b"hello").await?;
///
/// let mut accepted = server.accept().await?;
/// let mut buf = [0; 16];
/// let (len, _) = accepted.recv(&mut buf).await?;
/// assert_eq!(&buf[..len], b"hello");
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`Registry::connect`].
pub async fn connect<E>(to: E) -> Result<BoxSocket>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    STANDARD.connect(to).await
}

/// Listens at `at`, a URL or an [`Endpoint`], with the standard transports.
///
/// # Errors
/// As [`Registry::listen`].
pub async fn listen<E>(at: E) -> Result<BoxListener>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    STANDARD.listen(at).await
}
