//! The environment of a command: a session of its own, without a terminal. And its orphans.
#![allow(clippy::unwrap_used)]

mod command_support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use command_support::*;

const SOCKETRY: &str = env!("CARGO_BIN_EXE_socketry");

/// A server of the binary, started by a script.
fn served_by(script: &str) -> (Process, String) {
    let mut server = Process::start(&mut python(
        script,
        &[SOCKETRY, "command", "serve", "--allow-any"],
    ));
    let line = server.line();
    let at = line.strip_prefix("listening on ").unwrap().to_owned();
    (server, at)
}

#[test]
fn a_command_has_no_terminal_even_if_its_server_has_one() {
    let (_server, at) = served_by("on_terminal.py");
    let output = run(&at, &["cat </dev/tty"]);
    let why = String::from_utf8(output.stderr).unwrap();
    assert_ne!(output.status.code(), Some(0));
    assert!(why.contains("/dev/tty"), "{why}");
    let output = run(&at, &["echo x >/dev/tty"]);
    assert_ne!(output.status.code(), Some(0));
    assert_eq!(run(&at, &["tty"]).stdout, b"not a tty\n");
}

#[test]
fn a_command_leads_a_session_of_its_own() {
    let (_server, at) = served(&[]);
    // Its id, its group and its session.
    let output = run(&at, &["cut -d ' ' -f 1,5,6 /proc/$$/stat"]);
    let ids = String::from_utf8(output.stdout).unwrap();
    let ids: Vec<&str> = ids.split_whitespace().collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn an_executable_file_without_an_interpreter_is_run_by_the_shell() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    fs::write(&script, "echo \"with $1\"; exit 3\n").unwrap();
    let path = script.to_str().unwrap();
    let (_server, at) = served(&[]);
    let output = run(&at, &["--", path, "a  b"]);
    let why = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(255), "{why}");
    assert!(why.contains(path), "{why}");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let output = run(&at, &["--", path, "a  b"]);
    assert_eq!(
        (output.status.code(), &*output.stdout),
        (Some(3), &b"with a  b\n"[..])
    );
}

fn exists(id: &str) -> bool {
    fs::exists(format!("/proc/{id}")).unwrap()
}

#[test]
fn orphans_are_waited_for_where_they_are_given_to_the_server() {
    let (_server, at) = served_by("as_heir.py");
    let output = run(
        &at,
        &["for n in 1 2 3; do sleep 0.2 >/dev/null 2>&1 & echo $!; done"],
    );
    let said = String::from_utf8(output.stdout).unwrap();
    let orphans: Vec<&str> = said.split_whitespace().collect();
    assert_eq!(orphans.len(), 3);
    eventually("no orphan is left, not even a zombie", || {
        !orphans.iter().any(|id| exists(id))
    });
}

#[test]
fn reaping_orphans_takes_no_commands_exit_status() {
    let (_server, at) = served_by("as_heir.py");
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let at = at.clone();
            std::thread::spawn(move || {
                for code in 1..20 {
                    let line = format!("(exit 9) >/dev/null 2>&1 & exit {code}");
                    assert_eq!(run(&at, &[&line]).status.code(), Some(code));
                }
            })
        })
        .collect();
    for asking in asking {
        asking.join().unwrap();
    }
}
