//! Runs with many seeds, and the command to repeat a failed one.

use std::any::Any;
use std::cell::RefCell;
use std::env;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

/// The environment variable with the one seed to run.
const ONE: &str = "SOCKETRY_SEED";
/// The environment variable with the number of seeds to run, in place of the default.
const MANY: &str = "SOCKETRY_SEEDS";
/// How many runs go on at once. They wait most of the time.
const AT_ONCE: u64 = 16;

thread_local! {
    /// The panics on this thread since the run began, caught or not.
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Runs `run` with the seeds from 0 up to `count`, several at once, each on a thread of its own.
///
/// The environment variable `SOCKETRY_SEEDS` sets another number of seeds, and `SOCKETRY_SEED` a
/// single seed. A panic is a failure even if it was caught, as a runtime catches those of its
/// tasks. For that the run has to stay on its thread, in a current-thread runtime.
///
/// # Panics
/// After all runs, if one failed. The message has its seed and the command that repeats it:
/// `command`, with the seed in front. Also if those variables are no numbers.
///
/// ```
/// socketry_testkit::faulty::for_each_seed("cargo test addition_commutes", 10, |seed| {
///     assert_eq!(seed + 1, 1 + seed);
/// });
/// ```
pub fn for_each_seed(command: &str, count: u64, run: impl Fn(u64) + Sync) {
    watch_panics();
    let seeds = seeds(count);
    let (next, failures) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            if let Err(words) = outcome(seed, &run) {
                let mut all = failures.lock().unwrap_or_else(PoisonError::into_inner);
                all.push(format!("{words}\n  repeat it: {ONE}={seed} {command}"));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(seeds.end - seeds.start) {
            scope.spawn(work);
        }
    });
    let failures = failures
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let failed = failures.len();
    assert!(
        failed == 0,
        "{failed} seeds failed\n{}",
        failures.join("\n")
    );
}

fn seeds(count: u64) -> Range<u64> {
    match (number(ONE), number(MANY)) {
        (Some(seed), _) => seed..seed.saturating_add(1),
        (None, Some(count)) => 0..count,
        (None, None) => 0..count,
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => panic!("{variable} is a number, and not {text:?}"),
    }
}

/// The first panic in `run`, if there was one.
fn outcome(seed: u64, run: impl Fn(u64)) -> Result<(), String> {
    PANICS.take();
    let ran = panic::catch_unwind(AssertUnwindSafe(|| run(seed)));
    let panics = PANICS.take();
    match ran {
        Ok(()) if panics.is_empty() => Ok(()),
        Ok(()) => Err(format!(
            "seed {seed}: a task panicked: {}",
            panics.join("; ")
        )),
        Err(thrown) => Err(format!("seed {seed}: {}", words(&*thrown))),
    }
}

fn words(thrown: &(dyn Any + Send)) -> &str {
    match (
        thrown.downcast_ref::<String>(),
        thrown.downcast_ref::<&str>(),
    ) {
        (Some(words), _) => words,
        (None, Some(words)) => words,
        (None, None) => "it panicked without words",
    }
}

/// Records panics of all threads from now on. They print as before.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // A thread that is ending has no place to record it.
            let _ = PANICS.try_with(|all| all.borrow_mut().push(panic.to_string()));
            before(panic);
        }));
    });
}
