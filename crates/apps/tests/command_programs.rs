//! The binary, and peers that use nothing of this project.
#![allow(clippy::unwrap_used)]

mod command_support;

use std::io::Read;
use std::process::Stdio;

use command_support::*;

#[test]
fn the_tutorials_client_is_served() {
    for encoding in ["utf-8", "gbk"] {
        let (_server, at) = served(&["--codec", "raw", "--encoding", encoding]);
        python_says_ok("command_raw_client.py", &[port(&at), encoding]);
    }
}

#[test]
fn clients_that_know_only_struct_and_json_are_served() {
    for (codec, script) in [
        ("struct", "command_struct_client.py"),
        ("json", "command_json_client.py"),
    ] {
        let (_server, at) = served(&["--codec", codec]);
        python_says_ok(script, &[port(&at)]);
    }
}

#[test]
fn the_tutorials_server_is_understood() {
    for encoding in ["utf-8", "gbk"] {
        let mut server = Process::start(&mut python("command_raw_server.py", &[encoding]));
        let at = format!("tcp://127.0.0.1:{}", server.line());
        let run = |command: &str| {
            let options = ["--codec", "raw", "--encoding", encoding, command];
            let output = run(&at, &options);
            assert_eq!(output.status.code(), Some(0));
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(run("echo a你好，世界"), "a你好，世界\n");
        assert_eq!(run("true"), "\n");
        assert_eq!(run("echo seen; echo 错误 >&2"), "错误\n");
    }
}

#[test]
fn the_exit_code_is_the_remote_commands() {
    let (_server, at) = served(&[]);
    for (command, code) in [
        ("true", 0),
        ("exit 3", 3),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("no-such-program-here", 127),
    ] {
        assert_eq!(run(&at, &[command]).status.code(), Some(code), "{command}");
    }
    let output = run(&at, &["echo out; echo err >&2"]);
    assert_eq!(
        (&*output.stdout, &*output.stderr),
        (&b"out\n"[..], &b"err\n"[..])
    );
    // Several words are an argument vector, with their own dashes and options.
    let output = run(&at, &["printf", "%s|", "a b", "--codec", "-v", "$(id)"]);
    assert_eq!(output.stdout, b"a b|--codec|-v|$(id)|");
    let output = run(&at, &["--", "/no/such/program", "-x"]);
    assert_eq!(output.status.code(), Some(255));
    let why = String::from_utf8(output.stderr).unwrap();
    assert!(
        why.starts_with("socketry: the server says: cannot run '/no/such/program'"),
        "{why}"
    );
}

#[test]
fn several_words_are_exact_with_every_codec() {
    for codec in ["raw", "line", "struct", "json:bare"] {
        let (_server, at) = served(&["--codec", codec]);
        let output = run(
            &at,
            &[
                "--codec", codec, "--", "printf", "%s|", "a  b", "$(id)", "it's",
            ],
        );
        let expected = if codec == "line" {
            "a  b|$(id)|it's|\n"
        } else {
            "a  b|$(id)|it's|"
        };
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            expected,
            "{codec}"
        );
    }
}

#[test]
fn a_failed_exchange_is_255() {
    // A port that was free a moment ago, where no server listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("tcp://{}", free.local_addr().unwrap());
    drop(free);
    assert_eq!(run(&at, &["true"]).status.code(), Some(255));

    let (mut server, at) = served(&[]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ids");
    let command = format!("echo $$ >{}; exec sleep 1000", file.display());
    let mut client = socketry(&["run", &at, &command])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ids = ids(&file, 1);
    terminate(&server.child);
    assert_eq!(client.wait().unwrap().code(), Some(255));
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    gone(&ids);
}

#[test]
fn a_client_that_is_killed_takes_its_command_with_it() {
    let (_server, at) = served(&[]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ids");
    let command = format!(
        "sleep 1000 & echo $! >{0}; echo $$ >>{0}; sleep 1000",
        file.display()
    );
    let client = Process::start(&mut socketry(&["run", &at, &command]));
    let ids = ids(&file, 2);
    drop(client);
    gone(&ids);
}

#[test]
fn a_client_whose_output_is_not_read_ends_quietly() {
    let (_server, at) = served(&[]);
    for stream in ["1", "2"] {
        let command = format!("yes >&{stream}");
        let mut client = socketry(&["run", &at, &command]);
        let mut client = client
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdout, mut stderr) = (client.stdout.take(), client.stderr.take());
        let mut first = [0; 2];
        // One end is closed after its content was checked, and nothing is written to the other.
        let silent: &mut dyn Read = if stream == "1" {
            stdout.take().unwrap().read_exact(&mut first).unwrap();
            stderr.as_mut().unwrap()
        } else {
            stderr.take().unwrap().read_exact(&mut first).unwrap();
            stdout.as_mut().unwrap()
        };
        assert_eq!(&first, b"y\n");
        let mut said = String::new();
        silent.read_to_string(&mut said).unwrap();
        assert_eq!((client.wait().unwrap().code(), &*said), (Some(141), ""));
    }
}

#[test]
fn a_warning_that_is_not_read_stops_no_server() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut server = socketry(&["serve", "--allow-any", "--insecure", "tcp://0.0.0.0:0"]);
    let mut server = Process::start(server.stderr(writer));
    assert!(server.line().starts_with("listening on tcp://0.0.0.0:"));
    terminate(&server.child);
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_signal_ends_a_server() {
    for arguments in [&[][..], &["--codec", "line"]] {
        let (mut server, _at) = served(arguments);
        terminate(&server.child);
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
    }
}
