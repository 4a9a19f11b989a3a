//! How many instructions a frame takes: the same in every run, so that a regression of 3 % shows.
//!
//! `cargo bench -p socketry-testkit --bench instructions` counts every case and compares it with
//! `baseline.toml`, in the directory of this file; it exits with 1 if one has grown by more than 3
//! %. `-- --renew` writes the baseline anew, which is what to do after a change that was meant to
//! be, and then commit it. `-- NAME…` picks the cases that have such a word in their name, and
//! `-- --keep DIRECTORY` keeps what callgrind wrote of each, for `callgrind_annotate`.
//!
//! It needs `valgrind`, and starts itself under it: each case once for some frames and once for
//! twice as many, and the difference is what they cost. The counts depend on the compiler, and on
//! what the processor can do (`memcpy` has several forms), so the baseline says with which it was
//! made. With others nothing fails: the run says so, and shows the difference.
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
    /// Words of which one is in the name of a case.
    names: Vec<String>,
    /// Make the baseline of what is counted now.
    #[arg(long, conflicts_with = "names")]
    renew: bool,
    /// Keep what callgrind wrote in this directory.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// What a process does that runs under callgrind: this case, so many rounds.
    #[arg(long, hide = true, num_args = 2)]
    run: Option<Vec<String>>,
    /// What cargo says to every bench.
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
