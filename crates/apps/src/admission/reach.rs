//! Who can connect to an address.

use std::fmt;

use socketry_transport::Endpoint;

use crate::matrix::{SERIAL_SCHEME, TLS_SCHEMES};
use crate::proxies::is_behind_a_balancer;

/// Who can connect to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The users that the mode of a socket's file admits.
    File,
    /// The machine at the other end of a wire.
    Wire,
    /// All users of this machine, and the web pages in their browsers.
    Machine,
    /// Other machines; also where the address does not tell.
    Network,
}

impl Reach {
    /// Who reaches `at`. A name of a host says nothing before it is resolved.
    pub(crate) fn of(at: &Endpoint) -> Self {
        if is_behind_a_balancer(at) {
            return Reach::Network;
        }
        let at = &beneath(at);
        if let Some(address) = at.socket_addr() {
            return match address.ip().to_canonical().is_loopback() {
                true => Reach::Machine,
                false => Reach::Network,
            };
        }
        if at.scheme() == SERIAL_SCHEME {
            return Reach::Wire;
        }
        if at.abstract_name().is_some() {
            return Reach::Machine;
        }
        match at.socket_path().is_some() && at.host().is_none() {
            true => Reach::File,
            false => Reach::Network,
        }
    }
}

/// The address under layers: what a scheme says of it is known for `unix`, and not for `tls+unix`.
fn beneath(at: &Endpoint) -> Endpoint {
    let scheme = match at.scheme() {
        scheme if scheme == TLS_SCHEMES[0] => "tcp",
        scheme if scheme == TLS_SCHEMES[1] || scheme == "ws+unix" => "unix",
        _ => return at.clone(),
    };
    at.with_scheme(scheme).unwrap_or_else(|_| at.clone())
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reach::File => "every user whom the mode of its file admits",
            Reach::Wire => "whatever is at the other end of the line",
            Reach::Machine => "every user of this machine and, through a browser, any web page",
            Reach::Network => "anybody on its networks and, through a browser, any web page",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reach_of_an_address_is_known() {
        for (reach, urls) in [
            (
                Reach::File,
                &[
                    "unix:///run/s",
                    "unix://s",
                    "unix://127.0.0.1:9",
                    "unix-seqpacket:///run/s",
                    "own:///s",
                    "tls+unix://s",
                    "tls+unix:///s?ca=c",
                    "ws+unix:///s?path=/chat",
                ][..],
            ),
            (Reach::Wire, &["serial:///dev/ttyUSB0?baud=9600"]),
            (
                Reach::Machine,
                &[
                    "tcp://127.0.0.1:0",
                    "tcp://127.9.9.9:1",
                    "udp://[::1]:9",
                    "tcp://[::ffff:127.0.0.1]:9",
                    "tls://127.0.0.1:0?ca=c",
                    "quic://127.0.0.1:0?ca=c",
                    "own://127.0.0.1:9",
                    "unix://@name",
                    "unix-dgram://@name",
                    "unix-seqpacket://@name",
                    "tls+unix://@name",
                    "ws://127.0.0.1:0/chat",
                    "wss://[::1]:443/",
                ],
            ),
            (
                Reach::Network,
                &[
                    "tcp://0.0.0.0:0",
                    "tcp://[::]:0",
                    "udp://10.0.0.1:9",
                    "udp://239.1.2.3:9",
                    "tcp://[fe80::1]:9",
                    "tls://192.0.2.1:9",
                    "quic://[::]:9",
                    "ws://0.0.0.0:80/chat",
                    "ws://127.0.0.1/",
                    "tcp://localhost:9",
                    "own://127.0.0.1",
                    "own://name",
                ],
            ),
        ] {
            for url in urls {
                assert_eq!(Reach::of(&url.parse().unwrap()), reach, "{url}");
            }
        }
    }
}
