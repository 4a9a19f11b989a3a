//! Apps over a serial line, by the real binary: two pseudo terminals, joined by a cable.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

#[path = "../../testkit/tests/tools/null_modem.rs"]
mod null_modem;
mod program;

use null_modem::NullModem;
use program::{Served, socketry};

/// A server at one end of a new cable, and the cable.
fn served(home: &Path, app: &str, more: &[&str]) -> (Served, NullModem) {
    let cable = NullModem::new();
    let url = cable.url(1);
    let server = Served::start(home, &[&[app, "serve", &url], more].concat());
    assert_eq!(server.url, url);
    cable.in_use(1);
    (server, cable)
}

/// What a client prints, which must succeed.
fn client(home: &Path, cable: &NullModem, arguments: &[&str]) -> String {
    cable.in_use(0);
    let output = socketry(home, arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_command_runs_at_the_other_end_of_a_line() {
    let home = tempfile::tempdir().unwrap();
    let (_server, cable) = served(home.path(), "command", &["--allow-any"]);
    let url = cable.url(0);
    let said = client(
        home.path(),
        &cable,
        &["command", "run", &url, "echo over a wire"],
    );
    assert_eq!(said, "over a wire\n");
}

#[test]
fn a_file_goes_over_a_line_and_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("root");
    fs::create_dir(&root).unwrap();
    let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
    let sent = home.path().join("sent");
    fs::write(&sent, &bytes).unwrap();
    let (sent, rooted) = (sent.to_str().unwrap(), root.to_str().unwrap());
    let more = ["--root", rooted, "--codec", "json"];
    let (_server, cable) = served(home.path(), "file", &more);
    let url = cable.url(0);
    client(
        home.path(),
        &cable,
        &["file", "put", &url, sent, "--codec", "json"],
    );
    assert_eq!(fs::read(root.join("sent")).unwrap(), bytes);
}
