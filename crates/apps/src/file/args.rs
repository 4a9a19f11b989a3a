//! The command line of the app: what each verb does and prints.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use socketry_codec::CodecName;

use super::client::no_uploads;
use super::progress::{Bar, summary};
use super::{Client, Server, name, prompt};
use crate::cli::{Common, announce, reachable};
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
    },
    /// Send files
    Put {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
        /// What to send
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
    },
    /// Fetch a file
    Get {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
        /// What it is called there
        #[arg(value_name = "NAME")]
        name: String,
        /// Where to store it; the last part of NAME, in this directory, if nothing is said
        #[arg(value_name = "DEST")]
        dest: Option<PathBuf>,
    },
    /// List a directory
    Ls {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
        /// The directory
        #[arg(value_name = "DIR", default_value = "/")]
        dir: String,
    },
    /// Look around, and fetch what you find
    Browse {
        /// Where the server is
        #[arg(value_name = "URL")]
        url: String,
    },
}

pub(crate) async fn run(args: Args) -> Result<ExitCode, AppError> {
    let service = args.common.service();
    match args.verb {
        Verb::Serve { url, root } => serve(&service, &url, &root).await?,
        Verb::Put { url, paths } => return put(&service, &url, &paths).await,
        Verb::Get { url, name, dest } => {
            let mut client = connect(&service, &url).await?;
            get(&mut client, &name, dest).await?;
        }
        Verb::Ls { url, dir } => {
            let mut client = connect(&service, &url).await?;
            list(&mut client, &dir).await?;
        }
        Verb::Browse { url } => {
            let client = connect(&service, &url).await?;
            prompt::run(client).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(service: &Service, url: &str, root: &Path) -> Result<(), AppError> {
    let server = Server::bind(service, &reachable(url)?, root).await?;
    // Taken over before anybody learns that there is something to end.
    let stop = serving::told_to_end();
    announce(server.local())?;
    server.run(stop).await
}

async fn connect(service: &Service, url: &str) -> Result<Client, AppError> {
    Client::connect(service, &reachable(url)?).await
}

/// Sends one file after the other; those behind one that fails are sent all the same.
async fn put(service: &Service, url: &str, paths: &[PathBuf]) -> Result<ExitCode, AppError> {
    if service.codec.name == CodecName::Raw {
        return Err(no_uploads());
    }
    let mut client = connect(service, url).await?;
    let mut code = ExitCode::SUCCESS;
    for path in paths {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy();
        let bar = Bar::new(&name);
        let sent = client.put(path, |done, all| bar.at(done, all)).await;
        drop(bar);
        match sent {
            Ok(transfer) => say(summary("sent", &name, &transfer))?,
            Err(error) => {
                complain(&error);
                code = ExitCode::from(error.exit_code());
            }
        }
    }
    Ok(code)
}

/// Fetches a file, and prints a line about it.
pub(super) async fn get(
    client: &mut Client,
    name: &str,
    dest: Option<PathBuf>,
) -> Result<(), AppError> {
    let dest = match dest {
        Some(dest) => dest,
        None => name::last(name)?.into(),
    };
    let bar = Bar::new(name);
    let got = client.get(name, &dest, |done, all| bar.at(done, all)).await;
    drop(bar);
    say(summary("received", name, &got?))
}

/// Prints a directory, an entry a line.
pub(super) async fn list(client: &mut Client, dir: &str) -> Result<(), AppError> {
    let entries = client.list(dir).await?;
    let mut out = std::io::stdout().lock();
    for entry in entries {
        writeln!(out, "{entry}")?;
    }
    Ok(out.flush()?)
}

/// A line for standard output.
pub(super) fn say(line: impl Display) -> Result<(), AppError> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// A line for standard error, where something else may go on.
pub(super) fn complain(error: &AppError) {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "socketry: {error}");
}
