//! Services in the apps: `tcp+srv://_chat._tcp.example.org` connects to a server that the DNS names.

use socketry_transport::Registry;

/// What stands behind the scheme of a host.
const SUFFIX: &str = "+srv";

/// The same registry, with services over its transports of hosts. Hosts stay the system's to know.
#[cfg(feature = "names")]
pub(crate) fn registered(registry: Registry) -> Registry {
    socketry_names::Srv::new(socketry_names::Names::system()).register(registry)
}

#[cfg(not(feature = "names"))]
pub(crate) fn registered(registry: Registry) -> Registry {
    registry
}

/// The scheme of the servers of a service; any other scheme as it is.
pub(crate) fn of_servers(scheme: &str) -> &str {
    scheme.strip_suffix(SUFFIX).unwrap_or(scheme)
}

/// The forms of URLs of services.
pub(crate) fn urls(transports: &Registry) -> String {
    let known = transports
        .schemes()
        .filter(|scheme| scheme.ends_with(SUFFIX));
    let forms: Vec<_> = known
        .map(|scheme| format!("{scheme}://_SERVICE._PROTOCOL.DOMAIN"))
        .collect();
    match forms.is_empty() {
        true => String::new(),
        false => format!(
            "  {}\n      to connect: as without +srv, to a host and port of the SRV records of DNS\n",
            forms.join(",\n  ")
        ),
    }
}
