//! A transfer without a confirmation is reported as such. A connection that ends loses no bytes
//! that were sent before.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::time::Duration;

use file_support::*;
use serde_json::json;
use socketry_apps::Service;
use socketry_apps::file::{Client, Server};
use socketry_transport::Endpoint;

/// A peer that accepts, reads, and never answers.
fn silent() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
    });
    at
}

#[test]
fn an_unconfirmed_put_fails_unless_the_user_allows_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, "abc").unwrap();
    let path = path.to_str().unwrap();
    let output = run(&["file", "put", &silent(), path]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error = text(&output.stderr);
    assert!(
        error.contains("did not confirm") && error.contains("--unconfirmed"),
        "{error}"
    );
    assert!(output.stdout.is_empty());
    let output = run(&["file", "put", "--unconfirmed", &silent(), path]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        text(&output.stdout).contains("did not confirm"),
        "{output:?}"
    );
}

#[tokio::test]
async fn an_unconfirmed_get_keeps_nothing_unless_the_user_allows_it() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("a");
    let header = json!({"status": "ok", "filename": "a", "filesize": 1});
    let url = scripted(vec![(header.clone(), b"x")]);
    let told = fetch_from(&url, &dest).await;
    assert!(told.contains("did not confirm"), "{told}");
    assert!(names(dir.path()).is_empty());
    let url = scripted(vec![(header, b"x")]).parse().unwrap();
    let client = Client::connect(&Service::default(), &url).await.unwrap();
    let got = client.unconfirmed(true).get("a", &dest, |_, _| ()).await;
    assert!(!got.unwrap().confirmed);
    assert_eq!(names(dir.path()), ["a"]);
}

#[tokio::test]
async fn uploads_of_a_client_that_reads_nothing_are_all_stored() {
    for size in [3, 30_000, 300_000] {
        let served = Served::new("json").await;
        let port = served.port();
        blocking(move || {
            // In one write, which the kernel buffers: a client that sends again after an answer has
            // to read it.
            let body = bytes(size);
            for turn in 0..10 {
                let mut all = Vec::new();
                for part in 0..4 {
                    let name = format!("{turn}-{part}");
                    for header in [json!({"opt": "fly"}), upload(&name, size as u64)] {
                        let header = header.to_string();
                        all.extend(i32::try_from(header.len()).unwrap().to_le_bytes());
                        all.extend(header.as_bytes());
                    }
                    all.extend(&body);
                }
                Script::new(port).write(&all);
            }
        })
        .await;
        let root = served.root();
        blocking(move || {
            until("all are stored", || {
                let names = names(&root);
                names.len() == 40 && !names.iter().any(|name| name.starts_with('.'))
            });
            for name in names(&root) {
                assert!(fs::read(root.join(name)).unwrap() == bytes(size));
            }
        })
        .await;
    }
}

/// A server over `root` at `at`, until the handle is aborted.
async fn serve(
    service: &Service,
    at: &Endpoint,
    root: &std::path::Path,
) -> (Endpoint, tokio::task::JoinHandle<()>) {
    let server = Server::bind(service, at, root).await.unwrap();
    let at = server.local().clone();
    let serving = async move { server.run(std::future::pending()).await.unwrap() };
    (at, tokio::spawn(serving))
}

#[tokio::test]
async fn a_client_outlives_a_restart_of_its_server() {
    for codec in ["json", "json:bare", "raw"] {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("a"), "abc").unwrap();
        let service = Service::with_codec(codec).unwrap();
        // Another process may take a port that is free for a moment.
        let socket = dir.path().join("socket");
        let at = Endpoint::try_from(socket.as_path()).unwrap();
        let (at, mut serving) = serve(&service, &at, &root).await;
        let mut client = Client::connect(&service, &at).await.unwrap();
        client.list("/").await.unwrap();
        for turn in 0..3 {
            serving.abort();
            assert!(serving.await.unwrap_err().is_cancelled());
            (_, serving) = serve(&service, &at, &root).await;
            let dest = dir.path().join(format!("{codec}-{turn}"));
            match turn {
                0 => drop(client.list("/").await.unwrap()),
                1 => drop(client.get("a", &dest, |_, _| ()).await.unwrap()),
                _ if codec == "raw" => {}
                _ => {
                    client.stat("a").await.unwrap();
                    fs::write(&dest, "x").unwrap();
                    client.put(&dest, |_, _| ()).await.unwrap();
                }
            }
        }
        serving.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn get_and_a_last_list_over_raw_wait_for_nothing_but_their_server() {
    let served = Served::at("mem", "raw").await;
    for name in ["a", "b", "only"] {
        fs::create_dir_all(served.root().join("dir")).unwrap();
        fs::write(served.root().join("dir").join(name), bytes(4096)).unwrap();
    }
    let begun = tokio::time::Instant::now();
    for name in ["a", "only", "b"] {
        let mut client = served.client().await;
        let dest = served.dir.path().join(name);
        let got = client.get(&format!("dir/{name}"), &dest, |_, _| ()).await;
        assert_eq!(got.unwrap().bytes, 4096);
    }
    for dir in ["/", "dir", "."] {
        assert!(
            !served
                .client()
                .await
                .list_last(dir)
                .await
                .unwrap()
                .is_empty()
        );
    }
    let none = served.client().await.list_last("none").await;
    assert!(none.unwrap_err().to_string().contains("No such file"));
    // The paused clock moves only when every task waits, and each wait for silence would move it by
    // 200 ms.
    assert!(
        begun.elapsed() < Duration::from_millis(100),
        "{:?}",
        begun.elapsed()
    );
}
