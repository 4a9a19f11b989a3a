//! The real binary over TLS: a pasted URL works, and each failure is one clear line.
#![allow(clippy::unwrap_used, reason = "tests")]

mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use program::{Served, failed, socketry};

/// How a server begins to log a handshake that failed.
const REFUSED: &str = "refused: the handshake";

fn run(home: &Path, url: &str) -> Output {
    let command = ["command", "run", url, "echo ran >> ran; echo hello"];
    socketry(home, &command).output().unwrap()
}

/// The one line of a client that failed.
fn error(output: &Output) -> String {
    failed(output, 255)
}

const SERVE: [&str; 4] = ["command", "serve", "--allow-any", "tls://127.0.0.1:0"];

#[test]
fn the_printed_url_is_all_that_each_app_needs() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    for place in ["tls://127.0.0.1:0", &format!("tls+unix://{}", path("at"))] {
        let server = Served::start(home, &["command", "serve", "--allow-any", place]);
        assert!(server.url.contains("?pin=sha256:"), "{}", server.url);
        let output = run(home, &server.url);
        assert_eq!(output.stdout, b"hello\n", "{output:?}");
        assert!(home.join("ran").exists());
    }

    fs::create_dir(path("root")).unwrap();
    fs::write(path("root/a.txt"), "a file").unwrap();
    let serve = [
        "file",
        "serve",
        "tls://127.0.0.1:0",
        "--root",
        &path("root"),
    ];
    let server = Served::start(home, &serve);
    let get = ["file", "get", &server.url, "a.txt", "--to", &path("copy")];
    assert!(socketry(home, &get).output().unwrap().status.success());
    assert_eq!(fs::read(path("copy")).unwrap(), b"a file");

    let mut server = Served::start(home, &["chat", "serve", "tls://127.0.0.1:0"]);
    let join = ["chat", "join", &server.url, "--name", "ann"];
    let mut user = socketry(home, &join);
    user.stdin(fs::File::open(lines(home)).unwrap());
    assert!(user.output().unwrap().status.success());
    let heard = server.line();
    assert!(heard.contains("good day"), "{heard}");
    server.child.kill().unwrap();
}

/// A file with what a user says.
fn lines(home: &Path) -> std::path::PathBuf {
    let file = home.join("lines");
    fs::write(&file, "good day\nq\n").unwrap();
    file
}

#[test]
fn a_certificate_is_made_once_and_kept_for_its_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    let pin = || {
        let server = Served::start(home.path(), &SERVE);
        server.url.split_once("?pin=").unwrap().1.to_owned()
    };
    let first = pin();
    let kept = home.path().join(".local/state/socketry/tls");
    for (file, mode) in [("", 0o700), ("key.pem", 0o600), ("cert.pem", 0o600)] {
        let found = fs::metadata(kept.join(file)).unwrap().permissions();
        assert_eq!(found.mode() & 0o777, mode, "{file}");
    }
    assert_eq!(pin(), first);
    fs::remove_dir_all(&kept).unwrap();
    assert_ne!(pin(), first);
}

#[test]
fn a_wrong_pin_is_one_line_and_nothing_runs() {
    let home = tempfile::tempdir().unwrap();
    let server = Served::start(home.path(), &SERVE);
    let wrong = format!("{}?pin=sha256:{}", server.place(), "0".repeat(64));
    let said = error(&run(home.path(), &wrong));
    assert!(said.contains("the pin is sha256:AAAA"), "{said}");
    // Without a pin no authority stands for a certificate that a server made.
    let said = error(&run(home.path(), server.place()));
    assert!(
        said.contains("or the pin= that the server prints"),
        "{said}"
    );
    assert!(!home.path().join("ran").exists());
    let log = server.log_with(REFUSED, 2);
    assert_eq!(log.matches(REFUSED).count(), 2, "{log}");
}

#[test]
fn a_plain_client_at_a_tls_port_is_told_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    let server = Served::start(home.path(), &SERVE);
    let plain = server.place().replace("tls:", "tcp:");
    for codec in ["json", "struct", "line", "raw", "json:bare"] {
        let words = [
            "command",
            "run",
            "--codec",
            codec,
            &plain,
            "echo ran >> ran",
        ];
        let said = error(&socketry(home.path(), &words).output().unwrap());
        assert!(said.contains("the server speaks TLS"), "{codec}: {said}");
        assert!(said.contains("tls://"), "{codec}: {said}");
    }
    assert!(!home.path().join("ran").exists());
    let log = server.log_with(REFUSED, 5);
    assert_eq!(log.matches(REFUSED).count(), 5, "{log}");
}

#[test]
fn a_tls_client_at_a_plain_port_is_told_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    let server = Served::start(home.path(), &["command", "serve", "--allow-any"]);
    let url = server.url.replace("tcp:", "tls:");
    let said = error(&run(home.path(), &url));
    assert!(said.contains("TLS"), "{said}");
    assert!(!home.path().join("ran").exists());
}

#[test]
fn a_server_may_insist_on_certificates_of_clients() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    // Each end makes its own certificate in a directory.
    let made = Served::start(
        home.path(),
        &[
            SERVE[0],
            SERVE[1],
            SERVE[2],
            &format!("tls://127.0.0.1:0?identity={}", path("client")),
        ],
    );
    let pin = made.url.split_once("?pin=").unwrap().1.to_owned();
    drop(made);
    let serve = format!("tls://127.0.0.1:0?pin={pin}");
    // No other policy is needed then.
    let server = Served::start(home.path(), &[SERVE[0], SERVE[1], &serve]);
    let said = error(&run(home.path(), &server.url));
    assert!(said.contains("requires a client certificate"), "{said}");
    let with = format!("{}&identity={}", server.url, path("client"));
    let output = run(home.path(), &with);
    assert_eq!(output.stdout, b"hello\n", "{output:?}");
}
