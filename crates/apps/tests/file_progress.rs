//! What people and programs hear of transfers.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use file_support::*;
use serde_json::{Value, json};

/// A server that sends 64 KiB a second, and a file there of so many KiB.
fn slow(kib: usize) -> Program {
    let program = Program::new(&["--limit", "64KiB/s"]);
    fs::write(program.root("slow"), bytes(kib << 10)).unwrap();
    program
}

fn get(program: &Program, options: &[&str]) -> Vec<String> {
    let words = ["file", "get", program.url(), "slow", "--to"];
    let words = words.iter().map(|word| (*word).to_owned());
    let to = program.to("slow").to_str().unwrap().to_owned();
    let options = options.iter().map(|word| (*word).to_owned());
    [BIN.to_owned()]
        .into_iter()
        .chain(words)
        .chain([to])
        .chain(options)
        .collect()
}

/// The lines of a terminal, as they were drawn one over another, without control sequences.
fn drawn(shown: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut rest = shown.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            rest.by_ref().find(char::is_ascii_alphabetic);
            plain.push('\n');
        } else {
            plain.push(c);
        }
    }
    let lines = plain.split(['\r', '\n']).map(str::trim_end);
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_bar_fits_its_terminal_at_any_width() {
    let program = slow(128);
    let steps = json!([
        ["wait", "ETA"],
        ["resize", 30],
        ["wait", "ETA"],
        ["wait", "received"]
    ]);
    let (shown, code) = on_terminal(100, &steps, &get(&program, &[]), &[]);
    assert_eq!(code, 0, "{shown}");
    let lines = drawn(&shown);
    let bars: Vec<_> = lines.iter().filter(|line| line.contains('%')).collect();
    assert!(bars.iter().any(|line| line.contains("[###")), "{bars:?}");
    assert!(
        bars.iter().all(|line| line.chars().count() < 100),
        "{bars:?}"
    );
    let narrow = bars.last().unwrap();
    assert!(narrow.chars().count() < 30, "{bars:?}");
    assert!(lines.last().unwrap().starts_with("received "), "{lines:?}");
    // The bar is taken away before the line of the result.
    let (_, last) = shown.rsplit_once("received ").unwrap();
    assert!(!last.contains('%'), "{last:?}");
}

#[test]
fn the_results_of_many_files_stand_alone() {
    let program = slow(128);
    let words: Vec<_> = [
        BIN,
        "file",
        "get",
        program.url(),
        "slow",
        "slow",
        "--force",
        "--to",
    ]
    .iter()
    .map(|word| (*word).to_owned())
    .chain([program.to("").to_str().unwrap().to_owned()])
    .collect();
    let steps = json!([["wait", "all  0 of 2 files"], ["wait", "all  1 of 2 files"]]);
    let (shown, code) = on_terminal(80, &steps, &words, &[]);
    assert_eq!(code, 0, "{shown}");
    // Before a result both lines are erased.
    for (before, _) in shown.match_indices("received ") {
        let (_, erased) = shown[..before].rsplit_once("files").unwrap();
        assert_eq!(erased.matches("\u{1b}[2K").count(), 2, "{erased:?}");
    }
}

#[test]
fn a_transfer_that_does_not_move_says_so() {
    let program = Program::new(&[]);
    let fifo = program.to("fifo");
    make_fifo(&fifo);
    let words = ["file", "put", program.url(), fifo.to_str().unwrap()];
    let words: Vec<_> = [BIN]
        .iter()
        .chain(&words)
        .map(|word| (*word).to_owned())
        .collect();
    // Its writer is there, and writes nothing.
    let writer = std::thread::spawn(move || fs::OpenOptions::new().write(true).open(fifo).unwrap());
    let steps = json!([
        ["wait", "stalled for 2 s"],
        ["wait", "stalled for 3 s"],
        ["signal", 15]
    ]);
    let (shown, code) = on_terminal(80, &steps, &words, &[]);
    assert_eq!(code, 130, "{shown}");
    drop(writer.join().unwrap());
}

#[test]
fn a_terminal_that_is_dumb_gets_plain_lines() {
    let program = slow(16);
    let (shown, code) = on_terminal(80, &json!([]), &get(&program, &[]), &[("TERM", "dumb")]);
    assert_eq!(code, 0, "{shown}");
    assert!(
        !shown.contains('\u{1b}') && shown.starts_with("received "),
        "{shown:?}"
    );
}

fn put(program: &Program, options: &[&str], names: &[&str]) -> Output {
    let mut command = Command::new(BIN);
    command.args(["file", "put", program.url()]).args(options);
    command.args(names.iter().map(|name| program.to(name)));
    command.stdin(Stdio::null()).output().unwrap()
}

fn events(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn programs_get_one_event_a_line() {
    let program = Program::new(&["--max-file", "100"]);
    fs::write(program.to("a"), "12345").unwrap();
    fs::write(program.to("large"), bytes(101)).unwrap();
    let output = put(&program, &["--json"], &["a", "missing", "large"]);
    assert_eq!(output.status.code(), Some(1));
    let mut events = events(&output);
    let names: Vec<_> = events.iter().map(|event| event["event"].clone()).collect();
    assert_eq!(names, ["start", "done", "error", "start", "error", "end"]);
    assert!(events[1]["seconds"].take().as_f64().unwrap() > 0.0);
    let blake3 = blake3::hash(b"12345").to_hex();
    assert_eq!(events[0], json!({"event": "start", "name": "a"}));
    assert_eq!(
        events[1],
        json!({"event": "done", "name": "a", "size": 5, "resumed": 0, "seconds": null,
               "blake3": blake3.as_str(), "confirmed": true})
    );
    let error = events[2]["error"].as_str().unwrap();
    assert!(error.contains("No such file"), "{error}");
    assert_eq!(events[4]["name"], "large");
    let error = events[4]["error"].as_str().unwrap();
    assert!(
        error.contains("101 bytes, and a file may have 100 bytes"),
        "{error}"
    );
    let end = &events[5];
    assert_eq!(
        (&end["files"], &end["failed"], &end["size"]),
        (&json!(1), &json!(2), &json!(5))
    );
    // People hear of errors as ever.
    assert_eq!(text(&output.stderr).lines().count(), 2);
}

#[test]
fn programs_hear_how_far_a_transfer_is() {
    let program = slow(192);
    let mut command = Command::new(BIN);
    let output = command
        .args(&get(&program, &["--json"])[1..])
        .output()
        .unwrap();
    let events = events(&output);
    let progress = events
        .iter()
        .find(|event| event["event"] == "progress")
        .unwrap();
    let number = |key: &str| progress[key].as_u64().unwrap();
    assert_eq!((number("size"), number("resumed")), (192 << 10, 0));
    assert!(
        number("done") <= 192 << 10 && number("rate") > 0,
        "{progress}"
    );
    assert_eq!(events.last().unwrap()["event"], "end");
}

#[test]
fn the_file_itself_leaves_no_room_for_events() {
    let program = slow(1);
    let url = program.url();
    let output = run(&["file", "get", url, "slow", "--to", "-", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty() && text(&output.stderr).contains("--json"));
    let both = run(&["file", "get", url, "slow", "--quiet", "--json"]);
    assert_eq!(both.status.code(), Some(2), "{both:?}");
}

#[test]
fn quiet_is_errors_only() {
    let program = Program::new(&[]);
    fs::write(program.to("a"), "12345").unwrap();
    let output = put(&program, &["--quiet"], &["a"]);
    assert_eq!(ended_well(&output), (String::new(), String::new()));
    assert!(Path::new(&program.root("a")).exists());
    let output = put(&program, &["-q"], &["a"]);
    assert!(
        output.stdout.is_empty() && complaint(&output).contains("exists"),
        "{output:?}"
    );
}
