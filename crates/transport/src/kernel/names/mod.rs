//! The system's resolver, and the addresses of an endpoint by any resolver.

use std::io;
use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use tokio::net::lookup_host;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::names::{Resolve, not_found};

/// The most addresses of one name that are tried or listened at. A resolver may give more.
const MOST_ADDRESSES: usize = 64;

/// The resolver of the system, `getaddrinfo` of the C library, on a thread of its own: the names of
/// `/etc/hosts`, of DNS and of all else that `/etc/nsswitch.conf` names, in the order of RFC 6724.
///
/// It has no services. How long it waits for servers is the system's affair (`/etc/resolv.conf`); a
/// connect waits no longer than its `connect_timeout`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        let found = asked(host, 0).await;
        // The words of getaddrinfo ("Name or service not known") come without a number to match on.
        let found = found.map_err(|error| not_found(host, &error.to_string()))?;
        match found.is_empty() {
            true => Err(not_found(host, "the name has no address")),
            false => Ok(found.iter().map(SocketAddr::ip).collect()),
        }
    }
}

async fn asked(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok(lookup_host((host, port)).await?.collect())
}

/// The addresses of the host of `endpoint`, in the order in which to try them: both families in
/// turn, beginning with the one that the resolver put first (RFC 8305, section 4). A host that is
/// an address needs no resolver. The interface of a zone is the system's to know, and `names` is
/// not asked.
///
/// # Errors
/// As [`Resolve::addresses`], with `action` and `endpoint` in its words.
/// [`InvalidEndpoint`](crate::ErrorKind::InvalidEndpoint) if there is no host or no port.
pub async fn resolve(
    names: &dyn Resolve,
    action: &'static str,
    endpoint: &Endpoint,
) -> Result<Vec<SocketAddr>> {
    if let Some(address) = endpoint.socket_addr() {
        return Ok(vec![address]);
    }
    let (host, port) = endpoint.require_host_port(action)?;
    let found = if host.contains('%') {
        let found = asked(&host, port).await;
        found.map_err(|error| not_found(&host, &error.to_string()))
    } else {
        let found = names.addresses(&host).await;
        found.map(|all| {
            let all = all.into_iter().take(MOST_ADDRESSES);
            all.map(|ip| SocketAddr::new(ip, port)).collect()
        })
    };
    match found {
        Ok(found) if found.is_empty() => {
            Err(not_found(&host, "the name has no address").part_of(action, endpoint))
        }
        Ok(found) => Ok(interleaved(found)),
        Err(error) => Err(error.part_of(action, endpoint)),
    }
}

/// Both families in turn, beginning with the first one.
fn interleaved(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    std::iter::from_fn(|| match first.next() {
        Some(address) => {
            std::mem::swap(&mut first, &mut second);
            Some(address)
        }
        None => second.next(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|a| a.parse().unwrap()).collect()
        };
        let found = parse(&[
            "[::1]:1",
            "[::2]:1",
            "[::3]:1",
            "127.0.0.1:1",
            "127.0.0.2:1",
        ]);
        let tried = parse(&[
            "[::1]:1",
            "127.0.0.1:1",
            "[::2]:1",
            "127.0.0.2:1",
            "[::3]:1",
        ]);
        assert_eq!(interleaved(found), tried);
    }

    /// Gives as many addresses as it is told, whatever it is asked.
    #[derive(Debug)]
    struct Many(usize);

    #[async_trait]
    impl Resolve for Many {
        async fn addresses(&self, _: &str) -> Result<Vec<IpAddr>> {
            Ok(vec![IpAddr::from([192, 0, 2, 1]); self.0])
        }
    }

    #[tokio::test]
    async fn no_name_has_more_addresses_than_are_tried() {
        let at: Endpoint = "tcp://many.example:1".parse().unwrap();
        for (given, due) in [(1, 1), (64, 64), (65, 64), (5000, 64)] {
            let found = resolve(&Many(given), "connect to", &at).await.unwrap();
            assert_eq!(found.len(), due);
        }
        let none = resolve(&Many(0), "connect to", &at).await.unwrap_err();
        assert_eq!(
            none.to_string(),
            "cannot connect to tcp://many.example:1: the name has no address; \
             check the spelling of the host name"
        );
    }

    #[tokio::test]
    async fn neither_an_address_nor_a_zone_asks_the_resolver() {
        for (url, due) in [
            ("tcp://127.0.0.2:7", "127.0.0.2:7"),
            ("tcp://[fe80::1%251]:7", "[fe80::1%1]:7"),
            ("tcp://[fe80::1%25lo]:7", "[fe80::1%1]:7"),
        ] {
            let found = resolve(&Many(3), "connect to", &url.parse().unwrap()).await;
            assert_eq!(found.unwrap(), [due.parse::<SocketAddr>().unwrap()]);
        }
    }
}
