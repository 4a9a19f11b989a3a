//! What `--help` says of each verb beside its options: URLs, and examples that can be typed.

use clap::Command;

use crate::matrix::{App, urls};

/// Two examples for each verb.
const EXAMPLES: [(App, &str, [&str; 2]); 9] = [
    (
        App::Chat,
        "serve",
        [
            "socketry chat serve tcp://0.0.0.0:9000",
            "socketry chat serve 'unix:///tmp/chat.sock?mode=0600' --codec line --name host",
        ],
    ),
    (
        App::Chat,
        "join",
        [
            "socketry chat join tcp://localhost:9000 --name ann",
            "echo hello | socketry chat join unix:///tmp/chat.sock --codec line",
        ],
    ),
    (
        App::Command,
        "serve",
        [
            "socketry command serve 'unix:///tmp/run.sock?mode=0600'",
            "socketry command serve tcp://127.0.0.1:9001 --codec struct --time-limit 10m",
        ],
    ),
    (
        App::Command,
        "run",
        [
            "socketry command run unix:///tmp/run.sock 'ls | wc -l'",
            "socketry command run tcp://127.0.0.1:9001 --codec struct -- printf '%s\\n' 'two words'",
        ],
    ),
    (
        App::File,
        "serve",
        [
            "socketry file serve tcp://0.0.0.0:9002 --root /srv/files",
            "socketry file serve 'unix:///tmp/files.sock?mode=0600' --root . --codec raw",
        ],
    ),
    (
        App::File,
        "put",
        [
            "socketry file put tcp://localhost:9002 a.txt b.txt --to docs",
            "tar -c src | socketry file put tcp://localhost:9002 - --as src.tar",
        ],
    ),
    (
        App::File,
        "get",
        [
            "socketry file get tcp://localhost:9002 docs/a.txt --to b.txt",
            "socketry file get unix:///tmp/files.sock a.txt --codec raw",
        ],
    ),
    (
        App::File,
        "ls",
        [
            "socketry file ls tcp://localhost:9002",
            "socketry file ls tcp://localhost:9002 docs",
        ],
    ),
    (
        App::File,
        "browse",
        [
            "socketry file browse tcp://localhost:9002",
            "socketry file browse 'tcp://localhost:9002?connect_timeout=3s'",
        ],
    ),
];

/// The command line with all that is said at the end of each verb's help.
pub(crate) fn explained(mut command: Command) -> Command {
    for (app, verb, examples) in EXAMPLES {
        command = command.mut_subcommand(app.to_string(), |command| {
            command.mut_subcommand(verb, |command| {
                let said = command.get_after_help().map(|said| format!("{said}\n\n"));
                let (said, urls) = (said.unwrap_or_default(), urls(app));
                let examples = examples.join("\n  ");
                command.after_help(format!("{said}{urls}\nExamples:\n  {examples}"))
            })
        });
    }
    command
}
