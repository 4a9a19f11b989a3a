//! Metrics that curl and Prometheus's own parser read, over TCP and over a Unix socket.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod tools;

use std::process::{Command, Output, Stdio};

use socketry_codec::{FrameError, Framed, Struct};
use socketry_service::{Limits, Prometheus, Server, Stopper};
use socketry_transport::{
    BoxSocket, Endpoint, Listener, Received, RecvExt, SendExt, connect, listen,
};
use tokio::task::spawn_blocking;

/// A server of metrics at `at`, of a server that has answered a request and refused a client.
async fn serving(at: &str) -> (Endpoint, Stopper) {
    let prometheus = Prometheus::new();
    let listener = listen("mem://*").await.unwrap();
    let echo = listener.local().clone();
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let server = Server::new(listener).limits(limits);
    let server = server.observer(prometheus.observer("an \"echo\""));
    tokio::spawn(server.answer(async |request| Ok::<_, FrameError>(request.frame)));
    let mut client = Framed::new(connect(echo.clone()).await.unwrap(), Struct::default());
    client.send(b"hello").await.unwrap();
    assert!(client.recv().await.unwrap().is_some());
    let mut refused = Framed::new(connect(echo).await.unwrap(), Struct::default());
    assert!(refused.recv().await.ok().flatten().is_none());
    // The connection stays.
    tokio::spawn(async move {
        let _kept = client;
        std::future::pending::<()>().await;
    });
    let listener = listen(at).await.unwrap();
    let at = listener.local().clone();
    let server = Server::new(listener);
    let stopper = server.stopper();
    tokio::spawn(prometheus.serve(server));
    (at, stopper)
}

async fn curl(arguments: &[&str]) -> Output {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "20"]);
    command.args(arguments);
    let output = spawn_blocking(move || command.output()).await.unwrap();
    output.unwrap()
}

/// The value of the metric that begins with `name`.
fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn check_text(text: &str) {
    let label = r#"{server="an \"echo\"""#;
    for (name, wanted) in [
        ("socketry_server_connections", 1.0),
        ("socketry_server_accepted_total", 1.0),
        ("socketry_server_frames_received_total", 1.0),
        ("socketry_server_frames_sent_total", 1.0),
        ("socketry_server_bytes_received_total", 9.0),
        ("socketry_server_bytes_sent_total", 9.0),
        ("socketry_server_requests_total", 1.0),
        ("socketry_server_requests_waiting", 0.0),
        ("socketry_server_request_seconds_count", 1.0),
    ] {
        assert_eq!(value(text, &format!("{name}{label}")), wanted, "{name}");
    }
    let refused = format!(
        "socketry_server_refused_total{{reason=\"full\",{}",
        &label[1..]
    );
    assert_eq!(value(text, &refused), 1.0);
    assert!(text.contains("# TYPE socketry_server_request_seconds histogram"));
}

#[tokio::test]
async fn curl_reads_metrics_over_tcp() {
    if !tools::has("curl") {
        return;
    }
    let (at, _) = serving("tcp://127.0.0.1:0").await;
    let place = at.socket_addr().unwrap();
    let got = curl(&[&format!("http://{place}/metrics")]).await;
    assert!(got.status.success(), "{got:?}");
    check_text(&String::from_utf8(got.stdout).unwrap());
    let head = curl(&["--head", &format!("http://{place}/metrics")]).await;
    let head = String::from_utf8(head.stdout).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"));
    for (arguments, status) in [
        (&["/"][..], "404"),
        (&["/metrics", "--data", "x=1"], "405"),
        (&["/metrics?what", "--http1.0"], "200"),
    ] {
        let url = format!("http://{place}{}", arguments[0]);
        let all = [
            &[&url[..]],
            &arguments[1..],
            &["--write-out", "%{http_code}", "--output", "-"],
        ]
        .concat();
        let got = curl(&all).await;
        let said = String::from_utf8(got.stdout).unwrap();
        assert!(said.ends_with(status), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn curl_reads_metrics_over_a_unix_socket() {
    if !tools::has("curl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metrics").display().to_string();
    let (_at, stopper) = serving(&format!("unix://{path}")).await;
    let got = curl(&["--unix-socket", &path, "http://localhost/metrics"]).await;
    assert!(got.status.success(), "{got:?}");
    check_text(&String::from_utf8(got.stdout).unwrap());
    stopper.stop();
}

/// All that the server says to `request`.
async fn said(at: &Endpoint, request: &[u8]) -> String {
    let mut socket: BoxSocket = connect(at.clone()).await.unwrap();
    socket.send_all(request).await.unwrap();
    let mut said = Vec::new();
    let mut some = [0; 4096];
    while let (len, Received::Data) = socket.recv(&mut some).await.unwrap() {
        said.extend_from_slice(&some[..len]);
    }
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn what_is_no_request_has_a_clear_answer() {
    let (at, _) = serving("tcp://127.0.0.1:0").await;
    let long = format!(
        "GET /metrics HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(9_000)
    );
    let many = format!(
        "GET /metrics HTTP/1.1\r\nHost: a\r\n{}\r\n",
        "A: b\r\n".repeat(2_000)
    );
    let endless = "x".repeat(20_000);
    for (request, status) in [
        ("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
        (
            "\r\nGET http://a/metrics?x HTTP/1.1\r\nhOST:a\r\n\r\n",
            "200",
        ),
        ("GET /metrics HTTP/1.0\r\n\r\n", "200"),
        ("GET /metrics HTTP/1.1\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "400"),
        ("GET  /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("GET metrics HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("hello\r\n\r\n", "400"),
        ("GET /other HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
        ("DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
        ("GET /metrics HTTP/2.0\r\nHost: a\r\n\r\n", "505"),
        (&long, "431"),
        (&many, "431"),
        (&endless, "431"),
    ] {
        let answer = said(&at, request.as_bytes()).await;
        let shown = &request[..request.len().min(60)];
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{shown:?}: {answer}"
        );
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        assert_eq!(length.unwrap(), body.len().to_string(), "{shown:?}");
    }
}

/// Prometheus's own parser, which is no part of Python: `pip install prometheus-client`.
#[tokio::test]
async fn prometheus_parses_the_metrics() {
    if !tools::has_module("prometheus_client") {
        return;
    }
    let (at, _) = serving("tcp://127.0.0.1:0").await;
    let place = at.socket_addr().unwrap();
    let script = "import sys, urllib.request\n\
         from prometheus_client.parser import text_string_to_metric_families as parse\n\
         text = urllib.request.urlopen(sys.argv[1]).read().decode()\n\
         for family in parse(text):\n    \
         for sample in family.samples: print(family.type, sample.name, sample.value)\n";
    let child = Command::new("python3")
        .args(["-c", script, &format!("http://{place}/metrics")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = spawn_blocking(move || child.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    for line in [
        "gauge socketry_server_connections 1",
        "counter socketry_server_frames_received_total 1",
        "histogram socketry_server_request_seconds_count 1",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
}

/// The time of a head is one for all of it, however often a part of it comes.
#[tokio::test(start_paused = true)]
async fn a_head_that_comes_slowly_is_refused_in_time() {
    let (at, _) = serving("mem://*").await;
    let mut socket: BoxSocket = connect(at).await.unwrap();
    socket.send_all(b"GET /metrics HTTP/1.1\r\n").await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut some = [0; 64];
    loop {
        tokio::select! {
            received = socket.recv(&mut some) => {
                let (len, _) = received.unwrap();
                assert!(some[..len].starts_with(b"HTTP/1.1 408 "));
                break;
            }
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
        }
        socket.send_all(b"A: b\r\n").await.unwrap();
    }
    assert!(begun.elapsed().as_secs() <= 11, "{:?}", begun.elapsed());
}
