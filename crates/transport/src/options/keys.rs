//! The keys that each transport takes.

use crate::contract::transport::keys::Keys;

/// The keys that `tcp` takes.
pub(crate) const TCP: Keys = Keys::new(&[
    "reuse_address",
    "reuse_port",
    "nodelay",
    "keepalive",
    "keepalive_interval",
    "keepalive_retries",
    "linger",
    "send_buffer",
    "recv_buffer",
    "backlog",
    "only_v6",
    "ttl",
    "tos",
    "priority",
    "mark",
    "bind_device",
    "connect_timeout",
    "user_timeout",
    "congestion",
    "notsent_lowat",
    "fastopen",
    "mptcp",
]);

/// The keys that `udp` takes.
pub(crate) const UDP: Keys = Keys::new(&[
    "reuse_address",
    "reuse_port",
    "send_buffer",
    "recv_buffer",
    "backlog",
    "only_v6",
    "ttl",
    "tos",
    "priority",
    "mark",
    "broadcast",
    "join",
    "interface",
    "bind_device",
    "connect_timeout",
    "max_peers",
    "peer_idle",
    "peer_queue",
    "peer_queue_bytes",
]);

/// The keys that `unix` takes.
pub(crate) const UNIX: Keys = Keys::new(&[
    "send_buffer",
    "recv_buffer",
    "backlog",
    "connect_timeout",
    "mode",
    "reclaim",
    "descriptors",
]);

/// The keys that `unix-dgram` takes.
pub(crate) const UNIX_DGRAM: Keys = Keys::new(&[
    "send_buffer",
    "recv_buffer",
    "backlog",
    "mode",
    "reclaim",
    "descriptors",
    "max_peers",
    "peer_idle",
    "peer_queue",
    "peer_queue_bytes",
]);

/// The keys that `mem` takes. Its `recv_buffer` is the most bytes that wait in each direction.
pub(crate) const MEM: Keys = Keys::new(&["recv_buffer", "backlog"]);
