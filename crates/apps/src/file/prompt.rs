//! `file browse`: commands that a person types.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::progress::{Output, Shows};
use super::verbs::{destination, get, named, print_entries, say};
use super::{Client, name};
use crate::common::complain;
use crate::{AppError, Shown, terminal};

const HELP: &str = "cd NAME, .., ls, pwd, get [-f] NAME [DEST], help, quit; \
                    quote names with spaces; -f (--force) replaces a file that exists";

/// Runs the commands on standard input until it ends or a command ends it. After an error the next
/// command runs as usual.
pub(super) async fn run(mut client: Client) -> Result<(), AppError> {
    let mut lines = terminal::lines();
    let mut place = "/".to_owned();
    show(list(&mut client, &place).await);
    loop {
        ask(&place)?;
        let Some(line) = lines.recv().await else {
            // The shell's prompt then starts on a new line.
            return if prompts() { say("") } else { Ok(()) };
        };
        let Some(words) = shlex::split(&line) else {
            complain(&AppError::failed("a quote is not closed"));
            continue;
        };
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        if let ["quit" | "exit"] = words[..] {
            return Ok(());
        }
        show(obey(&mut client, &mut place, &words).await);
    }
}

async fn obey(client: &mut Client, place: &mut String, words: &[&str]) -> Result<(), AppError> {
    match *words {
        [] => Ok(()),
        [".."] | ["cd", ".."] if place == "/" => Err(AppError::failed("this is the top")),
        ["cd", to] => go(client, place, to).await,
        [".."] => go(client, place, "..").await,
        ["ls"] => list(client, place).await,
        ["pwd"] => say(Shown(place)),
        ["get", ref said @ ..] => fetch_said(client, place, said).await,
        ["help"] => say(HELP),
        _ => Err(not_understood(words)),
    }
}

async fn go(client: &mut Client, place: &mut String, to: &str) -> Result<(), AppError> {
    let there = name::join(place, to);
    list(client, &there).await?;
    *place = there;
    Ok(())
}

/// `get NAME [DEST]`, with `-f` or `--force` at any place. A file of that name is `./-f`.
async fn fetch_said(client: &mut Client, place: &str, said: &[&str]) -> Result<(), AppError> {
    let (options, names): (Vec<&str>, Vec<&str>) = said
        .iter()
        .partition(|word| matches!(**word, "-f" | "--force"));
    client.replace(!options.is_empty());
    match names[..] {
        [wanted] => fetch(client, place, wanted, None).await,
        [wanted, dest] => {
            let dest = destination(Path::new(dest)).to_owned();
            fetch(client, place, wanted, Some(dest)).await
        }
        _ => Err(not_understood(&[&["get"], said].concat())),
    }
}

fn not_understood(words: &[&str]) -> AppError {
    let line = words.join(" ");
    AppError::failed(format_args!(
        "cannot do '{}' here; there is {HELP}",
        Shown(&line)
    ))
}

async fn fetch(
    client: &mut Client,
    place: &str,
    wanted: &str,
    dest: Option<PathBuf>,
) -> Result<(), AppError> {
    let output = Output::new(Shows::default(), 1, None);
    let got = get(client, &name::join(place, wanted), dest, &output).await;
    got.map_err(|error| named(error, wanted))
}

async fn list(client: &mut Client, dir: &str) -> Result<(), AppError> {
    print_entries(&client.list(dir).await?, false)
}

fn show(done: Result<(), AppError>) {
    if let Err(error) = done {
        complain(&error);
    }
}

/// Whether a person types and reads here.
fn prompts() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Prints a prompt if a person types and reads here.
fn ask(place: &str) -> io::Result<()> {
    if !prompts() {
        return Ok(());
    }
    let mut out = io::stdout();
    write!(out, "{}> ", Shown(place))?;
    out.flush()
}
