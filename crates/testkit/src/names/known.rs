//! A resolver that knows what it was told.

use std::collections::BTreeMap;
use std::net::IpAddr;

use socketry_transport::{Error, ErrorKind, Resolve, Result, Service, async_trait};

/// Hosts and services, without any server: a resolver for tests.
///
/// ```
/// use socketry_testkit::names::Known;
/// use socketry_transport::Resolve;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let known = Known::default().host("a.example", ["192.0.2.1".parse()?]);
/// assert_eq!(known.addresses("A.example.").await?, ["192.0.2.1".parse::<std::net::IpAddr>()?]);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub(super) hosts: BTreeMap<String, Vec<IpAddr>>,
    pub(super) services: BTreeMap<String, Vec<Service>>,
    silent: Vec<String>,
}

impl Known {
    /// The same with a host.
    #[must_use]
    pub fn host(mut self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let all = addresses.into_iter().collect();
        self.hosts.insert(plain(name), all);
        self
    }

    /// The same with the records of a service: priority, weight, port, target.
    #[must_use]
    pub fn service<'a>(
        mut self,
        name: &str,
        records: impl IntoIterator<Item = (u16, u16, u16, &'a str)>,
    ) -> Self {
        let record = |(priority, weight, port, target): (u16, u16, u16, &str)| Service {
            priority,
            weight,
            port,
            target: target.to_owned(),
        };
        let all = records.into_iter().map(record).collect();
        self.services.insert(plain(name), all);
        self
    }

    /// The same, where a question for this name is never answered.
    #[must_use]
    pub fn silent(mut self, name: &str) -> Self {
        self.silent.push(plain(name));
        self
    }

    async fn found<T: Clone>(&self, all: &BTreeMap<String, Vec<T>>, name: &str) -> Result<Vec<T>> {
        let known = plain(name);
        if self.silent.contains(&known) {
            std::future::pending::<()>().await;
        }
        match all.get(&known) {
            Some(found) if !found.is_empty() => Ok(found.clone()),
            _ => Err(Error::new(ErrorKind::NotFound, "resolve", name).because("nobody told of it")),
        }
    }
}

/// Without case, and without the dot at its end.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[async_trait]
impl Resolve for Known {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        match host.parse() {
            Ok(address) => Ok(vec![address]),
            Err(_) => self.found(&self.hosts, host).await,
        }
    }

    async fn services(&self, name: &str) -> Result<Vec<Service>> {
        self.found(&self.services, name).await
    }
}
