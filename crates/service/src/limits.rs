//! The bounds of a server.

use std::time::Duration;

use socketry_transport::UpgradeLimits;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// What a server's clients may use, all of them together and each alone.
///
/// In a configuration file times are texts (`30s`, `1h30m`, `off`), a key that is left out has its
/// default, and an unknown key is an error. A time of `None` or zero is without bound.
///
/// What is over `connections`, `per_peer`, `per_user` or `buffers` is refused at once, and the
/// [`Observer`](crate::Observer) hears why. The codec bounds the length of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Limits {
    /// The most connections at once; default 1,024. Further clients are refused.
    pub connections: usize,
    /// The most connections of one peer at once; default 256. A peer is an IPv4 address, an IPv6
    /// network of 64 bits, or the user of a Unix socket's process. Where neither is known, only
    /// `connections` bounds it.
    pub per_peer: usize,
    /// The most connections of one user at once, from whatever addresses; default 256. The user of
    /// a Unix socket's process is known, and with the feature `auth` every proved identity;
    /// [`Server::users`](crate::Server::users) names others. Connections without a user do not
    /// count.
    pub per_user: usize,
    /// The most handshakes at once, at least 1; default 2,048. Further clients wait in the
    /// listener's backlog. [`Server::upgrading`](crate::Server::upgrading) keeps to it, and
    /// [`upgrades`](Limits::upgrades) gives it to a layer with handshakes of its own.
    pub handshakes: usize,
    /// How long a handshake may take; default 10 seconds.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub handshake: Option<Duration>,
    /// How long the first frame may take, from the accept to its last byte; default 30 seconds.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub first_frame: Option<Duration>,
    /// How long after its connecting a client may send its first frame although the server stops;
    /// default 1 second. So a client that connected just before the stop is answered. Without
    /// bound, only `first_frame` and `grace` end it.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub first_frame_at_stop: Option<Duration>,
    /// How long a client may be silent between two frames; default 10 minutes.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub between_frames: Option<Duration>,
    /// How long a frame may take from its first byte to its last; default 30 seconds.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub whole_frame: Option<Duration>,
    /// How long a send may go on without the peer taking a byte; default 30 seconds.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub stalled_write: Option<Duration>,
    /// The most requests of one connection that are answered at once, at least 1; default 32. Where
    /// there are more, no further bytes of this client are received. Only
    /// [`answer`](crate::Server::answer) counts requests.
    pub requests_per_connection: usize,
    /// The most requests of all connections that are answered at once, at least 1; default 4,096.
    /// Further ones wait for their turn.
    pub requests: usize,
    /// The most bytes that the buffers of all connections may have together; default 512 MiB. They
    /// are the capacities of receive buffers and send buffers, and with
    /// [`answer`](crate::Server::answer) the requests that wait for their answers. While they have
    /// so many, newcomers are refused, and a connection whose buffer would grow over it is reset.
    /// An idle connection has at most 1.5 KiB, a busy one 64 KiB to receive (or what its largest
    /// frame took), and to send the bytes that wait. The kernel's buffers do not count, nor what a
    /// handler keeps itself.
    pub buffers: usize,
    /// How long busy connections may go on after the stop; default 30 seconds. Then they are cut.
    #[cfg_attr(
        feature = "serde",
        serde(with = "socketry_transport::units::duration_or_off")
    )]
    pub grace: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        Limits {
            connections: 1024,
            per_peer: 256,
            per_user: 256,
            handshakes: 2048,
            handshake: seconds(10),
            first_frame: seconds(30),
            first_frame_at_stop: seconds(1),
            between_frames: seconds(600),
            whole_frame: seconds(30),
            stalled_write: seconds(30),
            requests_per_connection: 32,
            requests: 4096,
            buffers: 512 << 20,
            grace: seconds(30),
        }
    }
}

impl Limits {
    /// The bounds of handshakes, for a layer that has some: `Tls::limits`, `Auth::limits`.
    pub fn upgrades(&self) -> UpgradeLimits {
        UpgradeLimits {
            at_once: self.handshakes,
            // A time that the clock cannot express never comes.
            deadline: bound(self.handshake).unwrap_or(Duration::MAX),
        }
    }
}

/// `time`, unless it is without bound.
pub(crate) fn bound(time: Option<Duration>) -> Option<Duration> {
    time.filter(|time| !time.is_zero())
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_the_limits_that_differ() {
        let limits: Limits =
            serde_json::from_str(r#"{"connections": 9, "first_frame": "2s", "grace": "off"}"#)
                .expect("limits");
        assert_eq!((limits.connections, limits.per_peer), (9, 256));
        assert_eq!(limits.first_frame, Some(Duration::from_secs(2)));
        assert_eq!(bound(limits.grace), None);
    }

    #[test]
    fn printed_limits_are_read_again() {
        let text = serde_json::to_string(&Limits::default()).expect("text");
        let limits: Limits = serde_json::from_str(&text).expect("limits");
        assert_eq!(limits, Limits::default());
    }

    #[test]
    fn a_limit_that_does_not_exist_is_refused_by_its_name() {
        let error = serde_json::from_str::<Limits>(r#"{"conections": 9}"#).expect_err("a typo");
        assert!(error.to_string().contains("conections"), "{error}");
    }
}
