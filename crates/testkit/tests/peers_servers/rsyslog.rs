//! `octet-counting`, `syslog` and `line` with rsyslog, which takes both in one connection.

use std::path::PathBuf;

use socketry_codec::Fault;
use tempfile::TempDir;

use crate::daemon::{Daemon, command, directory, free_port};
use crate::{Live, codec, live, tools};

/// The beginning of a message, as RFC 5424 wants it.
const HEAD: &str = "<13>1 2026-11-28T10:00:00Z host app - - -";

/// A message with this text.
fn message(text: &str) -> String {
    format!("{HEAD} {text}")
}

/// rsyslog that writes each message on a line of a file, as it came.
struct Rsyslog {
    daemon: Daemon,
    directory: TempDir,
    url: String,
}

impl Rsyslog {
    fn start() -> Option<Rsyslog> {
        if !tools::has("rsyslogd") {
            return None;
        }
        let (directory, port) = (directory(), free_port());
        let place = directory.path().display();
        let config = format!(
            r#"global(workDirectory="{place}")
            module(load="imtcp")
            template(name="as-it-came" type="string" string="%rawmsg%\n")
            input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="all")
            ruleset(name="all") {{
                action(type="omfile" file="{place}/messages" template="as-it-came")
            }}"#
        );
        let path = directory.path().join("config");
        std::fs::write(&path, config).unwrap();
        let mut command = command("rsyslogd", &["-n", "-f"]);
        command.arg(path).arg("-M").arg(modules());
        command.arg("-i").arg(directory.path().join("pid"));
        let daemon = Daemon::start(&mut command, directory.path());
        Some(Rsyslog {
            daemon,
            directory,
            url: format!("tcp://127.0.0.1:{port}"),
        })
    }

    async fn connect(&mut self, name: &str, wire: &str) -> Live {
        let socket = self.daemon.connect(&self.url).await;
        live(name, socket, wire)
    }

    /// The messages that it wrote, up to `last`.
    async fn wrote(&mut self, last: &str) -> Vec<String> {
        let file = self.directory.path().join("messages");
        let end = format!("{last}\n");
        let text = self.daemon.wrote(&file, |text| text.ends_with(&end)).await;
        text.lines().map(str::to_owned).collect()
    }
}

/// The directory of its modules, which stands beside that of the program.
fn modules() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let places: Vec<_> = std::env::split_paths(&path).collect();
    let program = places.iter().find(|place| place.join("rsyslogd").is_file());
    let libraries = program.unwrap().parent().unwrap().join("lib");
    let machines = std::fs::read_dir(libraries).unwrap();
    let mut all = machines.map(|machine| machine.unwrap().path().join("rsyslog"));
    all.find(|modules| modules.is_dir()).unwrap()
}

#[tokio::test]
async fn counted_messages_and_lines_share_a_connection() {
    let Some(mut rsyslog) = Rsyslog::start() else {
        return;
    };
    let mut peer = rsyslog.connect("rsyslog", "octet-counting").await;
    let [first, second, third] = ["größe", "a line", "last"].map(message);
    peer.send(first.as_bytes()).await.unwrap();
    let mut peer = peer.with_codec(codec("line")).unwrap();
    peer.send(second.as_bytes()).await.unwrap();
    let mut peer = peer.with_codec(codec("syslog")).unwrap();
    peer.send(third.as_bytes()).await.unwrap();
    assert_eq!(rsyslog.wrote(&third).await, [first, second, third]);
    peer.close().await.unwrap();
}

/// It takes the year for a count. The bytes that it counts off are lost, with all lines among them.
#[tokio::test]
async fn a_line_that_begins_with_a_date_swallows_the_next_ones() {
    let Some(mut rsyslog) = Rsyslog::start() else {
        return;
    };
    let mut peer = rsyslog.connect("rsyslog-date", "line").await;
    peer.feed(b"2026-11-28T10:00:00Z host app: a date first")
        .await
        .unwrap();
    peer.send(message("behind the date").as_bytes())
        .await
        .unwrap();
    peer.close().await.unwrap();
    let swallowed = |text: &str| text.contains("Incomplete frame at end of stream");
    rsyslog.daemon.printed(swallowed).await;

    let mut peer = rsyslog.connect("rsyslog-later", "line").await;
    let later = message("in another connection");
    peer.send(later.as_bytes()).await.unwrap();
    assert_eq!(rsyslog.wrote(&later).await, [later]);
    peer.close().await.unwrap();
}

#[tokio::test]
async fn one_line_feed_at_the_end_of_the_count_is_framing() {
    let Some(mut rsyslog) = Rsyslog::start() else {
        return;
    };
    let mut peer = rsyslog.connect("rsyslog-feeds", "octet-counting").await;
    for text in ["one\n", "two\n\n", "in\nside", "last"] {
        peer.feed(message(text).as_bytes()).await.unwrap();
    }
    peer.flush().await.unwrap();
    let expected = ["one", "two#012", "in#012side", "last"].map(message);
    assert_eq!(rsyslog.wrote(&expected[3]).await, expected);
    peer.close().await.unwrap();
}

/// Its log says that it truncates the message. But it delivers the rest as another one, without the
/// byte between both.
#[tokio::test]
async fn a_message_above_8096_bytes_arrives_as_several() {
    let Some(mut rsyslog) = Rsyslog::start() else {
        return;
    };
    let mut peer = rsyslog.connect("rsyslog-long", "octet-counting").await;
    let letters: String = ('a'..='z').cycle().take(20_000).collect();
    let (long, last) = (message(&letters), message("last"));
    peer.feed(long.as_bytes()).await.unwrap();
    peer.send(last.as_bytes()).await.unwrap();
    let parts = [&long[..8_096], &long[8_097..16_193], &long[16_194..], &last];
    let wrote = rsyslog.wrote(&last).await;
    assert!(wrote == parts, "{:?}", wrote.iter().map(String::len));
    let oversize = |text: &str| text.contains("oversize");
    let printed = rsyslog.daemon.printed(oversize).await;
    assert!(printed.contains("truncating"), "{printed}");
    peer.close().await.unwrap();
}

#[tokio::test]
async fn zeros_before_a_count_are_read() {
    let Some(mut rsyslog) = Rsyslog::start() else {
        return;
    };
    let mut peer = rsyslog.connect("rsyslog-zeros", "raw").await;
    let last = message("last");
    let bytes = format!("000{} {last}", last.len());
    peer.send(bytes.as_bytes()).await.unwrap();
    assert_eq!(rsyslog.wrote(&last).await, [last]);
    peer.close().await.unwrap();
}

/// RFC 6587 has no count of zero. This one makes the next messages a line, counts and all.
#[tokio::test]
async fn an_empty_counted_message_would_join_the_next_ones() {
    let Some(mut rsyslog) = Rsyslog::start() else {
        return;
    };
    let peer = rsyslog.connect("rsyslog-empty", "raw").await;
    let mut peer = peer.with_codec(codec("octet-counting")).unwrap();
    let error = peer.feed(b"").await.unwrap_err();
    assert!(
        matches!(error.codec_fault(), Some(Fault::TooShort { .. })),
        "{error}"
    );

    let [one, two, last] = ["one", "two", "last"].map(message);
    let mut peer = peer.with_codec(codec("raw")).unwrap();
    peer.send(b"0 ").await.unwrap();
    let mut peer = peer.with_codec(codec("octet-counting")).unwrap();
    peer.feed(one.as_bytes()).await.unwrap();
    peer.feed(format!("{two}\n").as_bytes()).await.unwrap();
    peer.send(last.as_bytes()).await.unwrap();
    let joined = format!("{} {one}{} {two}", one.len(), two.len() + 1);
    assert_eq!(rsyslog.wrote(&last).await, [joined, last]);
    peer.close().await.unwrap();
}
