//! No server is reached from other machines unless it is encrypted and knows its clients, or was
//! told to serve strangers. A Unix socket is its user's alone.
#![allow(clippy::unwrap_used, reason = "tests")]

mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use program::{Served, private, socketry};

const SERVERS: [&[&str]; 3] = [
    &["chat", "serve"],
    &["command", "serve", "--allow-any"],
    &["file", "serve", "--root", "."],
];

/// Another program, as the same user.
fn at_home(home: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command.env_remove("XDG_STATE_HOME").env("HOME", home);
    command.current_dir(home);
    command
}

/// The one line of a server that did not start.
fn refused(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(output.stdout.is_empty(), "it listened: {said}");
    said
}

/// Addresses that other machines reach. The resolver takes the name `0` for 0.0.0.0.
const ELSEWHERE: [&str; 4] = [
    "tcp://0.0.0.0:0",
    "tcp://[::]:0",
    "tcp://0:0",
    "udp://0.0.0.0:0",
];

fn runs(server: &[&str], url: &str) -> bool {
    server[0] == "chat" || !url.starts_with("udp:")
}

#[test]
fn other_machines_are_served_with_both_proofs_only() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    // A certificate, to be the authority of the clients.
    let make = ["chat", "serve", "tls://127.0.0.1:0?identity=made"];
    drop(Served::start(home, &make));
    fs::copy(home.join("made/cert.pem"), home.join("clients.pem")).unwrap();

    for server in SERVERS {
        let urls = ELSEWHERE.into_iter().chain(["tls://0.0.0.0:0"]);
        for url in urls.filter(|url| runs(server, url)) {
            let words = [server, &[url]].concat();
            let said = refused(&socketry(home, &words).output().unwrap());
            assert!(said.contains("anybody who reaches"), "{said}");
            let plain = said.contains("read and change what is sent");
            assert_eq!(plain, !url.starts_with("tls:"), "{said}");
            assert!(said.contains("--insecure"), "{said}");

            let (_, line) = said.split_once("type: ").unwrap();
            let (line, _) = line.split_once(" (").unwrap();
            assert!(line.contains("tls://"), "{line}");
            let script = format!("exec {line}");
            let served = Served::of(&mut at_home(home, "sh", &["-c", &script]));
            assert!(served.url.starts_with("tls://"), "{}", served.url);
            let log = served.log();
            let made = log.lines().all(|line| line.contains("made the token in"));
            assert!(
                line.contains("--token-file tokens") && made,
                "{line}: {log}"
            );
        }
        let certificates = [server, &["tls://0.0.0.0:0?ca=clients.pem"]].concat();
        let served = Served::start(home, &certificates);
        assert_eq!(served.log(), "");
        // Where certificates are asked for, and not required, strangers are let in.
        let optional = "tls://0.0.0.0:0?ca=clients.pem&clients=optional";
        let words = [server, &[optional]].concat();
        refused(&socketry(home, &words).output().unwrap());
    }
}

#[test]
fn an_insecure_server_says_what_it_exposes() {
    let home = tempfile::tempdir().unwrap();
    let exposed = [
        "read and write in this chat",
        "run any program as this user",
        "replace all files",
    ];
    for (server, exposed) in SERVERS.into_iter().zip(exposed) {
        let urls = ELSEWHERE.into_iter().filter(|url| runs(server, url));
        for url in urls.chain(["tls://0.0.0.0:0"]) {
            let words = [server, &[url, "--insecure"]].concat();
            let served = Served::start(home.path(), &words);
            let log = served.log();
            assert_eq!(log.lines().count(), 1, "{words:?}: {log}");
            let begins = log.starts_with("socketry: warning: --insecure: anybody who reaches");
            assert!(begins && log.contains(exposed), "{words:?}: {log}");
        }
        if server[0] != "chat" {
            private(home.path(), "rules", "");
            let rules = ["--insecure", "--rules", "rules", "tcp://0.0.0.0:0"];
            let server: Vec<_> = server.iter().filter(|one| **one != "--allow-any").collect();
            let words: Vec<_> = server.into_iter().chain(&rules).copied().collect();
            let log = Served::start(home.path(), &words).log();
            let ruled = "the rules let 'anonymous'";
            assert!(log.contains(ruled) && !log.contains(exposed), "{log}");
        }
        // It says nothing where nothing is exposed.
        let words = [server, &["--insecure"]].concat();
        let served = Served::start(home.path(), &words);
        assert_eq!(served.log(), "");
    }
}

#[test]
fn a_bare_server_and_a_name_of_this_machine_are_this_machines_affair() {
    let home = tempfile::tempdir().unwrap();
    for server in SERVERS {
        for url in [&[][..], &["tcp://localhost:0"], &["tcp://127.1:0"]] {
            let words = [server, url].concat();
            let served = Served::start(home.path(), &words);
            let at = served.url.clone();
            let address = at.strip_prefix("tcp://").unwrap();
            let address: std::net::SocketAddr = address.parse().unwrap();
            assert!(address.ip().is_loopback(), "{words:?}: {at}");
            assert_eq!(served.log(), "");
        }
    }
}

#[test]
fn a_socket_file_is_its_users_alone_unless_the_url_says_otherwise() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("s");
    for server in SERVERS {
        for scheme in ["unix", "tls+unix", "unix-dgram"] {
            if scheme == "unix-dgram" && server[0] == "file" {
                continue;
            }
            for (query, mode) in [("", 0o600), ("?mode=0660", 0o660), ("?mode=0666", 0o666)] {
                let url = format!("{scheme}://{}{query}", file.display());
                let words = [server, &[&*url, "--codec=raw"]].concat();
                let program = env!("CARGO_BIN_EXE_socketry");
                let script = [&["-c", "umask 0; exec \"$@\"", "sh", program], &*words].concat();
                let served = Served::of(&mut at_home(home.path(), "sh", &script));
                let found = fs::metadata(&file).unwrap().permissions().mode();
                assert_eq!(found & 0o777, mode, "{url}");
                drop(served);
            }
        }
    }
}

#[test]
fn an_inherited_socket_is_held_to_what_it_is() {
    let home = tempfile::tempdir().unwrap();
    let inheriting = "import os, socket, sys\n\
        kind, host = sys.argv[1:3]\n\
        made = socket.socket(type=getattr(socket, kind))\n\
        made.bind((host, 0))\n\
        kind == 'SOCK_STREAM' and made.listen()\n\
        os.dup2(made.fileno(), 3)\n\
        os.set_inheritable(3, True)\n\
        os.execv(sys.argv[3], sys.argv[3:])";
    let program = env!("CARGO_BIN_EXE_socketry");
    for (kind, host, words, said) in [
        (
            "SOCK_DGRAM",
            "127.0.0.1",
            &["command", "serve", "--allow-any", "fd://3"][..],
            "command does not run over udp",
        ),
        (
            "SOCK_DGRAM",
            "127.0.0.1",
            &["chat", "serve", "--token-file", "tokens", "fd://3"],
            "over udp nobody can prove who it is",
        ),
        (
            "SOCK_STREAM",
            "127.0.0.1",
            &["chat", "serve", "--allow-uid", "0", "fd://3"],
            "--allow-uid is for Unix sockets",
        ),
        (
            "SOCK_STREAM",
            "0.0.0.0",
            &["file", "serve", "--root", ".", "fd://3"],
            "anybody who reaches tcp://0.0.0.0:",
        ),
    ] {
        let words = [&["-c", inheriting, kind, host, program], words].concat();
        let output = at_home(home.path(), "python3", &words).output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {line}");
        assert!(line.contains(said) && output.stdout.is_empty(), "{line}");
    }
}

#[test]
fn the_line_to_type_has_each_option_once() {
    let home = tempfile::tempdir().unwrap();
    let words = "chat serve tls://0.0.0.0:0 --token-file mine --anonymous";
    let words: Vec<_> = words.split(' ').collect();
    let output = socketry(home.path(), &words).output().unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    let typed = "chat serve tls://0.0.0.0:0 --token-file mine (or";
    assert!(line.contains(typed), "{line}");
}
