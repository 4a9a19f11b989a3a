//! The additions to each subcommand's `--help`: URLs, and examples to type.

use clap::Command;
use serde::Deserialize;
use socketry_codec::{CodecRegistry, CodecSpec};

use crate::cli::CommandLine;
use crate::matrix::{App, urls};

/// Two examples for each subcommand.
const EXAMPLES: [(App, &str, [&str; 2]); 9] = [
    (
        App::Chat,
        "serve",
        [
            "socketry chat serve tls://0.0.0.0:9000 --token-file tokens",
            "socketry chat serve unix:///tmp/chat.sock --codec line --name host",
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
            "socketry command serve --allow-any unix:///tmp/run.sock",
            "socketry command serve tls://0.0.0.0:9001 --token-file tokens --rules rules.toml",
        ],
    ),
    (
        App::Command,
        "run",
        [
            "socketry command run unix:///tmp/run.sock 'ls | wc -l'",
            "socketry command run tcp://127.0.0.1:9001 --codec struct \
             -- printf '%s\\n' 'two words'",
        ],
    ),
    (
        App::File,
        "serve",
        [
            "socketry file serve tls://0.0.0.0:9002 --token-file tokens --root /srv/files",
            "socketry file serve unix:///tmp/files.sock --root . --codec raw",
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

/// One codec of each kind, quoted for a shell.
const FORMS: [&str; 3] = ["line:crlf", "'struct:>I'", "json:bare"];

/// The available codecs, in words.
fn codecs(codecs: &CodecRegistry) -> String {
    let names: Vec<_> = codecs.names().collect();
    let names = match &*names {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        names => names.concat(),
    };
    let built = |form: &&str| codecs.build(form.trim_matches('\'')).is_ok();
    let mut forms: Vec<_> = FORMS
        .iter()
        .filter(|form| built(form))
        .map(ToString::to_string)
        .collect();
    // A third party's codec, with all its parameters.
    let full = codecs.names().filter_map(|name| codecs.named(name).ok());
    let full = full.map(|named| named.full_name().to_owned());
    forms.extend(full.filter(|name| name.contains(':')));
    match forms.is_empty() {
        true => format!("What makes frames of bytes: {names}"),
        false => format!(
            "What makes frames of bytes: {names}, or a form such as {}",
            forms.join(", ")
        ),
    }
}

/// A codec as a configuration file gives it.
#[derive(Deserialize)]
struct Chosen {
    codec: CodecSpec,
}

/// The command line of one app, with the codecs of the registry.
fn choosing(command: Command, offered: &CommandLine) -> Command {
    let registry = offered.codecs.clone();
    let parse = move |text: &str| -> Result<CodecSpec, String> {
        let spec = match text.starts_with('{') {
            // A table of TOML has limits, too.
            true => {
                toml::from_str::<Chosen>(&format!("codec = {text}"))
                    .map_err(|error| error.message().to_owned())?
                    .codec
            }
            false => CodecSpec::new(text),
        };
        let named = registry.named(spec).map_err(|error| error.to_string())?;
        Ok(named.spec().clone())
    };
    command.mut_arg("codec", |codec| {
        codec.help(codecs(&offered.codecs)).value_parser(parse)
    })
}

/// The command line with all transports and codecs, and with the text at the end of each
/// subcommand's help.
pub(crate) fn explained(mut command: Command, offered: &CommandLine) -> Command {
    for app in App::ALL {
        command = command.mut_subcommand(app.to_string(), |command| choosing(command, offered));
    }
    for (app, verb, examples) in EXAMPLES {
        command = command.mut_subcommand(app.to_string(), |command| {
            command.mut_subcommand(verb, |command| {
                let said = command.get_after_help().map(|said| format!("{said}\n\n"));
                let (said, urls) = (said.unwrap_or_default(), urls(app, offered));
                let examples = examples.join("\n  ");
                command.after_help(format!("{said}{urls}\nExamples:\n  {examples}"))
            })
        });
    }
    command
}
