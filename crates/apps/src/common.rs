//! The common part of all apps' command lines: options, and messages to the user.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::{ArgAction, Args};
use socketry_codec::CodecSpec;
use socketry_transport::{Encoding, Endpoint};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::LevelFilter;

use crate::access::{Access, AccessArgs};
use crate::cli::CommandLine;
use crate::service::DEFAULT_CODEC;
use crate::serving::MAX_CLIENTS;
use crate::{AppError, Service, output};

/// How many log lines wait to be written.
const WAITING_LINES: usize = 1024;

/// The options that all apps share.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    // Its help names the codecs of the registry: see `help`.
    #[arg(long, global = true, value_name = "NAME", default_value = DEFAULT_CODEC)]
    codec: CodecSpec,
    /// How text is encoded: utf-8, gbk, big5, shift_jis, …; python:gbk and so on, as CPython does
    /// it
    #[arg(long, global = true, value_name = "LABEL", default_value = "utf-8")]
    encoding: Encoding,
    /// A token, to be proved and never sent. A server makes the file at its first start; a client
    /// has a copy. Each line is NAME = SECRET: one of a client, many of a server
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Log more to standard error (-vv for everything)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

/// The options that all servers share.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServeArgs {
    /// How many clients are served at once; fewer if the limit of open files (ulimit -Hn) is low
    #[arg(long, value_name = "N", default_value_t = MAX_CLIENTS, value_parser = at_least_one)]
    pub(crate) max_clients: usize,
    /// Serve other machines though not all is encrypted, or clients do not prove who they are
    #[arg(long)]
    pub(crate) insecure: bool,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 is needed".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("it is not a whole number that fits".to_owned()),
    }
}

impl Common {
    /// The choices of the user of a client among the transports and codecs that are `offered`.
    pub(crate) fn connecting(&self, offered: &CommandLine) -> Result<Service, AppError> {
        let access = Access::of_client(self.token_file.as_deref())?;
        Ok(self.service(offered, access))
    }

    /// The same of a server.
    pub(crate) fn serving(
        &self,
        offered: &CommandLine,
        limits: &ServeArgs,
    ) -> Result<Service, AppError> {
        let access = Access::of_server(self.token_file.as_deref(), &limits.access)?;
        Ok(self.service(offered, access))
    }

    fn service(&self, offered: &CommandLine, access: Access) -> Service {
        Service {
            registry: offered.transports.clone(),
            codecs: offered.codecs.clone(),
            codec: self.codec.clone(),
            encoding: self.encoding,
            access,
        }
    }

    /// Starts to log to standard error, until the guard is dropped.
    ///
    /// A terminal or pipe that is not read must not delay a server. So lines go through a queue,
    /// and lines that do not fit are dropped.
    pub(crate) fn log(&self) -> WorkerGuard {
        let level = match self.verbose {
            0 => LevelFilter::WARN,
            1 => LevelFilter::INFO,
            _ => LevelFilter::TRACE,
        };
        let (stderr, guard) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(WAITING_LINES)
            .finish(std::io::stderr());
        // A second call, in a test for instance, changes nothing.
        let _ = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(logs_colours(std::io::stderr().is_terminal()))
            .log_internal_errors(false)
            .with_writer(stderr)
            .try_init();
        guard
    }
}

/// Whether to use colours on a terminal: `NO_COLOR` must not be set (<https://no-color.org>), nor
/// `CLICOLOR` to 0 (<https://bixense.com/clicolors>), and the terminal must understand them.
pub(crate) fn wants_colours() -> bool {
    let is_off = std::env::var_os("CLICOLOR").is_some_and(|value| value == "0");
    !refuses_colours() && (is_forced() || !(is_off || is_dumb()))
}

/// Whether the log has colours. `CLICOLOR_FORCE` has them without a terminal.
fn logs_colours(is_terminal: bool) -> bool {
    wants_colours() && (is_terminal || is_forced())
}

fn refuses_colours() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

fn is_forced() -> bool {
    let force = std::env::var_os("CLICOLOR_FORCE");
    force.is_some_and(|value| !value.is_empty() && value != "0")
}

/// Whether the terminal understands only plain text.
pub(crate) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// `$XDG_STATE_HOME/socketry`, or `~/.local/state/socketry`: what this program keeps for its user.
pub(crate) fn state_directory() -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME");
    let state = state.or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("socketry"))
}

/// Parses an endpoint that another process can reach.
pub(crate) fn reachable(text: &str) -> Result<Endpoint, AppError> {
    let endpoint: Endpoint = text.parse()?;
    if endpoint.scheme() == "mem" {
        return Err(AppError::usage(
            "mem:// reaches only this process, which has nobody to talk to; use unix:// or tcp://",
        ));
    }
    Ok(endpoint)
}

/// Prints where a server listens, as the first lines of standard output: one for each address.
/// Scripts read them.
pub(crate) fn announce(all: &[Endpoint]) -> Result<(), AppError> {
    Ok(output::stdout().write_all(announcement(all).as_bytes())?)
}

fn announcement(all: &[Endpoint]) -> String {
    all.iter()
        .map(|at| format!("listening on {at}\n"))
        .collect()
}

/// Prints an error on standard error.
pub(crate) fn complain(error: &AppError) {
    if error.is_worth_words() {
        // Without a standard error there is nowhere to report it.
        let _ = writeln!(std::io::stderr(), "socketry: {error}");
    }
}

/// Prints a hint, if standard error is a terminal. Scripts do not get it.
pub(crate) fn hint(words: &str) {
    let mut err = std::io::stderr();
    if err.is_terminal() {
        let _ = writeln!(err, "socketry: {words}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_announced_in_a_line_of_its_own() {
        let at = |url: &str| url.parse::<Endpoint>().unwrap();
        let all = [at("tcp://[::1]:9"), at("tcp://127.0.0.1:9")];
        let lines = "listening on tcp://[::1]:9\nlistening on tcp://127.0.0.1:9\n";
        assert_eq!(announcement(&all), lines);
    }
}
