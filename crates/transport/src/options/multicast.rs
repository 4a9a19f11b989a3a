//! A multicast group to join, and the interface on which to join it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

#[cfg(feature = "serde")]
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::UnitError;

const WANTED: &str =
    "a multicast group; write 239.1.2.3, 239.1.2.3@192.168.1.5 or ff02::1@eth0, say";

/// A multicast group, and perhaps the interface to join it on: `239.1.2.3`,
/// `239.1.2.3@192.168.1.5`, `ff02::1@eth0` or `ff02::1@3`.
///
/// The interface is an address of this machine (IPv4 groups only), a name or an index. Without one
/// the system chooses, by its routes.
///
/// ```
/// use socketry_transport::MulticastGroup;
///
/// let group: MulticastGroup = "ff02::fb@eth0".parse()?;
/// assert!(group.group().is_ipv6());
/// assert_eq!(group.to_string(), "ff02::fb@eth0");
/// # Ok::<(), socketry_transport::units::UnitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MulticastGroup {
    group: IpAddr,
    interface: Interface,
}

/// The interface on which a group is joined.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Interface {
    Any,
    Address(Ipv4Addr),
    Index(u32),
    Name(String),
}

impl MulticastGroup {
    /// The group's address.
    pub fn group(&self) -> IpAddr {
        self.group
    }

    pub(crate) fn interface(&self) -> &Interface {
        &self.interface
    }
}

impl FromStr for MulticastGroup {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (group, interface) = match text.split_once('@') {
            Some((group, interface)) => (group, parse_interface(interface)),
            None => (text, Some(Interface::Any)),
        };
        let group = group.parse().ok().filter(IpAddr::is_multicast);
        match (group, interface) {
            (Some(IpAddr::V6(_)), Some(Interface::Address(_))) | (None, _) | (_, None) => {
                Err(UnitError::new(text, WANTED))
            }
            (Some(group), Some(interface)) => Ok(MulticastGroup { group, interface }),
        }
    }
}

fn parse_interface(text: &str) -> Option<Interface> {
    if let Ok(address) = text.parse() {
        return Some(Interface::Address(address));
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text
            .parse()
            .ok()
            .filter(|index| *index != 0)
            .map(Interface::Index);
    }
    // Linux allows more (any 15 bytes but '/', ':' and space), but such names are not in use.
    let name_like = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let well_formed = text.len() <= 15 && text.bytes().all(name_like);
    well_formed.then(|| Interface::Name(text.to_owned()))
}

impl fmt::Display for MulticastGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.group)?;
        match &self.interface {
            Interface::Any => Ok(()),
            Interface::Address(address) => write!(f, "@{address}"),
            Interface::Index(index) => write!(f, "@{index}"),
            Interface::Name(name) => write!(f, "@{name}"),
        }
    }
}

#[cfg(feature = "serde")]
impl Serialize for MulticastGroup {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> Deserialize<'de> for MulticastGroup {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
