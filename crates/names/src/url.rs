//! A URL that names a service.

use socketry_transport::{Endpoint, EndpointParts, Error, ErrorKind, Keys, Result, Service};

use crate::srv::SUFFIX;

/// The key of TLS for the name that a server has to prove.
const TRUSTED: &str = "name";

/// What a URL says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// The scheme of the transport inside.
    scheme: &'a str,
    /// The name of the records, without a dot at its end.
    pub(crate) service: String,
    /// The domain that offers the service.
    domain: String,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(to: &'a Endpoint, action: &'static str) -> Result<Self> {
        let wrong = |reason: String| {
            let place = to.clone().without_query();
            Error::new(ErrorKind::InvalidEndpoint, action, place).because(reason)
        };
        let scheme = to.scheme().strip_suffix(SUFFIX);
        let scheme = scheme.filter(|scheme| !scheme.is_empty());
        let scheme = scheme.ok_or_else(|| wrong(format!("its scheme does not end in {SUFFIX}")))?;
        if let Some(port) = to.port() {
            return Err(
                wrong("the records of a service have its ports".to_owned()).hint(format!(
                    "leave out ':{port}'; for a host and a port it is {scheme}://"
                )),
            );
        }
        let host = to.host().unwrap_or_default();
        let service = host.strip_suffix('.').unwrap_or(&host);
        if !service.is_ascii() {
            return Err(wrong("its name has letters beyond ASCII".to_owned())
                .hint("such a name has a form in ASCII, xn--…: write that"));
        }
        let mut labels = service.splitn(3, '.');
        let mut underscored = || {
            let label = labels.next()?;
            (label.len() > 1 && label.starts_with('_')).then_some(label)
        };
        let both = (underscored(), underscored());
        match (both, labels.next()) {
            ((Some(_), Some(_)), Some(domain)) if is_name(domain) => Ok(Asked {
                scheme,
                service: service.to_owned(),
                domain: domain.to_owned(),
            }),
            _ => Err(wrong("it is no name of a service".to_owned()).hint(format!(
                "write {scheme}{SUFFIX}://_SERVICE._PROTOCOL.DOMAIN, \
                 as in {scheme}{SUFFIX}://_chat._tcp.example.org"
            ))),
        }
    }

    /// The URL of a `server`, for a transport that takes `keys`.
    ///
    /// Whoever can forge an answer of the DNS says which hosts are there. So a server has to prove
    /// the domain that the user wrote, and not the host of the record (RFC 9525, section 6.1).
    pub(crate) fn server(&self, to: &Endpoint, server: &Service, keys: &Keys) -> Result<Endpoint> {
        if !is_name(server.target.strip_suffix('.').unwrap_or(&server.target)) {
            return Err(
                Error::new(ErrorKind::InvalidEndpoint, "use", &server.target)
                    .because("the record has no name of a host"),
            );
        }
        let there = Endpoint::from_parts(EndpointParts {
            scheme: self.scheme,
            host: &server.target,
            port: Some(server.port),
            ..to.parts()
        })?;
        let has_one = to.query().any(|(key, _)| key == TRUSTED);
        Ok(match keys.contains(TRUSTED) && !has_one {
            true => there.with(TRUSTED, &self.domain),
            false => there,
        })
    }
}

/// Whether this can be a name in the DNS of a host or domain, without a dot at its end. Its length
/// is a resolver's affair.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
    text.split('.').all(label)
}
