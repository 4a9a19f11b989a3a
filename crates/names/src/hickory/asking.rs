//! Asking: which names of a host, in which order, and for both families beside each other.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, TokioResolver};
use socketry_transport::Service;
use tokio::time::timeout;

use super::{Names, Source, system};

/// For how long an answer is kept at most, whatever its time to live says: an hour.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// The same for the answer that there is nothing: a minute.
const LONGEST_OF_NOTHING: Duration = Duration::from_secs(60);
/// How long the addresses of a family are waited for once those of the other are there: a second.
/// Some servers and routers never answer a question for IPv6.
const OTHER_FAMILY: Duration = Duration::from_secs(1);

/// A resolver that was made: files were read.
pub(super) struct Asking {
    resolver: TokioResolver,
    hosts: Hosts,
    search: Vec<Name>,
    ndots: usize,
}

impl Asking {
    pub(super) async fn of(names: &Names) -> Result<Self, NetError> {
        let names = names.clone();
        // It reads files.
        let reading = tokio::task::spawn_blocking(move || Asking::read(&names));
        reading
            .await
            .unwrap_or_else(|stopped| Err(NetError::Msg(stopped.to_string())))
    }

    fn read(names: &Names) -> Result<Self, NetError> {
        let (mut config, mut options, hosts) = match &names.source {
            Source::System => {
                let (config, options) = system::configuration()?;
                (config, options, Hosts::from_system().unwrap_or_default())
            }
            Source::Servers(servers) => (at(servers), ResolverOpts::default(), Hosts::default()),
        };
        let own = names.search.iter().map(Name::from_utf8);
        let mut search = own.collect::<Result<Vec<_>, _>>()?;
        if search.is_empty() {
            search = std::mem::take(&mut config.search);
        }
        if search.is_empty() {
            // As in the C library: the domain of this machine's own name.
            search.extend(config.domain.take());
        }
        let ndots = options.ndots;
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = names.cache;
        options.positive_max_ttl = Some(LONGEST);
        options.negative_max_ttl = Some(LONGEST_OF_NOTHING);
        let provider = TokioRuntimeProvider::default();
        let builder = TokioResolver::builder_with_config(config, provider);
        Ok(Asking {
            resolver: builder.with_options(options).build()?,
            hosts,
            search,
            ndots,
        })
    }

    /// The addresses of the first of a host's names that has some. As in the C library, the name as
    /// it is written stands in `/etc/hosts` before any is asked for. A server that refuses one name
    /// is asked for the next, and one that is silent is not.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        let mut whole = Name::from_utf8(host)?;
        let is_whole = whole.is_fqdn();
        whole.set_fqdn(true);
        let known = self.known(&whole);
        if !known.is_empty() {
            return Ok(known);
        }
        let names = match is_whole || is_this_machine(&whole) {
            true => vec![whole],
            false => self.completed(host, whole)?,
        };
        let mut kept = NetError::Message("it has no names");
        for name in names {
            match self.addresses_of(name).await {
                Err(error @ NetError::Dns(_)) => {
                    if weight(&error) > weight(&kept) {
                        kept = error;
                    }
                }
                done => return done,
            }
        }
        Err(kept)
    }

    /// The names that `host` may stand for, in their order. `whole` is the one without a domain.
    fn completed(&self, host: &str, whole: Name) -> Result<Vec<Name>, NetError> {
        let name = Name::from_utf8(host)?;
        // One that is too long with a domain is none.
        let completed = |domain| name.clone().append_domain(domain).ok();
        let mut names: Vec<_> = self.search.iter().filter_map(completed).collect();
        let is_first = host.matches('.').count() >= self.ndots;
        names.insert(if is_first { 0 } else { names.len() }, whole);
        Ok(names)
    }

    /// What `/etc/hosts` has of a host, of both families.
    fn known(&self, name: &Name) -> Vec<IpAddr> {
        let families = [RecordType::AAAA, RecordType::A];
        let known = families.map(|family| {
            let query = Query::query(name.clone(), family);
            self.hosts.lookup_static_host(&query)
        });
        known.iter().flatten().flat_map(ips).collect()
    }

    async fn addresses_of(&self, name: Name) -> Result<Vec<IpAddr>, NetError> {
        let six = self.resolver.ipv6_lookup(name.clone());
        let four = self.resolver.ipv4_lookup(name);
        match both(six, four).await {
            (Ok(six), Ok(four)) => Ok(ips(&six).chain(ips(&four)).collect()),
            (Ok(one), Err(_)) | (Err(_), Ok(one)) => Ok(ips(&one).collect()),
            // That there is nothing of a family says nothing of the other one.
            (Err(six), Err(four)) if four.is_no_records_found() => Err(six),
            (Err(_), Err(four)) => Err(four),
        }
    }

    pub(super) async fn services(&self, name: &str) -> Result<Vec<Service>, NetError> {
        let mut whole = Name::from_utf8(name)?;
        // No search domain may say which service it is.
        whole.set_fqdn(true);
        let found = self.resolver.srv_lookup(whole).await?;
        let records = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(record) => Some(Service {
                    priority: record.priority,
                    weight: record.weight,
                    port: record.port,
                    target: record.target.to_ascii(),
                }),
                _ => None,
            });
        Ok(records.collect())
    }
}

/// Whether it is `localhost`, or a name below that: no search domain completes it, and its address
/// is known without a server (RFC 6761, section 6.3).
fn is_this_machine(name: &Name) -> bool {
    let last = name.iter().next_back();
    last.is_some_and(|label| label.eq_ignore_ascii_case(b"localhost"))
}

/// Which error is told where the names of a host have several.
fn weight(error: &NetError) -> u8 {
    match error {
        NetError::Dns(_) if error.is_nx_domain() => 1,
        NetError::Dns(_) if error.is_no_records_found() => 2,
        NetError::Dns(_) => 3,
        _ => 0,
    }
}

fn ips(found: &Lookup) -> impl Iterator<Item = IpAddr> + '_ {
    let records = found.answers().iter();
    records.filter_map(|record| record.data.ip_addr())
}

/// These servers, over UDP and TCP.
fn at(servers: &[SocketAddr]) -> ResolverConfig {
    let servers = servers.iter().map(|server| {
        let both = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
        let both = both.map(|mut one| {
            one.port = server.port();
            one
        });
        NameServerConfig::new(server.ip(), true, both.into())
    });
    ResolverConfig::from_name_servers(servers.collect())
}

type Answer = Result<Lookup, NetError>;

/// Both answers.
async fn both(
    six: impl Future<Output = Answer>,
    four: impl Future<Output = Answer>,
) -> (Answer, Answer) {
    let (mut six, mut four) = (pin!(six), pin!(four));
    tokio::select! {
        first = &mut six => {
            let other = other(&first, four).await;
            (first, other)
        }
        first = &mut four => {
            let other = other(&first, six).await;
            (other, first)
        }
    }
}

async fn other(first: &Answer, other: impl Future<Output = Answer>) -> Answer {
    match first {
        Ok(_) => timeout(OTHER_FAMILY, other)
            .await
            .unwrap_or(Err(NetError::Timeout)),
        Err(_) => other.await,
    }
}
