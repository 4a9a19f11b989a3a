//! Version 1, one line of text: `PROXY TCP4 192.0.2.1 198.51.100.7 56324 443` (section 2.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::{Header, LONGEST_V1, Origin, Version, addresses, internet, stranger};
use crate::error::{ProxyError, shown};

const BEGINNING: &[u8] = b"PROXY ";

pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Header, usize)>, ProxyError> {
    let known = bytes.len().min(BEGINNING.len());
    if bytes[..known] != BEGINNING[..known] {
        return Err(stranger(bytes));
    }
    let bounded = &bytes[..bytes.len().min(LONGEST_V1)];
    let Some(feed) = bounded.iter().position(|byte| *byte == b'\n') else {
        return match bytes.len() < LONGEST_V1 {
            true => Ok(None),
            false => Err(ProxyError::protocol(format!(
                "its PROXY line does not end within {LONGEST_V1} bytes"
            ))),
        };
    };
    let origin = line(&bytes[..feed]).map_err(|wrong| {
        let shown = shown(&bytes[..feed]);
        ProxyError::protocol(format!("its PROXY line has {wrong}: {shown}"))
    })?;
    let header = Header::new(Version::V1, origin);
    Ok(Some((header, feed + 1)))
}

/// What the line says, or what is wrong with it.
fn line(line: &[u8]) -> Result<Origin, &'static str> {
    let line = line.strip_suffix(b"\r").ok_or("no CR before its LF")?;
    let line = line.strip_prefix(BEGINNING).ok_or("another beginning")?;
    let line = std::str::from_utf8(line).map_err(|_| "bytes that are no text")?;
    // The rest of the line is ignored then.
    if line == "UNKNOWN" || line.starts_with("UNKNOWN ") {
        return Ok(Origin::Unknown);
    }
    let mut words = line.split(' ');
    let mut word = || words.next().ok_or("too few words");
    let (protocol, source, destination) = (word()?, word()?, word()?);
    let ports = (port(word()?)?, port(word()?)?);
    if words.next().is_some() {
        return Err("too many words");
    }
    let source = match protocol {
        "TCP4" => ip::<Ipv4Addr>(source)?,
        "TCP6" => ip::<Ipv6Addr>(source)?,
        _ => return Err("a protocol that there is not"),
    };
    // nginx takes the word from its client's address alone. Behind another balancer, its own end
    // may be of the other family.
    let destination = ip::<IpAddr>(destination)?;
    let end = |ip, port| internet("tcp", SocketAddr::new(ip, port)).map_err(|_| "a bad address");
    Ok(Origin::Client {
        source: end(source, ports.0)?,
        destination: end(destination, ports.1)?,
    })
}

fn ip<A: FromStr + Into<IpAddr>>(word: &str) -> Result<IpAddr, &'static str> {
    word.parse::<A>()
        .map(Into::into)
        .map_err(|_| "an address that is none of its protocol")
}

/// A number from 0 to 65535, as it is printed.
fn port(word: &str) -> Result<u16, &'static str> {
    let number: u16 = word.parse().map_err(|_| "a port that is no number")?;
    match number.to_string() == word {
        true => Ok(number),
        false => Err("a port that is written in another way"),
    }
}

pub(super) fn encode(header: &Header) -> Result<Vec<u8>, ProxyError> {
    if !header.fields.is_empty() {
        return Err(
            ProxyError::protocol("version 1 of the PROXY header has no fields")
                .hint("use version 2"),
        );
    }
    let Some((source, destination)) = addresses(&header.origin, "tcp") else {
        return Ok(b"PROXY UNKNOWN\r\n".to_vec());
    };
    let (from, to) = match (source.ip(), destination.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => (format!("TCP4 {from}"), to.to_string()),
        (from, to) => {
            let (from, to) = (in_v6(from), in_v6(to));
            (format!("TCP6 {from}"), to.to_string())
        }
    };
    let (source, destination) = (source.port(), destination.port());
    Ok(format!("PROXY {from} {to} {source} {destination}\r\n").into_bytes())
}

/// The address as one of IPv6.
pub(super) fn in_v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}
