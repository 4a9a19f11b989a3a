//! What the system says of its name servers.

use std::fs;
use std::io::ErrorKind;

use hickory_resolver::config::{ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::system_conf::parse_resolv_conf;

const FILE: &str = "/etc/resolv.conf";

/// The server where the file names none, or is missing: that of this machine (resolv.conf(5)).
const OWN_SERVER: &[u8] = b"\nnameserver 127.0.0.1\n";

/// The servers, search domains and options of the system's file.
pub(super) fn configuration() -> Result<(ResolverConfig, ResolverOpts), NetError> {
    let mut text = match fs::read(FILE) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    parse_resolv_conf(&text).or_else(|_no_server| {
        text.extend_from_slice(OWN_SERVER);
        parse_resolv_conf(&text)
    })
}
