//! What usually helps, by what failed and where.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use crate::{Address, Endpoint, ErrorKind};

/// What to do about `error`, which the system answered while `action` was under way at `at`.
pub(crate) fn of(action: &str, at: &Endpoint, error: &io::Error) -> Option<String> {
    let listens = action.starts_with("listen");
    match at.address() {
        Address::Path(path) => of_path(listens, at.scheme(), path, error),
        Address::Ip(address) => of_ip(listens, address, error).map(str::to_owned),
        _ => of_any(ErrorKind::from(error)).map(str::to_owned),
    }
}

fn of_any(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Refused => Some("is the server running, and is this where it listens?"),
        ErrorKind::InUse => Some("choose another address, or port 0 to let the system choose"),
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
        (kind, _) => of_any(kind),
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
            let other = match scheme {
                "unix" => "unix-dgram",
                _ => "unix",
            };
            format!("a socket of another kind is there; write {other}:// perhaps")
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

/// Which part of the path is missing, and what a relative one is relative to: `unix://host/path` looks absolute.
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
