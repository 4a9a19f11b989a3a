//! Version 2, in binary: a signature, a command, a family, a length, addresses, fields
//! (section 2.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socketry_transport::Endpoint;

use super::v1::in_v6;
use super::{Fields, Header, Origin, Version, fields, internet, stranger};
use crate::error::ProxyError;

pub(super) const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The signature, and four bytes.
const FIXED: usize = 16;
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;

const UNSPEC: u8 = 0x00;
const TCP4: u8 = 0x11;
const UDP4: u8 = 0x12;
const TCP6: u8 = 0x21;
const UDP6: u8 = 0x22;
const UNIX_STREAM: u8 = 0x31;
const UNIX_DATAGRAM: u8 = 0x32;

/// The length of the address of a Unix socket.
const UNIX: usize = 108;

pub(super) fn parse(bytes: &[u8], longest: usize) -> Result<Option<(Header, usize)>, ProxyError> {
    let known = bytes.len().min(SIGNATURE.len());
    if bytes[..known] != SIGNATURE[..known] {
        return Err(stranger(bytes));
    }
    let Some((&[.., command, family, high, low], _)) = bytes.split_first_chunk::<FIXED>() else {
        return Ok(None);
    };
    if command != LOCAL && command != PROXY {
        return Err(ProxyError::protocol(format!(
            "its PROXY header has the version and command {command:#04x}, and not 0x20 or 0x21"
        )));
    }
    let len = FIXED + usize::from(u16::from_be_bytes([high, low]));
    if len > longest {
        return Err(ProxyError::protocol(format!(
            "its PROXY header has {len} bytes, and at most {longest} are taken"
        )));
    }
    let Some(whole) = bytes.get(..len) else {
        return Ok(None);
    };
    let mut header = Header::new(Version::V2, Origin::Local);
    // Behind LOCAL the family and all that follows are to be ignored.
    if command == PROXY {
        let (origin, fields) = ends(family, &whole[FIXED..])?;
        header.origin = origin;
        header.fields = Fields::read(fields)?;
        fields::check(whole, fields.len())?;
    }
    Ok(Some((header, len)))
}

/// The addresses, and the fields behind them.
fn ends(family: u8, bytes: &[u8]) -> Result<(Origin, &[u8]), ProxyError> {
    let scheme = match family {
        UNSPEC => return Ok((Origin::Unknown, bytes)),
        TCP4 | TCP6 => "tcp",
        UDP4 | UDP6 => "udp",
        UNIX_STREAM => "unix",
        UNIX_DATAGRAM => "unix-dgram",
        _ => {
            let words =
                format!("its PROXY header has the family {family:#04x}, which there is not");
            return Err(ProxyError::protocol(words));
        }
    };
    let (source, destination, rest) = match family {
        TCP4 | UDP4 => split::<4>(bytes)
            .map(|(from, to, rest)| (Ipv4Addr::from(from).into(), Ipv4Addr::from(to).into(), rest))
            .and_then(|(from, to, rest)| ported(scheme, from, to, rest)),
        TCP6 | UDP6 => split::<16>(bytes)
            .map(|(from, to, rest)| (Ipv6Addr::from(from).into(), Ipv6Addr::from(to).into(), rest))
            .and_then(|(from, to, rest)| ported(scheme, from, to, rest)),
        _ => split::<UNIX>(bytes)
            .and_then(|(from, to, rest)| Some((local(scheme, &from)?, local(scheme, &to)?, rest))),
    }
    .ok_or_else(|| ProxyError::protocol("its PROXY header is shorter than the addresses in it"))?;
    Ok((
        Origin::Client {
            source,
            destination,
        },
        rest,
    ))
}

/// Two addresses of `N` bytes, and the rest.
fn split<const N: usize>(bytes: &[u8]) -> Option<([u8; N], [u8; N], &[u8])> {
    let (source, rest) = bytes.split_first_chunk()?;
    let (destination, rest) = rest.split_first_chunk()?;
    Some((*source, *destination, rest))
}

/// The ends with their ports, which follow the addresses.
fn ported<'a>(
    scheme: &str,
    source: IpAddr,
    destination: IpAddr,
    rest: &'a [u8],
) -> Option<(Endpoint, Endpoint, &'a [u8])> {
    let (from, to, rest) = split::<2>(rest)?;
    let end = |ip, port| internet(scheme, SocketAddr::new(ip, u16::from_be_bytes(port))).ok();
    Some((end(source, from)?, end(destination, to)?, rest))
}

/// A Unix socket: a path up to a NUL, or a NUL and an abstract name, or nothing.
fn local(scheme: &str, field: &[u8; UNIX]) -> Option<Endpoint> {
    let end = field.iter().rposition(|byte| *byte != 0);
    let used = &field[..end.map_or(0, |end| end + 1)];
    let encoded =
        |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("%{byte:02X}")).collect() };
    let text = match used {
        [0, name @ ..] => format!("{scheme}://@{}", encoded(name)),
        path => {
            let nul = path.iter().position(|byte| *byte == 0);
            format!("{scheme}://{}", encoded(&path[..nul.unwrap_or(path.len())]))
        }
    };
    text.parse().ok()
}

pub(super) fn encode(header: &Header) -> Result<Vec<u8>, ProxyError> {
    let (command, family, ends) = match &header.origin {
        Origin::Local => (LOCAL, UNSPEC, Vec::new()),
        Origin::Unknown => (PROXY, UNSPEC, Vec::new()),
        Origin::Client {
            source,
            destination,
        } => {
            let (family, ends) = encode_ends(source, destination)?;
            (PROXY, family, ends)
        }
    };
    let fields = header.fields.as_bytes();
    let len = u16::try_from(ends.len() + fields.len()).map_err(|_| {
        ProxyError::protocol("the fields of a PROXY header are longer than 65,535 bytes")
    })?;
    let mut bytes = Vec::with_capacity(FIXED + usize::from(len));
    bytes.extend(SIGNATURE);
    bytes.extend([command, family]);
    bytes.extend(len.to_be_bytes());
    bytes.extend(ends);
    bytes.extend(fields);
    fields::seal(&mut bytes, fields.len())?;
    Ok(bytes)
}

fn encode_ends(source: &Endpoint, destination: &Endpoint) -> Result<(u8, Vec<u8>), ProxyError> {
    let scheme = source.scheme();
    let none = || {
        ProxyError::protocol(format!(
            "a PROXY header cannot say {} and {}",
            source.redacted(),
            destination.redacted()
        ))
        .hint("both are tcp or udp with an IP address, or both are unix")
    };
    if scheme != destination.scheme() {
        return Err(none());
    }
    if let Some((from, to)) = source.socket_addr().zip(destination.socket_addr()) {
        let stream = match scheme {
            "tcp" => true,
            "udp" => false,
            _ => return Err(none()),
        };
        return Ok(match (from.ip(), to.ip()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (
                if stream { TCP4 } else { UDP4 },
                joined(&a.octets(), &b.octets(), from, to),
            ),
            (a, b) => (
                if stream { TCP6 } else { UDP6 },
                joined(&in_v6(a).octets(), &in_v6(b).octets(), from, to),
            ),
        });
    }
    let family = match scheme {
        "unix" => UNIX_STREAM,
        "unix-dgram" => UNIX_DATAGRAM,
        _ => return Err(none()),
    };
    let (from, to) = (field(source), field(destination));
    let (from, to) = from.zip(to).ok_or_else(none)?;
    Ok((family, [from, to].concat()))
}

fn joined(source: &[u8], destination: &[u8], from: SocketAddr, to: SocketAddr) -> Vec<u8> {
    let ports = [from.port().to_be_bytes(), to.port().to_be_bytes()];
    [source, destination, ports.as_flattened()].concat()
}

/// The 108 bytes of a Unix socket's address, if it fits.
fn field(at: &Endpoint) -> Option<[u8; UNIX]> {
    let mut field = [0; UNIX];
    if let Some(name) = at.abstract_name() {
        field.get_mut(1..=name.len())?.copy_from_slice(&name);
    } else if let Some(path) = at.socket_path() {
        let path = path.as_os_str().as_encoded_bytes();
        field.get_mut(..path.len())?.copy_from_slice(path);
    }
    Some(field)
}
