//! Clients that vanish, half-close, send too far ahead or do not read. Their commands are run, and
//! a client that can still read is told why one was killed.
#![allow(clippy::unwrap_used)]

mod command_support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use command_support::*;
use socketry_apps::command::{MAX_WAITING, STALL};
use socketry_transport::{BoxSocket, RecvExt, SendExt};

/// Requests for these lines, one after another.
fn requests(codec: &str, lines: &[String]) -> Vec<u8> {
    let request = |line: &String| match codec {
        "line" => format!("{line}\n").into_bytes(),
        "struct" => packed(line),
        "json" => packed(&format!(r#"{{"run":"{line}"}}"#)),
        _ => line.clone().into_bytes(),
    };
    lines.iter().flat_map(request).collect()
}

/// A client with blocking calls, for another thread.
trait Peer: Read + Write + Send + 'static {}
impl<T: Read + Write + Send + 'static> Peer for T {}

async fn connect(server: &Running, scheme: &str, directory: &Path) -> Box<dyn Peer> {
    if scheme == "tcp" {
        let (_, port) = server.at.host_port().unwrap();
        Box::new(TcpStream::connect(("127.0.0.1", port)).unwrap())
    } else {
        Box::new(UnixStream::connect(directory.join("socket")).unwrap())
    }
}

/// Sends commands, and resets the connection: it is closed with an answer unread.
async fn ask_and_vanish(mut peer: Box<dyn Peer>, codec: &str, lines: &[String]) {
    let first = requests(codec, &["echo ready".to_owned()]);
    let rest = requests(codec, lines);
    let vanishing = tokio::task::spawn_blocking(move || {
        peer.write_all(&first).unwrap();
        // A part of the answer has arrived, and the rest stays unread.
        peer.read_exact(&mut [0]).unwrap();
        peer.write_all(&rest).unwrap();
    });
    vanishing.await.unwrap();
}

async fn appears(file: std::path::PathBuf) {
    let appearing = tokio::task::spawn_blocking(move || {
        eventually("the file is there", || file.exists());
    });
    appearing.await.unwrap();
}

#[tokio::test]
async fn commands_that_arrived_before_a_reset_are_run() {
    let directory = tempfile::tempdir().unwrap();
    for scheme in ["tcp", "unix"] {
        for codec in ["line", "struct", "json", "raw"] {
            let service = service(codec, "utf-8");
            let server = Running::start(&service, &url(scheme, directory.path()), None).await;
            let place = directory.path().join(format!("{scheme}-{codec}"));
            fs::create_dir(&place).unwrap();
            // On raw one read is one command.
            let count = if codec == "raw" { 1 } else { 3 };
            let touch = |n| format!("echo heard; : >{}/{n}", place.display());
            let lines: Vec<String> = (0..count).map(touch).collect();
            let peer = connect(&server, scheme, directory.path()).await;
            ask_and_vanish(peer, codec, &lines).await;
            for n in 0..count {
                appears(place.join(n.to_string())).await;
            }
            server.stop().await;
        }
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_sent_does_not_end_its_command_at_once() {
    let directory = tempfile::tempdir().unwrap();
    for codec in ["struct", "json"] {
        let service = service(codec, "utf-8");
        let server = Running::start(&service, "tcp://127.0.0.1:0", None).await;
        let done = directory.path().join(codec);
        // It writes all the time. The first few writes fail, and it goes on.
        let line = format!(
            "for n in 1 2 3 4 5 6 7 8 9 10; do echo $n; sleep 0.01; done; : >{}",
            done.display()
        );
        let peer = connect(&server, "tcp", directory.path()).await;
        ask_and_vanish(peer, codec, &[line]).await;
        appears(done).await;
        server.stop().await;
    }
}

#[tokio::test]
async fn a_vanished_clients_long_and_waiting_commands_end() {
    let directory = tempfile::tempdir().unwrap();
    let service = service("line", "utf-8");
    let server = Running::start(&service, "tcp://127.0.0.1:0", None).await;
    let file = directory.path().join("ids");
    let late = directory.path().join("late");
    let lines = [
        format!("echo $$ >{}; exec sleep 1000", file.display()),
        format!(": >{}", late.display()),
    ];
    let peer = connect(&server, "tcp", directory.path()).await;
    ask_and_vanish(peer, "line", &lines).await;
    let ids = tokio::task::spawn_blocking(move || ids(&file, 1));
    let ids = ids.await.unwrap();
    tokio::task::spawn_blocking(move || gone(&ids))
        .await
        .unwrap();
    server.stop().await;
    assert!(!late.exists());
}

#[tokio::test]
async fn a_half_closed_client_is_told_why_its_command_was_killed() {
    for (codec, end) in [
        ("raw", ""),
        ("line", ""),
        ("struct", "0signal 9"),
        ("json", r#"{"signal":9}"#),
    ] {
        let service = service(codec, "utf-8");
        let server = Running::start(&service, "tcp://127.0.0.1:0", None).await;
        let asked = requests(codec, &["exec sleep 1000".to_owned()]);
        let answer = exchange(&server.at, asked).await;
        let answer = String::from_utf8_lossy(&answer);
        let note = "socketry: killed 500ms after the client had ended \
                    the connection or its sending half\n";
        assert!(answer.contains(note), "{codec}: {answer}");
        assert!(answer.ends_with(end), "{codec}: {answer}");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_client_that_sends_too_far_ahead_is_told() {
    let service = service("line", "utf-8");
    let server = Running::start(&service, "tcp://127.0.0.1:0", None).await;
    let mut lines = vec!["exec sleep 1000".to_owned()];
    lines.extend((0..=MAX_WAITING).map(|_| "true".to_owned()));
    let answer = exchange(&server.at, requests("line", &lines)).await;
    let answer = String::from_utf8(answer).unwrap();
    let note =
        "socketry: killed because the client sent more than 64 commands or 64 KiB of them ahead\n";
    assert_eq!(answer, note);
    server.stop().await;
}

/// Everything that arrives until `end` does. The clock is paused, and processes follow the real
/// one.
async fn read_until(peer: &mut BoxSocket, end: &[u8]) -> Vec<u8> {
    let (mut all, mut scratch) = (Vec::new(), vec![0; 64 << 10]);
    let deadline = Instant::now() + DEADLINE;
    while !all.ends_with(end) {
        let (len, _) = peer.recv(&mut scratch).await.unwrap();
        assert!(len > 0 && Instant::now() < deadline, "the end is missing");
        all.extend_from_slice(&scratch[..len]);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_again_too_late_is_told_and_served_on() {
    let directory = tempfile::tempdir().unwrap();
    let service = service("struct", "utf-8");
    let server = Running::start(&service, "mem://*", None).await;
    let mut pager = peer(&service, &server.at).await;
    let file = directory.path().join("ids");
    let command = format!("echo $$ >{}; exec yes", file.display());
    pager.send_all(&packed(&command)).await.unwrap();
    // A moment of the real clock passes with each second of the paused one.
    let (mut id, mut lived) = (String::new(), Duration::ZERO);
    let deadline = Instant::now() + DEADLINE;
    while !id.ends_with('\n') || lives(id.trim()) {
        assert!(Instant::now() < deadline, "the command is not killed");
        std::thread::sleep(Duration::from_millis(5));
        tokio::time::sleep(Duration::from_secs(1)).await;
        lived += Duration::from_secs(1);
        id = fs::read_to_string(&file).unwrap_or_default();
    }
    assert!(lived >= STALL, "{lived:?}");
    let all = read_until(&mut pager, b"0signal 9").await;
    let text = String::from_utf8_lossy(&all);
    let note = "socketry: killed because nobody read its output for 1m\n";
    assert!(text.contains(note), "{}", &text[text.len() - 200..]);
    pager.send_all(&packed("echo on")).await.unwrap();
    let all = read_until(&mut pager, b"0exit 0").await;
    assert!(String::from_utf8_lossy(&all).contains("on\n"));
    server.stop().await;
}

#[test]
fn the_log_tells_why_a_command_was_killed() {
    let mut server = socketry(&["serve", "--allow-any", "-v", "--time-limit", "50ms"]);
    let mut server = Process::start(server.stderr(std::process::Stdio::piped()));
    let at = server.line();
    let at = at.strip_prefix("listening on ").unwrap();
    run(at, &["sleep 1000"]);
    terminate(&server.child);
    let mut log = String::new();
    let mut stderr = server.child.stderr.take().unwrap();
    stderr.read_to_string(&mut log).unwrap();
    assert!(
        log.contains("a command was killed after the time limit of 50ms"),
        "{log}"
    );
}
