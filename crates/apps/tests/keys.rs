//! A server or client does not start with a key that others may read, nor without a file that it
//! was told to use, in whatever way that is named.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

const SERVERS: [&str; 3] = [
    "chat serve",
    "command serve --allow-any",
    "file serve --root .",
];

fn socketry(home: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socketry"));
    command.args(line.split_whitespace()).stdin(Stdio::null());
    command.env_remove("XDG_STATE_HOME").env("HOME", home);
    command.current_dir(home);
    command
}

/// Asserts that it ends with one line that names `file` and says `words`.
fn refuses(home: &Path, line: &str, file: &str, words: &str) {
    let output = socketry(home, line).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{line}: {said}");
    assert!(output.stdout.is_empty(), "{line}: it listened");
    assert_eq!(said.lines().count(), 1, "{line}: {said}");
    assert!(
        said.contains(file) && said.contains(words),
        "{line}: {said}"
    );
}

fn each_way(home: &Path, query: &str, file: &str, words: &str) {
    for server in SERVERS {
        for url in ["tls://127.0.0.1:0", "tls+unix://socket"] {
            refuses(home, &format!("{server} {url}{query}"), file, words);
            fs::write(home.join("c.toml"), format!("url = '{url}{query}'")).unwrap();
            refuses(home, &format!("{server} --config c.toml"), file, words);
        }
    }
    if !query.is_empty() {
        let client = format!("command run tls://127.0.0.1:1{query} true");
        refuses(home, &client, file, words);
    }
}

fn set(file: &Path, mode: u32) {
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

/// Makes certificates: in the directory that is used by default, and in `made`.
fn made(home: &Path) {
    for url in ["tls://127.0.0.1:0", "tls://127.0.0.1:0?identity=made"] {
        let mut command = socketry(home, &format!("chat serve {url}"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 1];
        std::io::Read::read_exact(&mut child.stdout.take().unwrap(), &mut first).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn a_key_that_others_may_read_starts_nothing() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    made(home);
    let kept = home.join(".local/state/socketry/tls");
    for mode in [0o604, 0o602, 0o644] {
        set(&kept.join("key.pem"), mode);
        set(&home.join("made/key.pem"), mode);
        let words = "others may read or change it";
        each_way(home, "", "key.pem", words);
        each_way(home, "?identity=made", "made/key.pem", words);
        let files = "?cert=made/cert.pem&key=made/key.pem";
        each_way(home, files, "made/key.pem", words);
    }
}

#[test]
fn what_others_may_write_holds_no_key_and_no_authority() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    made(home);
    set(&home.join("made"), 0o703);
    let words = "others may change what is in it";
    each_way(home, "?identity=made", "made", words);
    set(&home.join("made"), 0o700);
    set(&home.join("made/cert.pem"), 0o666);
    let words = "others may change it";
    let query = "?identity=made&ca=made/cert.pem";
    each_way(home, query, "made/cert.pem", words);
    let words = "others may change what is in it";
    set(&home.join(".local/state/socketry/tls"), 0o777);
    each_way(home, "", "socketry/tls", words);
}

#[test]
fn a_file_that_is_not_there_or_is_no_key_starts_nothing() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    made(home);
    fs::write(home.join("empty"), "").unwrap();
    set(&home.join("empty"), 0o600);
    for (query, file) in [
        ("?cert=made/cert.pem&key=nothing", "nothing"),
        ("?cert=nothing&key=made/key.pem", "nothing"),
        ("?cert=made/cert.pem&key=made", "made"),
        ("?cert=made/cert.pem&key=empty", "empty"),
        ("?cert=empty&key=made/key.pem", "empty"),
        ("?identity=made/key.pem", "made/key.pem"),
        ("?identity=made&ca=nothing", "nothing"),
        ("?identity=made&ca=empty", "empty"),
        ("?identity=made&ca=made", "made"),
    ] {
        each_way(home, query, file, file);
    }
}
