//! The exit codes of `command run` for its own failures, and its words.
#![allow(clippy::unwrap_used)]

mod command_support;

use command_support::*;

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn wrong_usage_of_run_is_255_since_2_may_be_the_commands() {
    for arguments in [
        &["run"][..],
        &["run", "tcp://127.0.0.1:1"],
        &["-v", "run", "--codec", "raw"],
        &["run", "nonsense", "ls"],
        &["run", "tcp://127.0.0.1:1", "--quiet-gap", "soon", "ls"],
        &["run", "tcp://127.0.0.1:1", "--no-such-option", "ls"],
        &["run", "tcp://127.0.0.1:1", "--answer-within", "soon", "ls"],
        &["run", "udp://127.0.0.1:1", "ls"],
        &["run", "--codec", "morse", "tcp://127.0.0.1:1", "ls"],
        &["run", "mem://here", "ls"],
    ] {
        let output = socketry(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(255), "{arguments:?}");
        let why = said(&output.stderr);
        assert!(
            why.starts_with("socketry: ") || why.starts_with("error: "),
            "{arguments:?}: {why}"
        );
    }
}

#[test]
fn wrong_usage_of_anything_else_is_2() {
    for arguments in [
        &["serve", "udp://127.0.0.1:0"][..],
        &["serve", "--time-limit", "x"],
        &["serve", "run", "again"],
        &["--codec", "run", "serve"],
        &["walk"],
        &[],
    ] {
        let output = socketry(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["run", "--help"]] {
        let output = socketry(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn help_names_the_exit_codes_that_are_not_carried() {
    let help = said(&socketry(&["run", "--help"]).output().unwrap().stdout);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "255 for everything that is not the command's",
        "The codecs raw and line carry no exit code",
        "Standard input is not sent to the command",
        "--answer-within",
        "--no-stdin",
    ] {
        assert!(help.contains(words), "{words}: {help}");
    }
}

#[test]
fn a_command_that_the_codec_cannot_carry_is_not_tried() {
    let (_server, at) = served(&["--codec", "line"]);
    let output = run(&at, &["--codec", "line", "--", "printf", "%s", "a\nb"]);
    let why = said(&output.stderr);
    assert_eq!(output.status.code(), Some(255), "{why}");
    let start = "socketry: this command cannot be sent: the frame contains its own delimiter";
    assert!(why.starts_with(start), "{why}");
    assert!(why.ends_with("; the codec json carries any\n"), "{why}");
    let (_server, at) = served(&["--codec", "struct:B"]);
    let long = "x".repeat(300);
    let output = run(&at, &["--codec", "struct:B", "echo", &long]);
    let why = said(&output.stderr);
    assert_eq!(output.status.code(), Some(255));
    assert!(
        why.starts_with("socketry: this command cannot be sent: a frame of"),
        "{why}"
    );
}

#[test]
fn an_exit_status_that_no_process_can_have_is_told() {
    for (end, words) in [
        (r#"{"exit":-1}"#, "exit -1"),
        (r#"{"exit":256}"#, "exit 256"),
        (r#"{"signal":200}"#, "signal 200"),
    ] {
        let mut server = Process::start(&mut python("command_odd_exit.py", &[end]));
        let at = format!("tcp://127.0.0.1:{}", server.line());
        let output = run(&at, &["true"]);
        let why = format!("socketry: the server says '{words}', which no process can exit with\n");
        assert_eq!(
            (output.status.code(), said(&output.stderr)),
            (Some(255), why)
        );
    }
}

#[test]
fn an_option_of_ours_among_the_commands_words_is_told() {
    let (_server, at) = served(&[]);
    for (option, name) in [("--codec", "--codec"), ("--encoding=gbk", "--encoding=gbk")] {
        let output = run(&at, &["echo", "x", option, "raw"]);
        assert_eq!(said(&output.stdout), format!("x {option} raw\n"));
        let hint = format!("socketry: {name} after the command is part of it");
        assert!(
            said(&output.stderr).starts_with(&hint),
            "{}",
            said(&output.stderr)
        );
        // A user that puts `--` gets no warning, and neither does one whose command has its own
        // `--`.
        let output = run(&at, &["--", "echo", "x", option, "raw"]);
        assert_eq!(
            (&*said(&output.stdout), &*output.stderr),
            (&*format!("x {option} raw\n"), &b""[..])
        );
    }
    let output = run(&at, &["echo", "x", "-v", "--codecs"]);
    assert_eq!(
        (&*output.stdout, &*output.stderr),
        (&b"x -v --codecs\n"[..], &b""[..])
    );
}

#[test]
fn output_that_cannot_be_written_is_named() {
    let (_server, at) = served(&[]);
    let full = || {
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let output = socketry(&["run", &at, "echo x"])
        .stdout(full())
        .output()
        .unwrap();
    let why = said(&output.stderr);
    assert_eq!(output.status.code(), Some(255), "{why}");
    let start = "socketry: cannot write the output: standard output: No space left on device";
    assert!(why.starts_with(start), "{why}");
    let output = socketry(&["run", &at, "echo x >&2"])
        .stderr(full())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(255));
}
