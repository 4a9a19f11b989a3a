//! The command line of the app.

use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use clap::builder::{OsStringValueParser, TypedValueParser};
use socketry_codec::CodecName;

use super::escape::name_to_text;
use super::progress::Digits;
use super::{Client, Server, no_uploads, prompt, verbs};
use crate::common::{Common, ServeArgs, announce, reachable};
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
        /// Do not wait for the disk: faster for small files, which may be lost when the power fails
        #[arg(long)]
        no_sync: bool,
        #[command(flatten)]
        limits: ServeArgs,
    },
    /// Send files
    Put {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
        /// What to send; - is standard input, which needs --as
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
        /// Where to store it there: a directory that exists, or the file's path; its own name in
        /// the root, if nothing is said
        #[arg(long, value_name = "DEST", visible_alias = "as", value_parser = text())]
        to: Option<String>,
        #[command(flatten)]
        manner: Manner,
    },
    /// Fetch files
    Get {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
        /// What they are called there
        #[arg(value_name = "NAME", required = true, value_parser = text())]
        names: Vec<String>,
        /// Where to store them here: a directory, or the file's path; - is standard output; the
        /// last part of NAME, in this directory, if nothing is said
        #[arg(long, value_name = "DEST")]
        to: Option<PathBuf>,
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
        /// Say mode, exact size and time (UTC) too
        #[arg(short, long)]
        long: bool,
    },
    /// Look around, and fetch what you find
    Browse {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
    },
}

/// A name as it is shown, or, where it is no text, as it is.
fn text() -> impl TypedValueParser<Value = String> {
    let escaped = |raw: OsString| name_to_text(&raw);
    OsStringValueParser::new().map(move |name| name.into_string().unwrap_or_else(escaped))
}

/// How files go over.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Manner {
    /// Replace a file that exists
    #[arg(short, long)]
    force: bool,
    /// Believe a script of few lines, which never confirms that it has the file
    #[arg(long)]
    unconfirmed: bool,
    /// Do not wait for the disk of who stores the file: faster for small files, which may be lost
    /// when the power fails
    #[arg(long)]
    no_sync: bool,
    /// Show all of the digest; a terminal gets its first 16 digits, if nothing is said
    #[arg(long)]
    digest: bool,
}

impl Manner {
    fn digits(self) -> Digits {
        Digits::shown(self.digest)
    }
}

/// What `put`, `get` and `browse` exit with when a signal ends them, as shells say it of SIGINT.
const INTERRUPTED: u8 = 130;

pub(crate) async fn run(args: Args) -> Result<ExitCode, AppError> {
    let service = args.common.service();
    match args.verb {
        Verb::Serve {
            url,
            root,
            no_sync,
            limits,
        } => serve(&service, &url, &root, !no_sync, &limits).await?,
        Verb::Put {
            url,
            paths,
            to,
            manner,
        } => {
            if service.codec.name == CodecName::Raw {
                return Err(no_uploads());
            }
            return interruptible(async {
                let mut client = connect_for(&service, &url, manner).await?;
                verbs::put(&mut client, &paths, to.as_deref(), manner.digits()).await
            })
            .await;
        }
        Verb::Get {
            url,
            names,
            to,
            manner,
        } => {
            return interruptible(async {
                let mut client = connect_for(&service, &url, manner).await?;
                verbs::get_all(&mut client, &names, to.as_deref(), manner.digits()).await
            })
            .await;
        }
        Verb::Ls { url, dir, long } => {
            let client = connect(&service, &url).await?;
            verbs::print_entries(&client.list_last(&dir).await?, long)?;
        }
        Verb::Browse { url } => {
            return interruptible(async {
                prompt::run(connect(&service, &url).await?).await?;
                Ok(ExitCode::SUCCESS)
            })
            .await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Drops what is under way when a signal comes, and with it the temporary file.
async fn interruptible(
    doing: impl Future<Output = Result<ExitCode, AppError>>,
) -> Result<ExitCode, AppError> {
    tokio::select! {
        () = serving::shutdown_signal() => Ok(ExitCode::from(INTERRUPTED)),
        done = doing => done,
    }
}

async fn serve(
    service: &Service,
    url: &str,
    root: &Path,
    sync: bool,
    limits: &ServeArgs,
) -> Result<(), AppError> {
    let server = Server::bind(service, &reachable(url)?, root)
        .await?
        .syncing(sync)
        .max_clients(limits.max_clients);
    // Taken over before anybody learns that there is something to end.
    let stop = serving::shutdown_signal();
    announce(server.local())?;
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
