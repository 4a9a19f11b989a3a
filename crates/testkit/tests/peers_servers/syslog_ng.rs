//! `octet-counting` and `syslog` with syslog-ng as the sender.

use std::path::Path;

use socketry_testkit::in_time;
use socketry_transport::{BoxSocket, Listener, listen};

use crate::daemon::{Daemon, command, directory, port};
use crate::{live, tools};

/// syslog-ng that sends each line of its input to this destination, and the input.
fn start(directory: &Path, destination: &str) -> (Daemon, BoxSocket) {
    let config = format!(
        r"@version: 3.38
        options {{ keep-hostname(yes); stats-freq(0); }};
        log {{
            source {{ stdin(flags(syslog-protocol)); }};
            destination {{ {destination}; }};
        }};"
    );
    let path = directory.join("config");
    std::fs::write(&path, config).unwrap();
    let mut command = command("syslog-ng", &["--foreground", "--no-caps", "--cfgfile"]);
    command.arg(path);
    for file in ["persist-file", "pidfile", "control"] {
        command.arg(format!("--{file}")).arg(directory.join(file));
    }
    Daemon::piped(&mut command, directory)
}

/// Sends messages to `driver` of syslog-ng, which must arrive as frames of `wire` that end in
/// `end`.
async fn sends(name: &str, driver: &str, wire: &str, end: &str) {
    if !tools::has("syslog-ng") {
        return;
    }
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let port = port(&listener);
    let directory = directory();
    let destination = format!(r#"{driver}("127.0.0.1" transport("tcp") port({port}))"#);
    let (_daemon, pipes) = start(directory.path(), &destination);
    let mut input = live(&format!("{name}-input"), pipes, "line");
    let accepted = in_time("syslog-ng", listener.accept()).await.unwrap();
    let mut peer = live(name, accepted, wire);

    let long = "x".repeat(9_000);
    for text in ["hello", "größe 🦀", &long] {
        let message = format!("<13>1 2026-11-28T10:00:00+00:00 host app - - - {text}");
        input.send(message.as_bytes()).await.unwrap();
        let frame = in_time("a message", peer.recv()).await.unwrap().unwrap();
        let frame = std::str::from_utf8(frame).unwrap();
        assert!(frame.starts_with("<13>"), "{frame}");
        assert!(frame.ends_with(&format!(" {text}{end}")), "{frame}");
    }
}

#[tokio::test]
async fn syslog_ng_counts_the_line_feed_that_it_adds() {
    sends("syslog-ng", "syslog", "octet-counting", "\n").await;
}

#[tokio::test]
async fn syslog_ng_sends_counts_or_lines() {
    sends("syslog-ng-counts", "syslog", "syslog", "").await;
    sends("syslog-ng-lines", "network", "syslog", "").await;
}
