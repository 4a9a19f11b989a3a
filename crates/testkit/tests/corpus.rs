//! The fuzz targets' corpus, and every input that once broke something, as plain tests.
//!
//! `fuzz/README.md` has each target's assertions. The targets' bodies know no fuzzer, so they are
//! included unchanged.

use std::any::Any;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

#[allow(
    unreachable_pub,
    dead_code,
    reason = "a crate of its own, where this is its API"
)]
#[path = "../../../fuzz/src/lib.rs"]
mod bodies;

/// One test for each target, and the list of all targets.
macro_rules! targets {
    ($($target:ident)*) => {
        const TARGETS: &[&str] = &[$(stringify!($target)),*];
        $(
            #[test]
            fn $target() {
                replay(stringify!($target), bodies::$target::run);
            }
        )*
    };
}

targets! {
    auth capture chat command decode differential endpoint file framed header options proxy roundtrip split text tls ws
}

/// Panics in any thread. A panic in a server's task does not reach its clients, but it must fail
/// the test.
static PANICS: AtomicUsize = AtomicUsize::new(0);
/// One target at a time, so that a panic can be attributed.
static TURN: Mutex<()> = Mutex::new(());

fn replay(target: &str, run: fn(&[u8])) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    count_panics();
    for path in inputs(target) {
        let input = fs::read(&path).expect("an input");
        let before = PANICS.load(Ordering::Relaxed);
        let done = panic::catch_unwind(AssertUnwindSafe(|| run(&input)));
        let words = done.err().map(words).unwrap_or_default();
        let panics = PANICS.load(Ordering::Relaxed) - before;
        assert_eq!(panics, 0, "{}: {words}", path.display());
    }
}

fn count_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            told(info);
        }));
    });
}

fn words(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(words) => *words,
        Err(panic) => panic.downcast::<&str>().map_or_else(
            |_| String::from("a panic without words"),
            |words| (*words).to_owned(),
        ),
    }
}

/// The seeds, and the inputs that once broke something.
fn inputs(target: &str) -> Vec<PathBuf> {
    let seeds = entries(&fuzz().join("corpus").join(target));
    let found = entries(&fuzz().join("regressions").join(target));
    let mut inputs: Vec<_> = seeds.into_iter().chain(found).collect();
    inputs.sort();
    inputs
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The entries of a directory; none if it does not exist.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

#[test]
fn every_target_is_replayed_and_has_seeds() {
    let there: BTreeSet<_> = entries(&fuzz().join("fuzz_targets"))
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    assert!(there.iter().eq(TARGETS), "{there:?}");
    for target in TARGETS {
        let seeds = entries(&fuzz().join("corpus").join(target));
        assert!(!seeds.is_empty(), "{target} has no seeds");
    }
}
