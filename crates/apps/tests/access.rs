//! The real binary with tokens and users: who is let in.
#![allow(clippy::unwrap_used, reason = "tests")]

mod over;
mod program;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

use over::OVER;
use program::{Served, failed, private, run, socketry, tokens};

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
    for scheme in OVER {
        a_file_starts_nothing_over(scheme);
    }
}

fn a_file_starts_nothing_over(scheme: &str) {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = tokens(home, "tokens", &["ann"]);
    let rules = private(home, "rules", "[ann]\nprograms = [\"echo\"]\n");
    let url = over::url(scheme, home);
    let serve = [
        "command",
        "serve",
        &url,
        "--token-file",
        &file,
        "--rules",
        &rules,
    ];
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
fn a_server_that_does_not_start_leaves_no_token() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("tcp://{}", taken.local_addr().unwrap());
    for (words, code) in [
        (&["command", "serve", "tcp://0.0.0.0:0"][..], 2),
        // What the name stands for is known once it is listened at.
        (&["chat", "serve", "tcp://0:0"], 2),
        (&["command", "serve", "--anonymous"], 2),
        (&["command", "serve", "--rules", "nowhere"], 1),
        (&["file", "serve", "--root", "nowhere"], 2),
        (&["file", "serve", "--root", ".", &taken], 1),
    ] {
        let words = [words, &["--token-file", "made/tokens"]].concat();
        failed(&socketry(home, &words).output().unwrap(), code);
        assert!(!home.join("made/tokens").exists(), "{words:?}");
    }
}
