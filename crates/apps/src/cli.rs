//! One command line for the binary and for the examples: `chat`, `command` and `file`.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::common::{complain, wants_colours};
use crate::matrix::App;
use crate::{AppError, chat, command, file, help, startup, terminal};

/// Chat, remote commands and file transfer: the transport by URL, the codec by name.
#[derive(Debug, Parser)]
#[command(name = "socketry", version)]
struct Cli {
    #[command(subcommand)]
    app: AppArgs,
}

#[derive(Debug, Subcommand)]
enum AppArgs {
    /// What one says, all others hear.
    Chat(chat::Args),
    /// Run commands on another machine.
    Command(command::Args),
    /// Send, fetch and browse files of any size.
    File(file::Args),
}

/// The `socketry` binary: parses the process's arguments, runs, and says how it went.
pub fn main() -> ExitCode {
    run_with(&std::env::args_os().collect::<Vec<_>>())
}

/// An example that is one app: `chat serve …` as `cargo run --example chat -- serve …`.
pub fn main_of(app: App) -> ExitCode {
    let name = app.to_string();
    let arguments = std::iter::once("socketry".into())
        .chain(std::iter::once(name.into()))
        .chain(std::env::args_os().skip(1));
    run_with(&arguments.collect::<Vec<_>>())
}

fn run_with(arguments: &[OsString]) -> ExitCode {
    match parse(arguments) {
        Ok(cli) => run(cli.app),
        Err(error) => {
            // Without an output there is nobody to tell.
            let _ = error.print();
            if error.use_stderr() {
                ExitCode::from(usage_code(arguments))
            } else {
                ExitCode::SUCCESS
            }
        }
    }
}

fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = help::explained(Cli::command());
    if !wants_colours() {
        // What is there by itself takes `CI` for a terminal that understands them.
        command = command.color(ColorChoice::Never);
    }
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// The exit code for wrong arguments, as far as they can be understood.
fn usage_code(arguments: &[OsString]) -> u8 {
    let understood = Cli::command()
        .ignore_errors(true)
        .try_get_matches_from(arguments);
    let understood = understood.as_ref().ok().and_then(ArgMatches::subcommand);
    let verb =
        understood.and_then(|(app, rest)| (app == "command").then(|| rest.subcommand_name()));
    command::usage_code(verb.flatten())
}

fn run(app: AppArgs) -> ExitCode {
    // Before there is any other thread.
    terminal::outlive_the_foreground();
    let _log = match &app {
        AppArgs::Chat(args) => args.common.log(),
        AppArgs::Command(args) => args.common.log(),
        AppArgs::File(args) => args.common.log(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&AppError::failed(format_args!("cannot start: {error}"))),
    };
    let done = runtime.block_on(async {
        startup::prepare();
        match app {
            AppArgs::Chat(args) => chat::run(args).await,
            AppArgs::Command(args) => command::run(args).await,
            AppArgs::File(args) => file::run(args).await,
        }
    });
    // A read of standard input may be under way in a thread; nobody waits for its end.
    runtime.shutdown_background();
    file::settle();
    done.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &AppError) -> ExitCode {
    complain(error);
    ExitCode::from(error.exit_code())
}
