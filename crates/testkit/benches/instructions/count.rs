//! Counting with callgrind.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::cases::Case;

/// About how many frames a case takes in the shorter run.
const FRAMES: u32 = 4096;

/// How many instructions a frame of `case` takes. Callgrind's output is kept in `keep`.
pub(crate) fn of(case: &Case, keep: Option<&Path>) -> f64 {
    let rounds = FRAMES.div_ceil(case.frames);
    let scratch = TempDir::new().unwrap();
    let directory = keep.unwrap_or(scratch.path());
    // Both runs at once, since half of the time goes into reading the program's symbols.
    let runs = [rounds, 2 * rounds].map(|rounds| Run::new(&case.name, rounds, directory));
    let [once, twice] = runs.map(Run::instructions);
    (twice - once) as f64 / f64::from(rounds * case.frames)
}

/// This program under callgrind.
struct Run {
    child: Child,
    out: std::path::PathBuf,
}

impl Run {
    fn new(name: &str, rounds: u32, directory: &Path) -> Self {
        let file = format!("{name} {rounds}").replace(|c: char| !c.is_alphanumeric(), "-");
        let out = directory.join(file);
        let child = Command::new("valgrind")
            .args(["--tool=callgrind", "--quiet"])
            .arg(format!("--callgrind-out-file={}", out.display()))
            .arg(std::env::current_exe().unwrap())
            .args(["--run", name, &rounds.to_string()])
            .env_clear()
            .stdin(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => panic!("valgrind is not installed: apt-get install valgrind"),
            _ => panic!("valgrind: {error}"),
        });
        Run { child, out }
    }

    fn instructions(mut self) -> u64 {
        let status = self.child.wait().unwrap();
        let written = std::fs::read_to_string(&self.out).unwrap_or_default();
        let totals = written
            .lines()
            .find_map(|line| line.strip_prefix("totals: "));
        match totals {
            Some(totals) if status.success() => totals.trim().parse().unwrap(),
            _ => panic!("valgrind has counted nothing: {status}"),
        }
    }
}
