//! The command app alone: `cargo run --example command -- serve --allow-any`, and `-- --help` for
//! the rest.
//!
//! Without arguments it shows its help. The same command line is `socketry command …`.

use std::process::ExitCode;

use socketry_apps::cli::CommandLine;
use socketry_apps::matrix::App;

fn main() -> ExitCode {
    CommandLine::default().main_of(App::Command)
}
