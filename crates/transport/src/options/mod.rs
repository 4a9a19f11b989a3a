//! Socket options: one struct that code, TOML, JSON and a URL's query all fill, and the keys that
//! each transport takes.

mod keys;
mod multicast;
mod text;

use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

pub(crate) use keys::{MEM, TCP, UDP, UNIX, UNIX_DGRAM};
pub(crate) use multicast::Interface;
pub use multicast::MulticastGroup;
use text::{count, flag, groups, mark, number, octet, word};

use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::keys::Keys;
use crate::units::{UnitError, parse_bytes, parse_duration, parse_duration_or_off, parse_mode};

/// The field of an option: set, or left to its default.
trait Setting {
    type Value;

    fn is_set(&self) -> bool;
    /// Sets it; a list grows.
    fn set(&mut self, value: Self::Value);
    #[cfg(feature = "serde")]
    fn is_unset(&self) -> bool {
        !self.is_set()
    }
}

impl<T> Setting for Option<T> {
    type Value = T;

    fn is_set(&self) -> bool {
        self.is_some()
    }
    fn set(&mut self, value: T) {
        *self = Some(value);
    }
}

impl<T> Setting for Vec<T> {
    type Value = Vec<T>;

    fn is_set(&self) -> bool {
        !self.is_empty()
    }
    fn set(&mut self, mut value: Vec<T>) {
        self.append(&mut value);
    }
}

/// Makes the struct, and all code that goes field by field, from one list.
macro_rules! socket_options {
    ($(#[$about:meta])* $name:ident {
        $( $(#[$doc:meta])* $key:ident: $type:ty = $read:ident, )*
    }) => {
        $(#[$about])*
        pub struct $name {
            $(
                $(#[$doc])*
                #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Setting::is_unset"))]
                pub $key: $type,
            )*
        }

        impl $name {
            /// Every key there is, in the order of the fields.
            pub const KEYS: &[&'static str] = &[$(stringify!($key)),*];

            /// The keys of the fields that are set.
            pub fn set_keys(&self) -> Vec<&'static str> {
                let mut keys = Vec::new();
                $(if self.$key.is_set() { keys.push(stringify!($key)) })*
                keys
            }

            /// Sets the field that `key` names, if there is one, from its text.
            fn set(&mut self, key: &str, text: &str) -> Result<(), UnitError> {
                $(if key == stringify!($key) { self.$key.set($read(text)?) })*
                Ok(())
            }

            /// Calls `check` with the key of each field that is set.
            fn check_keys(&self, check: impl Fn(&'static str) -> Result<()>) -> Result<()> {
                $(if self.$key.is_set() { check(stringify!($key))? })*
                Ok(())
            }

            /// These options, and for each that is not set, the one of `base`.
            #[must_use]
            pub fn over(self, base: &Self) -> Self {
                $name {
                    $($key: if self.$key.is_set() { self.$key } else { base.$key.clone() },)*
                }
            }
        }
    };
}

socket_options! {
    /// Options of a socket, as `setsockopt` knows them, and a few of ours.
    ///
    /// A field that is `None` (or empty) leaves the default, which is the system's where none is
    /// given here. The names of the fields are the keys in TOML, in JSON and in the query of an
    /// [`Endpoint`], and the query wins over the rest. Sizes read as `"64KiB"` or a number of
    /// bytes, times as `"250ms"` or a number of seconds: see [`units`](crate::units). An unknown
    /// key is an error, and so is one that does not apply to the transport.
    ///
    /// ```
    /// use socketry_transport::{Endpoint, SocketOptions};
    ///
    /// let in_code = SocketOptions { nodelay: Some(true), ..Default::default() };
    /// let at: Endpoint = "tcp://[::1]:9000?recv_buffer=1MiB".parse()?;
    /// let both = in_code.resolve(&at, &["nodelay", "recv_buffer"])?;
    /// assert_eq!(both.set_keys(), ["nodelay", "recv_buffer"]);
    /// # Ok::<(), socketry_transport::Error>(())
    /// ```
    #[derive(Clone, Debug, Default, PartialEq)]
    #[cfg_attr(
        feature = "serde",
        derive(Serialize, Deserialize),
        serde(deny_unknown_fields, default)
    )]
    SocketOptions {
        /// Whether to bind an address that an earlier connection still uses (`SO_REUSEADDR`).
        /// Default: yes for stream listeners, no otherwise.
        reuse_address: Option<bool> = flag,
        /// Whether several sockets may bind the same address and share the connections or datagrams
        /// (`SO_REUSEPORT`). Default: no.
        reuse_port: Option<bool> = flag,
        /// Whether to send at once instead of waiting to fill a segment (`TCP_NODELAY`). Default:
        /// yes, since a framed sender gathers small frames by itself.
        nodelay: Option<bool> = flag,
        /// How long a connection is idle before the system sends a probe to find out whether the
        /// peer is there (`TCP_KEEPIDLE`); at least 1 s, rounded up to whole seconds. Zero, which
        /// is read and written as `off`, turns probes off, even if the next two options are set.
        /// Default: off.
        #[cfg_attr(feature = "serde", serde(with = "crate::units::duration_or_off"))]
        keepalive: Option<Duration> = parse_duration_or_off,
        /// The time between unanswered probes (`TCP_KEEPINTVL`); at least 1 s, rounded up to whole
        /// seconds. Setting it turns keepalive on, unless that is `off`. Default: the system's (75
        /// s on Linux).
        #[cfg_attr(feature = "serde", serde(with = "crate::units::duration"))]
        keepalive_interval: Option<Duration> = parse_duration,
        /// The number of unanswered probes that ends the connection (`TCP_KEEPCNT`). Setting it
        /// turns keepalive on, unless that is `off`. Default: the system's (9 on Linux).
        keepalive_retries: Option<u32> = number,
        /// How long closing waits for unsent bytes (`SO_LINGER`), rounded up to whole seconds; 0
        /// throws them away and resets the connection. Default: close at once and send in the
        /// background.
        #[cfg_attr(feature = "serde", serde(with = "crate::units::duration"))]
        linger: Option<Duration> = parse_duration,
        /// The kernel's buffer for sending, in bytes (`SO_SNDBUF`). Linux doubles it for its own
        /// book-keeping and caps it at `net.core.wmem_max`. Default: the system's.
        #[cfg_attr(feature = "serde", serde(with = "crate::units::bytes"))]
        send_buffer: Option<usize> = parse_bytes,
        /// The kernel's buffer for receiving, in bytes (`SO_RCVBUF`). Linux doubles it for its own
        /// book-keeping and caps it at `net.core.rmem_max`. Default: the system's; for `mem`, the
        /// transport's own.
        #[cfg_attr(feature = "serde", serde(with = "crate::units::bytes"))]
        recv_buffer: Option<usize> = parse_bytes,
        /// How many peers may wait to be accepted. Default:
        /// [`DEFAULT_BACKLOG`](Self::DEFAULT_BACKLOG); the system may cap it
        /// (`net.core.somaxconn`).
        backlog: Option<u32> = number,
        /// Whether an IPv6 socket leaves IPv4 alone (`IPV6_V6ONLY`). Default: the system's, which
        /// on Linux is no: a listener at `[::]` serves both. Its IPv4 peers then have mapped
        /// addresses, such as `[::ffff:192.0.2.1]`. A program that compares them with IPv4
        /// addresses calls [`to_canonical`](std::net::IpAddr::to_canonical) first.
        only_v6: Option<bool> = flag,
        /// How many routers a packet may pass (`IP_TTL`, and the unicast hops of IPv6), from 1; on
        /// a UDP socket, the packets to multicast groups too. Default: the system's (64, and 1 for
        /// multicast).
        ttl: Option<u8> = octet,
        /// The type of service (`IP_TOS`) or traffic class of IPv6: six bits of DSCP, then two of
        /// ECN, which TCP keeps for itself. Default: 0.
        tos: Option<u8> = octet,
        /// The priority of packets in the queue of a device (`SO_PRIORITY`): 0 to 6, and more with
        /// the capability `CAP_NET_ADMIN`. It wins over the priority that the system makes of `tos`.
        /// Linux only. Default: the system's (0, or what `tos` means).
        priority: Option<u32> = number,
        /// The mark of packets (`SO_MARK`), by which rules of routing and of the firewall know
        /// them: `5` or `0x5`. Needs the capability `CAP_NET_ADMIN`; from Linux 5.17 on,
        /// `CAP_NET_RAW` will do. Linux only. Default: 0.
        mark: Option<u32> = mark,
        /// Whether a UDP socket may send to broadcast addresses (`SO_BROADCAST`). Default: no.
        broadcast: Option<bool> = flag,
        /// The multicast groups to join. In a query, separate them by commas or repeat the key.
        /// Default: none.
        join: Vec<MulticastGroup> = groups,
        /// The network device by which datagrams leave, by its name or number, to single peers and
        /// to groups (`IP_UNICAST_IF`, `IP_MULTICAST_IF`, and those of IPv6). They may arrive by any
        /// other; `bind_device` binds both ways. TCP ignores it. Linux only. Default: the one of
        /// the route.
        interface: Option<String> = word,
        /// The network device that all packets must take (`SO_BINDTODEVICE`); Linux only. Default:
        /// any.
        bind_device: Option<String> = word,
        /// How long connecting may take, name resolution included. Default:
        /// [`DEFAULT_CONNECT_TIMEOUT`](Self::DEFAULT_CONNECT_TIMEOUT).
        #[cfg_attr(feature = "serde", serde(with = "crate::units::duration"))]
        connect_timeout: Option<Duration> = parse_duration,
        /// How long sent bytes may stay unacknowledged before the connection is given up
        /// (`TCP_USER_TIMEOUT`), rounded up to whole milliseconds; at most 24 days. Zero, which is
        /// read and written as `off`, leaves that to the system. Linux only. Default: off, and
        /// Linux tries for 13 to 30 minutes. With `keepalive` it decides when a silent peer is
        /// given up, and `keepalive_retries` does not (tcp(7)).
        #[cfg_attr(feature = "serde", serde(with = "crate::units::duration_or_off"))]
        user_timeout: Option<Duration> = parse_duration_or_off,
        /// The algorithm of congestion control (`TCP_CONGESTION`), such as `bbr`. The kernel knows
        /// those of `net.ipv4.tcp_available_congestion_control`. Without the capability
        /// `CAP_NET_ADMIN` those of `net.ipv4.tcp_allowed_congestion_control` are allowed. Linux
        /// only. Default: the system's.
        congestion: Option<String> = word,
        /// The bytes that may wait in the kernel and are not sent yet (`TCP_NOTSENT_LOWAT`): with
        /// more, a sender waits. Late changes of what to send then have a short queue before them.
        /// 0 stands for the system's value. Default: the system's, which is no limit but that of
        /// `send_buffer`.
        #[cfg_attr(feature = "serde", serde(with = "crate::units::bytes"))]
        notsent_lowat: Option<usize> = parse_bytes,
        /// Whether a client that has been at a server before sends its first bytes with its first
        /// packet (TCP Fast Open, RFC 7413; `TCP_FASTOPEN_CONNECT`, and `TCP_FASTOPEN` for
        /// listeners, with the queue of `backlog`). Connecting is done at once then: the first send
        /// or receive tells that nobody listens, and `connect_timeout` does not bound the wait (but
        /// `user_timeout` does). The network may deliver the first bytes twice: only for protocols
        /// whose first request may be repeated, or over TLS. Needs the bits 1 (client) and 2
        /// (server) of `net.ipv4.tcp_fastopen`. Linux only. Default: no.
        fastopen: Option<bool> = flag,
        /// Whether to offer several paths for one connection (Multipath TCP, RFC 8684). Peers
        /// without it are served over TCP: [`Mptcp`](crate::Mptcp) tells. An option that MPTCP
        /// refuses is an error when connecting. A listener gives it to the accepted sockets that
        /// are plain TCP, and warns about the others (`OsListener::unapplied`). Linux only, from
        /// 5.17 on. Default: no.
        mptcp: Option<bool> = flag,
        /// The permissions of a Unix socket's file, in octal (`0600`). A user that may write to it
        /// may connect. Default: all that the process's umask leaves.
        #[cfg_attr(feature = "serde", serde(with = "crate::units::mode"))]
        mode: Option<u32> = parse_mode,
        /// Whether to replace the file of a Unix socket that has no listener any more. Default:
        /// yes.
        reclaim: Option<bool> = flag,
        /// How many descriptors that a peer passed over a Unix socket may wait to be taken
        /// (`Descriptors`); more are closed. With 0 this end can send descriptors, and takes none.
        /// Linux only. Default: no descriptors. Those that a peer passes are refused where the
        /// kernel can do so, and closed elsewhere.
        descriptors: Option<usize> = count,
        /// How many peers a datagram listener keeps sessions for; more are refused. Default:
        /// [`DEFAULT_MAX_PEERS`](Self::DEFAULT_MAX_PEERS).
        max_peers: Option<usize> = count,
        /// How long a session of a datagram listener may pass without traffic before it ends.
        /// Default: [`DEFAULT_PEER_IDLE`](Self::DEFAULT_PEER_IDLE).
        #[cfg_attr(feature = "serde", serde(with = "crate::units::duration"))]
        peer_idle: Option<Duration> = parse_duration,
        /// How many datagrams may wait in each session of a datagram listener; more are dropped.
        /// Default: [`DEFAULT_PEER_QUEUE`](Self::DEFAULT_PEER_QUEUE).
        peer_queue: Option<usize> = count,
        /// How many bytes may wait in each session of a datagram listener; more are dropped, but an
        /// empty queue always takes one datagram. Default:
        /// [`DEFAULT_PEER_QUEUE_BYTES`](Self::DEFAULT_PEER_QUEUE_BYTES).
        #[cfg_attr(feature = "serde", serde(with = "crate::units::bytes"))]
        peer_queue_bytes: Option<usize> = parse_bytes,
    }
}

impl SocketOptions {
    /// The default of `backlog`.
    pub const DEFAULT_BACKLOG: u32 = 1024;
    /// The default of `connect_timeout`.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
    /// The default of `max_peers`.
    pub const DEFAULT_MAX_PEERS: usize = 1024;
    /// The default of `peer_idle`.
    pub const DEFAULT_PEER_IDLE: Duration = Duration::from_secs(5 * 60);
    /// The default of `peer_queue`, in datagrams.
    pub const DEFAULT_PEER_QUEUE: usize = 64;
    /// The default of `peer_queue_bytes`.
    pub const DEFAULT_PEER_QUEUE_BYTES: usize = 256 * 1024;

    /// The options that a transport with the `allowed` keys should use for `endpoint`: those in its
    /// query, and for all others these options.
    ///
    /// # Errors
    /// [`InvalidOption`](ErrorKind::InvalidOption) if an option that is set here is not `allowed`,
    /// and as [`from_query`](Self::from_query).
    pub fn resolve(&self, endpoint: &Endpoint, allowed: impl Into<Keys>) -> Result<Self> {
        let allowed = allowed.into();
        self.check_keys(|key| match allowed.contains(key) {
            true => Ok(()),
            false => Err(allowed.refusal(key, endpoint, true)),
        })?;
        if endpoint.query().next().is_none() {
            return Ok(self.clone());
        }
        Ok(Self::from_query(endpoint, allowed)?.over(self))
    }

    /// The options in the query of `endpoint`, for a transport that takes the `allowed` keys.
    ///
    /// A key that is `allowed` but not one of [`KEYS`](Self::KEYS) belongs to the transport, which
    /// reads it itself. So does a key that [belongs to the URL](Keys::with_others), which may be
    /// repeated.
    ///
    /// # Errors
    /// [`InvalidOption`](ErrorKind::InvalidOption) for a key that is unknown, not `allowed` or
    /// given twice (`join` and [lists](Keys::and_lists) may be), and for a value that does not fit.
    pub fn from_query(endpoint: &Endpoint, allowed: impl Into<Keys>) -> Result<Self> {
        let allowed = allowed.into();
        allowed.check(endpoint, |key| Self::KEYS.contains(&key))?;
        let mut options = SocketOptions::default();
        let mut seen = Vec::new();
        for (key, value) in endpoint.query().filter(|(key, _)| allowed.contains(key)) {
            if seen.contains(&key) && key != "join" && !allowed.is_list(key) {
                return Err(invalid(endpoint, &format!("option '{key}' is given twice"))
                    .hint("write it once"));
            }
            seen.push(key);
            options
                .set(key, value)
                .map_err(|error| invalid(endpoint, &format!("option '{key}': {error}")))?;
        }
        Ok(options)
    }
}

fn invalid(endpoint: &Endpoint, reason: &str) -> Error {
    Error::new(ErrorKind::InvalidOption, "use", endpoint).because(reason)
}

#[cfg(test)]
mod tests;
