//! An observer that counts in the `metrics` facade.

use std::fmt;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, SharedString, Unit};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use socketry_codec::FrameError;
use socketry_transport::{Info, UpgradeFailure, UpgradeTrouble};

use crate::{Ending, Observer, Refusal};

/// An [`Observer`] that counts in the `metrics` facade, for whatever recorder the program has:
/// [`Prometheus`](crate::Prometheus) (feature `prometheus`), or any other.
///
/// Each metric has the label `server`, by which several servers of a program differ:
///
/// | metric | what it counts |
/// |---|---|
/// | `socketry_server_connections` | connections that are served now |
/// | `socketry_server_accepted_total` | connections that were served |
/// | `socketry_server_refused_total` | clients that were refused, by `reason` |
/// | `socketry_server_ended_total` | connections that have ended, by `how` |
/// | `socketry_server_connection_seconds` | how long they lasted (histogram) |
/// | `socketry_server_handshakes_total` | handshakes, by `result` |
/// | `socketry_server_handshake_seconds` | how long the good ones took (histogram) |
/// | `socketry_server_frames_received_total`, `…_sent_total` | frames |
/// | `socketry_server_bytes_received_total`, `…_sent_total` | bytes that the transport gave and took |
/// | `socketry_server_errors_total` | errors that handlers got |
/// | `socketry_server_requests_total` | requests |
/// | `socketry_server_requests_waiting` | requests that wait for their answers |
/// | `socketry_server_request_seconds` | how long they waited (histogram) |
///
/// ```
/// use socketry_service::{Metrics, Server};
/// # use socketry_transport::Listener;
/// # fn served<L: Listener>(listener: L) -> Server<L> {
/// Server::new(listener).observer(Metrics::new("chat"))
/// # }
/// ```
pub struct Metrics {
    connections: Gauge,
    accepted: Counter,
    refused: Reasons,
    ended: Ends,
    connection_seconds: Histogram,
    upgraded: Counter,
    upgrades_failed: Counter,
    upgrades_late: Counter,
    upgrade_seconds: Histogram,
    frames_received: Counter,
    frames_sent: Counter,
    bytes_received: Counter,
    bytes_sent: Counter,
    errors: Counter,
    requests: Counter,
    requests_waiting: Gauge,
    request_seconds: Histogram,
}

/// The clients that were refused, by reason.
struct Reasons {
    full: Counter,
    peer_full: Counter,
    user_full: Counter,
    memory: Counter,
    system: Counter,
}

/// The connections that have ended, by how.
struct Ends {
    done: Counter,
    failed: Counter,
    panicked: Counter,
    cut: Counter,
}

impl Metrics {
    /// Metrics of the server that is called `server`, in the recorder that is current: install the
    /// program's recorder before.
    pub fn new(server: impl Into<SharedString>) -> Self {
        describe();
        let server = server.into();
        let labels = || [("server", server.clone())];
        let of = |name, key, value| counter!(name, "server" => server.clone(), key => value);
        let refused = |reason| of("socketry_server_refused_total", "reason", reason);
        let ended = |how| of("socketry_server_ended_total", "how", how);
        let handshakes = |result| of("socketry_server_handshakes_total", "result", result);
        Metrics {
            connections: gauge!("socketry_server_connections", &labels()),
            accepted: counter!("socketry_server_accepted_total", &labels()),
            refused: Reasons {
                full: refused("full"),
                peer_full: refused("peer_full"),
                user_full: refused("user_full"),
                memory: refused("memory"),
                system: refused("system"),
            },
            ended: Ends {
                done: ended("done"),
                failed: ended("failed"),
                panicked: ended("panicked"),
                cut: ended("cut"),
            },
            connection_seconds: histogram!("socketry_server_connection_seconds", &labels()),
            upgraded: handshakes("succeeded"),
            upgrades_failed: handshakes("failed"),
            upgrades_late: handshakes("timed_out"),
            upgrade_seconds: histogram!("socketry_server_handshake_seconds", &labels()),
            frames_received: counter!("socketry_server_frames_received_total", &labels()),
            frames_sent: counter!("socketry_server_frames_sent_total", &labels()),
            bytes_received: counter!("socketry_server_bytes_received_total", &labels()),
            bytes_sent: counter!("socketry_server_bytes_sent_total", &labels()),
            errors: counter!("socketry_server_errors_total", &labels()),
            requests: counter!("socketry_server_requests_total", &labels()),
            requests_waiting: gauge!("socketry_server_requests_waiting", &labels()),
            request_seconds: histogram!("socketry_server_request_seconds", &labels()),
        }
    }
}

/// What each metric is, for the recorder.
fn describe() {
    let (count, bytes, seconds) = (Unit::Count, Unit::Bytes, Unit::Seconds);
    describe_gauge!(
        "socketry_server_connections",
        count,
        "connections that are served now"
    );
    describe_counter!(
        "socketry_server_accepted_total",
        count,
        "connections that were served"
    );
    describe_counter!(
        "socketry_server_refused_total",
        count,
        "clients that were refused"
    );
    describe_counter!(
        "socketry_server_ended_total",
        count,
        "connections that have ended"
    );
    describe_histogram!(
        "socketry_server_connection_seconds",
        seconds,
        "how long connections lasted"
    );
    describe_counter!("socketry_server_handshakes_total", count, "handshakes");
    describe_histogram!(
        "socketry_server_handshake_seconds",
        seconds,
        "how long handshakes took"
    );
    describe_counter!(
        "socketry_server_frames_received_total",
        count,
        "frames that came"
    );
    describe_counter!(
        "socketry_server_frames_sent_total",
        count,
        "frames that were sent"
    );
    describe_counter!(
        "socketry_server_bytes_received_total",
        bytes,
        "bytes that came"
    );
    describe_counter!(
        "socketry_server_bytes_sent_total",
        bytes,
        "bytes that were sent"
    );
    describe_counter!(
        "socketry_server_errors_total",
        count,
        "errors that handlers got"
    );
    describe_counter!(
        "socketry_server_requests_total",
        count,
        "requests that came"
    );
    describe_gauge!(
        "socketry_server_requests_waiting",
        count,
        "requests that wait for answers"
    );
    describe_histogram!(
        "socketry_server_request_seconds",
        seconds,
        "how long requests waited"
    );
}

impl Observer for Metrics {
    fn accepted(&self, _: u64, _: &Info) {
        self.accepted.increment(1);
        self.connections.increment(1);
    }

    fn refused(&self, _: Option<&Info>, why: Refusal) {
        let reasons = &self.refused;
        let reason = match why {
            Refusal::Full => &reasons.full,
            Refusal::PeerFull => &reasons.peer_full,
            Refusal::UserFull => &reasons.user_full,
            Refusal::Memory => &reasons.memory,
            Refusal::System => &reasons.system,
        };
        reason.increment(1);
    }

    fn upgraded(&self, _: &Info, elapsed: Duration) {
        self.upgraded.increment(1);
        self.upgrade_seconds.record(elapsed);
    }

    fn upgrade_failed(&self, failure: &UpgradeFailure<'_>) {
        match failure.trouble {
            UpgradeTrouble::TimedOut => self.upgrades_late.increment(1),
            _ => self.upgrades_failed.increment(1),
        }
    }

    fn frames_received(&self, _: u64, count: usize) {
        self.frames_received.increment(count as u64);
    }

    fn frames_sent(&self, _: u64, count: usize) {
        self.frames_sent.increment(count as u64);
    }

    fn bytes_received(&self, _: u64, count: usize) {
        self.bytes_received.increment(count as u64);
    }

    fn bytes_sent(&self, _: u64, count: usize) {
        self.bytes_sent.increment(count as u64);
    }

    fn failed(&self, _: u64, _: &FrameError) {
        self.errors.increment(1);
    }

    fn requested(&self, _: u64, _: usize) {
        self.requests.increment(1);
        self.requests_waiting.increment(1);
    }

    fn answered(&self, _: u64, latency: Option<Duration>) {
        self.requests_waiting.decrement(1);
        if let Some(latency) = latency {
            self.request_seconds.record(latency);
        }
    }

    fn ended(&self, _: u64, _: &Info, how: &Ending<'_>, elapsed: Duration) {
        let ends = &self.ended;
        let end = match how {
            Ending::Done => &ends.done,
            Ending::Failed(_) => &ends.failed,
            Ending::Panicked => &ends.panicked,
            Ending::Cut => &ends.cut,
        };
        end.increment(1);
        self.connections.decrement(1);
        self.connection_seconds.record(elapsed);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}
