//! What a URL says of TLS.

use std::time::Duration;

use socketry_transport::units::parse_duration;
use socketry_transport::{Endpoint, Error, ErrorKind, Result};

use super::{Clients, Tls};
use crate::error::TlsError;
use crate::identity::Identity;
use crate::pin::Pin;
use crate::trust::Trust;

const CERT: &str = "cert";
const KEY: &str = "key";
const IDENTITY: &str = "identity";
const CA: &str = "ca";
const PIN: &str = "pin";
const NAME: &str = "name";
const CLIENTS: &str = "clients";
const ALPN: &str = "alpn";
const CLOSE_NOTIFY: &str = "close_notify";
const KEY_LOG: &str = "key_log";
const HANDSHAKE_TIMEOUT: &str = "handshake_timeout";

/// The query keys of this layer.
pub(crate) const KEYS: [&str; 11] = [
    CERT,
    KEY,
    IDENTITY,
    CA,
    PIN,
    NAME,
    CLIENTS,
    ALPN,
    CLOSE_NOTIFY,
    KEY_LOG,
    HANDSHAKE_TIMEOUT,
];

/// What the query of an endpoint says of TLS. No file has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    certificates: Vec<String>,
    keys: Vec<String>,
    identity: Option<String>,
    authorities: Option<String>,
    pins: Vec<Pin>,
    name: Option<String>,
    optional: Option<bool>,
    alpn: Option<Vec<Vec<u8>>>,
    strict: Option<bool>,
    key_log: Option<bool>,
    timeout: Option<Duration>,
}

impl Asked {
    /// What `endpoint` says, and the endpoint without it.
    pub(crate) fn of(endpoint: &Endpoint) -> Result<(Self, Endpoint)> {
        let mut asked = Asked::default();
        for (key, value) in endpoint.query() {
            asked.take(key, value).map_err(|reason| {
                Error::new(ErrorKind::InvalidOption, "use", endpoint)
                    .because(format!("option '{key}': {reason}"))
            })?;
        }
        asked
            .check()
            .map_err(|error| error.into_error("use", endpoint.as_str()))?;
        let inner = KEYS
            .iter()
            .fold(endpoint.clone(), |at, key| at.without_key(key));
        Ok((asked, inner))
    }

    fn take(&mut self, key: &str, value: &str) -> std::result::Result<(), String> {
        if value.is_empty() && KEYS.contains(&key) {
            return Err("it has no value".to_owned());
        }
        match key {
            CERT => self.certificates = files(value),
            KEY => self.keys = files(value),
            IDENTITY => self.identity = Some(value.to_owned()),
            CA => self.authorities = Some(value.to_owned()),
            PIN => {
                for pin in value.split(',') {
                    self.pins
                        .push(pin.parse().map_err(|bad: crate::BadPin| bad.to_string())?);
                }
            }
            NAME => self.name = Some(value.to_owned()),
            CLIENTS => self.optional = Some(one_of(value, "required", "optional")?),
            ALPN => {
                let all = value.split(',').map(|one| one.as_bytes().to_vec());
                self.alpn = Some(all.collect());
            }
            CLOSE_NOTIFY => self.strict = Some(one_of(value, "optional", "required")?),
            KEY_LOG => self.key_log = Some(one_of(value, "false", "true")?),
            HANDSHAKE_TIMEOUT => {
                let parsed = parse_duration(value).map_err(|error| error.to_string())?;
                self.timeout = Some(parsed);
            }
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> std::result::Result<(), TlsError> {
        let wrong = |reason| Err(TlsError::new(ErrorKind::InvalidOption, reason));
        if self.certificates.len() != self.keys.len() {
            return wrong("cert= and key= name as many files each, separated by commas");
        }
        if self.identity.is_some() && !self.keys.is_empty() {
            return wrong("identity= and cert= exclude each other");
        }
        if self.authorities.is_some() && !self.pins.is_empty() {
            return wrong("pin= and ca= exclude each other: a pin is trust in one key alone");
        }
        Ok(())
    }

    /// Whether it says nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Asked::default()
    }

    /// Whether a server with this requires certificates of clients. `by_default` is what it does if
    /// nothing is asked: `None` if it does not know which ones to trust.
    pub(crate) fn requires_clients(&self, by_default: Option<bool>) -> bool {
        let names_some = self.authorities.is_some() || !self.pins.is_empty();
        let required = if names_some { Some(true) } else { by_default };
        required.is_some_and(|required| self.optional.map_or(required, |optional| !optional))
    }

    /// `tls` with what is asked, for a client. Reads files.
    pub(crate) fn client(self, mut tls: Tls) -> std::result::Result<Tls, TlsError> {
        if self.optional.is_some() {
            let words = "clients= is for listening";
            return Err(TlsError::new(ErrorKind::InvalidOption, words));
        }
        if let Some(identity) = self.load_identity(&["localhost".to_owned()])? {
            tls.identity = Some(identity);
        }
        if let Some(trust) = self.load_trust()? {
            tls.trust = trust;
        }
        Ok(self.rest(tls))
    }

    /// `tls` with what is asked, for a server that listens at `host`. Reads files, and makes an
    /// identity if it has to.
    pub(crate) fn server(
        self,
        mut tls: Tls,
        host: Option<&str>,
    ) -> std::result::Result<Tls, TlsError> {
        if self.name.is_some() {
            let words = "name= is for connecting";
            return Err(TlsError::new(ErrorKind::InvalidOption, words));
        }
        if let Some(identity) = self.load_identity(&names(host))? {
            tls.identity = Some(identity);
        }
        if let Some(trust) = self.load_trust()? {
            let required = true;
            tls.clients = Some(Clients { trust, required });
        }
        match (self.optional, &mut tls.clients) {
            (None, _) => {}
            (Some(optional), Some(clients)) => clients.required = !optional,
            (Some(_), None) => {
                let words = "clients= needs the ca= or pin= of the clients";
                return Err(TlsError::new(ErrorKind::InvalidOption, words));
            }
        }
        Ok(self.rest(tls))
    }

    fn load_identity(&self, names: &[String]) -> std::result::Result<Option<Identity>, TlsError> {
        if let Some(directory) = &self.identity {
            return Identity::kept_in(directory, names.iter().cloned()).map(Some);
        }
        if self.keys.is_empty() {
            return Ok(None);
        }
        Identity::from_files(self.certificates.iter().zip(&self.keys)).map(Some)
    }

    fn load_trust(&self) -> std::result::Result<Option<Trust>, TlsError> {
        if !self.pins.is_empty() {
            return Ok(Some(Trust::pins(self.pins.iter().copied())));
        }
        self.authorities
            .as_ref()
            .map(Trust::authorities_in)
            .transpose()
    }

    fn rest(self, mut tls: Tls) -> Tls {
        tls.name = self.name.or(tls.name);
        tls.alpn = self.alpn.unwrap_or(tls.alpn);
        tls.strict = self.strict.unwrap_or(tls.strict);
        tls.key_log = self.key_log.unwrap_or(tls.key_log);
        tls.limits.deadline = self.timeout.unwrap_or(tls.limits.deadline);
        tls
    }
}

/// The names of a certificate that a server makes: where it listens, and this machine.
fn names(host: Option<&str>) -> Vec<String> {
    let mut names: Vec<_> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    if let Some(host) = host {
        let everywhere = ["0.0.0.0", "::"].contains(&host) || host.contains('%');
        if !everywhere && !names.iter().any(|name| name == host) {
            names.insert(0, host.to_owned());
        }
    }
    names
}

/// Several files are separated by commas.
fn files(value: &str) -> Vec<String> {
    value.split(',').map(str::to_owned).collect()
}

/// `false` for the one word and `true` for the other.
fn one_of(value: &str, no: &str, yes: &str) -> std::result::Result<bool, String> {
    match value {
        value if value == no => Ok(false),
        value if value == yes => Ok(true),
        _ => Err(format!("it is '{no}' or '{yes}'")),
    }
}
