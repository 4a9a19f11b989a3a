//! What Tab completes: commands, names at the server, and names here.

use std::fs;

use rustyline::completion::Pair;

use super::session::COMMANDS;
use super::words::{Before, quoted};
use crate::Shown;
use crate::file::{Entry, Kind, name, name_to_text};

/// What stands at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Command,
    /// A name at the server, in this directory.
    Remote {
        dir: String,
        only_dirs: bool,
    },
    /// A name here.
    Local,
    Nothing,
}

impl Wanted {
    pub(super) fn of(before: &Before, place: &str) -> Self {
        let Some((verb, rest)) = before.words.split_first() else {
            return Wanted::Command;
        };
        let names = rest
            .iter()
            .filter(|word| !matches!(&***word, "-f" | "--force" | "-l"));
        let remote = |only_dirs| Wanted::Remote {
            dir: name::join(place, directory(&before.word)),
            only_dirs,
        };
        match (&**verb, names.count()) {
            ("cd" | "ls", 0) => remote(true),
            ("get", 0) | ("put", 1) => remote(false),
            ("get", 1) | ("put", 0) => Wanted::Local,
            _ => Wanted::Nothing,
        }
    }
}

/// The part of a word up to its last `/`.
fn directory(word: &str) -> &str {
    word.rfind('/').map_or("", |at| &word[..=at])
}

/// A name that may stand at the cursor.
struct Candidate {
    /// As it is shown and typed.
    shown: String,
    is_dir: bool,
}

pub(super) fn commands(word: &str) -> Vec<Pair> {
    let begun = COMMANDS.iter().filter(|command| command.starts_with(word));
    let pair = |command: &&str| Pair {
        display: (*command).to_owned(),
        replacement: format!("{command} "),
    };
    begun.map(pair).collect()
}

/// Names at the server that begin as `word` does.
pub(super) fn remote(entries: &[Entry], word: &str, only_dirs: bool) -> Vec<Pair> {
    let may_be_dir = |kind| matches!(kind, None | Some(Kind::Dir | Kind::Link));
    let fits = |entry: &&Entry| !only_dirs || may_be_dir(entry.kind);
    let candidate = |entry: &Entry| Candidate {
        shown: Shown(&entry.name).to_string(),
        is_dir: entry.kind == Some(Kind::Dir),
    };
    // What a name is cannot be known over raw: the user types on.
    let is_known = entries.iter().all(|entry| entry.kind.is_some());
    pairs(entries.iter().filter(fits).map(candidate), word, is_known)
}

/// Names here that begin as `word` does.
pub(super) fn local(word: &str) -> Vec<Pair> {
    let dir = super::session::local(match directory(word) {
        "" => ".",
        dir => dir,
    });
    let Ok(found) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let candidate = |entry: fs::DirEntry| Candidate {
        shown: Shown(&name_to_text(&entry.file_name())).to_string(),
        is_dir: entry.path().is_dir(),
    };
    // Only a name that is typed as it is can be opened here.
    let is_plain = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        name.to_str()
            .is_some_and(|name| Shown(name).to_string() == name)
    };
    let mut found: Vec<_> = found.flatten().filter(is_plain).map(candidate).collect();
    found.sort_unstable_by(|one, other| one.shown.cmp(&other.shown));
    pairs(found.into_iter(), word, true)
}

fn pairs(all: impl Iterator<Item = Candidate>, word: &str, ends: bool) -> Vec<Pair> {
    let dir = directory(word);
    let begun = &word[dir.len()..];
    // Hidden names are for those who ask for them.
    let fits = |one: &Candidate| {
        one.shown.starts_with(begun) && (begun.starts_with('.') || !one.shown.starts_with('.'))
    };
    let pair = |one: Candidate| {
        let end = match (one.is_dir, ends) {
            (true, _) => "/",
            (false, true) => " ",
            (false, false) => "",
        };
        // A name with a dash would be an option.
        let here = if dir.is_empty() && one.shown.starts_with('-') {
            "./"
        } else {
            ""
        };
        let typed = quoted(&format!("{here}{dir}{}", one.shown));
        Pair {
            display: format!("{}{}", one.shown, if one.is_dir { "/" } else { "" }),
            replacement: format!("{typed}{end}"),
        }
    };
    all.filter(fits).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(line: &str) -> Wanted {
        Wanted::of(&Before::of(line), "/docs")
    }

    fn dir(dir: &str, only_dirs: bool) -> Wanted {
        let dir = dir.to_owned();
        Wanted::Remote { dir, only_dirs }
    }

    #[test]
    fn each_place_of_a_line_has_its_names() {
        for (line, expected) in [
            ("", Wanted::Command),
            ("ge", Wanted::Command),
            ("cd ", dir("/docs", true)),
            ("cd ../a/b", dir("/a", true)),
            ("ls -l /x/y", dir("/x", true)),
            ("get -f my\\ dir/a", dir("/docs/my dir", false)),
            ("get a ", Wanted::Local),
            ("put ", Wanted::Local),
            ("put a -f ", dir("/docs", false)),
            ("put a b ", Wanted::Nothing),
            ("pwd ", Wanted::Nothing),
        ] {
            assert_eq!(wanted(line), expected, "{line}");
        }
    }

    #[test]
    fn names_are_typed_as_they_are_shown() {
        let entries = |kind| {
            let mut entries = ["-dash", "a b", "a\u{1b}c", ".hidden"].map(Entry::named);
            for entry in &mut entries {
                entry.kind = kind;
            }
            entries
        };
        let typed = |kind, word: &str, only_dirs| {
            let pairs = remote(&entries(kind), word, only_dirs).into_iter();
            pairs.map(|pair| pair.replacement).collect::<Vec<_>>()
        };
        let file = Some(Kind::File);
        assert_eq!(typed(file, "a", false), ["a\\ b ", "a\\\\u{1b}c "]);
        assert_eq!(typed(file, "-", false), ["./-dash "]);
        assert_eq!(typed(file, "x y/.", false), ["x\\ y/.hidden "]);
        assert_eq!(typed(Some(Kind::Dir), "a ", true), ["a\\ b/"]);
        assert_eq!(typed(file, "a", true), [""; 0]);
        assert_eq!(typed(None, "a ", true), ["a\\ b"]);
        let shown = remote(&entries(file), "a\\", false);
        assert_eq!(shown[0].display, "a\\u{1b}c");
    }

    #[test]
    fn commands_are_completed() {
        let typed: Vec<_> = commands("p")
            .into_iter()
            .map(|pair| pair.replacement)
            .collect();
        assert_eq!(typed, ["put ", "pwd "]);
    }
}
