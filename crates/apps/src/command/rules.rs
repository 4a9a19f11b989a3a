//! Which programs a client may run: by its identity, exactly, and never through a shell.

use std::path::Path;

use serde::Deserialize;

use super::wire::Program;
use crate::AppError;
use crate::rules::{self, ANONYMOUS};

/// The programs that clients may run, by the names of their identities: from a file in TOML.
///
/// ```toml
/// # exactly these words
/// [ann]
/// commands = [["systemctl", "restart", "app"], ["uptime"]]
///
/// # these programs, with any arguments
/// [ben]
/// programs = ["ls", "/usr/bin/df"]
///
/// # clients that have proved nothing, where the server lets them in
/// [anonymous]
/// commands = [["uptime"]]
///
/// # all that have no table of their own
/// ["*"]
/// programs = ["date"]
/// ```
///
/// A client that has no table runs nothing. Nothing goes through a shell: a command line is
/// split into words as a shell does it, and these words are compared; `;`, `|`, `$` and `*` mean
/// nothing. **A program with any arguments can do all that its options can**: `git -c
/// core.pager=…` or `find -exec` run other programs.
#[derive(Clone, Debug)]
pub struct Rules(rules::Rules<Rule>);

/// What one identity may run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default)]
    commands: Vec<Vec<String>>,
    #[serde(default)]
    programs: Vec<String>,
}

impl Rules {
    /// The rules in a file, which no other user may read or change.
    ///
    /// # Errors
    /// If the file cannot be read, others may read or change it, or it holds something else.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, AppError> {
        Ok(Rules(rules::Rules::from_file(path.as_ref(), Rule::check)?))
    }

    /// The program to run for the client named `name`, as exact words.
    ///
    /// # Errors
    /// If it may not be run, in words for the client.
    pub(super) fn permit(&self, name: Option<&str>, program: Program) -> Result<Program, String> {
        let words = match program {
            Program::Exact(words) => words,
            Program::Shell(line) => {
                let line = line.to_str().and_then(shlex::split);
                line.ok_or("the command cannot be split into words")?
            }
        };
        let permits = |rule: &Rule| {
            let program = words.first();
            rule.commands.contains(&words)
                || program.is_some_and(|program| rule.programs.contains(program))
        };
        match self.0.of(name).is_some_and(permits) {
            true => Ok(Program::Exact(words)),
            false => {
                let name = name.unwrap_or(ANONYMOUS);
                tracing::warn!(client = name, "refused: the rules do not let it run that");
                Err(format!(
                    "the rules of this server do not let '{name}' run that"
                ))
            }
        }
    }
}

impl Rule {
    fn check(&self) -> Result<(), String> {
        let is_empty = self.commands.iter().any(Vec::is_empty);
        let first = self.commands.iter().filter_map(|words| words.first());
        match is_empty || first.chain(&self.programs).any(String::is_empty) {
            true => Err("a command begins with a program".to_owned()),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [ann]
        commands = [["uptime"], ["git", "log", "-1"]]
        [ben]
        programs = ["ls"]
        [anonymous]
        commands = [["true"]]
    "#;

    fn parse(text: &str) -> Result<Rules, String> {
        rules::Rules::parse(text, Rule::check).map(Rules)
    }

    fn shell(line: &str) -> Program {
        Program::Shell(line.into())
    }

    fn exact(words: &[&str]) -> Program {
        Program::Exact(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn exact_words_and_named_programs_may_run() {
        let rules = parse(TEXT).unwrap();
        for (name, program, runs) in [
            (Some("ann"), shell("uptime"), &["uptime"][..]),
            (Some("ann"), shell(" git  log '-1' "), &["git", "log", "-1"]),
            (
                Some("ann"),
                exact(&["git", "log", "-1"]),
                &["git", "log", "-1"],
            ),
            (
                Some("ben"),
                exact(&["ls", "-l", "$(id)"]),
                &["ls", "-l", "$(id)"],
            ),
            // No shell sees it.
            (
                Some("ben"),
                shell("ls $(id) ; id"),
                &["ls", "$(id)", ";", "id"],
            ),
            (None, shell("true"), &["true"]),
        ] {
            assert_eq!(rules.permit(name, program), Ok(exact(runs)));
        }
    }

    #[test]
    fn nothing_else_runs() {
        let rules = parse(TEXT).unwrap();
        for (name, program) in [
            (Some("ann"), shell("uptime -p")),
            (Some("ann"), shell("uptime;id")),
            (Some("ann"), shell("uptime\nid")),
            (Some("ann"), shell("git log")),
            (Some("ann"), shell("git -c core.pager=id log -1")),
            (Some("ann"), exact(&["git", "log -1"])),
            (Some("ann"), exact(&["/tmp/uptime"])),
            (Some("ann"), exact(&["ls"])),
            (Some("ann"), exact(&["true"])),
            (Some("ben"), shell("ls;id")),
            (Some("ben"), shell("LD_PRELOAD=x ls")),
            (Some("ben"), exact(&["lsof"])),
            (Some("ben"), exact(&["./ls"])),
            (Some("ben"), exact(&["sh", "-c", "ls"])),
            (Some("ben"), shell("'ls")),
            (Some("ben"), shell("")),
            (Some("eve"), shell("true")),
            (None, shell("uptime")),
        ] {
            let answer = rules.permit(name, program);
            assert!(answer.is_err(), "{name:?}: {answer:?}");
        }
    }

    #[test]
    fn rules_that_are_not_understood_are_none() {
        for text in [
            "[ann]\ncommands = [\"ls\"]",
            "[ann]\ncommand = [[\"ls\"]]",
            "[ann]\ncommands = [[]]",
            "[ann]\nprograms = [\"\"]",
            "[ann]\n[ann]",
            "ann = 1",
            "x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
