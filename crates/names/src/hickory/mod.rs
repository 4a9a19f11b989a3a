//! A resolver that asks DNS servers by itself.

mod asking;
mod failure;
mod reach;
mod system;

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::net::NetError;
use socketry_transport::{Resolve, Result, Service, async_trait};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use asking::Asking;

/// How long a question may take in all, with all its servers and repetitions: 10 seconds.
const DEADLINE: Duration = Duration::from_secs(10);
/// The most answers that are kept: 1,024.
const CACHE: u64 = 1024;
/// The most addresses of a host that are given.
const MOST_ADDRESSES: usize = 64;
/// The most records of a service that are given. A message of the DNS has room for some 3,000.
const MOST_SERVICES: usize = 1024;

/// A resolver that asks DNS servers by itself, through hickory-resolver. It has the SRV records of
/// services, which the C library's does not give.
///
/// * It asks over UDP, and over TCP if an answer does not fit. Aliases (CNAME) are followed, at
///   most 8 of them.
/// * A question takes at most the [`deadline`](Names::deadline). A dropped one is abandoned. Once
///   the addresses of one family are there, those of the other are waited for at most a second.
/// * An answer is kept for its time to live, at most an hour; one that there is nothing for at most
///   a minute. At most 1,024 are kept ([`cache`](Names::cache)).
/// * A host has at most 64 addresses and a service 1,024 records; more are left out.
/// * Addresses of IPv6 come before those of IPv4, and those that this machine has no route to come
///   last. Within a family the order is the server's.
/// * A host's name is completed by the search domains: first, where it has fewer dots than `ndots`
///   says, and else after it was not found. A name in `/etc/hosts` is not, nor is `localhost`, which
///   is this machine (RFC 6761). A service's name is always whole.
/// * Letters beyond ASCII are written in their form in ASCII (IDNA).
/// * An answer is believed: nothing is signed (no DNSSEC), and an address may be a private one.
///
/// Clones share what they keep. It belongs to the runtime of tokio in which it is first asked.
#[derive(Clone)]
pub struct Names {
    source: Source,
    search: Vec<String>,
    deadline: Duration,
    cache: u64,
    asking: Arc<OnceCell<Asking>>,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    Servers(Vec<SocketAddr>),
}

impl Names {
    /// The servers, search domains and options of `/etc/resolv.conf`, and before them the hosts of
    /// `/etc/hosts`. Both are read once, when it is first asked. Where no server is named, or that
    /// file is missing, the server is this machine (resolv.conf(5)).
    pub fn system() -> Self {
        Names::from(Source::System)
    }

    /// These servers, of which the quickest is asked first. No file is read.
    ///
    /// ```
    /// use socketry_names::{Names, Srv};
    /// use socketry_transport::Registry;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let names = Names::servers(["192.0.2.53:53".parse()?]);
    /// let registry = Srv::new(names.clone()).register(Registry::standard_with(names));
    /// assert!(registry.get("tcp+srv").is_some());
    /// # Ok(()) }
    /// ```
    pub fn servers(servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        Names::from(Source::Servers(servers.into_iter().collect()))
    }

    /// The same with these search domains, in place of those of the system.
    #[must_use]
    pub fn search<D: Into<String>>(mut self, domains: impl IntoIterator<Item = D>) -> Self {
        self.search = domains.into_iter().map(Into::into).collect();
        self.fresh()
    }

    /// How long a question may take; default 10 seconds.
    #[must_use]
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }

    /// How many answers are kept; default 1,024, and 0 for none.
    #[must_use]
    pub fn cache(mut self, answers: u64) -> Self {
        self.cache = answers;
        self.fresh()
    }

    fn from(source: Source) -> Self {
        Names {
            source,
            search: Vec::new(),
            deadline: DEADLINE,
            cache: CACHE,
            asking: Arc::default(),
        }
    }

    /// The same without what its clones share.
    fn fresh(mut self) -> Self {
        self.asking = Arc::default();
        self
    }

    async fn asking(&self) -> Result<&Asking, NetError> {
        self.asking.get_or_try_init(|| Asking::of(self)).await
    }

    /// The answer to `question`, within the deadline. `missing` says that there is none.
    async fn in_time<T>(
        &self,
        name: &str,
        missing: &str,
        question: impl Future<Output = Result<T, NetError>>,
    ) -> Result<T> {
        match timeout(self.deadline, question).await {
            Ok(answer) => answer.map_err(|error| failure::of(name, missing, error)),
            Err(_) => Err(failure::silent(name, self.deadline)),
        }
    }
}

#[async_trait]
impl Resolve for Names {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let question = async { self.asking().await?.addresses(host).await };
        let found = self
            .in_time(host, "the name has no address", question)
            .await?;
        let mut all = Vec::new();
        for address in found {
            if !all.contains(&address) && all.len() < MOST_ADDRESSES {
                all.push(address);
            }
        }
        Ok(reach::first(all))
    }

    async fn services(&self, name: &str) -> Result<Vec<Service>> {
        let missing = format!("{name} has no SRV records");
        let question = async { self.asking().await?.services(name).await };
        let mut found = self.in_time(name, &missing, question).await?;
        found.truncate(MOST_SERVICES);
        match found.is_empty() {
            true => Err(failure::missing(name, &missing)),
            false => Ok(found),
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("source", &self.source)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
