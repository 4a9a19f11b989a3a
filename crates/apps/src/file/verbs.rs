//! The subcommands of the command line, and their output.

use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::escape::{name_to_text, text_to_name};
use super::progress::{Output, Shows};
use super::{Client, Entry, Kind, dest, long, name, put};
use crate::common::complain;
use crate::{AppError, Shown, output};

/// Sends the files one after another. If one fails, the next are sent all the same.
pub(super) async fn put(
    client: &mut Client,
    paths: &[PathBuf],
    to: Option<&str>,
    shows: Shows,
) -> Result<ExitCode, AppError> {
    if paths.len() > 1 && paths.iter().any(|path| path == Path::new("-")) {
        return Err(AppError::usage(
            "standard input is sent alone: it has no name of its own, and --as NAME gives it one",
        ));
    }
    let to = target(client, paths.len(), to).await?;
    let output = Output::new(shows, paths.len(), size(paths));
    let mut code = ExitCode::SUCCESS;
    for path in paths {
        let shown = name_to_text(path.as_os_str());
        note(put_one(client, path, &to, &output).await, &shown, &mut code)?;
    }
    output.end()?;
    Ok(code)
}

/// How many bytes these files have, if all of them tell and a number has room for it.
fn size(paths: &[PathBuf]) -> Option<u64> {
    let size = |path: &PathBuf| {
        let found = std::fs::metadata(path).ok()?;
        found.is_file().then_some(found.len())
    };
    let mut sizes = paths.iter().map(size);
    sizes.try_fold(0_u64, |all, size| all.checked_add(size?))
}

/// Where files go at the server.
pub(super) enum Target {
    /// Into a directory, under their own names.
    Dir(String),
    /// One file, under this name.
    Name(String),
}

/// The meaning of `--to`. A directory, or a path that ends like one, takes all files. Any other
/// path is the name of one file.
pub(super) async fn target(
    client: &mut Client,
    files: usize,
    to: Option<&str>,
) -> Result<Target, AppError> {
    let Some(to) = to else {
        return Ok(Target::Dir(String::new()));
    };
    let dir = to.ends_with('/') || files > 1;
    if dir || is_dir(client, to).await {
        return Ok(Target::Dir(format!("{}/", to.trim_end_matches('/'))));
    }
    Ok(Target::Name(to.to_owned()))
}

/// Whether the server has such a directory. A server that cannot tell is asked to store the file
/// there, and can refuse.
async fn is_dir(client: &mut Client, path: &str) -> bool {
    let stat = client.stat(path).await;
    stat.is_ok_and(|stat| stat.kind == Kind::Dir)
}

/// Sends a file, and prints a line about it.
pub(super) async fn put_one(
    client: &mut Client,
    path: &Path,
    to: &Target,
    output: &Output,
) -> Result<(), AppError> {
    let shown = name_to_text(path.as_os_str());
    let (name, file) = match open(path, to).await {
        Ok(opened) => opened,
        Err(error) => return output.refuse(&shown, error),
    };
    let meter = output.meter(&name);
    let progress = |done, all| meter.at(done, all);
    match client.put_from(file, &name, progress).await {
        Ok(sent) => meter.done("sent", &sent, false),
        Err(error) => meter.failed(error),
    }
}

/// The file to send, and its name at the server.
async fn open(path: &Path, to: &Target) -> Result<(String, File), AppError> {
    let standard = path == Path::new("-");
    let name = match to {
        Target::Name(name) => name.clone(),
        Target::Dir(_) if standard => {
            return Err(AppError::usage(
                "standard input has no name of its own; use --as NAME",
            ));
        }
        Target::Dir(dir) => format!("{dir}{}", put::name(path)?),
    };
    let file = match standard {
        true => std::io::stdin().as_fd().try_clone_to_owned()?.into(),
        false => put::open(path).await?,
    };
    Ok((name, file))
}

/// Fetches the files one after another. If one fails, the next are fetched all the same.
pub(super) async fn get_all(
    client: &mut Client,
    names: &[String],
    to: Option<&Path>,
    shows: Shows,
) -> Result<ExitCode, AppError> {
    let to = to.map(destination);
    if to.is_some_and(dest::is_standard_output) && shows.json {
        return Err(AppError::usage(
            "standard output carries either the file or events: --json needs another --to",
        ));
    }
    let into = to.is_some_and(Path::is_dir);
    if let Some(to) = to.filter(|_| names.len() > 1 && !into) {
        return Err(AppError::usage(format_args!(
            "several files need a directory, and {} is none",
            to.display()
        )));
    }
    let output = Output::new(shows, names.len(), None);
    let mut code = ExitCode::SUCCESS;
    for name in names {
        let dest = match to {
            Some(to) if into => {
                name::exact(name).map(|(_, last)| Some(to.join(text_to_name(last))))
            }
            to => Ok(to.map(Path::to_owned)),
        };
        let got = match dest {
            Ok(dest) => get(client, name, dest, &output).await,
            Err(error) => output.refuse(name, error),
        };
        note(got, name, &mut code)?;
    }
    output.end()?;
    Ok(code)
}

/// The user's destination: `-` is standard output.
pub(super) fn destination(said: &Path) -> &Path {
    match said == Path::new("-") {
        true => Path::new("/dev/stdout"),
        false => said,
    }
}

/// Fetches a file, and prints a line about it.
pub(super) async fn get(
    client: &mut Client,
    name: &str,
    dest: Option<PathBuf>,
    output: &Output,
) -> Result<(), AppError> {
    let dest = match dest {
        Some(dest) => dest,
        None => match name::exact(name) {
            Ok((_, last)) => text_to_name(last).into(),
            Err(error) => return output.refuse(name, error),
        },
    };
    let meter = output.meter(name);
    let got = client.get(name, &dest, |done, all| meter.at(done, all));
    match got.await {
        Ok(got) => meter.done("received", &got, dest::is_standard_output(&dest)),
        Err(error) => meter.failed(error),
    }
}

/// Reports that one of several transfers failed, with the file's name if the error lacks it.
fn note(done: Result<(), AppError>, name: &str, code: &mut ExitCode) -> Result<(), AppError> {
    let Err(error) = done else {
        return Ok(());
    };
    if !error.is_worth_words() {
        return Err(error);
    }
    *code = ExitCode::from(error.exit_code());
    complain(&named(error, name));
    Ok(())
}

/// The error with `name` in front, unless it contains the name already.
pub(super) fn named(error: AppError, name: &str) -> AppError {
    if !error.is_worth_words() || error.to_string().contains(&Shown(name).to_string()) {
        return error;
    }
    AppError::failed(format_args!("{name}: {error}"))
}

/// Prints a directory, one entry a line. With `long` a line has all attributes.
pub(super) fn print_entries(entries: &[Entry], long: bool) -> Result<(), AppError> {
    match long {
        true => print(entries.iter().map(long::line)),
        false => print(entries.iter()),
    }
}

fn print(lines: impl Iterator<Item = impl Display>) -> Result<(), AppError> {
    let mut out = BufWriter::new(output::stdout());
    for line in lines {
        writeln!(out, "{line}").map_err(|error| output::failed(&error))?;
    }
    out.flush().map_err(|error| output::failed(&error))
}

/// Prints a line on standard output.
pub(super) fn say(line: impl Display) -> Result<(), AppError> {
    let line = format!("{line}\n");
    let said = output::stdout().write_all(line.as_bytes());
    said.map_err(|error| output::failed(&error))
}
