//! The number of instructions for a frame: the same in every run, so that a regression of 3 %
//! shows.
//!
//! `cargo bench -p socketry-testkit --bench instructions` counts every case and compares it with
//! `baseline.toml` in the directory of this file. It exits with 1 if a count has grown by more than
//! 3 %. `-- --renew` writes the baseline anew; do that after an intended change, and commit it.
//! `-- NAME…` chooses the cases whose names contain such a word. `-- --keep DIRECTORY` keeps the
//! output of callgrind for each, for `callgrind_annotate`.
//!
//! It needs `valgrind`, and runs itself under it. Each case runs once for some frames and once for
//! twice as many; the difference is their cost. The counts depend on the compiler and on the
//! processor (`memcpy` has several forms), so the baseline names both. With others nothing fails:
//! the run says so, and shows the difference.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench"
)]

mod baseline;
mod cases;
mod count;
mod endless;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use baseline::{Baseline, RENEW, TOLERANCE};

#[derive(Parser)]
struct Arguments {
    /// A case runs if its name contains one of these words.
    names: Vec<String>,
    /// Write the baseline from the current counts.
    #[arg(long, conflicts_with = "names")]
    renew: bool,
    /// Keep the output of callgrind in this directory.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// For a process under callgrind: run this case for so many rounds.
    #[arg(long, hide = true, num_args = 2)]
    run: Option<Vec<String>>,
    /// An argument that cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(run) = &arguments.run {
        cases::named(&run[0]).run(run[1].parse().unwrap());
        return ExitCode::SUCCESS;
    }
    if let Some(directory) = &arguments.keep {
        std::fs::create_dir_all(directory).unwrap();
    }
    let picked = cases::all().into_iter().filter(|case| {
        let words = &arguments.names;
        words.is_empty() || words.iter().any(|word| case.name.contains(word))
    });
    let counts = picked.map(|case| (count::of(&case, arguments.keep.as_deref()), case.name));
    if arguments.renew {
        baseline::write(counts.map(|(count, name)| (name, count)));
        return ExitCode::SUCCESS;
    }
    compare(counts)
}

fn compare(counts: impl Iterator<Item = (f64, String)>) -> ExitCode {
    let baseline = Baseline::read();
    let mut bad = Vec::new();
    for (count, name) in counts {
        let verdict = baseline.judge(&name, count);
        let line = format!("{name:<32} {count:>8.1}  {verdict}");
        println!("{line}");
        if verdict.is_bad() {
            bad.push(line);
        }
    }
    if let Some(why) = baseline.foreign() {
        println!("\nNothing is concluded from this: {why}.");
        return ExitCode::SUCCESS;
    }
    if bad.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("\nUp by more than {TOLERANCE} %, or not in the baseline:");
    bad.iter().for_each(|line| eprintln!("{line}"));
    eprintln!("If that is as it should be, make the baseline anew: {RENEW}");
    ExitCode::FAILURE
}
