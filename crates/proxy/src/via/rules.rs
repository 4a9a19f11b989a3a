//! Which proxy the environment names, and for which servers (`ALL_PROXY`, `NO_PROXY`).

use std::net::IpAddr;

use super::hop::Hop;
use crate::behind::Sources;
use crate::error::ProxyError;

/// A proxy for all servers but some.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) hop: Hop,
    exceptions: Vec<Exception>,
}

/// Servers that are reached without a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exception {
    servers: Servers,
    /// At this port only.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Servers {
    All,
    /// Of this network.
    Network(Sources),
    /// A name, and all names below it.
    Name(String),
}

impl Rules {
    /// What these variables say; `None` without a proxy. The form in lower case comes first, as in
    /// other programs.
    pub(super) fn read(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ProxyError> {
        let either = |lower: &str| {
            let set = |text: &String| !text.is_empty();
            let upper = || variable(&lower.to_ascii_uppercase());
            variable(lower).filter(set).or_else(upper).filter(set)
        };
        let Some(proxy) = either("all_proxy") else {
            return Ok(None);
        };
        // Without a scheme it is HTTP's, as in curl and in Go.
        let proxy = match proxy.contains("://") {
            true => proxy,
            false => format!("http://{proxy}"),
        };
        let hop = Hop::with_password(&proxy)?;
        let words = either("no_proxy").unwrap_or_default();
        let words = words.split([',', ' ']).filter(|word| !word.is_empty());
        let exceptions = words.map(Exception::read).collect();
        Ok(Some(Rules { hop, exceptions }))
    }

    /// Whether the proxy is for this server.
    pub(super) fn apply_to(&self, host: &str, port: u16) -> bool {
        !self.exceptions.iter().any(|one| one.has(host, port))
    }
}

impl Exception {
    fn read(word: &str) -> Self {
        // An address of IPv6 has colons of its own.
        let (servers, port) = match (Servers::network(word), word.rsplit_once(':')) {
            (Some(network), _) => (network, None),
            (None, Some((servers, port))) if port.parse::<u16>().is_ok() => {
                (Servers::read(servers), port.parse().ok())
            }
            (None, _) => (Servers::read(word), None),
        };
        Exception { servers, port }
    }

    fn has(&self, host: &str, port: u16) -> bool {
        self.servers.have(host) && self.port.is_none_or(|only| only == port)
    }
}

impl Servers {
    fn network(text: &str) -> Option<Self> {
        let inside = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        Sources::around(inside.unwrap_or(text)).map(Servers::Network)
    }

    fn read(text: &str) -> Self {
        if text == "*" {
            return Servers::All;
        }
        Servers::network(text).unwrap_or_else(|| {
            let name = text.trim_start_matches("*.").trim_start_matches('.');
            Servers::Name(name.trim_end_matches('.').to_ascii_lowercase())
        })
    }

    fn have(&self, host: &str) -> bool {
        match self {
            Servers::All => true,
            Servers::Network(network) => {
                let ip = host.parse::<IpAddr>();
                ip.is_ok_and(|ip| network.have_ip(ip))
            }
            Servers::Name(name) => {
                let host = host.trim_end_matches('.').to_ascii_lowercase();
                let below = host.strip_suffix(name.as_str());
                below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn applies(exceptions: &str, host: &str, port: u16) -> bool {
        let variable = |name: &str| match name {
            "ALL_PROXY" => Some("http://127.0.0.1:3128".to_owned()),
            "NO_PROXY" => Some(exceptions.to_owned()),
            _ => None,
        };
        let rules = Rules::read(variable).unwrap().unwrap();
        rules.apply_to(host, port)
    }

    #[test]
    fn exceptions_are_names_with_those_below_networks_and_ports() {
        for (exceptions, host, through) in [
            ("", "example.org", true),
            ("*", "example.org", false),
            ("example.org", "example.org", false),
            ("example.org", "WWW.Example.ORG.", false),
            ("example.org", "badexample.org", true),
            (".example.org", "example.org", false),
            ("*.example.org", "a.b.example.org", false),
            ("other,example.org:9", "example.org", false),
            ("other example.org:10", "example.org", true),
            ("10.0.0.0/8", "10.1.2.3", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", false),
            ("10.0.0.0/8", "11.1.2.3", true),
            ("192.0.2.1", "192.0.2.1", false),
            ("192.0.2.1", "192.0.2.10", true),
            ("[2001:db8::1]", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8::2", false),
            ("org", "example.org", false),
            ("127.0.0.1", "localhost", true),
            ("10.1.2.3/8", "10.4.5.6", false),
            ("2001:db8::1/64", "2001:db8::2", false),
            ("2001:db8::1/64", "2001:db8:1::2", true),
            ("[2001:db8::1]:9", "2001:db8::1", false),
            ("[2001:db8::1]:10", "2001:db8::1", true),
            ("192.0.2.1:9", "192.0.2.1", false),
            ("192.0.2.1:10", "192.0.2.1", true),
            ("*:10", "example.org", true),
        ] {
            assert_eq!(
                applies(exceptions, host, 9),
                through,
                "{exceptions}: {host}"
            );
        }
    }

    #[test]
    fn a_variable_in_lower_case_comes_first_and_an_empty_one_is_none() {
        let lower = |name: &str| match name {
            "all_proxy" => Some("socks5://127.0.0.1:1".to_owned()),
            "ALL_PROXY" => Some("http://127.0.0.1:2".to_owned()),
            _ => None,
        };
        let rules = Rules::read(lower).unwrap().unwrap();
        assert_eq!(rules.hop.to_string(), "socks5://127.0.0.1:1");
        let bare = |name: &str| (name == "ALL_PROXY").then(|| "ann:word@proxy:3128".to_owned());
        let rules = Rules::read(bare).unwrap().unwrap();
        assert_eq!(rules.hop.to_string(), "http://proxy:3128");
        assert!(Rules::read(|_| Some(String::new())).unwrap().is_none());
        assert!(Rules::read(|_| None).unwrap().is_none());
    }
}
