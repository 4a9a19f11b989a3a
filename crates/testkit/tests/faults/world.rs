//! The surroundings of a run: a runtime, a clock, and a registry whose sockets are faulty.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use socketry_apps::matrix::App;
use socketry_apps::{AppError, Service};
use socketry_testkit::{Fault, FaultyTransport, Places, Trace};
use socketry_transport::{Endpoint, Registry};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::cell::{Cell, Mood};
use crate::network::{Standard, place, plans, registry};

/// How long a step may take that must not take long, by the clock of the run.
const HANGS: Duration = Duration::from_secs(3600);
/// The same by the real clock.
const HANGS_REALLY: Duration = Duration::from_secs(30);
/// How often a test checks whether there is still something to wait for.
const TICK: Duration = Duration::from_millis(50);

pub(crate) struct World {
    pub(crate) cell: Cell,
    pub(crate) seed: u64,
    pub(crate) mood: Mood,
    pub(crate) service: Service,
    pub(crate) at: Endpoint,
    runtime: Runtime,
    transport: FaultyTransport<Standard>,
    trace: Trace,
    _places: Places,
}

impl World {
    pub(crate) fn new(cell: Cell, seed: u64, mood: Mood) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(cell.is_virtual())
            .build()
            .unwrap();
        let trace = Trace::new();
        let (connected, accepted) = plans(cell, seed, mood);
        let (connected, accepted) = (connected.traced(&trace), accepted.traced(&trace));
        let standard = Standard(Registry::standard());
        let transport = FaultyTransport::with_sides(standard, &connected, &accepted);
        let mut service = Service::with_codec(cell.codec).unwrap();
        service.registry = registry(cell, transport.clone());
        let places = Places::new();
        World {
            at: place(&places, cell),
            _places: places,
            cell,
            seed,
            mood,
            service,
            runtime,
            transport,
            trace,
        }
    }

    pub(crate) fn block_on<T>(&self, run: impl Future<Output = T>) -> T {
        self.runtime.block_on(run)
    }

    /// From now on there are no faults.
    pub(crate) fn calm(&self) {
        self.transport.calm();
    }

    /// The faults that happened, direction by direction. The seed does not decide which direction
    /// comes first.
    pub(crate) fn events(&self) -> Vec<String> {
        let mut events = self.trace.events();
        events.sort_by_key(|event| (event.socket, event.sending));
        events.iter().map(ToString::to_string).collect()
    }

    /// Whether a connection fell silent, so that a wait without a deadline of its own lasts for
    /// ever.
    fn fell_silent(&self) -> bool {
        self.trace.count(Fault::Stall) + self.trace.count(Fault::HalfOpen) > 0
    }

    /// The result of `doing`. `None` if it waits for ever because a connection fell silent.
    pub(crate) async fn patiently<T>(
        &self,
        what: &str,
        doing: impl Future<Output = T>,
    ) -> Option<T> {
        let done = self.limited(doing, || self.fell_silent()).await;
        assert!(
            done.is_some() || self.fell_silent(),
            "{self}: {what}: hangs"
        );
        done
    }

    /// The result of a future that must not wait for ever, whatever happens.
    pub(crate) async fn surely<T>(&self, what: &str, doing: impl Future<Output = T>) -> T {
        match self.limited(doing, || false).await {
            Some(done) => done,
            None => panic!("{self}: {what}: hangs"),
        }
    }

    async fn limited<T>(
        &self,
        doing: impl Future<Output = T>,
        in_vain: impl Fn() -> bool,
    ) -> Option<T> {
        match self.cell.app {
            App::Command => really_limited(doing, in_vain).await,
            _ if self.cell.is_virtual() => timeout(HANGS, doing).await.ok(),
            _ => timeout(HANGS_REALLY, doing).await.ok(),
        }
    }

    /// Starts a server. The future that it gets resolves when the server is to stop.
    pub(crate) fn serve<F>(&self, run: impl FnOnce(Stop) -> F) -> Serving
    where
        F: Future<Output = Result<(), AppError>> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let stopped: Stop = Box::pin(async {
            let _ = stopped.await;
        });
        Serving {
            stop,
            task: tokio::spawn(run(stopped)),
        }
    }

    /// Stops a server, which must not have ended by itself.
    pub(crate) async fn stop(&self, serving: Serving) {
        assert!(!serving.task.is_finished(), "{self}: the server ended");
        let _ = serving.stop.send(());
        let ended = self.surely("stopping the server", serving.task).await;
        ended.unwrap().unwrap();
    }

    /// All clients are gone, and their tasks have to end after a while.
    pub(crate) async fn nothing_is_left(&self) {
        let (most, step) = match self.cell.is_virtual() {
            true => (HANGS, Duration::from_secs(1)),
            false => (HANGS_REALLY, Duration::from_millis(5)),
        };
        let alive = || Handle::current().metrics().num_alive_tasks();
        let mut waited = Duration::ZERO;
        while alive() > 0 && waited < most {
            sleep(step).await;
            waited += step;
        }
        assert_eq!(alive(), 0, "{self}: tasks are left");
    }

    /// An error is one line of text that says what failed.
    pub(crate) fn is_clear(&self, error: &AppError) {
        let words = error.to_string();
        let debug = ["{ ", "Some(", "Err(", "Os {", "Custom", "kind:", "panick"];
        let clear = words.len() > 15 && !debug.iter().any(|sign| words.contains(sign));
        let subject = ["://", "the server", "the peer", "data.bin"];
        let names = subject.iter().any(|subject| words.contains(subject));
        assert!(
            clear && names && !words.contains('\n'),
            "{self}: not clear: {words:?}"
        );
        assert!(self.mood != Mood::Harmless, "{self}: {words}");
    }
}

impl std::fmt::Display for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Cell { app, scheme, codec } = self.cell;
        let events = self.trace.events();
        let last: Vec<_> = events
            .iter()
            .rev()
            .take(5)
            .map(ToString::to_string)
            .collect();
        write!(
            f,
            "{app} over {scheme} with {codec}, {:?}, last faults [{}]",
            self.mood,
            last.join("; ")
        )
    }
}

pub(crate) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) struct Serving {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), AppError>>,
}

/// The result of `doing` while processes run, which do not follow a virtual clock. A hopeless wait
/// ends soon.
async fn really_limited<T>(
    doing: impl Future<Output = T>,
    in_vain: impl Fn() -> bool,
) -> Option<T> {
    let mut ticks = real_ticks();
    let mut doing = std::pin::pin!(doing);
    let mut passed = Duration::ZERO;
    while passed < HANGS_REALLY && !(in_vain() && passed > TICK * 6) {
        tokio::select! {
            done = &mut doing => return Some(done),
            _ = ticks.recv() => passed += TICK,
        }
    }
    None
}

/// Ticks of the real clock, whatever the runtime's clock does.
fn real_ticks() -> mpsc::UnboundedReceiver<()> {
    let (tick, ticks) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while tick.send(()).is_ok() {
            std::thread::sleep(TICK);
        }
    });
    ticks
}
