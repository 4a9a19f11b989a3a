//! One proxy: what it speaks, where it is, and who we are to it.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use socketry_transport::{Endpoint, ErrorKind};
use tokio::task::spawn_blocking;

use crate::error::ProxyError;

/// In the query of a proxy's URL: a file whose first line is the password.
const PASSWORD_FILE: &str = "password_file";
/// In the query of a proxy's URL: an environment variable that is the password.
const PASSWORD_ENV: &str = "password_env";

/// A proxy on the way to a server.
///
/// As text it is a URL with a user name, if the proxy wants one, and never with a password: a URL
/// is seen by every user of the machine, and ends in logs. The password is in a file or in an
/// environment variable, or is given in code ([`Hop::password`]).
///
/// | text | proxy |
/// |---|---|
/// | `socks5://user@host:port` | SOCKS5 (RFC 1928, 1929); this machine resolves the names of servers |
/// | `socks5h://user@host:port` | SOCKS5; the proxy resolves them |
/// | `http://user@host:port` | HTTP's CONNECT (RFC 9110, section 9.3.6); the proxy resolves them |
/// | `…?password_file=FILE` | the password is the first line of this file |
/// | `…?password_env=NAME` | the password is in this environment variable |
///
/// ```
/// use socketry_proxy::Hop;
///
/// let hop: Hop = "socks5h://ann@proxy.example:1080?password_file=/etc/proxy".parse()?;
/// assert_eq!(hop.to_string(), "socks5h://proxy.example:1080");
/// assert!("socks5://ann:secret@proxy.example:1080".parse::<Hop>().is_err());
/// # Ok::<(), socketry_proxy::ProxyError>(())
/// ```
#[derive(Clone)]
pub struct Hop {
    pub(super) kind: Kind,
    pub(super) host: String,
    pub(super) port: u16,
    user: Option<Vec<u8>>,
    password: Password,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Socks5,
    Socks5h,
    Http,
}

#[derive(Clone)]
enum Password {
    None,
    Known(Vec<u8>),
    File(PathBuf),
    Env(String),
}

/// A user name and a password.
pub(super) struct Credentials {
    pub(super) user: Vec<u8>,
    pub(super) password: Vec<u8>,
}

impl Kind {
    fn scheme(self) -> &'static str {
        match self {
            Kind::Socks5 => "socks5",
            Kind::Socks5h => "socks5h",
            Kind::Http => "http",
        }
    }
}

impl Hop {
    /// The proxy of this text, which may have a password in it: the text is not from a URL of a
    /// user, but from the environment.
    pub(super) fn with_password(text: &str) -> Result<Self, ProxyError> {
        let wrong = |reason: String| {
            ProxyError::new(ErrorKind::InvalidOption, reason)
                .hint("a proxy is socks5://host:port, socks5h://host:port or http://host:port")
        };
        // The words of the error may have the password.
        let url: Endpoint = text
            .parse()
            .map_err(|_| wrong("a proxy's URL cannot be read".to_owned()))?;
        let kind = [Kind::Socks5, Kind::Socks5h, Kind::Http]
            .into_iter()
            .find(|kind| kind.scheme() == url.scheme())
            .ok_or_else(|| wrong(format!("no proxy is known by the scheme {}", url.scheme())))?;
        let shown = url.redacted().to_string();
        let (host, port) = match url.host_port() {
            Some((host, port)) if port != 0 => (host.into_owned(), port),
            _ => return Err(wrong(format!("the proxy {shown} has no host and port"))),
        };
        if !["", "/"].contains(&url.raw_path()) {
            return Err(wrong(format!("the proxy {shown} has a path")));
        }
        let mut hop = Hop {
            kind,
            host,
            port,
            user: None,
            password: Password::None,
        };
        if let Some(user) = url.user() {
            let (user, password) = match user.split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (user, None),
            };
            hop.user = Some(decoded(user));
            hop.password = password.map_or(Password::None, |text| Password::Known(decoded(text)));
        }
        for (key, value) in url.query() {
            hop.password = match (key, &hop.password) {
                (PASSWORD_FILE | PASSWORD_ENV, Password::None) if hop.user.is_none() => {
                    return Err(wrong(format!(
                        "the proxy {shown} has a password without a user"
                    )));
                }
                (PASSWORD_FILE, Password::None) => Password::File(value.into()),
                (PASSWORD_ENV, Password::None) => Password::Env(value.to_owned()),
                (PASSWORD_FILE | PASSWORD_ENV, _) => {
                    return Err(wrong(format!("the proxy {shown} has two passwords")));
                }
                _ => {
                    let key = key.escape_debug();
                    return Err(wrong(format!("there is no option '{key}' of a proxy")));
                }
            };
        }
        Ok(hop)
    }

    /// The same with this user name and password.
    #[must_use]
    pub fn password(mut self, user: impl Into<Vec<u8>>, password: impl Into<Vec<u8>>) -> Self {
        self.user = Some(user.into());
        self.password = Password::Known(password.into());
        self
    }

    /// Who we are to the proxy, if it was said. Reads the file.
    pub(super) async fn credentials(&self) -> Result<Option<Credentials>, ProxyError> {
        let Some(user) = self.user.clone() else {
            return Ok(None);
        };
        let password = match &self.password {
            Password::None => Vec::new(),
            Password::Known(password) => password.clone(),
            Password::Env(name) => std::env::var_os(name)
                .map(|value| value.as_encoded_bytes().to_vec())
                .ok_or_else(|| {
                    let words = format!("the environment has no {}", name.escape_debug());
                    ProxyError::new(ErrorKind::NotFound, words).hint("it is to be the password")
                })?,
            Password::File(path) => {
                let path = path.clone();
                let reading = spawn_blocking(move || first_line(&path));
                reading.await.unwrap_or_else(|error| {
                    Err(ProxyError::new(ErrorKind::Other, error.to_string()))
                })?
            }
        };
        Ok(Some(Credentials { user, password }))
    }
}

fn decoded(text: &str) -> Vec<u8> {
    Cow::from(percent_decode_str(text)).into_owned()
}

fn first_line(path: &Path) -> Result<Vec<u8>, ProxyError> {
    use std::io::Read;

    let mut text = Vec::new();
    let longest = 4096;
    let read = std::fs::File::open(path).and_then(|file| file.take(longest).read_to_end(&mut text));
    read.map_err(|error| {
        let path = path.display().to_string();
        let words = format!("the file of the password, {}: {error}", path.escape_debug());
        ProxyError::new(ErrorKind::from(&error), words)
    })?;
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

/// With a user name, and without a password.
impl FromStr for Hop {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let hop = Hop::with_password(text)?;
        match hop.password {
            Password::Known(_) => {
                let words = format!("the URL of the proxy {hop} has a password in it");
                Err(ProxyError::new(ErrorKind::InvalidOption, words).hint(
                    "other users see it: leave it out, and add ?password_file=FILE or \
                     ?password_env=NAME to the proxy's URL",
                ))
            }
            _ => Ok(hop),
        }
    }
}

/// Without a user name.
impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, port) = (self.kind.scheme(), self.port);
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{port}", self.host.escape_debug()),
            false => write!(f, "{scheme}://{}:{port}", self.host.escape_debug()),
        }
    }
}

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hop({self})")
    }
}
