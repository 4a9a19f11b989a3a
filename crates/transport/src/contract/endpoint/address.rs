//! The kinds of addresses from which an endpoint is made, and the text of each.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::path::{Path, PathBuf};

use super::own::Kind;
use super::percent::{ADDRESS, AUTHORITY, NAME, encode};
use super::redacted::without_user;

/// An address of any kind, from which [`Endpoint::new`](super::Endpoint::new) makes an endpoint of
/// any scheme. The endpoint's views give it back.
///
/// `{:?}` leaves out a user name and password, as [`Endpoint::redacted`](super::Endpoint::redacted)
/// does.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An address that needs no resolver.
    Ip(SocketAddr),
    /// A host name and a port.
    Host(String, u16),
    /// A socket in the file system.
    Path(PathBuf),
    /// A name in Linux' abstract space, as bytes, without the NUL that the kernel puts before it.
    Abstract(Vec<u8>),
    /// A Unix socket that is not bound, as most clients are not.
    Unnamed,
    /// Any text: the name of an end of `mem`, and of many a third party's transport.
    Name(String),
}

impl Address {
    /// The text of an endpoint of `scheme`, in lower case, at this address.
    ///
    /// A third party's scheme may have an address of any kind. There, characters that would be read
    /// as a part of another kind are encoded.
    pub(super) fn text(&self, scheme: &str) -> String {
        // Room enough for most addresses, since this text is kept.
        let mut text = String::with_capacity(scheme.len() + 32);
        text.push_str(scheme);
        text.push_str("://");
        let own = Kind::of(scheme).is_some();
        match self {
            Address::Ip(address) => write_ip(address, &mut text),
            Address::Host(host, port) => write_host(host, *port, own, &mut text),
            Address::Path(path) => write_local(&bytes_of(path), own, &mut text),
            Address::Abstract(name) => {
                text.push('@');
                write_local(name, own, &mut text);
            }
            Address::Unnamed => {}
            Address::Name(name) if own => encode(name.as_bytes(), NAME, &mut text),
            Address::Name(name) => encode(name.as_bytes(), AUTHORITY, &mut text),
        }
        text
    }
}

/// Writing to a `String` cannot fail.
fn print(text: &mut String, args: fmt::Arguments<'_>) {
    let _ = text.write_fmt(args);
}

fn write_ip(address: &SocketAddr, text: &mut String) {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => {
            let (ip, zone, port) = (v6.ip(), v6.scope_id(), v6.port());
            print(text, format_args!("[{ip}%25{zone}]:{port}"));
        }
        _ => print(text, format_args!("{address}")),
    }
}

fn write_host(host: &str, port: u16, own: bool, text: &mut String) {
    match host.split_once('%') {
        Some((ip, zone)) if own || ip.parse::<Ipv6Addr>().is_ok() => {
            print(text, format_args!("[{ip}%25{zone}]"));
        }
        _ if own => text.push_str(host),
        _ => encode(host.as_bytes(), AUTHORITY, text),
    }
    print(text, format_args!(":{port}"));
}

/// In a third party's scheme, the bytes up to the first `/` are in the place of the host.
fn write_local(bytes: &[u8], own: bool, text: &mut String) {
    let authority = match own {
        true => 0,
        false => bytes.iter().position(|b| *b == b'/').unwrap_or(bytes.len()),
    };
    encode(&bytes[..authority], AUTHORITY, text);
    encode(&bytes[authority..], ADDRESS, text);
}

/// Elsewhere than on Unix, a path that is not UTF-8 has no bytes here: no socket has such a path.
fn bytes_of(path: &Path) -> Cow<'_, [u8]> {
    #[cfg(unix)]
    return std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).into();
    #[cfg(not(unix))]
    return path.to_str().unwrap_or_default().as_bytes().into();
}

/// The path of these bytes; elsewhere than on Unix, if they are UTF-8.
pub(super) fn path_of(bytes: Cow<'_, [u8]>) -> Option<Cow<'_, Path>> {
    #[cfg(unix)]
    return Some(match bytes {
        Cow::Borrowed(bytes) => {
            Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes)).into()
        }
        Cow::Owned(bytes) => {
            let text = <std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(bytes);
            PathBuf::from(text).into()
        }
    });
    #[cfg(not(unix))]
    return match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes)
            .ok()
            .map(|text| Path::new(text).into()),
        Cow::Owned(bytes) => String::from_utf8(bytes)
            .ok()
            .map(|text| PathBuf::from(text).into()),
    };
}

/// The flow label of IPv6 is left out: it belongs to a packet, and not to an address.
impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Address::Ip(match address {
            SocketAddr::V4(_) => address,
            SocketAddr::V6(v6) => SocketAddrV6::new(*v6.ip(), v6.port(), 0, v6.scope_id()).into(),
        })
    }
}

impl From<(IpAddr, u16)> for Address {
    fn from(address: (IpAddr, u16)) -> Self {
        Address::Ip(address.into())
    }
}

/// Host and port. A host that is the text of an IP address becomes that address.
impl From<(&str, u16)> for Address {
    fn from((host, port): (&str, u16)) -> Self {
        Address::from((host.to_owned(), port))
    }
}

/// Host and port. A host that is the text of an IP address becomes that address.
impl From<(String, u16)> for Address {
    fn from((host, port): (String, u16)) -> Self {
        match host.parse::<IpAddr>() {
            Ok(ip) => Address::from((ip, port)),
            Err(_) => Address::Host(host, port),
        }
    }
}

impl From<&Path> for Address {
    fn from(path: &Path) -> Self {
        Address::Path(path.to_owned())
    }
}

impl From<PathBuf> for Address {
    fn from(path: PathBuf) -> Self {
        Address::Path(path)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Ip(address) => f.debug_tuple("Ip").field(address).finish(),
            Address::Host(host, port) => f.debug_tuple("Host").field(host).field(port).finish(),
            Address::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Address::Abstract(name) => f.debug_tuple("Abstract").field(name).finish(),
            Address::Unnamed => f.write_str("Unnamed"),
            Address::Name(name) => f.debug_tuple("Name").field(&without_user(name)).finish(),
        }
    }
}
