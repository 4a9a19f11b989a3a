//! A file that the file app sends.

use std::fs;
use std::time::{Duration, Instant};

use socketry_apps::Service;
use socketry_apps::file::{Client, Server};
use socketry_transport::Endpoint;

use crate::harness::contest::Work;
use crate::link::{HERE, Link, THERE};

/// Sends `size` bytes over `scheme` through `link`, at a rate by the rule `congestion`, and compares what was stored.
pub(crate) fn sent(scheme: &str, congestion: &str, link: Link, size: usize) -> Work {
    let _link = link.start(congestion);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let elapsed = runtime.block_on(transfer(scheme, congestion, size));
    // The connection's last packets need no answer any more.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Work {
        amount: size as f64,
        elapsed,
    }
}

async fn transfer(scheme: &str, congestion: &str, size: usize) -> Duration {
    let place = tempfile::tempdir().unwrap();
    let (root, source) = (place.path().join("root"), place.path().join("file"));
    fs::create_dir(&root).unwrap();
    let bytes: Vec<u8> = (0..size / 8).flat_map(|at| at.to_le_bytes()).collect();
    fs::write(&source, &bytes).unwrap();

    let mut at: Endpoint = format!("{scheme}://{HERE}:0").parse().unwrap();
    if scheme == "quic" {
        let identity = place.path().join("identity").display().to_string();
        at = at
            .with("identity", &identity)
            .with("congestion", congestion);
    }
    let service = Service::default();
    let server = Server::bind(&service, &at, &root)
        .await
        .unwrap()
        .syncing(false);
    let mut to: Endpoint = server
        .local()
        .as_str()
        .replace(HERE, THERE)
        .parse()
        .unwrap();
    if scheme == "quic" {
        to = to.with("congestion", congestion);
    }
    let serving = tokio::spawn(server.run(std::future::pending()));
    let client = Client::connect(&service, &to).await.unwrap();
    let mut client = client.syncing(false);
    let begun = Instant::now();
    let put = client.put(&source, |_, _| ()).await.unwrap();
    let elapsed = begun.elapsed();
    assert!(put.confirmed);
    assert!(
        fs::read(root.join("file")).unwrap() == bytes,
        "other bytes arrived"
    );
    serving.abort();
    elapsed
}
