//! One command line for the binary and for the examples: `chat`, `command` and `file`.

mod config;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};
use socketry_codec::CodecRegistry;
use socketry_transport::Registry;

use crate::admission::Typed;
use crate::common::{complain, wants_colours};
use crate::matrix::{self, App};
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
    /// Each message of a user goes to all other users.
    Chat(chat::Args),
    /// Run commands on another machine.
    Command(command::Args),
    /// Send, fetch and browse files of any size.
    File(file::Args),
}

/// The command line of the `socketry` binary, over given transports and codecs.
///
/// Your own program can register a transport or a codec. The command line then offers it as the
/// binary offers its own: by scheme and name, in `--help`, and in its errors.
///
/// ```no_run
/// use socketry_apps::cli::CommandLine;
/// use socketry_codec::{CodecRegistry, Line};
///
/// fn main() -> std::process::ExitCode {
///     let codecs = CodecRegistry::standard().with("semicolon", |parameters| {
///         let line = Line::delimited(b';');
///         Ok(line.max_frame(parameters.max_frame().unwrap_or(1024)).into())
///     });
///     CommandLine::default().codecs(codecs).main()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct CommandLine {
    pub(crate) transports: Registry,
    pub(crate) codecs: CodecRegistry,
}

impl Default for CommandLine {
    /// With the [transports](matrix::transports) of the apps, and the codecs of
    /// [`CodecRegistry::standard`].
    fn default() -> Self {
        CommandLine {
            transports: matrix::transports(),
            codecs: CodecRegistry::standard(),
        }
    }
}

impl CommandLine {
    /// The same with these transports. Add yours to [`matrix::transports`].
    #[must_use]
    pub fn transports(self, transports: Registry) -> Self {
        CommandLine { transports, ..self }
    }

    /// The same with these codecs. Without `--codec` the codec is `json`.
    #[must_use]
    pub fn codecs(self, codecs: CodecRegistry) -> Self {
        CommandLine { codecs, ..self }
    }

    /// Parses the process's arguments, runs the app, and returns the exit code.
    pub fn main(&self) -> ExitCode {
        self.run(std::env::args_os())
    }

    /// A program that runs one app: `cargo run --example chat -- serve …` stands for
    /// `chat serve …`.
    pub fn main_of(&self, app: App) -> ExitCode {
        let begin = ["socketry".into(), app.to_string().into()];
        self.run(begin.into_iter().chain(std::env::args_os().skip(1)))
    }

    /// The same with these arguments, of which the first is the program's name.
    pub fn run(&self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        let arguments: Vec<_> = arguments.into_iter().collect();
        match self.parse(&arguments) {
            Ok(cli) => self.start(cli.app, &Typed::new(&arguments)),
            Err(error) => {
                // If it cannot be printed, there is nowhere to report that.
                let _ = error.print();
                if error.use_stderr() {
                    ExitCode::from(usage_code(&arguments))
                } else {
                    ExitCode::SUCCESS
                }
            }
        }
    }

    fn parse(&self, arguments: &[OsString]) -> Result<Cli, clap::Error> {
        let mut command = help::explained(config::offered(Cli::command()), self);
        if !wants_colours() {
            // clap's own detection takes the variable `CI` for a terminal that understands colours.
            command = command.color(ColorChoice::Never);
        }
        let mut command = config::read(command, arguments)?;
        let mut matches = command.try_get_matches_from_mut(arguments)?;
        Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    }

    fn start(&self, app: AppArgs, typed: &Typed) -> ExitCode {
        // Before any other thread starts.
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
                AppArgs::Chat(args) => chat::run(args, self, typed).await,
                AppArgs::Command(args) => command::run(args, self, typed).await,
                AppArgs::File(args) => file::run(args, self, typed).await,
            }
        });
        // A thread may still be reading standard input. Nothing waits for that.
        runtime.shutdown_background();
        file::settle();
        done.unwrap_or_else(|error| failed(&error))
    }
}

/// The exit code for wrong arguments, as far as they can be parsed.
fn usage_code(arguments: &[OsString]) -> u8 {
    let understood = config::offered(Cli::command())
        .ignore_errors(true)
        .try_get_matches_from(arguments);
    let understood = understood.as_ref().ok().and_then(ArgMatches::subcommand);
    let verb =
        understood.and_then(|(app, rest)| (app == "command").then(|| rest.subcommand_name()));
    command::usage_code(verb.flatten())
}

fn failed(error: &AppError) -> ExitCode {
    complain(error);
    ExitCode::from(error.exit_code())
}
