//! The views of an endpoint as an address of each kind. Each scheme of this crate has one kind of
//! address. Any other scheme may have any kind, and its transport knows which view it wants.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::Path;

use super::address::{Address, path_of};
use super::own::Kind;
use super::percent::{bytes, text};
use super::{Endpoint, host};

impl Endpoint {
    /// Whether the scheme may have an address of this kind.
    fn may_be(&self, kind: Kind) -> bool {
        Kind::of(self.scheme()).is_none_or(|own| own == kind)
    }

    pub(super) fn may_have_a_host(&self) -> bool {
        self.may_be(Kind::Internet)
    }

    /// The text between `://` and the query.
    pub(super) fn place(&self) -> &str {
        let (_, rest) = self.as_str().split_once("://").unwrap_or_default();
        rest.split_once('?').map_or(rest, |(place, _)| place)
    }

    /// The place, if the scheme may have an address of this kind and there is no user in it.
    fn whole(&self, kind: Kind) -> Option<&str> {
        let whole = self.place();
        (self.may_be(kind) && !whole.is_empty() && self.parts().user.is_none()).then_some(whole)
    }

    /// The text before an `@`, as it is written: a user name, and perhaps a `:` and a password.
    pub fn user(&self) -> Option<&str> {
        self.parts().user
    }

    /// The host, decoded: a name, or an IP address without brackets. An IPv6 address may have a
    /// zone, as in `fe80::1%eth0`.
    pub fn host(&self) -> Option<Cow<'_, str>> {
        decoded(self.parts().host)
    }

    /// The port.
    pub fn port(&self) -> Option<u16> {
        self.parts().port
    }

    /// Host and port, if the endpoint has both. [`require_host_port`](Endpoint::require_host_port)
    /// gives an error if not.
    pub fn host_port(&self) -> Option<(Cow<'_, str>, u16)> {
        let parts = self.parts();
        Some((decoded(parts.host)?, parts.port?))
    }

    /// The IP address and port, if the host is an address, which needs no resolver. An IPv6 zone
    /// with a name needs one.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        let parts = self.parts();
        let (host, port) = (parts.host, parts.port?);
        let found = match host.strip_prefix('[') {
            Some(inner) => host::bracketed(inner.strip_suffix(']')?).ok()?,
            None => host::Host::Ip(text(host)?.parse().ok()?),
        };
        match found.at(port) {
            Address::Ip(address) => Some(address),
            _ => None,
        }
    }

    /// The path of a socket in the file system: all between `://` and the query, decoded. A path
    /// that does not begin with `/` is relative to the working directory.
    ///
    /// `None` for an [`abstract_name`](Endpoint::abstract_name), and elsewhere than on Unix for
    /// bytes that are not UTF-8.
    pub fn socket_path(&self) -> Option<Cow<'_, Path>> {
        let whole = self.whole(Kind::Local)?;
        let bytes = bytes(whole);
        let named = !whole.starts_with('@') && !bytes.contains(&0);
        path_of(bytes).filter(|_| named)
    }

    /// A name in Linux' abstract space: all between `://@` and the query, decoded, without the NUL
    /// that the kernel puts before it.
    pub fn abstract_name(&self) -> Option<Cow<'_, [u8]>> {
        let name = self.place().strip_prefix('@')?;
        self.may_be(Kind::Local).then(|| bytes(name))
    }

    /// The address as one name: all between `://` and the query, decoded. `None` if there is a user
    /// in it, and for bytes that are not UTF-8.
    pub fn name(&self) -> Option<Cow<'_, str>> {
        text(self.whole(Kind::Name)?)
    }

    /// The path of a URL, as it is written: empty, or a `/` and the text after it. For `unix`,
    /// `unix-dgram` and `mem` it is the whole address.
    pub fn raw_path(&self) -> &str {
        self.parts().path
    }

    /// The most likely address. Several views may fit: `x://name` names a host, a relative path or
    /// a name, and is read as a name.
    pub(crate) fn address(&self) -> Option<Address> {
        let place = self.place();
        if place.is_empty() {
            return self.may_be(Kind::Local).then_some(Address::Unnamed);
        }
        if let Some(name) = self.abstract_name() {
            return Some(Address::Abstract(name.into_owned()));
        }
        let only_a_path = place.starts_with('/') || !self.may_be(Kind::Name);
        if let Some(path) = self.socket_path().filter(|_| only_a_path) {
            return Some(Address::Path(path.into_owned()));
        }
        if let Some(address) = self.socket_addr() {
            return Some(Address::Ip(address));
        }
        if let Some((host, port)) = self.host_port() {
            return Some(Address::Host(host.into_owned(), port));
        }
        match self.name() {
            Some(name) => Some(Address::Name(name.into_owned())),
            None => self
                .socket_path()
                .map(|path| Address::Path(path.into_owned())),
        }
    }
}

/// A host, as it is written, without brackets and percent-encoding.
fn decoded(host: &str) -> Option<Cow<'_, str>> {
    match host.strip_prefix('[') {
        // The address as it is written, which may differ from its printed form.
        Some(inner) => {
            let inner = inner.strip_suffix(']')?;
            Some(match inner.split_once("%25") {
                Some((ip, zone)) => Cow::Owned(format!("{ip}%{zone}")),
                None => Cow::Borrowed(inner),
            })
        }
        None => text(host).filter(|host| !host.is_empty()),
    }
}
