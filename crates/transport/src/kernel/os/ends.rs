//! The two ends of a connected socket. Servers that accept many connections rarely need them. So
//! until a caller asks, no text is made, and the kernel is not called.

use std::net::SocketAddr;

use socket2::SockAddr;

use super::Os;
use crate::contract::endpoint::Endpoint;
use crate::contract::socket::info::Info;
use crate::kernel::addr::{self, Scheme};
use crate::kernel::unix::credentials;

/// The place of one end.
#[derive(Debug)]
pub(crate) enum Place {
    Known(Endpoint),
    Ip(SocketAddr),
    /// It is not bound.
    Unnamed,
    /// Only the kernel knows it. Only a local end has this place.
    Unasked,
}

impl Place {
    pub(crate) fn of(scheme: Scheme, address: &SockAddr) -> Self {
        match address.as_socket() {
            Some(ip) => Place::Ip(ip),
            None if address.is_unnamed() => Place::Unnamed,
            None => Place::Known(addr::endpoint(scheme, address)),
        }
    }

    fn endpoint(&self, os: &Os) -> Endpoint {
        match self {
            Place::Known(endpoint) => endpoint.clone(),
            Place::Ip(ip) => addr::endpoint(os.scheme, &SockAddr::from(*ip)),
            Place::Unnamed => addr::unnamed(os.scheme),
            Place::Unasked => match os.socket().local_addr() {
                Ok(address) => addr::endpoint(os.scheme, &address),
                Err(_) => addr::unnamed(os.scheme),
            },
        }
    }
}

/// The places of both ends.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) local: Place,
    pub(crate) peer: Place,
}

impl Ends {
    /// All facts about `os`. The kernel noted a Unix peer's credentials when it connected, and
    /// gives the same answer at any time.
    pub(super) fn info(&self, os: &Os) -> Info {
        let info = Info::new(os.shape, self.local.endpoint(os), self.peer.endpoint(os));
        let credentials = os
            .scheme
            .is_unix()
            .then(|| credentials::of_peer(os.socket()));
        let info = match credentials.flatten() {
            Some(credentials) => info.with(credentials),
            None => info,
        };
        #[cfg(target_os = "linux")]
        if let Some(passing) = os.passing() {
            return info.with(passing.clone());
        }
        info
    }
}
