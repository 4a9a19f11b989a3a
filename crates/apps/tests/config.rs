//! The options of a command line in a TOML file: all three apps, over TLS and plainly.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A user's home, in which all runs.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("root")).unwrap();
        fs::write(home.path().join("root/a.txt"), "a file").unwrap();
        fs::write(home.path().join("lines"), "good day\nq\n").unwrap();
        Home(home)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        file
    }

    fn socketry(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_socketry"));
        command.args(line.split_whitespace()).stdin(Stdio::null());
        command
            .env_remove("XDG_STATE_HOME")
            .env("HOME", self.path());
        command.current_dir(self.path());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.socketry(line).output().unwrap()
    }

    fn serve(&self, line: &str) -> (Served, String) {
        let mut command = self.socketry(line);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        let url = first.trim_end().strip_prefix("listening on ");
        let url = url.unwrap_or_else(|| panic!("{line}: {first}")).to_owned();
        (Served(child), url)
    }

    /// The error of a command line that is not used as it should be.
    fn refused(&self, line: &str) -> String {
        let output = self.run(line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(!said.contains("Usage:"), "{line}: {said}");
        said
    }
}

/// A server that is killed when dropped.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn each_app_runs_from_files_alone() {
    let home = Home::new();
    for (scheme, place) in [
        ("tls", "127.0.0.1:0"),
        ("quic", "127.0.0.1:0"),
        ("tcp", "127.0.0.1:0"),
        ("tls+unix", "socket"),
        ("unix", "socket"),
    ] {
        let url = format!("url = '{scheme}://{place}'\n");
        let codec = "codec = 'json:>I'\n";
        let serving = |app: &str, more: &str| {
            home.file("serve.toml", &format!("{url}{codec}{more}"));
            let (served, url) = home.serve(&format!("{app} serve --config serve.toml"));
            assert!(url.starts_with(&format!("{scheme}:")), "{url}");
            let pinned = scheme.starts_with("tls") || scheme == "quic";
            assert_eq!(url.contains("?pin="), pinned, "{url}");
            home.file("client.toml", &format!("url = '{url}'\n{codec}"));
            served
        };

        let _served = serving("command", "allow-any = true\ntime-limit = '10s'\n");
        let output = home.run("command run --config client.toml echo hello");
        assert_eq!(output.stdout, b"hello\n", "{output:?}");
        let output = home.run("command --config client.toml run false");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        drop(_served);

        let _served = serving("file", "root = 'root'\nmax-clients = 3\nno-sync = true\n");
        let output = home.run("file get --config client.toml a.txt --to copy");
        assert!(output.status.success(), "{output:?}");
        assert_eq!(fs::read(home.path().join("copy")).unwrap(), b"a file");
        fs::remove_file(home.path().join("copy")).unwrap();
        drop(_served);

        let mut served = serving("chat", "name = 'host'\nverbose = 1\n");
        let mut user = home.socketry("chat join --config client.toml --name ann");
        user.stdin(fs::File::open(home.path().join("lines")).unwrap());
        assert!(user.output().unwrap().status.success());
        served.0.kill().unwrap();
    }
}

#[test]
fn the_command_line_overrides_the_file() {
    let home = Home::new();
    home.file(
        "serve.toml",
        "url = 'tcp://0.0.0.0:0'\nallow-any = true\n[codec]\nname = 'line'\nmax_frame = 100\n",
    );
    let (_served, url) = home.serve("command serve --config serve.toml tcp://127.0.0.1:0");
    assert!(url.starts_with("tcp://127.0.0.1:"), "{url}");
    home.file("client.toml", "url = 'tcp://127.0.0.1:1'\ncodec = 'raw'");
    let line = format!("command run --config client.toml --codec line --url {url} echo hello");
    let output = home.run(&line);
    assert_eq!(output.stdout, b"hello\n", "{output:?}");
    // A limit of the file holds.
    let long = format!("command run --codec line {url} echo {}", "x".repeat(200));
    let said = String::from_utf8(home.run(&long).stdout).unwrap();
    assert!(said.contains("100"), "{said}");
    // Without the address of the command line, that of the file is refused, as it would be there.
    let said = home.refused("command serve --config serve.toml");
    assert!(
        said.contains("anybody who reaches tcp://0.0.0.0:0"),
        "{said}"
    );
    assert!(
        said.contains("--config serve.toml tls://0.0.0.0:0 --token-file"),
        "{said}"
    );
}

#[test]
fn a_file_names_tokens_and_rules() {
    let home = Home::new();
    let options = "token-file = 'tokens'\nrules = 'rules.toml'\n";
    home.file("serve.toml", options);
    let rules = home.file("rules.toml", "[client]\nprograms = ['echo']\n");
    fs::set_permissions(&rules, fs::Permissions::from_mode(0o600)).unwrap();
    let (_served, url) = home.serve("command serve --config serve.toml");
    home.file(
        "client.toml",
        &format!("url = '{url}'\ntoken-file = 'tokens'"),
    );
    let output = home.run("command run --config client.toml echo hello");
    assert_eq!(output.stdout, b"hello\n", "{output:?}");
    assert!(
        home.run("command run --config client.toml id")
            .stdout
            .is_empty()
    );
}

#[test]
fn options_that_exclude_each_other_do_so_in_a_file_too() {
    let home = Home::new();
    home.file("rules.toml", "[client]\nprograms = ['echo']\n");
    let proving = "token-file = 'tokens'\n";
    for more in [
        "allow-any = true\nrules = 'rules.toml'",
        "rules = 'rules.toml'\nallow-any = true",
    ] {
        home.file("serve.toml", &format!("{proving}{more}"));
        let said = home.refused("command serve --config serve.toml");
        assert!(said.contains("exclude each other"), "{said}");
    }
    // What is typed overrides the file, and what is false excludes nothing.
    for (more, typed) in [
        ("allow-any = true", "--rules rules.toml"),
        ("allow-any = false\nrules = 'rules.toml'", ""),
    ] {
        home.file("serve.toml", &format!("{proving}{more}"));
        let (_served, url) = home.serve(&format!("command serve --config serve.toml {typed}"));
        let run = format!("command run --token-file tokens {url}");
        assert_eq!(home.run(&format!("{run} echo hello")).stdout, b"hello\n");
        let output = home.run(&format!("{run} id"));
        assert!(output.stdout.is_empty(), "{output:?}");
    }
    home.file("serve.toml", &format!("{proving}rules = 'rules.toml'"));
    let (_served, url) = home.serve("command serve --config serve.toml --allow-any");
    let output = home.run(&format!("command run --token-file tokens {url} true"));
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_file_that_is_not_understood_is_told_with_its_key() {
    let home = Home::new();
    for (text, words) in [
        (
            "colour = 'red'",
            "there is no option 'colour'; there are url, allow-any, ",
        ),
        ("root = 'root'", "there is no option 'root'"),
        ("config = 'other.toml'", "there is no option 'config'"),
        ("help = true", "there is no option 'help'"),
        ("allow-any = 'perhaps'", "--allow-any"),
        ("max-clients = 0", "--max-clients"),
        (
            "max-clients = [1, 2]",
            "'max-clients' is one text, number or truth value",
        ),
        ("time-limit = 2026-11-28", "'time-limit' is one text"),
        ("codec = 'morse'", "--codec"),
        ("codec = { name = 'line', colour = 1 }", "colour"),
        ("encoding = 'morse'", "--encoding"),
        ("allow-any = true\nurl = 1 2", "serve.toml: line 2: "),
        ("url = 'gopher://127.0.0.1:70'\nallow-any = true", "gopher"),
    ] {
        home.file("serve.toml", text);
        let said = home.refused("command serve --config serve.toml");
        assert!(said.contains(words), "{text}: {said}");
    }
    let said = home.refused("command serve --config nothing.toml");
    assert!(said.contains("nothing.toml: No such file"), "{said}");
    // What `command run` exits with must differ from what a command does.
    let output = home.run("command run --config nothing.toml true");
    assert_eq!(output.status.code(), Some(255));
}

#[test]
fn a_file_that_others_may_write_is_not_used() {
    let home = Home::new();
    let file = home.file("serve.toml", "allow-any = true");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o646)).unwrap();
    let said = home.refused("command serve --config serve.toml");
    assert!(said.contains("serve.toml: others may change it"), "{said}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    home.serve("command serve --config serve.toml");
}
