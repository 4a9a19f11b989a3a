//! The header of the PROXY protocol: what a balancer says of a connection before its first byte.
//!
//! Sections are those of HAProxy's `proxy-protocol.txt`.

mod fields;
mod v1;
mod v2;

use std::io;
use std::net::SocketAddr;

use socketry_transport::{Endpoint, Info, SendExt, SendHalf};

use crate::error::{ProxyError, shown};
pub use fields::{ClientTls, Fields, kind};

/// The longest header of version 1, with its line feed, in bytes (section 2.1).
pub const LONGEST_V1: usize = 107;

/// The longest header of version 2 that is taken unless [`Behind::longest`](crate::Behind::longest)
/// says otherwise, in bytes. The format itself ends at 65,551.
pub const LONGEST_V2: usize = 4096;

/// The two forms of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// One line of text (section 2.1).
    V1,
    /// Binary, with [`Fields`] (section 2.2).
    V2,
}

/// Where a connection comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The balancer speaks for itself: `LOCAL`. It is a check of this server's health, or a client
    /// without an address, such as one of a Unix socket of HAProxy.
    Local,
    /// A client whose address the balancer does not tell: `UNKNOWN`, and `AF_UNSPEC`.
    Unknown,
    /// A client, by the ends of its connection to the balancer: `tcp`, `udp` or `unix`.
    Client {
        /// The client.
        source: Endpoint,
        /// Where it connected to.
        destination: Endpoint,
    },
}

/// A header: what a balancer says of a connection.
///
/// ```
/// use socketry_proxy::{Header, LONGEST_V2, Origin, Version};
///
/// let bytes = b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nhello";
/// let (header, len) = Header::parse(bytes, LONGEST_V2)?.expect("it is whole");
/// assert_eq!(&bytes[len..], b"hello");
/// let Origin::Client { source, .. } = header.origin() else { panic!() };
/// assert_eq!(source.to_string(), "tcp://192.0.2.1:56324");
/// assert_eq!(header.encode()?, &bytes[..len]);
/// assert!(Header::parse(b"PROXY TC", LONGEST_V2)?.is_none()); // more may come
/// # Ok::<(), socketry_proxy::ProxyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    version: Version,
    origin: Origin,
    fields: Fields,
}

/// What the first bytes of a stream can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// A header.
    Header,
    /// The beginning of one, or of something else.
    Open,
    /// No header.
    Other,
}

/// The texts with which a header begins.
const BEGINNINGS: [&[u8]; 4] = [
    &v2::SIGNATURE,
    b"PROXY TCP4 ",
    b"PROXY TCP6 ",
    b"PROXY UNKNOWN",
];

/// The length of the longest of them.
pub(crate) const LONGEST_BEGINNING: usize = 13;

/// What `bytes`, which begin a stream, can be.
pub(crate) fn beginning(bytes: &[u8]) -> Beginning {
    if BEGINNINGS.iter().any(|whole| bytes.starts_with(whole)) {
        Beginning::Header
    } else if BEGINNINGS.iter().any(|whole| whole.starts_with(bytes)) {
        Beginning::Open
    } else {
        Beginning::Other
    }
}

impl Header {
    /// A header of this version, without fields.
    pub fn new(version: Version, origin: Origin) -> Self {
        Header {
            version,
            origin,
            fields: Fields::default(),
        }
    }

    /// What the end of a connection says of itself, as a balancer would say it of its client: the
    /// addresses of `info`, as those of a stream. [`Unknown`](Origin::Unknown) if it has others
    /// than Internet addresses or Unix sockets.
    pub fn of(version: Version, info: &Info) -> Self {
        let ends = end(info.local()).zip(end(info.peer()));
        Header::new(
            version,
            match ends {
                Some((source, destination)) => Origin::Client {
                    source,
                    destination,
                },
                None => Origin::Unknown,
            },
        )
    }

    /// The same with one more field. Only version 2 has fields.
    ///
    /// # Errors
    /// If `value` is longer than 65,535 bytes.
    pub fn with_field(mut self, kind: u8, value: &[u8]) -> Result<Self, ProxyError> {
        self.fields = self.fields.with(kind, value)?;
        Ok(self)
    }

    /// The same with a checksum: a field [`CRC32C`](kind::CRC32C), whose value is computed when the
    /// header is encoded.
    ///
    /// # Errors
    /// None with fields that are not as long as a header.
    pub fn with_checksum(self) -> Result<Self, ProxyError> {
        self.with_field(kind::CRC32C, &[0; 4])
    }

    /// Its form.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where the connection comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What else a header of version 2 says. Behind [`Local`](Origin::Local) nothing is read.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Whether it has a checksum. That of a header which was parsed is right.
    pub fn is_checked(&self) -> bool {
        self.fields.get(kind::CRC32C).is_some()
    }

    /// Reads the header at the beginning of `bytes`: with its length, or `None` if more bytes are
    /// needed. A header of version 2 may have at most `longest` bytes.
    ///
    /// # Errors
    /// As soon as `bytes` cannot begin a header, or are more than one may have. A checksum that is
    /// there and wrong is an error.
    pub fn parse(bytes: &[u8], longest: usize) -> Result<Option<(Self, usize)>, ProxyError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.first() == v2::SIGNATURE.first() {
            return v2::parse(bytes, longest);
        }
        v1::parse(bytes)
    }

    /// The bytes of the header. Version 1 has one word for all but TCP, `UNKNOWN`.
    ///
    /// # Errors
    /// If the addresses belong to different protocols or are longer than a header can tell, or if
    /// version 1 is to have fields or a checksum.
    pub fn encode(&self) -> Result<Vec<u8>, ProxyError> {
        match self.version {
            Version::V1 => v1::encode(self),
            Version::V2 => v2::encode(self),
        }
    }

    /// Sends the header to a server that expects one, before anything else.
    ///
    /// Not cancel-safe: a part of it may have been sent.
    ///
    /// # Errors
    /// Those of [`encode`](Header::encode), and of the socket.
    pub async fn send<W: SendHalf + ?Sized>(&self, socket: &mut W) -> io::Result<()> {
        let bytes = self.encode()?;
        socket.send_all(&bytes).await
    }
}

/// What a header can say of this end of a stream.
fn end(at: &Endpoint) -> Option<Endpoint> {
    if let Some(address) = at.socket_addr() {
        return Endpoint::new("tcp", address).ok();
    }
    match at.scheme() {
        "unix" => Some(at.clone()),
        _ => None,
    }
}

/// The addresses of `origin`, if both are Internet addresses of `scheme`.
fn addresses(origin: &Origin, scheme: &str) -> Option<(SocketAddr, SocketAddr)> {
    let Origin::Client {
        source,
        destination,
    } = origin
    else {
        return None;
    };
    if source.scheme() != scheme || destination.scheme() != scheme {
        return None;
    }
    Some((source.socket_addr()?, destination.socket_addr()?))
}

/// The endpoint of an address in a header. IPv4 in IPv6 is IPv4.
fn internet(scheme: &str, address: SocketAddr) -> Result<Endpoint, ProxyError> {
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    Endpoint::new(scheme, address).map_err(|error| ProxyError::protocol(error.to_string()))
}

/// The error for bytes that are no header.
fn stranger(bytes: &[u8]) -> ProxyError {
    let shown = shown(bytes);
    ProxyError::protocol(format!("it sent no PROXY header, but {shown}"))
        .hint("does its configuration say send-proxy (HAProxy) or proxy_protocol (nginx)?")
}
