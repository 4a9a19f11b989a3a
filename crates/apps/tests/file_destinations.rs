//! A user's destinations: `-` is standard output, and `-f` replaces, also at the prompt.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use file_support::{BIN, Program, ended_well};

/// The program in a directory of its own, with this input.
fn run(served: &Program, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(BIN);
    let command = command.args(arguments).current_dir(served.to(""));
    let command = command.stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    to.write_all(input.as_bytes()).unwrap();
    drop(to);
    child.wait_with_output().unwrap()
}

#[test]
fn a_dash_is_standard_output() {
    let served = Program::new(&[]);
    fs::write(served.root("a"), "text").unwrap();
    let got = run(
        &served,
        &["file", "get", served.url(), "a", "--to", "-"],
        "",
    );
    let (out, err) = ended_well(&got);
    assert!(out == "text" && err.starts_with("received a"), "{out}{err}");
    let browsing = run(&served, &["file", "browse", served.url()], "get a -\n");
    let (out, err) = ended_well(&browsing);
    assert!(
        out.ends_with("text") && err.starts_with("received"),
        "{out}{err}"
    );
    assert!(!served.to("-").exists());
}

#[test]
fn at_the_prompt_a_file_is_replaced_by_force_only() {
    let served = Program::new(&[]);
    for name in ["a", "-f"] {
        fs::write(served.root(name), "new").unwrap();
    }
    for (said, left) in [
        ("get a", "old"),
        ("get -f a", "new"),
        ("get a --force", "new"),
        ("get -f a\nget a", "new"),
    ] {
        fs::write(served.to("a"), "old").unwrap();
        let input = format!("{said}\n");
        let output = run(&served, &["file", "browse", served.url()], &input);
        let err = String::from_utf8(output.stderr).unwrap();
        let refused = said.ends_with("get a");
        assert_eq!(err.contains("exists already"), refused, "{said}: {err}");
        assert_eq!(fs::read_to_string(served.to("a")).unwrap(), left, "{said}");
    }
    assert!(!served.to("-f").exists() && !served.to("--force").exists());
    let output = run(&served, &["file", "browse", served.url()], "get ./-f\n");
    ended_well(&output);
    assert_eq!(fs::read_to_string(served.to("-f")).unwrap(), "new");
}

#[test]
fn standard_input_is_sent_alone() {
    let served = Program::new(&[]);
    fs::write(served.to("a"), "text").unwrap();
    let arguments = ["file", "put", served.url(), "-", "a", "--as", "b"];
    let output = run(&served, &arguments, "input");
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && err.contains("alone"),
        "{err}"
    );
    assert_eq!(fs::read_dir(served.root("")).unwrap().count(), 0);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let served = Program::new(&[]);
    fs::write(served.root("a"), "text").unwrap();
    fs::write(served.to("a"), "text").unwrap();
    for (verb, words) in [
        ("get", "there is no directory missing"),
        ("put", "there is no such directory"),
    ] {
        let arguments = ["file", verb, served.url(), "a", "--to", "missing/b"];
        let output = run(&served, &arguments, "");
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains("missing/b") && err.contains(words), "{err}");
    }
}
