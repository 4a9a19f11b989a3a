//! The usual way out, by the call that failed and its address.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use crate::contract::endpoint::{Address, Endpoint};
use crate::contract::error::{Error, ErrorKind};

/// The error of a call that the kernel refused while `action` was under way at `at`, with the way
/// out.
pub(crate) fn failed(action: &'static str, at: &Endpoint, error: io::Error) -> Error {
    // It may have been told already, at a step in between.
    let error = match error.downcast::<Error>() {
        Ok(told) => return told,
        Err(error) => error,
    };
    let hint = of(action, at, &error);
    let failed = Error::io(action, at, error);
    match hint {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}

/// The way out that the address suggests. Without one the error keeps the hint of its kind.
fn of(action: &str, at: &Endpoint, error: &io::Error) -> Option<String> {
    let listens = action.starts_with("listen");
    match at.address() {
        Some(Address::Path(path)) => of_path(listens, at.scheme(), &path, error),
        Some(Address::Ip(address)) => of_ip(listens, &address, error).map(str::to_owned),
        _ => None,
    }
}

fn of_ip(listens: bool, at: &SocketAddr, error: &io::Error) -> Option<&'static str> {
    match (ErrorKind::from(error), error.raw_os_error()) {
        (ErrorKind::Denied, _) if listens => {
            Some("ports below 1024 need permission; choose another, or 0 to let the system choose")
        }
        (ErrorKind::Denied, _) => {
            Some("a firewall forbids it, or it is a broadcast address without broadcast=true")
        }
        (ErrorKind::NotAvailable, _) if listens => {
            Some("listen at an address of this machine, or at 0.0.0.0 or [::] for all of them")
        }
        (ErrorKind::Refused | ErrorKind::NotAvailable, _) if at.port() == 0 => {
            Some("port 0 is for listening; connect to the port that the system chose then")
        }
        (ErrorKind::Unreachable, _) => Some("is the address right, and the network up?"),
        (_, Some(libc::EINVAL)) if lacks_zone(at) => {
            Some("a link-local address needs its interface, as in [fe80::1%25eth0]")
        }
        _ => None,
    }
}

fn lacks_zone(at: &SocketAddr) -> bool {
    match (at, at.ip()) {
        (SocketAddr::V6(v6), IpAddr::V6(ip)) => ip.is_unicast_link_local() && v6.scope_id() == 0,
        _ => false,
    }
}

fn of_path(listens: bool, scheme: &str, path: &Path, error: &io::Error) -> Option<String> {
    let hint = match (ErrorKind::from(error), error.raw_os_error()) {
        (ErrorKind::NotFound, _) => missing(listens, path),
        (ErrorKind::Denied, _) if listens => {
            "whoever listens must be allowed to write to the directory".to_owned()
        }
        (ErrorKind::Denied, _) => {
            "whoever connects must be allowed to write to the socket and to search its \
             directories; its server can allow more with the option mode"
                .to_owned()
        }
        (ErrorKind::Refused, _) if !is_socket(path) => "that file is no socket".to_owned(),
        (ErrorKind::Refused, _) => {
            "its server is gone and has left the file; start it again".to_owned()
        }
        (_, Some(libc::EPROTOTYPE)) => {
            let others = ["unix", "unix-dgram", "unix-seqpacket"].into_iter();
            let others = others.filter(|other| *other != scheme);
            let others: Vec<_> = others.map(|other| format!("{other}://")).collect();
            let others = others.join(" or ");
            format!("a socket of another kind is there; write {others} perhaps")
        }
        (_, Some(libc::ENOTDIR)) => "one of the directories is a file".to_owned(),
        (ErrorKind::InUse, _) => "choose another path".to_owned(),
        _ => return None,
    };
    Some(hint)
}

fn is_socket(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

/// Says which part of the path is missing, and the working directory of a relative path, since
/// `unix://host/path` looks absolute.
fn missing(listens: bool, path: &Path) -> String {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let hint = match parent.filter(|parent| !parent.exists()) {
        Some(parent) => format!("there is no directory {}", shown(parent)),
        None if listens => "its directory cannot be used".to_owned(),
        None => "is the server running? it makes the file".to_owned(),
    };
    if path.is_absolute() {
        return hint;
    }
    let within = std::env::current_dir().map_or_else(|_| ".".to_owned(), |here| shown(&here));
    format!("{hint}; the path is relative to {within}, an absolute one begins with a third slash")
}

fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forbidden_is_told_who_can_allow_it() {
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        for (action, at, words) in [
            ("connect to", "unix:///run/app.sock", "option mode"),
            (
                "listen at",
                "unix:///run/app.sock",
                "write to the directory",
            ),
            ("listen at", "tcp://127.0.0.1:80", "ports below 1024"),
            ("connect to", "udp://255.255.255.255:9", "broadcast=true"),
        ] {
            let at: Endpoint = at.parse().unwrap();
            let error = failed(action, &at, denied());
            let text = error.to_string();
            assert!(text.contains(words), "{text:?} does not say {words:?}");
        }
    }

    #[test]
    fn a_link_local_address_needs_its_interface() {
        let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
        let error = |at: &str| failed("connect to", &at.parse().unwrap(), invalid()).to_string();
        assert!(error("tcp://[fe80::1]:1").contains("[fe80::1%25eth0]"));
        assert!(!error("tcp://[fe80::1%251]:1").contains("eth0"));
        assert!(!error("tcp://[::1]:1").contains("eth0"));
    }
}
