//! What the verbs of the command line do and print.

use std::fmt::Display;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::progress::{Bar, summary};
use super::{Client, dest, name};
use crate::common::complain;
use crate::{AppError, output};

/// Sends one file after the other; those behind one that fails are sent all the same.
pub(super) async fn put(client: &mut Client, paths: &[PathBuf]) -> Result<ExitCode, AppError> {
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
    let line = summary("received", name, &got?);
    if dest::is_standard_output(&dest) {
        // That is the file's.
        return Ok(writeln!(std::io::stderr(), "{line}")?);
    }
    say(line)
}

/// Prints a directory, an entry a line.
pub(super) async fn list(client: &mut Client, dir: &str) -> Result<(), AppError> {
    let entries = client.list(dir).await?;
    let mut out = BufWriter::new(output::stdout());
    for entry in entries {
        writeln!(out, "{entry}").map_err(|error| output::failed(&error))?;
    }
    out.flush().map_err(|error| output::failed(&error))
}

/// A line for standard output.
pub(super) fn say(line: impl Display) -> Result<(), AppError> {
    let line = format!("{line}\n");
    let said = output::stdout().write_all(line.as_bytes());
    said.map_err(|error| output::failed(&error))
}
