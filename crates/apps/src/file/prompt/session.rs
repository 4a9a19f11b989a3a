//! The commands of `file browse`, and where they stand.

use std::path::{Path, PathBuf};

use crate::file::progress::{Output, Shows};
use crate::file::verbs::{self, destination, get, named, print_entries, put_one, say};
use crate::file::{Client, Entry, name, no_uploads, text_to_name};
use crate::{AppError, Shown};

pub(super) const COMMANDS: [&str; 9] = [
    "cd", "..", "ls", "get", "put", "pwd", "help", "quit", "exit",
];

const HELP: &str = "cd [DIR], .., ls [-l] [DIR], pwd, get [-f] NAME [DEST], put [-f] FILE [NAME], \
                    help, quit; quote names with spaces; -f (--force) replaces a file that exists";

/// A client and its directory at the server.
pub(super) struct Session {
    client: Client,
    place: String,
    /// What was listed last, for completion: the directory, and what is in it.
    listed: Option<(String, Vec<Entry>)>,
}

impl Session {
    pub(super) fn new(client: Client) -> Self {
        Session {
            client,
            place: "/".to_owned(),
            listed: None,
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Whether the client had to connect again since this was asked last.
    pub(super) fn has_connected_again(&mut self) -> bool {
        self.client.has_connected_again()
    }

    /// The entries of a directory, for completion. They may be as old as the last command.
    pub(super) async fn entries(&mut self, dir: &str) -> Result<&[Entry], AppError> {
        if self.listed.as_ref().is_none_or(|(listed, _)| listed != dir) {
            let entries = self.client.list(dir).await?;
            self.listed = Some((dir.to_owned(), entries));
        }
        Ok(self.listed.as_ref().map_or(&[], |(_, entries)| entries))
    }

    pub(super) async fn obey(&mut self, words: &[&str]) -> Result<(), AppError> {
        self.listed = None;
        match *words {
            [] => Ok(()),
            [".."] | ["cd", ".."] if self.place == "/" => Err(AppError::failed("this is the top")),
            ["cd"] => self.go("/").await,
            ["cd", to] => self.go(to).await,
            [".."] => self.go("..").await,
            ["ls", ref said @ ..] => self.list(said).await,
            ["pwd"] => say(Shown(&self.place)),
            ["get", ref said @ ..] => self.fetch(said).await,
            ["put", ref said @ ..] => self.send(said).await,
            ["help"] => say(HELP),
            _ => Err(not_understood(words)),
        }
    }

    async fn go(&mut self, to: &str) -> Result<(), AppError> {
        let there = self.resolve(to).await;
        print_entries(&self.client.list(&there).await?, false)?;
        self.place = there;
        Ok(())
    }

    /// `ls [-l] [DIR]`.
    async fn list(&mut self, said: &[&str]) -> Result<(), AppError> {
        let (options, dirs) = apart(said, &["-l"]);
        let dir = match dirs[..] {
            [] => self.place.clone(),
            [dir] => self.resolve(dir).await,
            _ => return Err(not_understood(&[&["ls"], said].concat())),
        };
        print_entries(&self.client.list(&dir).await?, options)
    }

    /// `get NAME [DEST]`, with `-f` or `--force` at any place. A file of that name is `./-f`.
    async fn fetch(&mut self, said: &[&str]) -> Result<(), AppError> {
        let (force, names) = apart(said, &["-f", "--force"]);
        let (wanted, dest) = match names[..] {
            [wanted] => (wanted, None),
            [wanted, dest] => (wanted, Some(local(dest))),
            _ => return Err(not_understood(&[&["get"], said].concat())),
        };
        let path = self.resolve(wanted).await;
        let dest = dest.map(|dest| match dest.is_dir() {
            true => dest.join(text_to_name(name::parent(&path).1)),
            false => destination(&dest).to_owned(),
        });
        self.client.replace(force);
        let output = Output::new(Shows::default(), 1, None);
        let got = get(&mut self.client, &path, dest, &output).await;
        got.map_err(|error| named(error, wanted))
    }

    /// `put FILE [NAME]`, with `-f` or `--force` at any place.
    async fn send(&mut self, said: &[&str]) -> Result<(), AppError> {
        if !self.client.takes_files() {
            return Err(no_uploads());
        }
        let (force, names) = apart(said, &["-f", "--force"]);
        let (file, to) = match names[..] {
            [file] => (file, format!("{}/", self.place.trim_end_matches('/'))),
            [file, to] if to.ends_with('/') => (file, format!("{}/", self.resolve(to).await)),
            [file, to] => (file, self.resolve(to).await),
            _ => return Err(not_understood(&[&["put"], said].concat())),
        };
        let file = local(file);
        if file == Path::new("-") {
            return Err(AppError::failed("there is no standard input to send here"));
        }
        self.client.replace(force);
        // A name in the root goes without a directory, as scripts know it.
        let to = Some(to.trim_start_matches('/')).filter(|to| !to.is_empty());
        let to = verbs::target(&mut self.client, 1, to).await?;
        let output = Output::new(Shows::default(), 1, None);
        let put = put_one(&mut self.client, &file, &to, &output).await;
        put.map_err(|error| named(error, &file.to_string_lossy()))
    }

    /// The path that a name stands for. A name that is typed as it is shown, with its escapes,
    /// stands for the one that is shown so, unless there is one that is called so.
    async fn resolve(&mut self, typed: &str) -> String {
        let path = name::join(&self.place, typed);
        if !typed.contains('\\') {
            return path;
        }
        let mut real = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let above = if real.is_empty() { "/" } else { &real };
            let found = match part.contains('\\') {
                true => self.called(above, part).await,
                false => None,
            };
            real = format!("{real}/{}", found.as_deref().unwrap_or(part));
        }
        real
    }

    /// The name in `dir` that is shown as `part`.
    async fn called(&mut self, dir: &str, part: &str) -> Option<String> {
        let entries = self.client.list(dir).await.ok()?;
        let is_real = entries.iter().any(|entry| entry.name == part);
        let mut shown = entries
            .iter()
            .filter(|entry| Shown(&entry.name).to_string() == part);
        let found = shown.next().filter(|_| !is_real)?;
        Some(found.name.clone())
    }
}

/// Whether there is one of these options, and the words that are none.
fn apart<'a>(said: &[&'a str], options: &[&str]) -> (bool, Vec<&'a str>) {
    let (found, names): (Vec<&str>, Vec<&str>) =
        said.iter().partition(|word| options.contains(*word));
    (!found.is_empty(), names)
}

/// A path here. A shell would have replaced `~`.
pub(super) fn local(typed: &str) -> PathBuf {
    match (typed.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(below), Some(home)) => Path::new(&home).join(below),
        _ => typed.into(),
    }
}

fn not_understood(words: &[&str]) -> AppError {
    let line = words.join(" ");
    AppError::failed(format_args!(
        "cannot do '{}' here; there is {HELP}",
        Shown(&line)
    ))
}
