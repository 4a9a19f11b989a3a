//! What a peer may use.

use std::sync::Arc;
use std::time::Duration;

use quinn::{IdleTimeout, TransportConfig};

use super::{Congestion, varint};

/// What a peer may use, and what this end keeps, of one connection.
///
/// ```
/// use socketry_quic::{Quic, QuicLimits};
///
/// let mut limits = QuicLimits::default();
/// limits.streams = 8;
/// let quic = Quic::new().limits(limits);
/// # drop(quic);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuicLimits {
    /// The streams that the peer may have open at once, those not accepted yet included; at least
    /// 1, default 100. Streams in one direction are not allowed: no socket has one.
    pub streams: u64,
    /// The bytes of one stream that wait to be read; default 1,250,000, which is 100 Mbit/s over
    /// 100 ms.
    pub stream_window: u64,
    /// The bytes of all streams together that wait to be read; default 10,000,000.
    pub window: u64,
    /// The bytes of all streams together that this end keeps until the peer has them; default
    /// 10,000,000.
    pub send_window: u64,
    /// The bytes of datagrams that wait to be received, and of those that wait to be sent; default
    /// 1,000,000 each. With 0 there are no datagrams.
    pub datagrams: usize,
    /// How the rate follows the network; default [`Congestion::Cubic`].
    pub congestion: Congestion,
    /// How long the peer may be silent; default 30 seconds. The smaller one of the two ends counts.
    /// `None` is for ever.
    pub idle: Option<Duration>,
    /// How long this end is silent before it asks whether the peer is there; default 10 seconds. It
    /// is never more than a third of [`idle`](QuicLimits::idle), which would end a quiet connection
    /// otherwise.
    pub keep_alive: Option<Duration>,
    /// How long the peer may take to get the last bytes of a stream, in `finish` and after a stream
    /// was dropped; default 30 seconds.
    pub finish: Duration,
    /// Whether a server goes on with a client that has changed its address; default yes.
    pub migration: bool,
    /// With more handshakes at once than this, a server has new clients prove their address first
    /// (Retry, RFC 9000 §8.1.2); default 256.
    pub retry_above: usize,
    /// The connections that wait to be accepted, at least 1; default 1,024. Further clients are
    /// refused.
    pub backlog: usize,
}

impl Default for QuicLimits {
    fn default() -> Self {
        QuicLimits {
            streams: 100,
            stream_window: 1_250_000,
            window: 10_000_000,
            send_window: 10_000_000,
            datagrams: 1_000_000,
            congestion: Congestion::default(),
            idle: Some(Duration::from_secs(30)),
            keep_alive: Some(Duration::from_secs(10)),
            finish: Duration::from_secs(30),
            migration: true,
            retry_above: 256,
            backlog: 1024,
        }
    }
}

impl QuicLimits {
    /// How long this end is silent before it asks.
    fn asks_after(&self) -> Option<Duration> {
        let idle = self.idle.filter(|idle| !idle.is_zero());
        let most = idle.map_or(Duration::MAX, |idle| idle / 3);
        self.keep_alive.map(|silent| silent.min(most))
    }

    /// The same for the library below.
    pub(crate) fn transport(&self) -> Arc<TransportConfig> {
        let mut config = TransportConfig::default();
        let idle = |time: Duration| IdleTimeout::try_from(time).ok();
        let datagrams = (self.datagrams > 0).then_some(self.datagrams);
        config
            .max_concurrent_bidi_streams(varint(self.streams.max(1)))
            .max_concurrent_uni_streams(varint(0))
            .stream_receive_window(varint(self.stream_window.max(1)))
            .receive_window(varint(self.window.max(1)))
            .send_window(self.send_window.max(1))
            .datagram_receive_buffer_size(datagrams)
            .datagram_send_buffer_size(self.datagrams)
            // A time beyond all that QUIC can write is for ever.
            .max_idle_timeout(self.idle.and_then(idle))
            .keep_alive_interval(self.asks_after());
        self.congestion.configure(&mut config);
        Arc::new(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_connection_asks_before_it_would_end() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let asks = |idle, keep_alive| {
            let limits = QuicLimits {
                idle,
                keep_alive,
                ..QuicLimits::default()
            };
            limits.asks_after()
        };
        assert_eq!(asks(seconds(6), seconds(10)), seconds(2));
        assert_eq!(asks(seconds(30), seconds(10)), seconds(10));
        assert_eq!(asks(seconds(0), seconds(10)), seconds(10));
        assert_eq!(asks(None, seconds(10)), seconds(10));
        assert_eq!(asks(seconds(6), None), None);
    }
}
