//! The common part of the benches: contests, how they run, and how the results are shown.
//!
//! `-- NAME…` chooses the contests whose names contain such a word, and `-- --list` prints the
//! names. `--processes N` (5) and `--rounds N` (3) set the number of runs, and `--side SIDE` leaves
//! out the other sides. `--json` prints one line of JSON for each ratio and each figure, and
//! `--markdown` prints tables. `--plots DIRECTORY`, relative to the workspace, draws each group as
//! an SVG.

pub(crate) mod contest;
mod markdown;
mod plot;
mod report;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Parser;

use contest::Contest;
use report::{Record, Report};

/// Cargo runs a bench in its own crate's directory.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[derive(Parser)]
struct Arguments {
    /// A contest runs if its name contains one of these words.
    names: Vec<String>,
    /// Only these sides, for instance to look at one with `perf`.
    #[arg(long)]
    side: Vec<String>,
    /// List the contests.
    #[arg(long)]
    list: bool,
    /// Print tables for a document at the end.
    #[arg(long)]
    markdown: bool,
    /// Print one line of JSON for each figure.
    #[arg(long)]
    json: bool,
    /// Draw each group into this directory of the workspace.
    #[arg(long)]
    plots: Option<PathBuf>,
    #[arg(long, default_value_t = 5)]
    processes: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// For a process that another one started: measure, and print the results.
    #[arg(long, hide = true)]
    measure: bool,
    /// An argument of `cargo bench` that `cargo test --all-targets` does not pass.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Does what the command line says with the contests that it names.
pub(crate) fn run(mut contests: Vec<Contest>) {
    let arguments = Arguments::parse();
    contests.retain(|contest| is_picked(contest, &arguments.names));
    for contest in &mut contests {
        contest.keep(&arguments.side);
    }
    contests.retain(|contest| !contest.sides.is_empty());
    if arguments.list {
        contests
            .iter()
            .for_each(|contest| println!("{}", contest.name()));
    } else if arguments.measure {
        contests
            .into_iter()
            .for_each(|contest| measure(contest, arguments.rounds));
    } else if arguments.bench {
        compare(&contests, &arguments);
    } else {
        println!("nothing is measured without --bench, which `cargo bench` says");
    }
}

fn is_picked(contest: &Contest, names: &[String]) -> bool {
    names.is_empty() || names.iter().any(|name| is_named(contest, name))
}

/// By a part of its name, or, after `=`, by all of it.
fn is_named(contest: &Contest, name: &str) -> bool {
    match name.strip_prefix('=') {
        Some(name) => contest.name() == name,
        None => contest.name().contains(name),
    }
}

/// Lets the sides take turns, each round with another one first.
fn measure(mut contest: Contest, rounds: usize) {
    let name = contest.name();
    // The first round warms up memory, caches and sockets.
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
    let mut reports = Vec::new();
    for contest in contests {
        let processes = (0..arguments.processes).map(|_| measured_apart(contest, arguments));
        let report = Report::new(contest, &processes.collect::<Vec<_>>());
        if arguments.json {
            report.print_json();
        } else {
            report.print();
        }
        // Printed as it goes, so that an interrupted run shows something.
        if let Some(directory) = &arguments.plots {
            plot::note(&Path::new(WORKSPACE).join(directory), contest, &report);
        }
        reports.push(report);
    }
    if arguments.markdown {
        markdown::print(&reports);
    }
}

/// The measurements of one contest by a process of its own.
fn measured_apart(contest: &Contest, arguments: &Arguments) -> Vec<Record> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--measure", "--rounds", &arguments.rounds.to_string()])
        .args(contest.sides.iter().flat_map(|side| ["--side", side.name]))
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
