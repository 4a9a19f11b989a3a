//! The schemes of this crate's transports: each has one kind of address, and one way to write it.

use super::address::Address;
use super::percent::{bytes, check, checked};
use super::query::{self, Flags, Pairs};
use super::refusal::Refusal;
use super::{Endpoint, host};

/// The kind of address that a scheme of this crate has. Any other scheme may have any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Host and port, and nothing else.
    Internet,
    /// A path in the file system or an abstract name, in bytes.
    Local,
    /// Any text.
    Name,
}

const OWN: [(&str, Kind); 6] = [
    ("tcp", Kind::Internet),
    ("udp", Kind::Internet),
    ("unix", Kind::Local),
    ("unix-dgram", Kind::Local),
    ("unix-seqpacket", Kind::Local),
    ("mem", Kind::Name),
];

impl Kind {
    /// The kind of `scheme`, which is in lower case, if it is one of this crate.
    pub(super) fn of(scheme: &str) -> Option<Self> {
        let own = OWN.iter().find(|(own, _)| *own == scheme);
        own.map(|(_, kind)| *kind)
    }
}

/// The schemes of this crate, for an error.
pub(super) fn schemes() -> String {
    OWN.map(|(scheme, _)| scheme).join(", ")
}

/// Reads `rest`, which stands behind `scheme` and `://` in `text`.
///
/// Texts with the same meaning get the same form: `tcp://[0::1]:007` becomes `tcp://[::1]:7`.
pub(super) fn read(kind: Kind, scheme: &str, rest: &str, text: &str) -> Result<Endpoint, Refusal> {
    let (place, pairs) = match rest.split_once('?') {
        Some((place, query)) => (place, query::read(query, Flags::Refused, text)?),
        None => (rest, Pairs::default()),
    };
    if rest.contains('#') {
        return Err(Refusal::new("a fragment means nothing here").hint("write '#' as %23"));
    }
    let address = match kind {
        Kind::Internet => host::address(place, text)?,
        Kind::Local => local(place)?,
        Kind::Name => name(place)?,
    };
    let mut text = address.text(scheme);
    query::write(&mut text, &pairs);
    Ok(Endpoint::made(text, pairs))
}

fn local(place: &str) -> Result<Address, Refusal> {
    check(place)?;
    if let Some(name) = place.strip_prefix('@') {
        return Ok(Address::Abstract(bytes(name).into_owned()));
    }
    if place.is_empty() {
        return Ok(Address::Unnamed);
    }
    let bytes = bytes(place);
    if bytes.contains(&0) {
        return Err(
            Refusal::new("a path has no NUL byte").hint("an abstract name is written unix://@name")
        );
    }
    let path = super::address::path_of(bytes).ok_or_else(|| Refusal::new("it is not UTF-8"))?;
    Ok(Address::Path(path.into_owned()))
}

fn name(place: &str) -> Result<Address, Refusal> {
    let name = checked(place)?;
    if name.is_empty() {
        return Err(Refusal::new("it has no name after '://'"));
    }
    Ok(Address::Name(name.into_owned()))
}
