//! The command line: `command serve` and `command run`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use socketry_transport::units::parse_duration;
use socketry_transport::{Address, Endpoint};

use super::{Client, Command, Exit, QUIET_GAP, Server, Stream};
use crate::common::{Common, ServeArgs, announce, complain, reachable};
use crate::{AppError, Service, output, serving};

/// What `command run` exits with when the exchange itself failed, as `ssh` does.
const EXCHANGE_FAILED: u8 = 255;

/// What `command run` exits with when nobody reads its output any more: as if SIGPIPE (13) had ended it.
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
    /// Run the commands of whoever connects
    Serve {
        /// Where to listen
        #[arg(value_name = "URL", default_value = crate::service::DEFAULT_URL)]
        url: String,
        /// Kill a command that has run for this long: 90s, 10m, 1h30m
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        time_limit: Option<Duration>,
        #[command(flatten)]
        limits: ServeArgs,
    },
    /// Run a command there, and exit with its exit code (128+N for signal N, 255 if the exchange failed, 141 if nobody reads the output)
    Run {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
        /// On raw and line, how long nothing must arrive for the answer to be over [default: 300ms]
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        quiet_gap: Option<Duration>,
        /// One word is a line for the remote shell; several are a program and its arguments, exactly
        #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true)]
        command: Vec<String>,
    },
}

pub(crate) async fn run(args: Args) -> Result<ExitCode, AppError> {
    let service = args.common.service();
    match args.verb {
        Verb::Serve {
            url,
            time_limit,
            limits,
        } => serve(&service, &url, time_limit, &limits).await,
        Verb::Run {
            url,
            quiet_gap,
            command,
        } => {
            let url = reachable(&url)?;
            let command = Command::from_words(command);
            let quiet_gap = quiet_gap.unwrap_or(QUIET_GAP);
            let mut output = Output::default();
            match ask(&service, &url, quiet_gap, command, &mut output).await {
                Ok(exit) => Ok(ExitCode::from(exit.code())),
                // Silent, as whoever is at the head of a pipe: `… | head -1` is no failure.
                Err(_) if output.is_broken => Ok(ExitCode::from(NOBODY_READS)),
                Err(error) if error.is_usage() => Err(error),
                Err(error) => {
                    complain(&error);
                    Ok(ExitCode::from(EXCHANGE_FAILED))
                }
            }
        }
    }
}

async fn serve(
    service: &Service,
    url: &str,
    time_limit: Option<Duration>,
    limits: &ServeArgs,
) -> Result<ExitCode, AppError> {
    let url = reachable(url)?;
    let server = Server::bind(service, &url)
        .await?
        .time_limit(time_limit)
        .max_clients(limits.max_clients);
    // Before anybody knows where it listens, and so before anybody can tell it to end.
    let stop = serving::told_to_end();
    warn(server.local());
    announce(server.local())?;
    server.run(stop).await?;
    Ok(ExitCode::SUCCESS)
}

fn warn(at: &Endpoint) {
    if let Address::Ip(address) = at.address()
        && !address.ip().to_canonical().is_loopback()
    {
        // Without a standard error there is nobody to warn.
        let _ = writeln!(
            io::stderr(),
            "socketry: warning: anybody who can reach {at} can run commands as this user"
        );
    }
}

async fn ask(
    service: &Service,
    url: &Endpoint,
    quiet_gap: Duration,
    command: Command,
    output: &mut Output,
) -> Result<Exit, AppError> {
    let mut client = Client::connect(service, url).await?.quiet_gap(quiet_gap);
    client
        .run(command, |stream, bytes| output.show(stream, bytes))
        .await
}

/// This program's own output.
#[derive(Default)]
struct Output {
    /// Nobody reads it any more.
    is_broken: bool,
}

impl Output {
    /// The bytes as they are.
    fn show(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let shown = match stream {
            Stream::Stdout => output::stdout().write_all(bytes),
            Stream::Stderr => output::stderr().write_all(bytes),
        };
        let kind = shown.as_ref().map_err(io::Error::kind);
        self.is_broken = kind == Err(io::ErrorKind::BrokenPipe);
        shown
    }
}
