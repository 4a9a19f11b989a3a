//! The command line: `command serve` and `command run`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use socketry_transport::units::{UnitError, parse_duration};

use super::{Client, Command, Exit, Policy, Server, Stream, input};
use crate::admission::{Asked, Start, Typed};
use crate::cli::CommandLine;
use crate::common::{Common, ServeArgs, complain, reachable};
use crate::matrix::App;
use crate::{AppError, Service, Shown, output, serving};

/// The exit code of `command run` for every failure that is not the remote command's own, as `ssh`
/// has it.
const NOT_THE_COMMANDS: u8 = 255;

/// The exit code of the other verbs if their arguments are wrong.
const USAGE: u8 = 2;

/// The options of `command run` that a user may write after the command by mistake. Short options
/// are not in the list, since many programs have them.
const OPTIONS: [&str; 6] = [
    "--codec",
    "--encoding",
    "--quiet-gap",
    "--answer-within",
    "--no-stdin",
    "--token-file",
];

/// The exit code of `command run` if its output is not read any more: as if SIGPIPE (13) had ended
/// it.
const NOBODY_READS: u8 = 128 + 13;

/// The arguments of `socketry command`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the commands of clients: of those that prove who they are, or of any
    Serve {
        /// Where to listen
        #[arg(value_name = "URL", default_value = crate::service::DEFAULT_URL)]
        url: String,
        /// Anybody who can connect may run any program as this user. Without it clients have to
        /// prove who they are (--token-file, --allow-uid, client certificates): at a loopback
        /// address, too, which every user of this machine reaches and, through a browser, any web
        /// page
        #[arg(long)]
        allow_any: bool,
        /// What each client may run: a file in TOML with a table for each name, such as [ann], with
        /// commands = [["uptime"], …], exactly, or programs = ["ls", …], with any arguments.
        /// Nothing goes through a shell
        #[arg(long, value_name = "FILE", conflicts_with = "allow_any")]
        rules: Option<PathBuf>,
        /// Kill a command that has run for this long: 90s, 10m, 1h30m
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        time_limit: Option<Duration>,
        #[command(flatten)]
        limits: ServeArgs,
    },
    /// Run a command there, and exit with its exit code
    #[command(after_help = ON_RUNNING)]
    Run(Run),
}

const ON_RUNNING: &str = "\
Exit code: that of the command; 128+N if signal N ended it; 255 for everything that is not the \
command's (wrong usage, no connection, no answer), with `socketry: …` or `error: …` on standard \
error; 141 if nobody reads the output. The codecs raw and line carry no exit code: after an answer \
it is 0. If a command writes to standard error, they carry that alone, without its standard output.

Standard input is not sent to the command. If it is no terminal and something waits there, that is \
an error; -n leaves it to others, as in: while read -r host; do socketry command run -n … ; done \
<hosts

Options after COMMAND are the command's own.";

/// The arguments of `socketry command run`.
#[derive(Debug, clap::Args)]
struct Run {
    /// Where the server is
    #[arg(value_name = "URL")]
    url: String,
    /// Do not look at standard input, which another program reads
    #[arg(short, long)]
    no_stdin: bool,
    /// How long to wait for the beginning of the answer, or never [default: 1m on struct and json,
    /// whose servers answer at once that the command runs; never on raw and line, which carry
    /// nothing before the command has ended]
    #[arg(long, value_name = "TIME", value_parser = parse_limit)]
    answer_within: Option<Limit>,
    /// On raw and line, how long nothing must arrive for the answer to be complete [default: 300ms]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    quiet_gap: Option<Duration>,
    /// One word is a line for the remote shell; several words are a program and its arguments, as
    /// they are
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true)]
    command: Vec<String>,
}

/// A time that a user gave; `None` is for ever.
#[derive(Clone, Copy, Debug)]
struct Limit(Option<Duration>);

fn parse_limit(text: &str) -> Result<Limit, UnitError> {
    match text {
        "never" => Ok(Limit(None)),
        time => Ok(Limit(Some(parse_duration(time)?))),
    }
}

pub(crate) async fn run(
    args: Args,
    offered: &CommandLine,
    typed: &Typed,
) -> Result<ExitCode, AppError> {
    let common = args.common;
    match args.verb {
        Verb::Serve {
            url,
            allow_any,
            rules,
            time_limit,
            limits,
        } => {
            let service = common.serving(offered, &limits)?;
            let asked = Asked {
                app: App::Command,
                url,
                insecure: limits.insecure,
                has_rules: rules.is_some(),
            };
            let start = Start::new(asked, &service, typed)?;
            let policy = Policy::typed(allow_any, rules.as_deref(), &start)?;
            serve(&service, &start, policy, time_limit, &limits).await
        }
        Verb::Run(args) => {
            let mut output = Output::default();
            let asked = match common.connecting(offered) {
                Ok(service) => ask(&service, args, &mut output).await,
                Err(error) => Err(error),
            };
            match asked {
                Ok(exit) => Ok(ExitCode::from(exit.code())),
                // Silent, as every program at the head of a broken pipe: `… | head -1` is no
                // failure.
                Err(_) if output.is_broken => Ok(ExitCode::from(NOBODY_READS)),
                Err(error) => {
                    complain(&error);
                    Ok(ExitCode::from(NOT_THE_COMMANDS))
                }
            }
        }
    }
}

/// The exit code for wrong arguments. That of `command run` must differ from the remote command's.
pub(crate) fn usage_code(verb: Option<&str>) -> u8 {
    match verb {
        Some("run") => NOT_THE_COMMANDS,
        _ => USAGE,
    }
}

async fn serve(
    service: &Service,
    start: &Start,
    policy: Policy,
    time_limit: Option<Duration>,
    limits: &ServeArgs,
) -> Result<ExitCode, AppError> {
    let server = Server::bind(service, &start.place()?, policy)
        .await?
        .time_limit(time_limit)
        .max_clients(limits.max_clients);
    // Signals are handled before any client knows the address, and so before anyone can send one.
    let stop = serving::shutdown_signal();
    start.announce(&server.locals())?;
    server.run(stop).await?;
    Ok(ExitCode::SUCCESS)
}

async fn ask(service: &Service, args: Run, output: &mut Output) -> Result<Exit, AppError> {
    if !args.no_stdin {
        input::must_be_empty()?;
    }
    let url = reachable(&args.url)?;
    warn_of_options(&args.command);
    let mut client = Client::connect(service, &url).await?;
    if let Some(gap) = args.quiet_gap {
        client = client.quiet_gap(gap);
    }
    if let Some(Limit(limit)) = args.answer_within {
        client = client.answer_within(limit);
    }
    let command = Command::from_words(args.command);
    let exit = client
        .run(command, |stream, bytes| output.show(stream, bytes))
        .await?;
    if exit.fitting().is_none() {
        return Err(AppError::failed(format_args!(
            "the server says '{exit}', which no process can exit with"
        )));
    }
    if !args.no_stdin {
        input::must_have_stayed_empty()?;
    }
    Ok(exit)
}

/// Warns of words in a command that look like options of this program. A `--` before the command
/// says that they are meant.
fn warn_of_options(command: &[String]) {
    if std::env::args_os()
        .nth_back(command.len())
        .is_some_and(|before| before == "--")
    {
        return;
    }
    let ours = |word: &&String| {
        let name = word.split('=').next().unwrap_or_default();
        OPTIONS.contains(&name)
    };
    if let Some(option) = command.iter().skip(1).find(ours) {
        // Without a standard error there is nowhere to warn.
        let _ = writeln!(
            io::stderr(),
            "socketry: {} after the command is part of it; our options stand before it \
             (`--` before the command says that it is meant)",
            Shown(option)
        );
    }
}

/// This program's own output.
#[derive(Default)]
struct Output {
    /// The output is not read any more.
    is_broken: bool,
}

impl Output {
    /// Writes the bytes as they are.
    fn show(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let shown = match stream {
            Stream::Stdout => output::stdout().write_all(bytes),
            Stream::Stderr => output::stderr().write_all(bytes),
        };
        shown.map_err(|error| {
            self.is_broken = error.kind() == io::ErrorKind::BrokenPipe;
            let place = match stream {
                Stream::Stdout => "standard output",
                Stream::Stderr => "standard error",
            };
            io::Error::new(error.kind(), format!("{place}: {error}"))
        })
    }
}
