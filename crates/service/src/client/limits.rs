//! The bounds of a client.

use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

#[cfg(feature = "serde")]
use crate::text;

/// What a [`Client`](crate::Client) may hold, and how long it waits.
///
/// In a configuration file times are texts (`30s`, `1h30m`, `off`), sizes too (`4MiB`), a key that
/// is left out has its default, and an unknown key is an error. A time of `None` or zero is without
/// bound.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ClientLimits {
    /// How long one attempt to connect may take; default 10 seconds.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub connect: Option<Duration>,
    /// The longest wait after the first attempt that failed; default 100 milliseconds. It doubles
    /// with each further one. The wait itself is a random part of it, from none to all, so that
    /// many clients do not come back at the same time.
    #[cfg_attr(feature = "serde", serde(with = "text::duration"))]
    pub backoff_min: Duration,
    /// The longest wait after any attempt; default 30 seconds. A connection that has brought an
    /// answer, or has lived for 5 seconds, is good: the waits begin anew after it.
    #[cfg_attr(feature = "serde", serde(with = "text::duration"))]
    pub backoff_max: Duration,
    /// The most requests that wait to be sent, at least 1; default 1,024. Further ones are errors.
    pub waiting_requests: usize,
    /// The most bytes of requests, those that wait and those in flight; default 4 MiB. Further
    /// ones are errors. A longer request is taken when there is no other.
    #[cfg_attr(feature = "serde", serde(with = "text::bytes"))]
    pub waiting_bytes: usize,
    /// The most requests that are sent and wait for their answers, at least 1; default 256.
    /// Further ones wait to be sent.
    pub in_flight: usize,
    /// How long a call may take, from its first poll to its answer; default 30 seconds. Of a
    /// stream of answers, how long each may take. [`Call::within`](crate::Call::within) sets
    /// another time for one call.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub request: Option<Duration>,
    /// How long a frame may take from its first byte to its last; default 30 seconds. Then the
    /// connection is given up.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub whole_frame: Option<Duration>,
    /// How long a send may go on without the server taking a byte; default 30 seconds. Then the
    /// connection is given up.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub stalled_write: Option<Duration>,
    /// How long the server may send nothing before it gets a probe; default 30 seconds. There are
    /// none unless the client has a [probe](crate::ClientBuilder::probe).
    #[cfg_attr(feature = "serde", serde(with = "text::duration"))]
    pub probe_interval: Duration,
    /// How long the server may send nothing after the probe; default 10 seconds. Then the
    /// connection is given up.
    #[cfg_attr(feature = "serde", serde(with = "text::duration"))]
    pub probe_timeout: Duration,
    /// The most frames that wait in [`Pushes`](crate::Pushes), at least 1; default 64. Further
    /// ones take the places of the oldest, which are counted as missed.
    pub pushes: usize,
    /// The most frames of one [stream of answers](crate::Client::stream) that wait for their
    /// reader, at least 1; default 16. Then nothing is received until there is room.
    pub answers: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        ClientLimits {
            connect: Some(seconds(10)),
            backoff_min: Duration::from_millis(100),
            backoff_max: seconds(30),
            waiting_requests: 1024,
            waiting_bytes: 4 << 20,
            in_flight: 256,
            request: Some(seconds(30)),
            whole_frame: Some(seconds(30)),
            stalled_write: Some(seconds(30)),
            probe_interval: seconds(30),
            probe_timeout: seconds(10),
            pushes: 64,
            answers: 16,
        }
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_the_limits_that_differ() {
        let text = r#"{"waiting_bytes": "64KiB", "backoff_min": "1s", "request": "off"}"#;
        let limits: ClientLimits = serde_json::from_str(text).expect("limits");
        assert_eq!((limits.waiting_bytes, limits.in_flight), (65_536, 256));
        assert_eq!(limits.backoff_min, Duration::from_secs(1));
        assert_eq!(crate::limits::bound(limits.request), None);
    }

    #[test]
    fn printed_limits_are_read_again() {
        let text = serde_json::to_string(&ClientLimits::default()).expect("text");
        let limits: ClientLimits = serde_json::from_str(&text).expect("limits");
        assert_eq!(limits, ClientLimits::default());
    }

    #[test]
    fn a_limit_that_does_not_exist_is_refused_by_its_name() {
        let error = serde_json::from_str::<ClientLimits>(r#"{"in_fight": 9}"#).expect_err("a typo");
        assert!(error.to_string().contains("in_fight"), "{error}");
    }
}
