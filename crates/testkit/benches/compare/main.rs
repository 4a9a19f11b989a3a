//! Ours beside others, doing the same work, in one run.
//!
//! `cargo bench -p socketry-testkit` compares everything, `-- NAME…` what has such a word in its name, `-- --list` says the names.
//! This machine and that differ, and the same machine from minute to minute; so what is worth reading is the *ratio* of two sides
//! that took turns. Several processes run one after the other, each of them all sides in turn, several times; what is printed is the
//! median of the ratios of neighbours, with the quartiles.
//!
//! `--processes N` (5) and `--rounds N` (3) say how often, `--json` prints one line of JSON for each ratio and each rate, and
//! `--plots DIRECTORY` draws each group as an SVG.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::needless_pass_by_value,
    reason = "a bench"
)]

mod body;
mod contest;
mod idle;
mod memory;
mod plot;
mod report;
mod sender;
mod setup;
mod stream;
mod tally;
mod trip;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Parser;

use contest::Contest;
use report::{Record, Report};

#[derive(Parser)]
struct Arguments {
    /// Words of which one is in the name of what is compared.
    names: Vec<String>,
    /// Say what there is.
    #[arg(long)]
    list: bool,
    /// One line of JSON for each figure.
    #[arg(long)]
    json: bool,
    /// Draw each group into this directory.
    #[arg(long)]
    plots: Option<PathBuf>,
    #[arg(long, default_value_t = 5)]
    processes: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// What a process does that another started: measure, and print what it measured.
    #[arg(long, hide = true)]
    measure: bool,
    /// What a process does that another started: hold connections, and say what they take.
    #[arg(long, hide = true)]
    hold: Option<idle::Server>,
    /// What cargo says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(server) = arguments.hold {
        return server.run();
    }
    let contests = picked(&arguments.names);
    if arguments.list {
        contests
            .iter()
            .for_each(|contest| println!("{}", contest.name()));
    } else if arguments.measure {
        contests
            .into_iter()
            .for_each(|contest| measure(contest, arguments.rounds));
    } else {
        compare(&contests, &arguments);
    }
}

fn picked(names: &[String]) -> Vec<Contest> {
    let all = [
        memory::contests(),
        stream::contests(),
        sender::contests(),
        trip::contests(),
        body::contests(),
        idle::contests(),
        setup::contests(),
    ];
    let named =
        |contest: &Contest| names.is_empty() || names.iter().any(|name| is_named(contest, name));
    all.into_iter().flatten().filter(named).collect()
}

/// By a part of its name, or, behind `=`, by all of it.
fn is_named(contest: &Contest, name: &str) -> bool {
    match name.strip_prefix('=') {
        Some(name) => contest.name() == name,
        None => contest.name().contains(name),
    }
}

/// Lets the sides take turns, each time another one first.
fn measure(mut contest: Contest, rounds: usize) {
    let name = contest.name();
    // The first time memory, caches and sockets warm up.
    for side in &mut contest.sides {
        let _ = side.figure();
    }
    for round in 0..rounds {
        contest.sides.rotate_left(1);
        for side in &mut contest.sides {
            let record = Record {
                contest: name.clone(),
                side: side.name.to_owned(),
                round,
                figure: side.figure(),
            };
            println!("{}", serde_json::to_string(&record).unwrap());
        }
    }
}

fn compare(contests: &[Contest], arguments: &Arguments) {
    for contest in contests {
        let processes = (0..arguments.processes).map(|_| measured_apart(contest, arguments));
        let report = Report::new(contest, processes.collect());
        if arguments.json {
            report.print_json();
        } else {
            report.print();
        }
        // As it goes, so that a run that is cut short has something to show.
        if let Some(directory) = &arguments.plots {
            plot::note(directory, contest, &report);
        }
    }
}

/// What a process of its own measures of one contest.
fn measured_apart(contest: &Contest, arguments: &Arguments) -> Vec<Record> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--measure", "--rounds", &arguments.rounds.to_string()])
        .arg(format!("={}", contest.name()))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{} failed", contest.name());
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
