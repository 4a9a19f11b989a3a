//! Trees: every shape of a tree arrives equal, over each transport that the app runs over.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "helpers of tests are tests"
)]

mod file_support;
#[path = "tree/shape.rs"]
mod shape;

use std::fs;

use file_support::Served;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use shape::{Shape, assert_same, shapes};
use socketry_apps::Service;
use socketry_apps::file::{Choice, LocalTree};
use socketry_apps::matrix::{App, SCHEMES, TLS_SCHEMES, WS_SCHEMES};
use tokio::runtime::Runtime;

/// How many trees go over each transport.
const TREES: u32 = 12;

async fn served(scheme: &str, codec: &str) -> Option<Served> {
    let service = Service::with_codec(codec).unwrap();
    service.check(App::File, scheme).ok()?;
    let dir = tempfile::tempdir().unwrap();
    let (at, identity) = (dir.path().join("s"), dir.path().join("identity"));
    let (at, identity) = (at.display(), identity.display());
    let url = match scheme {
        "tcp" | "ws" => format!("{scheme}://127.0.0.1:0"),
        "mem" => "mem://*".to_owned(),
        "tls" | "quic" => format!("{scheme}://127.0.0.1:0?identity={identity}"),
        "wss" => format!("wss://127.0.0.1:0/?identity={identity}"),
        "tls+unix" => format!("{scheme}://{at}?identity={identity}"),
        _ => format!("{scheme}://{at}"),
    };
    Some(Served::listening(service, &url, dir).await)
}

/// Sends a tree and fetches it again.
async fn there_and_back(served: &Served, shape: &Shape, preserve: bool) {
    let place = tempfile::tempdir().unwrap();
    let (from, back) = (place.path().join("from"), place.path().join("back"));
    shape.make(&from);
    let name = format!("{}-tree", fs::read_dir(served.root()).unwrap().count());
    let choice = Choice::default().preserve(preserve);
    let mut client = served.client().await;

    let tree = LocalTree::find_as(&from, &name, &choice).await.unwrap();
    let (files, bytes) = (tree.survey().files, tree.survey().bytes);
    assert!(tree.survey().refused.is_empty(), "{:?}", tree.survey());
    let sent = client.put_tree(tree, "/", |_, _| ()).await.unwrap();
    assert!(sent.failures.is_empty(), "{:?}", sent.failures);
    assert_eq!((sent.files, sent.bytes >= shape.data()), (files, true));
    assert_same(&from, &served.root().join(&name), preserve);

    let tree = client.tree(&name, &choice).await.unwrap();
    assert_eq!((tree.survey().files, tree.survey().bytes), (files, bytes));
    let got = client.get_tree(tree, &back, |_, _| ()).await.unwrap();
    assert!(got.failures.is_empty(), "{:?}", got.failures);
    assert_eq!(got.files, files);
    assert_same(&from, &back, preserve);
}

fn over(scheme: &str, codec: &str) {
    let runtime = Runtime::new().unwrap();
    let Some(served) = runtime.block_on(served(scheme, codec)) else {
        return;
    };
    let config = Config {
        cases: TREES,
        failure_persistence: None,
        ..Config::default()
    };
    let trees = (shapes(), proptest::bool::ANY);
    let ran = TestRunner::new(config).run(&trees.no_shrink(), |(shape, preserve)| {
        runtime.block_on(there_and_back(&served, &shape, preserve));
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{scheme} {codec}: {error}"));
}

#[test]
fn every_tree_arrives_equal_over_each_transport() {
    let encrypted = TLS_SCHEMES.iter().filter(|_| cfg!(feature = "quic"));
    let web = WS_SCHEMES.iter().filter(|_| cfg!(feature = "ws"));
    for scheme in SCHEMES.iter().chain(encrypted).chain(web) {
        over(scheme, "json");
    }
}

#[test]
fn every_tree_arrives_equal_over_bare_json() {
    over("tcp", "json:bare");
    over("unix", "json:bare");
}

#[test]
fn many_small_files_in_few_directories_arrive_equal() {
    let runtime = Runtime::new().unwrap();
    let served = runtime.block_on(served("tcp", "json")).unwrap();
    runtime.block_on(there_and_back(&served, &Shape::many(1500), true));
}
