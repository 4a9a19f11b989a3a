//! The bounds of a pool.

use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What a [`Pool`](crate::Pool) may hold, and how long it waits.
///
/// In a configuration file times are texts (`30s`, `1h30m`, `off`), a key that is left out has its
/// default, and an unknown key is an error. A time of `None` or zero is without bound.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct PoolLimits {
    /// The most connections, at least 1; default 8.
    pub connections: usize,
    /// The most users of one connection at once, at least 1; default 1. More share a connection
    /// before the next one is made.
    pub per_connection: usize,
    /// The most callers that wait for a connection; default 1,024. Further ones fail at once.
    pub waiting: usize,
    /// How long a caller may wait for a connection; default 30 seconds.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub wait: Option<Duration>,
    /// How long a connection stays without a user; default 1 minute. Then it is closed.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub idle: Option<Duration>,
}

impl Default for PoolLimits {
    fn default() -> Self {
        PoolLimits {
            connections: 8,
            per_connection: 1,
            waiting: 1024,
            wait: Some(Duration::from_secs(30)),
            idle: Some(Duration::from_secs(60)),
        }
    }
}
