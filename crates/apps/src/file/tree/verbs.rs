//! `put -r` and `get -r`, and what they show.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{BinaryBytes, HumanCount};

use super::{Choice, Failure, Links, LocalTree, RemoteTree, Report, Survey};
use crate::common::complain;
use crate::file::escape::{name_to_text, text_to_name};
use crate::file::progress::{Meter, Output, Shows, pace};
use crate::file::verbs::{Target, named, target};
use crate::file::{Client, name};
use crate::{AppError, Shown, output};

/// How directories are transferred.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::file) struct Trees {
    /// Transfer directories, with all that is in them
    #[arg(short, long)]
    pub(in crate::file) recursive: bool,
    /// Only what matches, and all that is in directories that do: a name such as *.rs, or with a /
    /// a path below the directory, such as src/**/*.rs; with a / at the end only directories
    #[arg(long, value_name = "GLOB", requires = "recursive")]
    include: Vec<String>,
    /// Nothing that matches, nor what is in directories that do; wins over --include
    #[arg(long, value_name = "GLOB", requires = "recursive")]
    exclude: Vec<String>,
    /// Symbolic links: leave them out, copy them as links that stay inside, or follow them inside
    #[arg(long, value_enum, default_value = "copy", requires = "recursive")]
    links: Links,
    /// Keep modes exactly, and the times of directories, too [default: files keep their time, and
    /// modes are limited by the umask]
    #[arg(short, long, requires = "recursive")]
    preserve: bool,
    /// Do not ask before directories are transferred; without a terminal nobody is asked
    #[arg(short, long)]
    yes: bool,
}

impl Trees {
    fn choice(&self) -> Result<Choice, AppError> {
        let choice = Choice::default().links(self.links).preserve(self.preserve);
        choice.including(&self.include)?.excluding(&self.exclude)
    }
}

/// Sends files and directories, all over one connection.
pub(in crate::file) async fn put(
    client: &mut Client,
    paths: &[PathBuf],
    to: Option<&str>,
    trees: &Trees,
    shows: Shows,
) -> Result<ExitCode, AppError> {
    if paths.iter().any(|path| path == Path::new("-")) {
        return Err(AppError::usage(
            "standard input is no tree; send it without -r",
        ));
    }
    let choice = trees.choice()?;
    let (tree, into) = match (target(client, paths.len(), to).await?, paths) {
        (Target::Name(there), [path]) => {
            let (into, last) = name::exact(&there)?;
            (
                LocalTree::find_as(path, last, &choice).await?,
                into.to_owned(),
            )
        }
        (Target::Dir(into) | Target::Name(into), _) => {
            (LocalTree::find(paths, &choice).await?, into)
        }
    };
    let asks = paths.iter().any(|path| path.is_dir()) && !trees.yes;
    ask("send", [tree.survey()], asks, shows).await?;
    let output = Output::new(shows, 1, Some(tree.survey().bytes));
    let names: Vec<_> = paths
        .iter()
        .map(|path| name_to_text(path.as_os_str()))
        .collect();
    let meter = output.meter(&names.join(" "));
    let sent = client.put_tree(tree, &into, |done, all| meter.at(done, all));
    let code = match sent.await {
        Ok(sent) => told("sent", &sent, meter)?,
        Err(error) => return meter.failed(error).map(|()| ExitCode::FAILURE),
    };
    output.end()?;
    Ok(code)
}

/// Fetches files and directories.
pub(in crate::file) async fn get(
    client: &mut Client,
    names: &[String],
    to: Option<&Path>,
    trees: &Trees,
    shows: Shows,
) -> Result<ExitCode, AppError> {
    let choice = trees.choice()?;
    let mut code = ExitCode::SUCCESS;
    let mut found = Vec::new();
    for name in names {
        match client.tree(name, &choice).await {
            Ok(tree) => found.push(tree),
            Err(error) if error.is_usage() => return Err(error),
            Err(error) => {
                code = ExitCode::from(error.exit_code());
                complain(&named(error, name));
            }
        }
    }
    let found = placed(found, names.len(), to)?;
    let asks = found.iter().any(|(tree, _)| !tree.is_file()) && !trees.yes;
    ask(
        "fetch",
        found.iter().map(|(tree, _)| tree.survey()),
        asks,
        shows,
    )
    .await?;
    // A server says what it likes.
    let sizes = found.iter().map(|(tree, _)| tree.survey().bytes);
    let size = sizes.fold(0, u64::saturating_add);
    let output = Output::new(shows, found.len(), Some(size));
    for (tree, dest) in found {
        let meter = output.meter(tree.name().unwrap_or("/"));
        let got = client.get_tree(tree, &dest, |done, all| meter.at(done, all));
        let done = match got.await {
            Ok(got) => told("received", &got, meter)?,
            Err(error) => return meter.failed(error).map(|()| ExitCode::FAILURE),
        };
        if done != ExitCode::SUCCESS {
            code = done;
        }
    }
    output.end()?;
    Ok(code)
}

/// Where each tree is stored: in a directory that exists under its own name, or as the path that
/// the user gives.
fn placed(
    found: Vec<RemoteTree>,
    asked: usize,
    to: Option<&Path>,
) -> Result<Vec<(RemoteTree, PathBuf)>, AppError> {
    let into = to.is_none_or(Path::is_dir);
    if let Some(to) = to.filter(|to| !into && (asked > 1 || *to == Path::new("-"))) {
        return Err(AppError::usage(format_args!(
            "several files and directories need a directory, and {} is none",
            to.display()
        )));
    }
    let place = to.unwrap_or(Path::new("."));
    let place_of = |tree: &RemoteTree| match tree.name() {
        Some(name) if into => place.join(text_to_name(name)),
        _ => place.to_owned(),
    };
    Ok(found
        .into_iter()
        .map(|tree| (place_of(&tree), tree))
        .map(|(at, tree)| (tree, at))
        .collect())
}

/// Shows what is going to be transferred, and asks the user if there is one.
async fn ask<'a>(
    verb: &str,
    surveys: impl IntoIterator<Item = &'a Survey>,
    asks: bool,
    shows: Shows,
) -> Result<(), AppError> {
    let asks = asks && io::stdin().is_terminal() && io::stderr().is_terminal();
    if !asks && shows.is_silent() {
        return Ok(());
    }
    let mut lines = String::new();
    for survey in surveys {
        lines += &format!("{verb}: {}\n", Contents(survey));
    }
    let mut err = output::stderr();
    err.write_all(lines.as_bytes())?;
    if !asks {
        return Ok(());
    }
    write!(err, "go on? [y/N] ")?;
    let answer = tokio::task::spawn_blocking(|| io::stdin().lines().next());
    let answer = answer.await.map_err(AppError::failed)?.transpose()?;
    match answer.unwrap_or_default().trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(AppError::failed("nothing was transferred")),
    }
}

/// `3 files, 1 directory: 12 KiB; hidden: .git, .env`.
struct Contents<'a>(&'a Survey);

impl fmt::Display for Contents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let survey = self.0;
        let bytes = BinaryBytes(survey.bytes);
        write!(
            f,
            "{}: {bytes}",
            Counts(survey.files, survey.dirs, survey.links)
        )?;
        if survey.hidden > 0 {
            let shown = survey.examples.iter().map(|name| Shown(name).to_string());
            let more = match survey.hidden - survey.examples.len() as u64 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let shown = shown.collect::<Vec<_>>().join(", ");
            write!(f, "; hidden: {shown}{more}")?;
        }
        match survey.refused.len() {
            0 => Ok(()),
            refused => write!(f, "; {refused} cannot be transferred"),
        }
    }
}

/// Files, directories and links.
struct Counts(u64, u64, u64);

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts(files, dirs, links) = *self;
        write!(
            f,
            "{} {}",
            HumanCount(files),
            plural(files, "file", "files")
        )?;
        for (count, one, many) in [(dirs, "directory", "directories"), (links, "link", "links")] {
            if count > 0 {
                write!(f, ", {} {}", HumanCount(count), plural(count, one, many))?;
            }
        }
        Ok(())
    }
}

fn plural(count: u64, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

/// Prints what became of a tree, and what failed, name by name.
fn told(verb: &str, report: &Report, meter: Meter) -> Result<ExitCode, AppError> {
    for Failure { name, error } in &report.failures {
        complain(&named(AppError::failed(error), name));
    }
    let counts = Counts(report.files, report.dirs, report.links);
    #[expect(clippy::cast_precision_loss, reason = "for a person")]
    let speed = report.bytes as f64 / report.elapsed.as_secs_f64().max(1e-9);
    let failed = match report.failures.len() {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    let line = format!(
        "{verb} {counts}: {} {}{failed}",
        BinaryBytes(report.bytes),
        pace(speed.max(1.0))
    );
    meter.tree(&line, report)?;
    Ok(match report.failures.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
