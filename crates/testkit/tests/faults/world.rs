//! What one run takes place in: a runtime, a clock, and a registry whose sockets are faulty.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use socketry_apps::matrix::App;
use socketry_apps::{AppError, Service};
use socketry_testkit::{Fault, Faults, FaultyTransport, Places, Trace};
use socketry_transport::{
    BoxListener, BoxSocket, Endpoint, Registry, Result, Transport, async_trait,
};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// An app over a transport with a codec.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) app: App,
    pub(crate) scheme: &'static str,
    pub(crate) codec: &'static str,
}

impl Cell {
    pub(crate) fn new(app: App, scheme: &'static str, codec: &'static str) -> Self {
        Cell { app, scheme, codec }
    }

    pub(crate) fn is_stream(self) -> bool {
        !matches!(self.scheme, "udp" | "unix-dgram")
    }

    /// Where what one read brings is the message.
    pub(crate) fn is_sticky(self) -> bool {
        self.codec == "raw" && self.is_stream()
    }

    /// Whether time can be virtual: nothing is under way that a clock that jumps would not wait for. In the kernel that is what
    /// TCP and UDP do, and a process while the session of its datagrams is idle.
    pub(crate) fn is_virtual(self) -> bool {
        let processes = self.app == App::Command && !self.is_stream();
        !matches!(self.scheme, "tcp" | "udp") && !processes
    }

    /// Whether the run survives a connection that falls silent: the apps notice it after minutes, by a virtual clock. A command
    /// may take for ever, and its client is given up by the test.
    fn bears_silence(self) -> bool {
        self.is_virtual() || self.app == App::Command
    }
}

/// How bad it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Nothing is lost: the outcome has to be right.
    Harmless,
    /// Anything may happen: the outcome has to be right or a clear error.
    Hostile,
}

/// How long something may take that is never to take long, by whichever clock the run has.
const HANGS: Duration = Duration::from_secs(3600);
/// The same by the clock on the wall.
const HANGS_REALLY: Duration = Duration::from_secs(30);
/// How often it is looked whether there is still something to wait for.
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
        service.registry = Registry::empty().with(cell.scheme, transport.clone());
        let places = Places::new();
        World {
            at: place(&places, cell.scheme),
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

    /// From here on all goes well.
    pub(crate) fn calm(&self) {
        self.transport.calm();
    }

    /// What went wrong with the sockets, direction by direction: which of them comes first is not the seed's to say.
    pub(crate) fn events(&self) -> Vec<String> {
        let mut events = self.trace.events();
        events.sort_by_key(|event| (event.socket, event.sending));
        events.iter().map(ToString::to_string).collect()
    }

    /// Whether a connection fell silent, so that who waits without a deadline of his own waits for ever.
    fn fell_silent(&self) -> bool {
        self.trace.count(Fault::Stall) + self.trace.count(Fault::HalfOpen) > 0
    }

    /// What `doing` comes to; `None` if it waits for ever, and a connection that fell silent is why.
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

    /// What must not wait for ever, whatever happens.
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

    /// Starts a server; the future it is given resolves when it is to stop.
    pub(crate) fn serve<F>(&self, run: impl FnOnce(Stop) -> F) -> Serving
    where
        F: Future<Output = Result<(), AppError>> + Send + 'static,
    {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let stopped: Stop = Box::pin(async {
            let _ = stopped.await;
        });
        Serving {
            stop,
            task: tokio::spawn(run(stopped)),
        }
    }

    /// Ends a server, which must not have ended by itself.
    pub(crate) async fn stop(&self, serving: Serving) {
        assert!(!serving.task.is_finished(), "{self}: the server ended");
        let _ = serving.stop.send(());
        let ended = self.surely("stopping the server", serving.task).await;
        ended.unwrap().unwrap();
    }

    /// Everybody is gone; so are their tasks, in a while.
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

    /// An error is one line for people, which says what did not work.
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
        assert!(self.mood == Mood::Hostile, "{self}: {words}");
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

pub(crate) type Stop = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) struct Serving {
    stop: tokio::sync::oneshot::Sender<()>,
    task: JoinHandle<Result<(), AppError>>,
}

/// What `doing` comes to while processes run, of which a virtual clock knows nothing. What is in vain is given up soon.
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

/// Ticks of the clock on the wall, whatever the runtime's clock does.
fn real_ticks() -> mpsc::UnboundedReceiver<()> {
    let (tick, ticks) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while tick.send(()).is_ok() {
            std::thread::sleep(TICK);
        }
    });
    ticks
}

/// What goes wrong with the sockets that are connected, and with those that are accepted.
fn plans(cell: Cell, seed: u64, mood: Mood) -> (Faults, Faults) {
    let mut plan = match mood {
        Mood::Harmless => Faults::harmless(),
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
    if !may_differ(cell, seed) {
        plan = plan.without(&[Fault::Corruption, Fault::Truncation]);
    }
    if cell.app == App::Command && !cell.is_stream() {
        plan = plan.without(&LOSSES);
    }
    let mut accepted = plan.clone();
    if cell.app == App::Command && !cell.is_stream() {
        // The socket of one peer among many is never told that nobody listens there.
        accepted = accepted.without(&[Fault::Reset]);
    }
    if cell.is_sticky() && cell.app != App::Chat {
        return sticky(cell, &plan, &accepted);
    }
    (plan, accepted)
}

/// What the app's transport promises that it does not do.
const LOSSES: [Fault; 6] = [
    Fault::Loss,
    Fault::Duplication,
    Fault::Reordering,
    Fault::Truncation,
    Fault::Cut,
    Fault::Corruption,
];

/// A request in two pieces is two requests there; so they arrive whole, or not at all.
fn sticky(cell: Cell, connected: &Faults, accepted: &Faults) -> (Faults, Faults) {
    let mut connected = connected.clone().between_calls().with(Fault::ShortWrite, 0);
    let mut accepted = accepted.clone().between_calls().with(Fault::ShortRead, 0);
    if !cell.is_virtual() {
        // Silence is the end of an answer there: a machine that is busy must not make one between two pieces.
        connected = connected.with(Fault::ShortRead, 0);
        accepted = accepted.with(Fault::ShortWrite, 0);
    }
    (connected, accepted)
}

/// Whether what arrives may differ from what was sent: with every second seed, for those whose law bears it.
pub(crate) fn may_differ(cell: Cell, seed: u64) -> bool {
    !cell.is_stream() && seed % 2 == 1
}

/// Where the server listens. Of UDP no two runs may be neighbours: a server goes on sending to users who have gone, and their
/// ports may be others' by then.
fn place(places: &Places, scheme: &str) -> Endpoint {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    if scheme != "udp" || cfg!(not(target_os = "linux")) {
        return places.free(scheme);
    }
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let (process, high, low) = (std::process::id() % 250, run / 250 % 250, run % 250);
    let url = format!("udp://127.{}.{high}.{}:0", 1 + process, 1 + low);
    url.parse().unwrap()
}

/// The standard transports as one.
struct Standard(Registry);

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
