//! Options that the kernel refuses: which error means what, and the way out.

use std::fs;
use std::io;

use crate::contract::error::ErrorKind;

const AVAILABLE: &str = "/proc/sys/net/ipv4/tcp_available_congestion_control";
const ALLOWED: &str = "/proc/sys/net/ipv4/tcp_allowed_congestion_control";
const DEVICES: &str = "/proc/net/dev";

/// The most bytes that Linux reads of the name of a device or an algorithm. It would cut a longer
/// one, and take what is left for the name.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LONGEST_NAME: usize = 15;

/// Whether the kernel has no such option for a socket of this protocol.
pub(super) fn is_unknown(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENOPROTOOPT | libc::EOPNOTSUPP)
    )
}

/// A name that the kernel reads to its end.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn name<'a>(name: &'a str, of: &str) -> io::Result<&'a str> {
    if (1..=LONGEST_NAME).contains(&name.len()) && !name.contains('\0') {
        return Ok(name);
    }
    let words = format!("the name of {of} has 1 to {LONGEST_NAME} bytes, none of them 0");
    Err(io::Error::new(io::ErrorKind::InvalidInput, words))
}

/// What a user can do about it.
pub(super) fn way_out(key: &str, error: &io::Error, multipath: bool) -> Option<String> {
    let told = |words: &str| Some(words.to_owned());
    match (key, ErrorKind::from(error)) {
        ("mark", ErrorKind::Denied) => {
            told("it needs the capability CAP_NET_ADMIN, or CAP_NET_RAW from Linux 5.17 on")
        }
        ("priority", ErrorKind::Denied) => {
            told("0 to 6 need no right; higher ones need the capability CAP_NET_ADMIN")
        }
        ("bind_device", ErrorKind::Denied) => {
            told("before Linux 5.7 it needs the capability CAP_NET_RAW")
        }
        ("congestion", ErrorKind::Denied) => listed(ALLOWED)
            .map(|names| format!("without the capability CAP_NET_ADMIN, {names} are allowed")),
        ("congestion", ErrorKind::NotFound) => {
            listed(AVAILABLE).map(|names| format!("this kernel has {names}"))
        }
        ("bind_device" | "interface", _) if is_missing(error) => {
            devices().map(|names| format!("there are {names}"))
        }
        ("fastopen", _) if is_unknown(error) => told(
            "sysctl -w net.ipv4.tcp_fastopen=3 allows it for clients and servers; or leave it out",
        ),
        _ if multipath && is_unknown(error) => Some(format!(
            "MPTCP has no such option in this kernel; leave out {key}, or mptcp"
        )),
        _ => None,
    }
}

/// Whether there is no device of this name or number.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENODEV | libc::EADDRNOTAVAIL)
    ) || error.kind() == io::ErrorKind::NotFound
}

/// The words in a file of the kernel's, with commas.
fn listed(file: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let words: Vec<_> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The devices of this machine. Two lines of titles stand above them (proc_net(5)).
fn devices() -> Option<String> {
    let text = fs::read_to_string(DEVICES).ok()?;
    let names = text.lines().skip(2).filter_map(|line| line.split_once(':'));
    let names: Vec<_> = names.map(|(name, _)| name.trim()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}
