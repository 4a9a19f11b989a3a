//! A process that is replaced by another one of its program.

use socketry_tls::Tls;
use socketry_transport::{Endpoint, Registry};
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
