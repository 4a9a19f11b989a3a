//! What a URL says of QUIC.

use std::str::FromStr;
use std::time::Duration;

use socketry_tls::keys_within;
use socketry_transport::units::{parse_bytes, parse_duration};
use socketry_transport::{Endpoint, Error, ErrorKind, Keys, Result, SocketOptions};

use super::QuicLimits;

/// The keys of QUIC itself.
const OWN: [&str; 11] = [
    "congestion",
    "streams",
    "stream_window",
    "window",
    "send_window",
    "datagrams",
    "idle_timeout",
    "keep_alive",
    "finish_timeout",
    "migration",
    "retry_above",
];
/// The keys of the socket below that make sense for QUIC. Not among them: `tos`, in which QUIC
/// keeps its notices of congestion, and `priority`. Those notices are a type of service of each
/// packet, of which Linux makes its priority.
const OF_UDP: [&str; 7] = [
    "recv_buffer",
    "send_buffer",
    "ttl",
    "only_v6",
    "mark",
    "interface",
    "bind_device",
];
/// The keys that are read here, as other transports have them.
const COMMON: [&str; 2] = ["connect_timeout", "backlog"];

/// All keys.
pub(super) fn keys() -> Keys {
    Keys::default()
        .and(keys_within())
        .and(OWN)
        .and(OF_UDP)
        .and(COMMON)
}

/// What the query of an endpoint says, but for TLS.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) limits: QuicLimits,
    pub(crate) connect_timeout: Duration,
}

impl Asked {
    /// What `endpoint` says, over `base`. Refuses keys that there are not.
    pub(crate) fn of(endpoint: &Endpoint, base: QuicLimits) -> Result<Self> {
        let options = SocketOptions::from_query(endpoint, keys())?;
        let mut limits = base;
        for (key, value) in endpoint.query() {
            take(&mut limits, key, value).map_err(|reason| {
                let reason = format!("option '{key}': {reason}");
                Error::new(ErrorKind::InvalidOption, "use", endpoint).because(reason)
            })?;
        }
        if let Some(backlog) = options.backlog {
            limits.backlog = usize::try_from(backlog).unwrap_or(usize::MAX);
        }
        Ok(Asked {
            limits,
            connect_timeout: options
                .connect_timeout
                .unwrap_or(SocketOptions::DEFAULT_CONNECT_TIMEOUT),
        })
    }
}

fn take(limits: &mut QuicLimits, key: &str, value: &str) -> std::result::Result<(), String> {
    match key {
        "congestion" => limits.congestion = value.parse()?,
        "streams" => limits.streams = above_zero(value)?,
        "stream_window" => limits.stream_window = window(value)?,
        "window" => limits.window = window(value)?,
        "send_window" => limits.send_window = window(value)?,
        "datagrams" => limits.datagrams = or_off(value, bytes)?.unwrap_or(0),
        "idle_timeout" => limits.idle = or_off(value, time)?,
        "keep_alive" => limits.keep_alive = or_off(value, time)?,
        "finish_timeout" => limits.finish = time(value)?,
        "migration" => limits.migration = number(value, "true or false")?,
        "retry_above" => limits.retry_above = number(value, "a number")?,
        _ => {}
    }
    Ok(())
}

fn or_off<T>(
    value: &str,
    parse: impl Fn(&str) -> std::result::Result<T, String>,
) -> std::result::Result<Option<T>, String> {
    match value {
        "off" => Ok(None),
        value => parse(value).map(Some),
    }
}

fn time(value: &str) -> std::result::Result<Duration, String> {
    parse_duration(value).map_err(|error| error.to_string())
}

fn bytes(value: &str) -> std::result::Result<usize, String> {
    parse_bytes(value).map_err(|error| error.to_string())
}

fn window(value: &str) -> std::result::Result<u64, String> {
    match bytes(value)? {
        0 => Err("it is above 0".to_owned()),
        bytes => Ok(bytes as u64),
    }
}

fn above_zero(value: &str) -> std::result::Result<u64, String> {
    match number(value, "a number above 0")? {
        0 => Err("it is above 0".to_owned()),
        number => Ok(number),
    }
}

fn number<T: FromStr>(value: &str, what: &str) -> std::result::Result<T, String> {
    let wrong = |_| format!("'{}' is not {what}", value.escape_debug());
    value.parse().map_err(wrong)
}

/// The endpoint of the UDP socket at `at`, with the options of `endpoint` that are its.
pub(crate) fn udp(endpoint: &Endpoint, at: std::net::SocketAddr) -> Result<Endpoint> {
    let mut udp = Endpoint::new("udp", at)?;
    for (key, value) in endpoint.query() {
        if OF_UDP.contains(&key) {
            udp = udp.with(key, value);
        }
    }
    Ok(udp)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_socket_below_has_its_own_options_alone() {
        let query = "mark=0x5&interface=eth0&ttl=9&streams=3&recv_buffer=64KiB";
        let at: Endpoint = format!("quic://[::1]:0?{query}").parse().unwrap();
        let udp = udp(&at, "[::1]:0".parse().unwrap()).unwrap();
        let kept = query.replace("&streams=3", "");
        assert_eq!(udp.to_string(), format!("udp://[::1]:0?{kept}"));
        Asked::of(&at, QuicLimits::default()).unwrap();
        let at = at.with("priority", 3);
        assert!(Asked::of(&at, QuicLimits::default()).is_err());
    }
}
