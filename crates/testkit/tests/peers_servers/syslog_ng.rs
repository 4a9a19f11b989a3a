//! `octet-counting` with syslog-ng as the sender.

use socketry_testkit::in_time;
use socketry_transport::{Listener, listen};

use crate::daemon::{Daemon, command, directory, port};
use crate::{live, tools};

/// Its own line feed stands inside the count.
#[tokio::test]
async fn syslog_ng_counts_the_line_feed_that_it_adds() {
    if !tools::has("syslog-ng") {
        return;
    }
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let port = port(&listener);
    let directory = directory();
    let config = format!(
        r#"@version: 3.38
        options {{ keep-hostname(yes); stats-freq(0); }};
        log {{
            source {{ stdin(flags(syslog-protocol)); }};
            destination {{ syslog("127.0.0.1" transport("tcp") port({port})); }};
        }};"#
    );
    let path = directory.path().join("config");
    std::fs::write(&path, config).unwrap();
    let mut command = command("syslog-ng", &["--foreground", "--no-caps", "--cfgfile"]);
    command.arg(path);
    for file in ["persist-file", "pidfile", "control"] {
        command
            .arg(format!("--{file}"))
            .arg(directory.path().join(file));
    }
    let (_daemon, pipes) = Daemon::piped(&mut command, directory.path());
    let mut input = live("syslog-ng-input", pipes, "line");
    let accepted = in_time("syslog-ng", listener.accept()).await.unwrap();
    let mut peer = live("syslog-ng", accepted, "octet-counting");

    let long = "x".repeat(9_000);
    for text in ["hello", "größe 🦀", &long] {
        let message = format!("<13>1 2026-11-28T10:00:00+00:00 host app - - - {text}");
        input.send(message.as_bytes()).await.unwrap();
        let frame = in_time("a message", peer.recv()).await.unwrap().unwrap();
        let frame = std::str::from_utf8(frame).unwrap();
        assert!(
            frame.starts_with("<13>1 2026-11-28T10:00:00+00:00 host app"),
            "{frame}"
        );
        assert!(frame.ends_with(&format!(" {text}\n")), "{frame}");
    }
}
