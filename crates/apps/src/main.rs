//! The `socketry` binary: `socketry chat|command|file …`.

use std::process::ExitCode;

fn main() -> ExitCode {
    socketry_apps::cli::CommandLine::default().main()
}
