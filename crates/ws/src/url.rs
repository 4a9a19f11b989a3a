//! What a URL says of WebSocket.

use std::borrow::Cow;

use socketry_transport::units::{parse_bytes, parse_duration};
use socketry_transport::{Endpoint, EndpointParts, Error, ErrorKind, Keys, Result};

use crate::config::{Places, Ws};
use crate::handshake::{Accepting, Asking, is_token};
use crate::origins::Origins;

const PROTOCOL: &str = "protocol";
const ORIGIN: &str = "origin";
const MAX_MESSAGE: &str = "max_message";
const PING: &str = "ping";
const PONG: &str = "pong";
const TEXT: &str = "text";
const PATH: &str = "path";
const HANDSHAKE_TIMEOUT: &str = "handshake_timeout";

/// The query keys of this layer.
pub(crate) const KEYS: [&str; 8] = [
    PROTOCOL,
    ORIGIN,
    MAX_MESSAGE,
    PING,
    PONG,
    TEXT,
    PATH,
    HANDSHAKE_TIMEOUT,
];

/// Headers that a request has already. A second one would break the handshake.
const OURS: [&str; 6] = [
    "connection",
    "upgrade",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
];

/// A URL that was understood.
#[derive(Debug)]
pub(crate) struct Asked {
    /// What it and the layer say together.
    pub(crate) ws: Ws,
    /// The address of the transport inside, with the options of that.
    pub(crate) inner: Endpoint,
    /// The path of the request, as it is written; empty if the URL has none.
    path: String,
    /// The part of the query that is the request's, as it is written.
    query: Option<String>,
    /// The values of `origin`.
    origins: Vec<String>,
}

impl Asked {
    /// What `at` says, where the transport inside takes `keys`.
    pub(crate) fn of(ws: &Ws, at: &Endpoint, keys: &Keys) -> Result<Self> {
        let wrong = |reason: String| {
            Error::new(ErrorKind::InvalidOption, "use", at.clone().without_query()).because(reason)
        };
        let mut asked = Asked {
            ws: ws.clone(),
            inner: at.clone(),
            path: String::new(),
            query: None,
            origins: Vec::new(),
        };
        asked.find_places(at, keys)?;
        for (key, value) in at.query().filter(|(key, _)| KEYS.contains(key)) {
            asked
                .take(key, value)
                .map_err(|reason| wrong(format!("option '{key}': {reason}")))?;
        }
        asked.check().map_err(wrong)?;
        Ok(asked)
    }

    /// Takes the URL apart: the address inside, and the request's path and query.
    fn find_places(&mut self, at: &Endpoint, keys: &Keys) -> Result<()> {
        let without = |at: Endpoint, drop: &dyn Fn(&str) -> bool| {
            let dropped: Vec<_> = at.query().map(|(key, _)| key.to_owned()).collect();
            let dropped = dropped.into_iter().filter(|key| drop(key));
            dropped.fold(at, |at, key| at.without_key(&key))
        };
        let inner = without(at.clone(), &|key| {
            !keys.contains(key) || KEYS.contains(&key)
        });
        let rest = without(at.clone(), &|key| keys.contains(key) || KEYS.contains(&key));
        self.query = rest.raw_query().map(str::to_owned);

        let port = match self.ws.places {
            Places::Hosts { port } => Some(port),
            Places::Either => None,
            Places::Local => {
                self.inner = inner;
                return Ok(());
            }
        };
        let parts = inner.parts();
        if parts.host.is_empty() || at.abstract_name().is_some() {
            self.inner = inner;
            return Ok(());
        }
        if parts.user.is_some() {
            let error = Error::new(ErrorKind::InvalidEndpoint, "use", at.redacted());
            return Err(error
                .because("a WebSocket's URL has no user")
                .hint("Ws::header can set Authorization"));
        }
        self.path = parts.path.to_owned();
        let inside = EndpointParts {
            path: "",
            port: parts.port.or(port),
            query: parts.query.filter(|query| !query.is_empty()),
            ..parts
        };
        self.inner = Endpoint::from_parts(inside)?;
        Ok(())
    }

    fn take(&mut self, key: &str, value: &str) -> std::result::Result<(), String> {
        if value.is_empty() {
            return Err("it has no value".to_owned());
        }
        let list = || value.split(',').map(|one| one.trim().to_owned());
        let settings = &mut self.ws.settings;
        match key {
            PROTOCOL => self.ws.protocols = list().collect(),
            ORIGIN => self.origins = list().collect(),
            MAX_MESSAGE => settings.max_message = parse_bytes(value).map_err(|e| e.to_string())?,
            PING if value == "off" => settings.ping = None,
            PING => settings.ping = Some(parse_duration(value).map_err(|e| e.to_string())?),
            PONG => settings.pong = parse_duration(value).map_err(|e| e.to_string())?,
            TEXT => {
                settings.text = match value {
                    "true" => true,
                    "false" => false,
                    _ => return Err("it is 'true' or 'false'".to_owned()),
                }
            }
            PATH if self.path.is_empty() && value.starts_with('/') => {
                value.clone_into(&mut self.path);
            }
            PATH => return Err("it is for URLs without a host, and begins with '/'".to_owned()),
            HANDSHAKE_TIMEOUT => {
                self.ws.limits.deadline = parse_duration(value).map_err(|e| e.to_string())?;
            }
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> std::result::Result<(), String> {
        if let Some(name) = self.ws.protocols.iter().find(|name| !is_token(name)) {
            return Err(format!(
                "'{}' is no name of a subprotocol",
                name.escape_debug()
            ));
        }
        let fits = |text: &str| {
            text.bytes()
                .all(|byte| byte == b'\t' || (32..127).contains(&byte))
        };
        let mut headers = self.ws.headers.iter();
        if let Some((name, _)) = headers.find(|(name, value)| !is_token(name) || !fits(value)) {
            return Err(format!(
                "the header '{}' does not fit into a line",
                name.escape_debug()
            ));
        }
        let mut headers = self.ws.headers.iter();
        if let Some((name, _)) = headers.find(|(name, _)| is_ours(name)) {
            return Err(format!(
                "the header '{name}' is of the handshake itself, and cannot be set"
            ));
        }
        if let Some(origin) = self.origins.iter().find(|origin| !fits(origin)) {
            return Err(format!(
                "the origin '{}' does not fit into a line",
                origin.escape_debug()
            ));
        }
        let query = self.query.as_deref().unwrap_or_default();
        let target = [&self.path, query, self.inner.parts().host];
        if target
            .iter()
            .any(|text| !fits(text) || text.contains([' ', '\t', '#']))
        {
            let words = "a request has no blanks, no control characters and no '#'";
            return Err(format!(
                "{words} in its path, query and host: write them as %XX"
            ));
        }
        if self.ws.settings.max_message == 0 {
            return Err("max_message is at least 1 byte".to_owned());
        }
        if self.ws.settings.ping.is_some_and(|every| every.is_zero()) {
            return Err("ping is a time above 0, or 'off'".to_owned());
        }
        if self.ws.settings.pong.is_zero() {
            return Err("pong is a time above 0".to_owned());
        }
        Ok(())
    }

    /// `at`, which is an address of the transport inside, with the path of this URL.
    pub(crate) fn seen(&self, at: &Endpoint) -> Endpoint {
        if self.path.is_empty() || self.is_local(at) {
            return at.clone();
        }
        let path = &*self.path;
        let parts = at.parts();
        Endpoint::from_parts(EndpointParts { path, ..parts }).unwrap_or_else(|_| at.clone())
    }

    fn is_local(&self, at: &Endpoint) -> bool {
        let parts = at.parts();
        self.ws.places == Places::Local
            || parts.host.is_empty()
            || !parts.path.is_empty()
            || at.abstract_name().is_some()
    }

    /// What a client asks for.
    pub(crate) fn asking(&self) -> Asking {
        let parts = self.inner.parts();
        let path = if self.path.is_empty() {
            "/"
        } else {
            &self.path
        };
        let query = self.query.as_deref().filter(|query| !query.is_empty());
        let target = match query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let usual = match self.ws.places {
            Places::Hosts { port } => Some(port),
            _ => None,
        };
        let name = without_zone(parts.host);
        let host = match parts.port {
            _ if self.is_local(&self.inner) => "localhost".to_owned(),
            Some(port) if Some(port) != usual => format!("{name}:{port}"),
            _ => name.into_owned(),
        };
        let mut headers = self.ws.headers.clone();
        let host = take(&mut headers, "host").unwrap_or(host);
        let origin = take(&mut headers, "origin");
        let origin = self.origins.first().cloned().or(origin);
        headers.extend(origin.map(|origin| ("Origin".to_owned(), origin)));
        Asking {
            settings: self.ws.settings,
            target,
            host,
            protocols: self.ws.protocols.clone(),
            headers,
        }
    }

    /// What a server decides by.
    pub(crate) fn accepting(&self) -> Accepting {
        let origins = match self.origins.is_empty() {
            true => self.ws.origins.clone(),
            false => Origins::of(self.origins.iter().cloned()),
        };
        Accepting {
            settings: self.ws.settings,
            protocols: self.ws.protocols.clone(),
            origins,
            kept: self.ws.kept.clone(),
            path: match &*self.path {
                "/" => String::new(),
                path => path.to_owned(),
            },
            page: self.ws.page.clone(),
        }
    }
}

fn is_ours(name: &str) -> bool {
    OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name))
}

/// Takes the headers of this name out, and gives the value of the last.
fn take(headers: &mut Vec<(String, String)>, name: &str) -> Option<String> {
    let mut last = None;
    headers.retain_mut(|(known, value)| {
        let is_it = known.eq_ignore_ascii_case(name);
        if is_it {
            last = Some(std::mem::take(value));
        }
        !is_it
    });
    last
}

/// A host as others know it: a zone has a meaning on this machine alone (RFC 6874, section 4).
fn without_zone(host: &str) -> Cow<'_, str> {
    match host.split_once('%') {
        Some((ip, _)) if ip.starts_with('[') => format!("{ip}]").into(),
        _ => host.into(),
    }
}
