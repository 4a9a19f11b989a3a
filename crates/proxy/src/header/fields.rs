//! What else a header of version 2 says: fields of a type, a length and a value (section 2.2).

use bytes::Bytes;
use crc::{CRC_32_ISCSI, Crc};

use crate::error::ProxyError;

/// The types of fields, by the names of the document.
pub mod kind {
    /// The protocol that the client and the balancer agreed on with TLS (`PP2_TYPE_ALPN`).
    pub const ALPN: u8 = 0x01;
    /// The name that the client asked for, with TLS its server name (`PP2_TYPE_AUTHORITY`).
    pub const AUTHORITY: u8 = 0x02;
    /// The checksum of the header, CRC32c (`PP2_TYPE_CRC32C`).
    pub const CRC32C: u8 = 0x03;
    /// Padding (`PP2_TYPE_NOOP`).
    pub const NOOP: u8 = 0x04;
    /// The balancer's name of the connection (`PP2_TYPE_UNIQUE_ID`).
    pub const UNIQUE_ID: u8 = 0x05;
    /// The client's TLS (`PP2_TYPE_SSL`).
    pub const SSL: u8 = 0x20;
    /// Of those in `SSL`: the version of TLS (`PP2_SUBTYPE_SSL_VERSION`).
    pub const SSL_VERSION: u8 = 0x21;
    /// Of those in `SSL`: the name in the client's certificate (`PP2_SUBTYPE_SSL_CN`).
    pub const SSL_CN: u8 = 0x22;
    /// Of those in `SSL`: the cipher (`PP2_SUBTYPE_SSL_CIPHER`).
    pub const SSL_CIPHER: u8 = 0x23;
    /// The network namespace of the client (`PP2_TYPE_NETNS`).
    pub const NETNS: u8 = 0x30;
}

/// The bytes before a value: its type and its length.
const BEFORE: usize = 3;

/// CRC32c, as in RFC 4960, appendix B.
const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// What a header of version 2 says besides addresses: values by their [type](kind).
///
/// They are the words of the balancer. What it passes on of its client, such as the
/// [`authority`](Fields::authority), may have any content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Bytes);

/// What a balancer says of its client's TLS (section 2.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientTls<'a> {
    bits: u8,
    verify: u32,
    rest: &'a [u8],
}

impl Fields {
    /// The fields of these bytes.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ProxyError> {
        well_formed(bytes)?;
        if let Some(tls) = find(bytes, kind::SSL) {
            let rest = tls.get(5..);
            well_formed(rest.ok_or_else(|| cut(kind::SSL))?)?;
        }
        Ok(Fields(Bytes::copy_from_slice(bytes)))
    }

    pub(super) fn with(self, kind: u8, value: &[u8]) -> Result<Self, ProxyError> {
        let len = u16::try_from(value.len()).map_err(|_| {
            ProxyError::protocol("a field of a PROXY header is longer than 65,535 bytes")
        })?;
        let [high, low] = len.to_be_bytes();
        let bytes = [&self.0[..], &[kind, high, low], value].concat();
        Ok(Fields(bytes.into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in their order: type and value.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        fields(&self.0)
    }

    /// The value of the first field of this type.
    pub fn get(&self, kind: u8) -> Option<&[u8]> {
        find(&self.0, kind)
    }

    /// The protocol that the client and the balancer agreed on.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.get(kind::ALPN)
    }

    /// The name that the client asked for, if it is UTF-8.
    pub fn authority(&self) -> Option<&str> {
        text(self.get(kind::AUTHORITY))
    }

    /// The balancer's name of the connection.
    pub fn unique_id(&self) -> Option<&[u8]> {
        self.get(kind::UNIQUE_ID)
    }

    /// The network namespace of the client, if it is UTF-8.
    pub fn namespace(&self) -> Option<&str> {
        text(self.get(kind::NETNS))
    }

    /// The client's TLS, if the balancer says something of it.
    pub fn tls(&self) -> Option<ClientTls<'_>> {
        let value = self.get(kind::SSL)?;
        let (&bits, value) = value.split_first()?;
        let (verify, rest) = value.split_first_chunk()?;
        let verify = u32::from_be_bytes(*verify);
        Some(ClientTls { bits, verify, rest })
    }
}

impl<'a> ClientTls<'a> {
    /// Whether the client connected over TLS.
    pub fn is_used(&self) -> bool {
        self.bits & 1 != 0
    }

    /// Whether the client showed a certificate, on this connection or earlier in its session.
    pub fn has_certificate(&self) -> bool {
        self.bits & 6 != 0
    }

    /// Whether the client showed a certificate, and the balancer verified it.
    pub fn is_verified(&self) -> bool {
        self.has_certificate() && self.verify == 0
    }

    /// The version of TLS, as the balancer calls it: `TLSv1.3`.
    pub fn version(&self) -> Option<&'a str> {
        text(self.get(kind::SSL_VERSION))
    }

    /// The name in the client's certificate.
    pub fn common_name(&self) -> Option<&'a str> {
        text(self.get(kind::SSL_CN))
    }

    /// The cipher, as the balancer calls it.
    pub fn cipher(&self) -> Option<&'a str> {
        text(self.get(kind::SSL_CIPHER))
    }

    /// The value of the first field in it of this type.
    pub fn get(&self, kind: u8) -> Option<&'a [u8]> {
        find(self.rest, kind)
    }
}

fn text(value: Option<&[u8]>) -> Option<&str> {
    std::str::from_utf8(value?).ok()
}

/// The first field, and the rest.
fn first(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[kind, high, low], rest) = bytes.split_first_chunk()?;
    let len = usize::from(u16::from_be_bytes([high, low]));
    let (value, rest) = rest.split_at_checked(len)?;
    Some((kind, value, rest))
}

/// The fields up to the end, or to one that is cut.
fn fields(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (kind, value, behind) = first(rest)?;
        rest = behind;
        Some((kind, value))
    })
}

fn find(bytes: &[u8], kind: u8) -> Option<&[u8]> {
    fields(bytes).find_map(|(found, value)| (found == kind).then_some(value))
}

fn well_formed(bytes: &[u8]) -> Result<(), ProxyError> {
    let read: usize = fields(bytes).map(|(_, value)| BEFORE + value.len()).sum();
    match bytes.get(read) {
        None => Ok(()),
        Some(kind) => Err(cut(*kind)),
    }
}

fn cut(kind: u8) -> ProxyError {
    ProxyError::protocol(format!(
        "the field {kind:#04x} of its PROXY header goes beyond the end of it"
    ))
}

/// Where the checksum of `header` stands, if it has one. Its fields are the last `len` bytes.
fn checksum_at(header: &[u8], len: usize) -> Result<Option<usize>, ProxyError> {
    let mut at = header.len() - len;
    for (kind, value) in fields(&header[at..]) {
        at += BEFORE;
        if kind == kind::CRC32C {
            return match value.len() {
                4 => Ok(Some(at)),
                len => Err(ProxyError::protocol(format!(
                    "the checksum of a PROXY header has {len} bytes, and not 4"
                ))),
            };
        }
        at += value.len();
    }
    Ok(None)
}

/// The checksum of `header`, in which 4 bytes from `at` on count as 0.
fn sum(header: &[u8], at: usize) -> [u8; 4] {
    let mut digest = CRC32C.digest();
    digest.update(&header[..at]);
    digest.update(&[0; 4]);
    digest.update(&header[at + 4..]);
    digest.finalize().to_be_bytes()
}

/// Checks the checksum of `header`, if it has one.
pub(super) fn check(header: &[u8], len: usize) -> Result<(), ProxyError> {
    match checksum_at(header, len)? {
        Some(at) if header[at..at + 4] != sum(header, at) => {
            let words = "the checksum of its PROXY header is wrong";
            Err(ProxyError::protocol(words))
        }
        _ => Ok(()),
    }
}

/// Puts the checksum of `header` into its place, if it has one.
pub(super) fn seal(header: &mut [u8], len: usize) -> Result<(), ProxyError> {
    if let Some(at) = checksum_at(header, len)? {
        let sum = sum(header, at);
        header[at..at + 4].copy_from_slice(&sum);
    }
    Ok(())
}
