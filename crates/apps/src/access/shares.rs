//! A bound on the connections of one client.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socketry_auth::refusal;
use socketry_transport::{
    BoxListener, BoxSocket, Credentials, Half, Info, ListenerExt, SendExt, UpgradeLimits, close,
    relabel,
};

use super::proved_name;

/// How long a refused client may take to close, so that it can read why.
const PARTING: Duration = Duration::from_secs(1);
/// How much a refused client may send meanwhile, in bytes.
const PARTING_BYTES: usize = 64 << 10;

/// How many connections each client has.
struct Shares {
    most: usize,
    taken: Mutex<HashMap<String, usize>>,
}

/// A connection of a client. It is a part of the socket's `Info`, and so ends with it.
struct Share {
    shares: Arc<Shares>,
    client: String,
}

/// The same listener. It refuses each client that has `most` connections already.
pub(super) fn bounded(listener: BoxListener, most: usize) -> BoxListener {
    let shares = Arc::new(Shares {
        most,
        taken: Mutex::default(),
    });
    let upgrading = listener.upgrading(UpgradeLimits::default(), move |socket| {
        Arc::clone(&shares).admit(socket)
    });
    BoxListener::new(upgrading.on_failure(|failure| tracing::warn!("refused: {failure}")))
}

/// Who is counted: the name that the peer has proved, or else its user or its address.
pub(super) fn client(info: &Info) -> Option<String> {
    let by_user = || Some(format!("uid {}", info.get::<Credentials>()?.uid));
    let by_address = || Some(network(info.peer().socket_addr()?.ip()));
    proved_name(info).or_else(by_user).or_else(by_address)
}

/// The address, or for IPv6 the network of 64 bits that one client has to itself.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            let network = Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64);
            format!("{network}/64")
        }
        address => address.to_string(),
    }
}

impl Shares {
    fn taken(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        // A panic elsewhere leaves the numbers whole.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, client: &str) -> Option<Share> {
        let mut taken = self.taken();
        let count = taken.entry(client.to_owned()).or_default();
        (*count < self.most).then(|| {
            *count += 1;
            Share {
                shares: Arc::clone(self),
                client: client.to_owned(),
            }
        })
    }

    async fn admit(self: Arc<Self>, mut socket: BoxSocket) -> io::Result<BoxSocket> {
        let Some(client) = client(socket.info()) else {
            return Ok(socket);
        };
        if let Some(share) = self.take(&client) {
            return Ok(BoxSocket::new(relabel(socket, |info| info.with(share))));
        }
        let words = format!(
            "{client} has all its {} connections here already",
            self.most
        );
        // An address of datagrams may be forged: it is sent nothing.
        if socket.shape().is_reliable() {
            socket.send_all(refusal(&words).as_bytes()).await?;
            close(socket, PARTING_BYTES, PARTING).await?;
        }
        Err(io::Error::other(words))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.taken();
        if let Some(count) = taken.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_a_whole_network_of_ipv6() {
        for (address, counted) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
            ("::1", "::1"),
        ] {
            assert_eq!(network(address.parse().unwrap()), counted);
        }
    }
}
