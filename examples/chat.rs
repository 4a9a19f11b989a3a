//! The chat app alone: `cargo run --example chat -- serve`, and `-- --help` for the rest.
//!
//! Without arguments it shows its help. The same command line is `socketry chat …`.

use std::process::ExitCode;

use socketry_apps::cli::CommandLine;
use socketry_apps::matrix::App;

fn main() -> ExitCode {
    CommandLine::default().main_of(App::Chat)
}
