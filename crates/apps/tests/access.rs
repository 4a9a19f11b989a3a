//! The real binary with tokens, users and rules: who is let in, and what each may do.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// The binary, whose user has `home` and no other place for its state.
fn socketry(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socketry"));
    command.args(arguments).stdin(Stdio::null());
    command.env_remove("XDG_STATE_HOME").env("HOME", home);
    command.current_dir(home);
    command
}

/// A server, and the URL that it printed.
struct Served {
    child: Child,
    stdout: BufReader<ChildStdout>,
    url: String,
}

impl Served {
    fn start(home: &Path, arguments: &[&str]) -> Self {
        let mut command = socketry(home, arguments);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(url) = line.trim_end().strip_prefix("listening on ") else {
            let mut said = String::new();
            let mut stderr = child.stderr.take().unwrap();
            stderr.read_to_string(&mut said).unwrap();
            panic!("{arguments:?}: {said}");
        };
        let url = url.to_owned();
        Served { child, stdout, url }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// All that it has logged, once it has ended.
    fn log(mut self) -> String {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file that only its owner may read.
fn private(home: &Path, name: &str, text: &str) -> String {
    let path = home.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A file with tokens of these names, whose secrets are told apart by the names.
fn tokens(home: &Path, file: &str, names: &[&str]) -> String {
    let line = |name: &&str| {
        let secret = format!("{:02x}", name.len()).repeat(32);
        format!("{name} = {secret}\n")
    };
    private(home, file, &names.iter().map(line).collect::<String>())
}

fn run(home: &Path, words: &[&str]) -> Output {
    socketry(home, &[&["command", "run"], words].concat())
        .output()
        .unwrap()
}

/// The one line of a program that failed.
fn failed(output: &Output, code: i32) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn a_token_is_made_at_the_first_start_and_told_without_its_secret() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let socket = format!("tls+unix://{}", home.join("s").display());
    for (number, url) in ["tcp://127.0.0.1:0", "tls://127.0.0.1:0", &socket]
        .iter()
        .enumerate()
    {
        let name = format!("kept/{number}");
        let serve = ["command", "serve", url, "--token-file", &name, "-v"];
        let server = Served::start(home, &serve);
        let file = home.join(&name);
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&file).unwrap();
        let secret = text.trim().strip_prefix("client = ").unwrap().to_owned();

        let at = server.url.clone();
        let output = run(home, &[&at, "--token-file", &name, "echo let in"]);
        assert_eq!(output.stdout, b"let in\n", "{url}: {output:?}");
        let said = failed(&run(home, &[&at, "echo no"]), 255);
        assert!(said.contains("a token is needed"), "{url}: {said}");
        let wrong = private(home, "wrong", &format!("client = {}\n", "0".repeat(64)));
        let said = failed(&run(home, &[&at, "--token-file", &wrong, "echo no"]), 255);
        assert!(said.contains("its proof is wrong"), "{url}: {said}");

        let log = server.log();
        let made = log.lines().find(|line| line.contains("made the token in"));
        let made = made.expect(&log);
        let (_, line) = made.split_once("this file: socketry ").expect(made);
        assert!(line.contains(&at) && line.contains(&name), "{line}");
        assert!(log.contains("client (by token)"), "{log}");
        assert!(
            log.contains("the proof of the token 'client' is wrong"),
            "{log}"
        );
        assert!(!log.contains(&secret), "{log}");

        // The next start has the same, and makes none. The line of the client works.
        let server = Served::start(home, &["command", "serve", url, "--token-file", &name]);
        let line = line.replace(&at, &server.url);
        let program = env!("CARGO_BIN_EXE_socketry");
        let mut shell = Command::new("sh");
        let script = format!("exec {program} {line}").replace("uptime", "echo again");
        let output = shell.args(["-c", &script]).current_dir(home).output();
        assert_eq!(output.unwrap().stdout, b"again\n", "{script}");
        assert_eq!(server.log(), "");
    }
}

#[test]
fn all_three_apps_take_tokens() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = tokens(home, "tokens", &["ann"]);
    let token = ["--token-file", &*file];
    fs::create_dir(home.join("root")).unwrap();
    fs::write(home.join("root/a.txt"), "a file").unwrap();
    for codec in ["json", "raw"] {
        let codec = ["--codec", codec];
        let serve = ["file", "serve", "--root", "root"];
        let server = Served::start(home, &[&serve[..], &token, &codec].concat());
        let get = ["file", "get", &server.url, "a.txt", "--to", "copy", "-f"];
        let output = socketry(home, &[&get[..], &codec].concat()).output();
        let said = failed(&output.unwrap(), 1);
        assert!(said.contains("a token is needed"), "{said}");
        let output = socketry(home, &[&get[..], &codec, &token].concat()).output();
        assert!(output.unwrap().status.success());
        assert_eq!(fs::read(home.join("copy")).unwrap(), b"a file");

        let mut server = Served::start(home, &[&["chat", "serve"][..], &token, &codec].concat());
        let join = ["chat", "join", &server.url.clone(), "--name", "x"];
        let mut user = socketry(home, &[&join[..], &codec, &token].concat());
        let mut user = user.stdin(Stdio::piped()).spawn().unwrap();
        user.stdin.take().unwrap().write_all(b"hi\nq\n").unwrap();
        assert!(user.wait().unwrap().success());
        assert!(server.line().contains("hi"));
        let mut user = socketry(home, &[&join[..], &codec].concat());
        let mut user = user
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = user.stdin.take().unwrap().write_all(b"no\n");
        let said = failed(&user.wait_with_output().unwrap(), 1);
        assert!(said.contains("a token is needed"), "{said}");
    }
}

#[test]
fn plain_scripts_stay_welcome_where_the_operator_says_so() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = tokens(home, "tokens", &["ann"]);
    let serve = ["command", "serve", "--token-file", &file, "--anonymous"];
    let said = failed(&socketry(home, &serve).output().unwrap(), 2);
    assert!(said.contains("--allow-any"), "{said}");
    let serve = [&serve[..], &["--allow-any"]].concat();
    let server = Served::start(home, &serve);
    for token in [&[][..], &["--token-file", &file]] {
        let output = run(home, &[token, &[&server.url, "echo in"]].concat());
        assert_eq!(output.stdout, b"in\n", "{output:?}");
    }
    // A wrong token is not no token.
    let wrong = private(home, "wrong", &format!("ann = {}\n", "0".repeat(64)));
    failed(
        &run(home, &[&server.url, "--token-file", &wrong, "echo"]),
        255,
    );
    for words in [
        &["chat", "serve", "--anonymous"][..],
        &["chat", "serve", "udp://127.0.0.1:0", "--token-file", &file],
        &[
            "chat",
            "serve",
            "unix-dgram://@socketry-access",
            "--allow-uid",
            "0",
        ],
        &["chat", "serve", "tcp://127.0.0.1:0", "--allow-uid", "0"],
        &[
            "chat",
            "serve",
            "unix://@socketry-access",
            "--allow-uid",
            "65534",
        ],
        &[
            "chat",
            "serve",
            "unix://@socketry-access",
            "--allow-uid",
            "4294967295",
        ],
        &[
            "chat",
            "serve",
            "unix://@socketry-access",
            "--allow-uid",
            "nobody-here",
        ],
    ] {
        let output = socketry(home, words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{words:?}: it listened");
    }
    let anonymous = [
        &["chat", "serve", "udp://127.0.0.1:0", "--token-file"],
        &[&*file, "--anonymous"][..],
    ];
    let server = Served::start(home, &anonymous.concat());
    let join = ["chat", "join", &server.url, "--token-file", &file];
    let said = failed(&socketry(home, &join).output().unwrap(), 1);
    assert!(said.contains("over a stream"), "{said}");
}

#[test]
fn a_file_that_others_may_read_starts_nothing() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = tokens(home, "tokens", &["ann"]);
    let rules = private(home, "rules", "[ann]\nprograms = [\"echo\"]\n");
    let serve = ["command", "serve", "--token-file", &file, "--rules", &rules];
    drop(Served::start(home, &serve));
    for path in [&file, &rules] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
        let output = socketry(home, &serve).output().unwrap();
        let said = failed(&output, 1);
        assert!(
            said.contains("others may read") && output.stdout.is_empty(),
            "{said}"
        );
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    for (path, text) in [(&file, "ann = 00"), (&rules, "[ann]\nprogram = [\"echo\"]")] {
        let good = fs::read_to_string(path).unwrap();
        fs::write(path, text).unwrap();
        let output = socketry(home, &serve).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty());
        fs::write(path, good).unwrap();
    }
    fs::remove_file(&rules).unwrap();
    let output = socketry(home, &serve).output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
}

#[test]
fn a_user_of_a_unix_socket_is_let_in_by_name_or_number() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let uid = fs::metadata(home).unwrap().uid();
    for scheme in ["unix", "tls+unix"] {
        let url = format!("{scheme}://{}", home.join("s").display());
        let (mine, other) = (uid.to_string(), (uid + 1).to_string());
        let serve = ["command", "serve", &url, "-v", "--allow-uid"];
        let server = Served::start(home, &[&serve[..], &[&mine]].concat());
        // Other users reach the file: the kernel says who they are.
        assert_eq!(fs::metadata(home.join("s")).unwrap().mode() & 0o777, 0o666);
        let output = run(home, &[&server.url, "echo in"]);
        assert_eq!(output.stdout, b"in\n", "{output:?}");
        assert!(server.log().contains(&format!("(uid {uid}, gid")));

        let server = Served::start(home, &[&serve[..], &[&other]].concat());
        let said = failed(&run(home, &[&server.url, "echo in"]), 255);
        assert!(said.contains("is not let in"), "{said}");
        let words = format!("the user with uid {uid} is not let in");
        assert!(server.log().contains(&words));
    }
}

#[test]
fn rules_say_what_each_client_may_run() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = tokens(home, "tokens", &["ann", "benjamin"]);
    let ann = tokens(home, "ann", &["ann"]);
    let ben = tokens(home, "ben", &["benjamin"]);
    let text =
        "[ann]\ncommands = [[\"echo\", \"one\", \"two\"]]\n[benjamin]\nprograms = [\"echo\"]\n";
    let rules = private(home, "rules", text);
    for codec in ["json", "struct", "line", "raw"] {
        let codec = ["--codec", codec];
        let serve = ["command", "serve", "--token-file", &file, "--rules", &rules];
        let server = Served::start(home, &[&serve[..], &codec].concat());
        let as_user = |token: &str, words: &[&str]| {
            let first = [&server.url, "--token-file", token];
            run(home, &[&codec[..], &first, words].concat())
        };
        for (token, words, said) in [
            (&ann, &["echo one two"][..], "one two\n"),
            (&ann, &["echo 'one'  two"], "one two\n"),
            (&ben, &["echo $(id) ; touch ran"], "$(id) ; touch ran\n"),
        ] {
            let output = as_user(token, words);
            assert_eq!(
                output.stdout,
                said.as_bytes(),
                "{codec:?} {words:?}: {output:?}"
            );
        }
        for (token, words) in [
            (&ann, "echo one two;touch ran"),
            (&ann, "echo one"),
            (&ann, "sh -c 'echo one two'"),
            (&ben, "echo;touch ran"),
            (&ben, "touch ran"),
        ] {
            let output = as_user(token, &[words]);
            let all = [output.stdout, output.stderr].concat();
            let said = String::from_utf8(all).unwrap();
            assert!(
                said.contains("the rules of this server do not let"),
                "{words}: {said}"
            );
        }
        assert!(!home.join("ran").exists());
    }
}

/// Whose connection ends makes room for another one of the same client, and of nobody else.
#[test]
fn a_client_has_so_many_connections_and_no_more() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = tokens(home, "tokens", &["ann", "benjamin"]);
    let ann = tokens(home, "ann", &["ann"]);
    let ben = tokens(home, "ben", &["benjamin"]);
    let serve = [
        "chat",
        "serve",
        "--token-file",
        &file,
        "--anonymous",
        "--max-per-user",
        "1",
    ];
    let mut server = Served::start(home, &serve);
    let url = server.url.clone();
    let join = |token: &[&str], text: &str| {
        let mut user = socketry(home, &[&["chat", "join", &url], token].concat());
        let user = user
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut user = user.spawn().unwrap();
        let mut stdin = user.stdin.take().unwrap();
        let _ = writeln!(stdin, "{text}");
        (user, stdin)
    };
    for token in [&["--token-file", &*ann][..], &["--token-file", &ben], &[]] {
        let (mut first, stdin) = join(token, "first");
        assert!(server.line().ends_with(" : first"));
        let (second, _open) = join(token, "second");
        let said = failed(&second.wait_with_output().unwrap(), 1);
        assert!(said.contains("has all its 1 connections here"), "{said}");
        // The next one of the same client is let in once this one is gone.
        first.kill().unwrap();
        first.wait().unwrap();
        drop(stdin);
        loop {
            let (mut next, mut stdin) = join(token, "next");
            writeln!(stdin, "q").unwrap_or_default();
            if next.wait().unwrap().success() {
                break;
            }
        }
        assert!(server.line().ends_with(" : next"));
    }
    let log = server.log();
    assert!(log.contains("ann has all its 1 connections here"), "{log}");
}

/// Lines that `join` sends, as one user after another.
fn say(home: &Path, server: &Served, words: &[&str], text: &str) -> String {
    let mut user = socketry(home, &[&["chat", "join", &server.url], words].concat());
    let user = user
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut user = user.spawn().unwrap();
    writeln!(user.stdin.take().unwrap(), "{text}").unwrap();
    let output = user.wait_with_output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn the_name_of_a_token_belongs_to_those_that_have_it() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = tokens(home, "tokens", &["ann", "benjamin"]);
    let ann = tokens(home, "ann", &["ann"]);
    let ann = ["--token-file", &*ann];
    for codec in ["json", "line"] {
        let codec = ["--codec", codec];
        let serve = ["chat", "serve", "--token-file", &file, "--anonymous"];
        let mut server = Served::start(home, &[&serve[..], &codec].concat());
        for name in ["ann", "Ann", "benjamin"] {
            let words = [&codec[..], &["--name", name]].concat();
            let said = say(home, &server, &words, "forged");
            if codec[1] == "json" {
                assert!(said.contains("belongs to another user"), "{said}");
            }
        }
        say(
            home,
            &server,
            &[&codec[..], &["--name", "eve"]].concat(),
            "plain\nq",
        );
        assert_eq!(server.line(), "eve : plain");
        say(
            home,
            &server,
            &[&codec[..], &ann, &["--name", "ann"]].concat(),
            "true\nq",
        );
        assert_eq!(server.line(), "ann : true");
        if codec[1] == "json" {
            // Without a name the proved one is taken.
            say(home, &server, &[&codec[..], &ann].concat(), "nameless\nq");
            assert_eq!(server.line(), "ann : nameless");
        }
        let log = server.log();
        assert!(
            codec[1] == "json" || log.contains("belongs to another user"),
            "{log}"
        );
    }
}
