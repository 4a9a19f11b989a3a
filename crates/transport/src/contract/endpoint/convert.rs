//! Endpoints from the addresses that a program has, and back.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};

impl TryFrom<&str> for Endpoint {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self> {
        text.parse()
    }
}

impl TryFrom<&String> for Endpoint {
    type Error = Error;

    fn try_from(text: &String) -> Result<Self> {
        text.parse()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<&Endpoint> for Endpoint {
    fn from(endpoint: &Endpoint) -> Self {
        endpoint.clone()
    }
}

/// `tcp` at this address; [`Endpoint::new`] has the other schemes.
///
/// ```
/// use std::net::SocketAddr;
/// use socketry_transport::Endpoint;
///
/// let address = SocketAddr::from(([127, 0, 0, 1], 9000));
/// let endpoint = Endpoint::from(address);
/// assert_eq!(endpoint.to_string(), "tcp://127.0.0.1:9000");
/// assert_eq!(SocketAddr::try_from(&endpoint)?, address);
/// # Ok::<(), socketry_transport::Error>(())
/// ```
impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Endpoint::known("tcp", &address.into())
    }
}

/// `unix` at this path; [`Endpoint::new`] has the other schemes.
///
/// ```
/// use std::path::{Path, PathBuf};
/// use socketry_transport::Endpoint;
///
/// let endpoint = Endpoint::try_from(Path::new("/run/app.sock"))?;
/// assert_eq!(endpoint.to_string(), "unix:///run/app.sock");
/// assert_eq!(PathBuf::try_from(&endpoint)?, Path::new("/run/app.sock"));
/// # Ok::<(), socketry_transport::Error>(())
/// ```
///
/// An empty path, and one with a NUL byte, name no socket.
impl TryFrom<&Path> for Endpoint {
    type Error = Error;

    fn try_from(path: &Path) -> Result<Self> {
        Endpoint::new("unix", path)
    }
}

impl TryFrom<PathBuf> for Endpoint {
    type Error = Error;

    fn try_from(path: PathBuf) -> Result<Self> {
        Endpoint::new("unix", path)
    }
}

/// An error if the endpoint is not an IP address and a port. A name has to be resolved first.
impl TryFrom<&Endpoint> for SocketAddr {
    type Error = Error;

    fn try_from(endpoint: &Endpoint) -> Result<Self> {
        endpoint
            .socket_addr()
            .ok_or_else(|| is_not(endpoint, "an IP address and a port"))
    }
}

/// An error if the endpoint is not a socket in the file system.
impl TryFrom<&Endpoint> for PathBuf {
    type Error = Error;

    fn try_from(endpoint: &Endpoint) -> Result<Self> {
        let path = endpoint.socket_path().map(PathBuf::from);
        path.ok_or_else(|| is_not(endpoint, "a path in the file system"))
    }
}

fn is_not(endpoint: &Endpoint, kind: &str) -> Error {
    Error::new(ErrorKind::InvalidEndpoint, "use", endpoint).because(format!("it is not {kind}"))
}

#[cfg(feature = "serde")]
mod text {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Endpoint;

    impl Serialize for Endpoint {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(self.as_str())
        }
    }

    impl<'de> Deserialize<'de> for Endpoint {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        }
    }
}
