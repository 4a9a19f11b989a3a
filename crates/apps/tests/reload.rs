//! The real binary reads renewed certificates without a restart.
#![allow(clippy::unwrap_used, reason = "tests")]

mod program;

use std::fs;

use program::{Served, failed, run, socketry};
use rustix::process::{Pid, Signal, kill_process};

/// The URL of a server with the certificate in the directory `name`, which is made there.
fn serve(home: &std::path::Path, name: &str) -> Served {
    let url = format!("tls://127.0.0.1:0?identity={name}");
    Served::start(home, &["command", "serve", "--allow-any", "-v", &url])
}

fn pin(url: &str) -> &str {
    url.split_once("?pin=").unwrap().1
}

#[test]
fn a_renewed_certificate_needs_no_restart() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let other = serve(home, "new").url.clone();
    let server = serve(home, "old");
    let signal = || kill_process(Pid::from_child(&server.child), Signal::USR1).unwrap();
    let new = format!("{}?pin={}", server.place(), pin(&other));
    assert_eq!(run(home, &[&server.url, "echo in"]).stdout, b"in\n");

    // A key without its certificate changes nothing, and is told.
    fs::copy(home.join("new/key.pem"), home.join("old/key.pem")).unwrap();
    signal();
    server.logs("a certificate stays as it was");
    assert_eq!(run(home, &[&server.url, "echo in"]).stdout, b"in\n");
    fs::copy(home.join("new/cert.pem"), home.join("old/cert.pem")).unwrap();
    signal();
    server.logs("the certificates were read again");
    assert_eq!(run(home, &[&new, "echo in"]).stdout, b"in\n");
    failed(&run(home, &[&server.url, "echo no"]), 255);
    let help = socketry(home, &["command", "serve", "--help"]).output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    assert!(help.contains("SIGUSR1"), "{help}");
}
