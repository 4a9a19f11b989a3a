//! Balancers before servers, and proxies before clients.

use socketry_proxy::{Behind, Via};
use socketry_transport::{Endpoint, Registry};

/// The key in the URL of a server behind a balancer.
const PROXY_FROM: &str = "proxy_from";

/// The same registry, whose servers may be behind a balancer and whose clients may go through
/// proxies, where their URLs say so. The environment is not asked.
pub(crate) fn registered(registry: Registry) -> Registry {
    let behind = Behind::new().on_failure(|failure| tracing::warn!("refused: {failure}"));
    let both = behind.register(registry.clone());
    let both = both.and_then(|registry| Via::new().register(registry));
    // It fails only where the registry has no TCP: then there is nothing to put it over.
    both.unwrap_or(registry)
}

/// Whether a balancer passes on to a server at `at` whoever reaches that balancer.
pub(crate) fn is_behind_a_balancer(at: &Endpoint) -> bool {
    at.query().any(|(key, _)| key == PROXY_FROM)
}
