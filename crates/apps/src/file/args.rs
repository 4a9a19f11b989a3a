//! The command line of the app.

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::escape::name_to_text;
use super::limits::{LimitArgs, Limits};
use super::progress::Shows;
use super::prompt::Comfort;
use super::tree::{self, verbs::Trees};
use super::{Client, Rules, Server, no_uploads, prompt, verbs};
use crate::admission::{Asked, Start, Typed};
use crate::cli::CommandLine;
use crate::common::{Common, ServeArgs, reachable};
use crate::matrix::App;
use crate::{AppError, Service, serving};

/// Send, fetch and browse files of any size.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the files of one directory, and nothing outside of it
    Serve {
        /// Where to listen
        #[arg(value_name = "URL", default_value = crate::service::DEFAULT_URL)]
        url: String,
        /// The directory
        #[arg(long, value_name = "DIR")]
        root: PathBuf,
        /// What each client may do: a file in TOML with a table for each name, such as [ann], with
        /// may = ["list", "read", "write"], and optionally folder = "ann", below DIR, and quota =
        /// "10GiB", to store while this server runs. [anonymous] is for clients that prove nothing,
        /// and ["*"] for all without a table of their own
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
        /// Do not wait for the disk: faster for small files, which may be lost when the power fails
        #[arg(long)]
        no_sync: bool,
        #[command(flatten)]
        limits: ServeArgs,
        #[command(flatten)]
        files: LimitArgs,
    },
    /// Send files
    Put {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
        /// The files to send, and directories with -r; - is standard input, which needs --as
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
        /// Where to store them there: a directory that exists, or the path of one file [default:
        /// under their own names in the root]
        #[arg(long, value_name = "DEST", visible_alias = "as", value_parser = text())]
        to: Option<String>,
        #[command(flatten)]
        trees: Trees,
        #[command(flatten)]
        manner: Manner,
    },
    /// Fetch files
    Get {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
        /// Their names at the server; of directories with -r
        #[arg(value_name = "NAME", required = true, value_parser = text())]
        names: Vec<String>,
        /// Where to store them here: a directory, or the path of one file; - is standard output
        /// [default: under the last part of NAME in this directory]
        #[arg(long, value_name = "DEST")]
        to: Option<PathBuf>,
        #[command(flatten)]
        trees: Trees,
        #[command(flatten)]
        manner: Manner,
    },
    /// List a directory
    Ls {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
        /// The directory
        #[arg(value_name = "DIR", default_value = "/", value_parser = text())]
        dir: String,
        /// Show mode, exact size and time (UTC), too
        #[arg(short, long)]
        long: bool,
    },
    /// Look around, and fetch what you find
    Browse {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
        #[command(flatten)]
        comfort: Comfort,
    },
}

/// The value of a name argument: a name as it is shown. A name that is no text is escaped.
fn text() -> impl TypedValueParser<Value = String> {
    let escaped = |raw: OsString| name_to_text(&raw);
    OsStringValueParser::new().map(move |name| name.into_string().unwrap_or_else(escaped))
}

/// How files are transferred.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Manner {
    /// Replace a file that exists
    #[arg(short, long)]
    force: bool,
    /// Trust a simple script, which never confirms that it has the file
    #[arg(long)]
    unconfirmed: bool,
    /// Do not wait for the disk of the storing side: faster for small files, which may be lost when
    /// the power fails
    #[arg(long)]
    no_sync: bool,
    #[command(flatten)]
    shows: Shows,
}

/// The exit code of `put` and `get` when a signal ends them, as shells have it for
/// SIGINT.
const INTERRUPTED: u8 = 130;

pub(crate) async fn run(
    args: Args,
    offered: &CommandLine,
    typed: &Typed,
) -> Result<ExitCode, AppError> {
    let service = match &args.verb {
        Verb::Serve { limits, .. } => args.common.serving(offered, limits)?,
        _ => args.common.connecting(offered)?,
    };
    match args.verb {
        Verb::Serve {
            url,
            root,
            rules,
            no_sync,
            files,
            limits,
        } => {
            if files.upload_only && !service.own()?.properties.boundaries {
                return Err(no_uploads());
            }
            let asked = Asked {
                app: App::File,
                url,
                insecure: limits.insecure,
                has_rules: rules.is_some(),
            };
            let start = Start::new(asked, &service, typed)?;
            let rules = rules.map(Rules::from_file).transpose()?;
            let server = Server::bind(&service, &start.place()?, &root).await?;
            let server = match &rules {
                Some(rules) => server.rules(rules)?,
                None => server,
            };
            let server = server.syncing(!no_sync).max_clients(limits.max_clients);
            let server = server.limits(Limits::from(&files))?;
            serve(server, &start).await?;
        }
        Verb::Put {
            url,
            paths,
            to,
            trees,
            manner,
        } => {
            if !service.own()?.properties.boundaries {
                return Err(no_uploads());
            }
            return interruptible(async {
                let mut client = connect_for(&service, &url, manner).await?;
                let to = to.as_deref();
                match trees.recursive {
                    true => tree::verbs::put(&mut client, &paths, to, &trees, manner.shows).await,
                    false => verbs::put(&mut client, &paths, to, manner.shows).await,
                }
            })
            .await;
        }
        Verb::Get {
            url,
            names,
            to,
            trees,
            manner,
        } => {
            return interruptible(async {
                let mut client = connect_for(&service, &url, manner).await?;
                let to = to.as_deref();
                match trees.recursive {
                    true => tree::verbs::get(&mut client, &names, to, &trees, manner.shows).await,
                    false => verbs::get_all(&mut client, &names, to, manner.shows).await,
                }
            })
            .await;
        }
        Verb::Ls { url, dir, long } => {
            let client = connect(&service, &url).await?;
            verbs::print_entries(&client.list_last(&dir).await?, long)?;
        }
        Verb::Browse { url, comfort } => {
            return prompt::run(connect(&service, &url), comfort).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Drops the transfer when a signal comes, and with it the part file.
async fn interruptible(
    doing: impl Future<Output = Result<ExitCode, AppError>>,
) -> Result<ExitCode, AppError> {
    tokio::select! {
        () = serving::shutdown_signal() => Ok(ExitCode::from(INTERRUPTED)),
        done = doing => done,
    }
}

async fn serve(server: Server, start: &Start) -> Result<(), AppError> {
    // Signals are handled before any client knows the address, and so before anyone can send one.
    let stop = serving::shutdown_signal();
    start.announce(&server.locals())?;
    server.run(stop).await
}

async fn connect_for(service: &Service, url: &str, manner: Manner) -> Result<Client, AppError> {
    let client = connect(service, url).await?;
    Ok(client
        .replacing(manner.force)
        .unconfirmed(manner.unconfirmed)
        .syncing(!manner.no_sync))
}

async fn connect(service: &Service, url: &str) -> Result<Client, AppError> {
    Client::connect(service, &reachable(url)?).await
}
