//! What the benches share: contests, how they are run, and how what came out is shown.
//!
//! `-- NAME…` picks what has such a word in its name, `-- --list` says the names. `--processes N`
//! (5) and `--rounds N` (3) say how often, `--side SIDE` leaves out the others, `--json` prints one
//! line of JSON for each ratio and each figure, `--markdown` prints tables, and
//! `--plots DIRECTORY`, seen from the workspace, draws each group as an SVG.

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
    /// Words of which one is in the name of what is compared.
    names: Vec<String>,
    /// These sides alone, to look at one with `perf`, say.
    #[arg(long)]
    side: Vec<String>,
    /// Say what there is.
    #[arg(long)]
    list: bool,
    /// Tables for a document, once all is measured.
    #[arg(long)]
    markdown: bool,
    /// One line of JSON for each figure.
    #[arg(long)]
    json: bool,
    /// Draw each group into this directory of the workspace.
    #[arg(long)]
    plots: Option<PathBuf>,
    #[arg(long, default_value_t = 5)]
    processes: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// What a process does that another started: measure, and print what it measured.
    #[arg(long, hide = true)]
    measure: bool,
    /// What `cargo bench` says, and `cargo test --all-targets` does not.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Does what the command line says with those of `contests` that it names.
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
    let mut reports = Vec::new();
    for contest in contests {
        let processes = (0..arguments.processes).map(|_| measured_apart(contest, arguments));
        let report = Report::new(contest, &processes.collect::<Vec<_>>());
        if arguments.json {
            report.print_json();
        } else {
            report.print();
        }
        // As it goes, so that a run that is cut short has something to show.
        if let Some(directory) = &arguments.plots {
            plot::note(&Path::new(WORKSPACE).join(directory), contest, &report);
        }
        reports.push(report);
    }
    if arguments.markdown {
        markdown::print(&reports);
    }
}

/// What a process of its own measures of one contest.
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
