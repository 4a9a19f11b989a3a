//! Bytes over one stream of QUIC, and round trips: ours, and quinn with the same limits and the
//! same configurations of rustls. Neither has a codec: both send and receive pieces of one length.
//! Each end has a runtime with one thread, which outlives the runs: a connection that has ended
//! still acknowledges what its peer sent last.

mod bare;
mod ours;

use std::sync::LazyLock;

use socketry_quic::{Quic, QuicLimits};
use socketry_tls::{Identity, Tls, Trust};
use tokio::runtime::{Builder, Runtime};

use crate::contest::{Contest, Unit};
use crate::memory::bytes;
use crate::stream::{Load, side};
use crate::tally::frame;
use crate::ws::trip;

/// The name that all clients ask for (SNI).
const NAME: &str = "localhost";
/// What one send has, and the room of a receive.
const PIECE: usize = 64 << 10;
/// The bytes of one run.
const ALL: usize = 256 << 20;
/// The length of a question, and of its answer.
const QUESTION: usize = 64;
const TRIPS: usize = 10_000;

/// One key for all sides, and each client accepts that key alone.
static TLS: LazyLock<Tls> = LazyLock::new(|| {
    let identity = Identity::made([NAME]).unwrap();
    let trust = Trust::pin(identity.pin().unwrap());
    Tls::new().identity(identity).trust(trust).name(NAME)
});

pub(crate) fn contests() -> Vec<Contest> {
    let load = Load {
        frame: frame(PIECE),
        count: ALL / PIECE,
    };
    let throughput = Contest::new("stream quic", bytes(PIECE), Unit::Bytes)
        .side("ours", side(Unit::Bytes, &load, ours::receive, ours::send))
        .side("quinn", side(Unit::Bytes, &load, bare::receive, bare::send))
        .target("ours", "quinn", 0.97);
    let load = Load {
        frame: frame(QUESTION),
        count: TRIPS,
    };
    // A time of at most 1.05 times the other's.
    let trips = Contest::new("round trip quic", bytes(QUESTION), Unit::Trips)
        .side("ours", trip(&load, ours::echo, ours::ask))
        .side("quinn", trip(&load, bare::echo, bare::ask))
        .target("ours", "quinn", 0.952);
    vec![throughput, trips]
}

fn limits() -> QuicLimits {
    QuicLimits::default()
}

static SERVER: LazyLock<Runtime> = LazyLock::new(runtime);
static CLIENT: LazyLock<Runtime> = LazyLock::new(runtime);

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// Runs `work` in the thread of `runtime`.
fn run<T: Send + 'static>(runtime: &Runtime, work: impl Future<Output = T> + Send + 'static) -> T {
    runtime.block_on(runtime.spawn(work)).unwrap()
}

fn quic() -> Quic {
    Quic::new().tls(TLS.clone()).limits(limits())
}
