//! One command line for the binary and for the examples: `chat`, `command` and `file`.

use std::io::Write;
use std::process::ExitCode;

use clap::{ArgAction, Args, Parser, Subcommand};
use socketry_codec::CodecSpec;
use socketry_transport::{Encoding, Endpoint, Registry};
use tracing_subscriber::filter::LevelFilter;

use crate::matrix::App;
use crate::{AppError, Service, chat, command, file};

/// Sockets by URL, codecs by name: chat, remote commands and file transfer.
#[derive(Debug, Parser)]
#[command(name = "socketry", version, about)]
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

/// The options that all apps share.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// What makes frames of bytes: raw, line, struct or json, or a form such as line:crlf, struct:>I, json:bare
    #[arg(long, global = true, value_name = "NAME", default_value = "json")]
    codec: CodecSpec,
    /// How text is encoded: utf-8, gbk, big5, shift_jis, …
    #[arg(long, global = true, value_name = "LABEL", default_value = "utf-8")]
    encoding: Encoding,
    /// Say more about what happens, on standard error (-vv for all)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

impl Common {
    pub(crate) fn service(&self) -> Service {
        Service {
            registry: Registry::standard(),
            codec: self.codec,
            encoding: self.encoding,
        }
    }

    fn log(&self) {
        let level = match self.verbose {
            0 => LevelFilter::WARN,
            1 => LevelFilter::INFO,
            _ => LevelFilter::TRACE,
        };
        // A second call, in a test say, changes nothing.
        let _ = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(std::io::stderr)
            .try_init();
    }
}

/// An endpoint that another process can be at.
pub(crate) fn reachable(text: &str) -> Result<Endpoint, AppError> {
    let endpoint: Endpoint = text.parse()?;
    if endpoint.scheme() == "mem" {
        return Err(AppError::usage(
            "mem:// reaches only this process, which has nobody to talk to; use unix:// or tcp://",
        ));
    }
    Ok(endpoint)
}

/// Tells a script where a server is: the first line of its standard output.
#[expect(clippy::print_stdout, reason = "this line is for standard output")]
pub(crate) fn announce(at: &Endpoint) -> Result<(), AppError> {
    println!("listening on {at}");
    Ok(std::io::stdout().flush()?)
}

/// The `socketry` binary: parses the process's arguments, runs, and says how it went.
pub fn main() -> ExitCode {
    run(Cli::parse().app)
}

/// An example that is one app: `chat serve …` as `cargo run --example chat -- serve …`.
pub fn main_of(app: App) -> ExitCode {
    let name = app.to_string();
    let arguments = std::iter::once("socketry".into())
        .chain(std::iter::once(name.into()))
        .chain(std::env::args_os().skip(1));
    run(Cli::parse_from(arguments).app)
}

fn run(app: AppArgs) -> ExitCode {
    match &app {
        AppArgs::Chat(args) => args.common.log(),
        AppArgs::Command(args) => args.common.log(),
        AppArgs::File(args) => args.common.log(),
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&AppError::failed(format_args!("cannot start: {error}"))),
    };
    let done = runtime.block_on(async {
        match app {
            AppArgs::Chat(args) => chat::run(args).await,
            AppArgs::Command(args) => command::run(args).await,
            AppArgs::File(args) => file::run(args).await,
        }
    });
    // A read of standard input may be under way in a thread; nobody waits for its end.
    runtime.shutdown_background();
    done.unwrap_or_else(|error| failed(&error))
}

#[expect(
    clippy::print_stderr,
    reason = "errors of a command line go to standard error"
)]
pub(crate) fn failed(error: &AppError) -> ExitCode {
    eprintln!("socketry: {error}");
    ExitCode::from(error.exit_code())
}
