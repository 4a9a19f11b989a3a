//! Who may say where a connection comes from: networks, and this machine's Unix sockets.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use socketry_transport::{Endpoint, ErrorKind};

use crate::error::ProxyError;

/// The word for peers without an Internet address.
const UNIX: &str = "unix";
/// How many bits stand before an IPv4 address in IPv6.
const MAPPED: u32 = 96;

/// The sources whose PROXY headers are believed: networks, and `unix` for peers without an Internet
/// address, such as those of a Unix socket.
///
/// An address without a length is that address alone. IPv4 and IPv4 in IPv6 (`::ffff:192.0.2.1`)
/// are the same. A wider network of IPv6, such as `::/0`, has no addresses of IPv4.
///
/// ```
/// use socketry_proxy::Sources;
///
/// let sources: Sources = "10.0.0.0/8,2001:db8::/32,unix".parse()?;
/// assert!(sources.have(&"tcp://[::ffff:10.1.2.3]:4711".parse()?));
/// assert!(!sources.have(&"tcp://192.0.2.1:4711".parse()?));
/// assert!(!"::/0".parse::<Sources>()?.have(&"tcp://192.0.2.1:4711".parse()?));
/// assert!("10.0.0.1/8".parse::<Sources>().is_err()); // is it 10.0.0.1 or 10.0.0.0/8?
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    networks: Vec<Network>,
    unix: bool,
}

/// All addresses that begin with the same bits. IPv4 is kept as it is in IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    base: u128,
    len: u32,
}

impl Sources {
    /// No source.
    pub fn none() -> Self {
        Sources::default()
    }

    /// This machine: its loopback addresses, and Unix sockets.
    pub fn this_machine() -> Self {
        let loopback = |ip: IpAddr, len| Network {
            base: bits(ip),
            len,
        };
        Sources {
            networks: vec![
                loopback([127, 0, 0, 0].into(), MAPPED + 8),
                loopback(Ipv6Addr::LOCALHOST.into(), 128),
            ],
            unix: true,
        }
    }

    /// The network around an address: `10.1.2.3/8` is `10.0.0.0/8`. `None` if it is neither.
    pub(crate) fn around(text: &str) -> Option<Self> {
        let (_, network) = Network::around(text).ok()?;
        let networks = vec![network];
        Some(Sources {
            networks,
            unix: false,
        })
    }

    /// Whether a connection from `peer` comes from one of them.
    pub fn have(&self, peer: &Endpoint) -> bool {
        match peer.socket_addr() {
            Some(address) => self.have_ip(address.ip()),
            // A name would have to be resolved, and no accepted socket has one.
            None => self.unix && peer.host_port().is_none(),
        }
    }

    /// Whether this address is one of theirs.
    pub(crate) fn have_ip(&self, ip: IpAddr) -> bool {
        let ip = bits(ip);
        self.networks.iter().any(|network| network.has(ip))
    }
}

impl Network {
    /// A wide network of IPv6, such as `::/0`, has no address of IPv4, although each has a place in
    /// IPv6.
    fn has(&self, ip: u128) -> bool {
        ip & !host_bits(self.len) == self.base && (self.len >= MAPPED || !is_mapped(ip))
    }

    /// A network, or what is wrong with it.
    fn read(text: &str) -> Result<Self, String> {
        let (ip, network) = Self::around(text)?;
        if network.base == bits(ip) {
            return Ok(network);
        }
        let before = if ip.is_ipv4() { MAPPED } else { 0 };
        let len = network.len - before;
        Err(format!("{ip} has bits behind the first {len}"))
    }

    /// An address, and the network that it is in.
    fn around(text: &str) -> Result<(IpAddr, Self), String> {
        let (ip, len) = match text.split_once('/') {
            Some((ip, len)) => (ip, Some(len)),
            None => (text, None),
        };
        let parsed: IpAddr = ip
            .parse()
            .map_err(|_| format!("'{}' is no IP address, and not '{UNIX}'", ip.escape_debug()))?;
        let most = if parsed.is_ipv4() { 32 } else { 128 };
        let len =
            match len {
                None => most,
                Some(len) => len.parse().ok().filter(|len| *len <= most).ok_or_else(|| {
                    format!("a network has a length from 0 to {most} behind its '/'")
                })?,
            };
        let len = 128 - most + len;
        let base = bits(parsed) & !host_bits(len);
        Ok((parsed, Network { base, len }))
    }
}

/// The bits behind the first `len` of an address.
fn host_bits(len: u32) -> u128 {
    u128::MAX.checked_shr(len).unwrap_or(0)
}

/// Whether it is an address of IPv4.
fn is_mapped(ip: u128) -> bool {
    ip >> (128 - MAPPED) == 0xffff
}

/// The address as one of IPv6.
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// Separated by commas.
impl FromStr for Sources {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let mut sources = Sources::none();
        for word in text.split(',').map(str::trim) {
            if word == UNIX {
                sources.unix = true;
                continue;
            }
            let network = Network::read(word).map_err(|reason| {
                ProxyError::new(ErrorKind::InvalidOption, reason)
                    .hint("write 10.0.0.0/8,2001:db8::/32,unix, say")
            })?;
            sources.networks.push(network);
        }
        Ok(sources)
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks = self.networks.iter().map(ToString::to_string);
        let unix = self.unix.then(|| UNIX.to_owned());
        let words: Vec<_> = networks.chain(unix).collect();
        f.write_str(&words.join(","))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ip = IpAddr::from(Ipv6Addr::from_bits(self.base));
        match ip.to_canonical() {
            IpAddr::V4(ip) if self.len >= MAPPED => write!(f, "{ip}/{}", self.len - MAPPED),
            _ => write!(f, "{ip}/{}", self.len),
        }
    }
}
