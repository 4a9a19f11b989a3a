//! A process that is replaced by another one of its program.

use std::path::Path;

use rustix::fs::OFlags;
use socketry_tls::Tls;
use socketry_transport::{Credentials, Endpoint, Half, Registry, connect};
use tempfile::tempdir;

use crate::load::{Load, ask};
use crate::server::{Process, run_failing, unix_socket};

#[tokio::test(flavor = "multi_thread")]
async fn under_load_nobody_is_refused() {
    let directory = tempdir().unwrap();
    let mut process = Process::start(directory.path());
    let unix = unix_socket(directory.path());
    let load = Load::on(Registry::standard(), &[&process.tcp, &unix]);
    load.answered_by(&process.number(), 100).await;
    let mut numbers = vec![process.number()];
    for _ in 0..3 {
        let next = Process::start(directory.path());
        assert_eq!(
            next.tcp, process.tcp,
            "the port that the first one was given"
        );
        load.answered_by(&next.number(), 100).await;
        process.ended();
        process = next;
        numbers.push(process.number());
    }
    let answers = load.done().await;
    assert_eq!(answers.len(), numbers.len(), "{answers:?}, by {numbers:?}");
    process.stop();
    let left: Vec<_> = directory.path().read_dir().unwrap().collect();
    let is_socket = |name: &str| name.ends_with(".sock");
    for file in left {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(!is_socket(&name), "{name} is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_fails_before_it_is_ready_changes_nothing() {
    let directory = tempdir().unwrap();
    let mut process = Process::start(directory.path());
    let unix = unix_socket(directory.path());
    let load = Load::on(Registry::standard(), &[&process.tcp, &unix]);
    for _ in 0..2 {
        run_failing(directory.path());
    }
    load.answered_by(&process.number(), 100).await;
    assert!(process.is_running());
    assert_eq!(load.done().await.len(), 1);
    // It still can be replaced.
    let next = Process::start(directory.path());
    process.ended();
    for at in [&next.tcp, &unix] {
        let answer = ask(&Registry::standard(), at.parse().unwrap()).await;
        assert_eq!(answer, next.number());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_lie_over_the_sockets_that_were_taken() {
    let directory = tempdir().unwrap();
    let process = Process::start(directory.path());
    let registry = Tls::new().register(Registry::standard()).unwrap();
    let at: Endpoint = process.tls.parse().unwrap();
    assert_eq!(ask(&registry, at.clone()).await, process.number());
    let next = Process::start(directory.path());
    process.ended();
    assert_eq!(next.tls, at.as_str(), "the port and the key");
    assert_eq!(ask(&registry, at).await, next.number());
}

/// The flags of open(2) of each socket of a process: those are octal in `fdinfo`.
fn flags_of_sockets(number: &str) -> Vec<i32> {
    let process = Path::new("/proc").join(number);
    let numbers = process.join("fd").read_dir().unwrap();
    let flags = numbers.filter_map(|entry| {
        let name = entry.unwrap().file_name();
        // It may be closed meanwhile.
        let target = process.join("fd").join(&name).read_link().ok()?;
        let is_socket = target.to_string_lossy().starts_with("socket:");
        let info = std::fs::read_to_string(process.join("fdinfo").join(&name)).ok()?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
        is_socket.then(|| i32::from_str_radix(flags.trim(), 8).unwrap())
    });
    flags.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_that_were_taken_wait_for_nobody_and_reach_no_child() {
    let directory = tempdir().unwrap();
    let first = Process::start(directory.path());
    let listener = first.number();
    let next = Process::start(directory.path());
    first.ended();
    let flags = flags_of_sockets(&next.number());
    assert!(flags.len() >= 4, "{flags:?}");
    for flags in flags {
        let flags = OFlags::from_bits_retain(flags.cast_unsigned());
        let wanted = OFlags::CLOEXEC | OFlags::NONBLOCK;
        assert!(flags.contains(wanted), "{flags:?}");
    }
    // `listen` was called once: clients see the process that did.
    let unix = unix_socket(directory.path());
    let socket = connect(&*unix).await.unwrap();
    let seen: &Credentials = socket.info().get().unwrap();
    assert_eq!(seen.pid.unwrap().to_string(), listener);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_killed_is_succeeded_by_a_first_one() {
    let directory = tempdir().unwrap();
    // Its files are left.
    drop(Process::start(directory.path()));
    assert!(directory.path().join("takeover.sock").exists());
    let next = Process::start(directory.path());
    let unix = unix_socket(directory.path());
    let answer = ask(&Registry::standard(), unix.parse().unwrap()).await;
    assert_eq!(answer, next.number());
    next.stop();
    assert!(!directory.path().join("takeover.sock").exists());
}
