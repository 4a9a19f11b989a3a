//! The network of a run: the server's address, and the faults on the way to it.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use socketry_apps::matrix::App;
use socketry_testkit::{Fault, Faults, FaultyTransport, Places};
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{
    BoxListener, BoxSocket, Endpoint, Registry, Result, Transport, async_trait,
};

use crate::cell::{Cell, Mood};

/// The faults of connecting sockets, and those of accepted sockets.
pub(crate) fn plans(cell: Cell, seed: u64, mood: Mood) -> (Faults, Faults) {
    let mut plan = match mood {
        Mood::Harmless => Faults::harmless(),
        Mood::Corrupt => Faults::none().with(Fault::StreamCorruption, 200),
        Mood::Hostile => Faults::hostile().within(2 << 10),
    };
    plan = plan.seed(seed);
    plan = plan.longest_delay(match cell.is_virtual() {
        true => Duration::from_millis(40),
        false => Duration::from_millis(1),
    });
    if !cell.bears_silence() {
        plan = plan.without(&[Fault::Stall, Fault::HalfOpen]);
    }
    if mood == Mood::Hostile && cell.app == App::File {
        plan = plan.within(256 << 10);
    }
    if !cell.may_differ(seed) {
        plan = plan.without(&[Fault::Corruption, Fault::Truncation]);
    }
    if cell.app == App::Command && !cell.is_stream() {
        plan = plan.without(&LOSSES);
    }
    let mut accepted = plan.clone();
    if cell.app == App::Command && !cell.is_stream() {
        // A socket with many peers is never told that one of them is gone.
        accepted = accepted.without(&[Fault::Reset]);
    }
    if cell.is_sticky() && cell.app != App::Chat {
        return sticky(cell, &plan, &accepted);
    }
    (plan, accepted)
}

/// The faults that the app's transport promises not to have.
const LOSSES: [Fault; 6] = [
    Fault::Loss,
    Fault::Duplication,
    Fault::Reordering,
    Fault::Truncation,
    Fault::Cut,
    Fault::Corruption,
];

/// A request in two pieces would be two requests, so a request arrives whole or not at all.
fn sticky(cell: Cell, connected: &Faults, accepted: &Faults) -> (Faults, Faults) {
    let mut connected = connected.clone().between_calls().with(Fault::ShortWrite, 0);
    let mut accepted = accepted.clone().between_calls().with(Fault::ShortRead, 0);
    if !cell.is_virtual() {
        // Silence is the end of an answer there. A busy machine must not make a silence between two
        // pieces.
        connected = connected.with(Fault::ShortRead, 0);
        accepted = accepted.with(Fault::ShortWrite, 0);
    }
    (connected, accepted)
}

/// Where the server listens. Two runs over UDP must not share a range of ports: a server goes on
/// sending to users that have left, and other sockets may have their ports by then.
pub(crate) fn place(places: &Places, cell: Cell) -> Endpoint {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    if let Some(beneath) = cell.beneath_tls() {
        return places.free(beneath).with_scheme(cell.scheme).unwrap();
    }
    if cell.scheme != "udp" || cfg!(not(target_os = "linux")) {
        return places.free(cell.scheme);
    }
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let (process, high, low) = (std::process::id() % 250, run / 250 % 250, run % 250);
    let url = format!("udp://127.{}.{high}.{}:0", 1 + process, 1 + low);
    url.parse().unwrap()
}

/// The TLS of all runs: making a key takes a while.
static TLS: LazyLock<Tls> = LazyLock::new(|| {
    let identity = Identity::made(["localhost"]).unwrap();
    let trust = Trust::pin(identity.pin().unwrap());
    Tls::new().identity(identity).trust(trust)
});

/// The only scheme of a run, with its faults.
pub(crate) fn registry(cell: Cell, faulty: FaultyTransport<Standard>) -> Registry {
    match cell.beneath_tls() {
        None => Registry::empty().with(cell.scheme, faulty),
        Some(beneath) => {
            let registry = Registry::empty().with(beneath, faulty);
            let registry = registry.layer_as(cell.scheme, beneath, TLS.clone());
            registry.unwrap()
        }
    }
}

/// The standard transports as one.
pub(crate) struct Standard(pub(crate) Registry);

#[async_trait]
impl Transport for Standard {
    type Socket = BoxSocket;
    type Listener = BoxListener;

    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        self.0.connect(to).await
    }
    async fn listen(&self, at: &Endpoint) -> Result<BoxListener> {
        self.0.listen(at).await
    }
}
