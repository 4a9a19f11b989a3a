//! SOCKS5 (RFC 1928), with user names and passwords (RFC 1929).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socketry_transport::{ErrorKind, Socket};

use super::Target;
use super::hop::Credentials;
use super::wire::Wire;
use crate::error::{ProxyError, shown};

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_OF_THEM: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
/// The version of the exchange of a password.
const PASSWORD_VERSION: u8 = 1;

/// Lets the proxy connect to `target`. Gives the address that it has to the server, if it tells.
pub(super) async fn connect<S: Socket>(
    wire: &mut Wire<S>,
    credentials: Option<&Credentials>,
    target: &Target,
) -> Result<Option<SocketAddr>, ProxyError> {
    let request = request(target)?;
    authenticate(wire, credentials).await?;
    // In one segment: some proxies read no further.
    wire.say(&request).await?;
    let head = wire.need(2, "a reply").await?;
    // Some proxies say no more than this when they refuse.
    if let [VERSION, reply @ 1..=u8::MAX] = *head {
        return Err(refusal(reply, target));
    }
    let head = wire.need(5, "a reply").await?;
    let &[VERSION, 0, _, kind, first] = head else {
        return Err(ProxyError::protocol(format!(
            "its reply is {}",
            shown(head)
        )));
    };
    let address = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => 1 + usize::from(first),
        _ => {
            let words = format!("its reply has an address of the unknown type {kind}");
            return Err(ProxyError::protocol(words));
        }
    };
    let len = 4 + address + 2;
    let reply = wire.need(len, "the end of a reply").await?;
    let bound = bound(kind, &reply[4..]);
    wire.used(len);
    Ok(bound)
}

/// The bytes of the request.
fn request(target: &Target) -> Result<Vec<u8>, ProxyError> {
    let mut bytes = vec![VERSION, CONNECT, 0];
    match target {
        Target::Ip(address) => {
            match address.ip() {
                IpAddr::V4(ip) => {
                    bytes.push(IPV4);
                    bytes.extend(ip.octets());
                }
                IpAddr::V6(ip) => {
                    bytes.push(IPV6);
                    bytes.extend(ip.octets());
                }
            }
            bytes.extend(address.port().to_be_bytes());
        }
        Target::Name(name, port) => {
            let len = u8::try_from(name.len()).map_err(|_| {
                let words = "SOCKS5 takes names of at most 255 bytes";
                ProxyError::new(ErrorKind::InvalidEndpoint, words)
            })?;
            bytes.extend([NAME, len]);
            bytes.extend(name.bytes());
            bytes.extend(port.to_be_bytes());
        }
    }
    Ok(bytes)
}

async fn authenticate<S: Socket>(
    wire: &mut Wire<S>,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    let offered: &[u8] = match credentials {
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, PASSWORD],
        None => &[VERSION, 1, NO_AUTHENTICATION],
    };
    wire.say(offered).await?;
    let answer = match wire.need(2, "an answer to SOCKS5").await {
        Err(error) if error.kind() == ErrorKind::Unreachable => {
            let words = "it closed the connection in place of an answer to SOCKS5";
            return Err(ProxyError::new(ErrorKind::Reset, words)
                .hint("does it speak SOCKS5, and want a user name and a password?"));
        }
        answer => answer?,
    };
    let &[version, method] = answer else {
        return Err(ProxyError::protocol("its answer has no method"));
    };
    if version != VERSION {
        return Err(stranger(&wire.bytes));
    }
    wire.used(2);
    match (method, credentials) {
        (NO_AUTHENTICATION, _) => Ok(()),
        (PASSWORD, Some(credentials)) => prove(wire, credentials).await,
        (NONE_OF_THEM, None) => Err(ProxyError::new(
            ErrorKind::Denied,
            "it lets nobody through without a user name",
        )
        .hint("write socks5://USER@host:port?password_file=FILE")),
        (NONE_OF_THEM, Some(_)) => Err(ProxyError::new(
            ErrorKind::Denied,
            "it takes no password, and lets nobody through without a proof",
        )),
        (method, _) => Err(ProxyError::protocol(format!(
            "it chose the method {method:#04x}, which was not offered"
        ))),
    }
}

async fn prove<S: Socket>(wire: &mut Wire<S>, credentials: &Credentials) -> Result<(), ProxyError> {
    let Credentials { user, password } = credentials;
    let len = |bytes: &[u8]| {
        u8::try_from(bytes.len()).map_err(|_| {
            let words = "SOCKS5 takes user names and passwords of at most 255 bytes";
            ProxyError::new(ErrorKind::InvalidOption, words)
        })
    };
    let bytes = [
        &[PASSWORD_VERSION, len(user)?],
        &user[..],
        &[len(password)?],
        password,
    ];
    wire.say(&bytes.concat()).await?;
    let refused = |words: &str| {
        ProxyError::new(ErrorKind::Denied, words).hint("are the user name and the password right?")
    };
    match wire.need(2, "an answer to the password").await {
        Ok(&[_, 0]) => {
            wire.used(2);
            Ok(())
        }
        Ok(_) => Err(refused("it refuses the user name or the password")),
        Err(error) if error.kind() == ErrorKind::Unreachable => Err(refused(
            "it closed the connection in place of an answer to the password",
        )),
        Err(error) => Err(error),
    }
}

fn bound(kind: u8, bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port): (IpAddr, &[u8]) = match kind {
        IPV4 => {
            let (ip, port) = bytes.split_first_chunk::<4>()?;
            (Ipv4Addr::from(*ip).into(), port)
        }
        IPV6 => {
            let (ip, port) = bytes.split_first_chunk::<16>()?;
            (Ipv6Addr::from(*ip).into(), port)
        }
        _ => return None,
    };
    let port = u16::from_be_bytes(port.try_into().ok()?);
    // Many proxies tell nothing.
    (!ip.is_unspecified()).then(|| SocketAddr::new(ip.to_canonical(), port))
}

/// What comes first is not SOCKS5.
fn stranger(bytes: &[u8]) -> ProxyError {
    let shown = shown(bytes);
    ProxyError::protocol(format!("it does not speak SOCKS5: it sent {shown}"))
        .hint("is it a proxy for HTTP? write http://host:port then")
}

/// Why the proxy did not connect (section 6).
fn refusal(reply: u8, target: &Target) -> ProxyError {
    let (kind, words) = match reply {
        1 => (ErrorKind::Unreachable, "a general failure"),
        2 => (ErrorKind::Denied, "not allowed by its rules"),
        3 => (ErrorKind::Unreachable, "the network is unreachable"),
        4 => (ErrorKind::Unreachable, "the host is unreachable"),
        5 => (ErrorKind::Refused, "the connection was refused"),
        6 => (ErrorKind::Unreachable, "the time to live has expired"),
        7 => (ErrorKind::Unsupported, "it knows no such command"),
        8 => (ErrorKind::Unreachable, "it knows no such type of address"),
        _ => (ErrorKind::Other, "a failure without a name"),
    };
    ProxyError::new(
        kind,
        format!("it did not connect to {target}: {words} (reply {reply})"),
    )
    .hint(match (kind, target) {
        (ErrorKind::Denied, _) => "ask whoever runs the proxy, or take another one",
        (_, Target::Name(..)) => "does the proxy know that name, and is the server running?",
        (_, Target::Ip(_)) => "is the server running, and may the proxy connect there?",
    })
}
