//! `--config FILE`: a TOML file has the options of a command line under their long names, and the
//! URL as `url`. They become the defaults of the command line, which so overrides them, and are
//! checked as its words are.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Error, Id, value_parser};
use socketry_auth::unchanged_text;
use toml::{Table, Value};

use crate::matrix::App;

const CONFIG: &str = "config";
/// The only option that a table may give.
const CODEC: &str = "codec";
/// The name of the only word of a command line that a file may have besides options.
const URL: &str = "url";

/// The command line with the option of each app.
pub(super) fn offered(mut command: Command) -> Command {
    for app in App::ALL {
        let config = Arg::new(CONFIG)
            .long(CONFIG)
            .global(true)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help(
                "Read options from a TOML file: their long names, and url; with a url in it, \
                 clients take another one as --url. Options given here override those of the file",
            );
        command = command.mut_subcommand(app.to_string(), |command| command.arg(config));
    }
    command
}

/// The command line with what the file says, if the arguments name one.
///
/// # Errors
/// If the file cannot be read or understood, has other keys, or has two that exclude each other.
pub(super) fn read(mut command: Command, arguments: &[OsString]) -> Result<Command, Error> {
    let Some(Named {
        app,
        verb,
        file,
        typed,
    }) = named(&command, arguments)
    else {
        return Ok(command);
    };
    let text = unchanged_text(&file).map_err(|error| failed(&error.to_string()))?;
    let failed = |words: &str| failed(&format!("{}: {words}", file.display()));
    let table = parsed(&text).map_err(|words| failed(&words))?;
    let mut chosen: Vec<(&str, Id)> = Vec::new();
    for (key, value) in &table {
        let (place, texts) = find(&command, &app, &verb, key)
            .and_then(|place| {
                let texts = texts(&place, key, value)?;
                Ok((place, texts))
            })
            .map_err(|words| failed(&words))?;
        // The parser does not look whether defaults exclude each other.
        let excluded = match value {
            Value::Boolean(false) => Vec::new(),
            _ => exclusions(&command, &app, &verb, &place),
        };
        if excluded.iter().any(|id| typed.contains(id)) {
            continue;
        }
        if let Some((other, _)) = chosen.iter().find(|(_, id)| excluded.contains(id)) {
            let words = format!("'{other}' and '{key}' exclude each other");
            return Err(failed(&words));
        }
        if *value != Value::Boolean(false) {
            chosen.push((key, Id::from(place.id.clone())));
        }
        command = defaulting(command, &app, &verb, place, texts);
    }
    Ok(command)
}

/// The usage of the command line would say nothing about a file.
fn failed(words: &str) -> Error {
    Error::raw(ErrorKind::InvalidValue, format_args!("{words}\n"))
}

/// What the arguments name.
struct Named {
    app: String,
    verb: String,
    file: PathBuf,
    /// The options that stand among them.
    typed: Vec<Id>,
}

/// What the arguments name. If they are wrong elsewhere, that is told later.
fn named(command: &Command, arguments: &[OsString]) -> Option<Named> {
    let command = command.clone().ignore_errors(true);
    let matches = command.try_get_matches_from(arguments).ok()?;
    let (app, rest) = matches.subcommand()?;
    let (verb, last) = rest.subcommand()?;
    let file = |matches: &ArgMatches| matches.get_one::<PathBuf>(CONFIG).cloned();
    let file = file(last).or_else(|| file(rest))?;
    let typed = |matches: &ArgMatches| {
        let is_typed =
            |id: &Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        let all = matches.ids().filter(|id| is_typed(id)).cloned();
        all.collect::<Vec<_>>()
    };
    Some(Named {
        app: app.to_owned(),
        verb: verb.to_owned(),
        file,
        typed: [typed(rest), typed(last)].concat(),
    })
}

fn parsed(text: &str) -> Result<Table, String> {
    text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| 1 + before.matches('\n').count());
        format!("line {line}: {}", error.message())
    })
}

/// An option in the command line.
struct Place {
    id: String,
    /// It belongs to all verbs of the app.
    is_common: bool,
    takes_many: bool,
}

fn find(command: &Command, app: &str, verb: &str, key: &str) -> Result<Place, String> {
    let app = command.find_subcommand(app);
    let verb = app.and_then(|app| app.find_subcommand(verb));
    let own = verb.into_iter().flat_map(Command::get_arguments);
    let common = app.into_iter().flat_map(Command::get_arguments);
    let all = own
        .map(|arg| (arg, false))
        .chain(common.map(|arg| (arg, true)));
    let mut names = Vec::new();
    for (arg, is_common) in all.filter(|(arg, _)| arg.get_id() != CONFIG) {
        let is_url = arg.get_id() == URL;
        let Some(name) = arg.get_long().or(is_url.then_some(URL)) else {
            continue;
        };
        if name == key {
            return Ok(Place {
                id: arg.get_id().to_string(),
                is_common,
                takes_many: matches!(arg.get_action(), ArgAction::Append),
            });
        }
        names.push(name);
    }
    Err(format!(
        "there is no option '{key}'; there are {}",
        names.join(", ")
    ))
}

/// The options that exclude the one at `place`, or are excluded by it.
fn exclusions(command: &Command, app: &str, verb: &str, place: &Place) -> Vec<Id> {
    let app = command.find_subcommand(app);
    let level = match place.is_common {
        true => app,
        false => app.and_then(|app| app.find_subcommand(verb)),
    };
    let Some(level) = level else {
        return Vec::new();
    };
    let excludes = |one: &Arg, other: &str| {
        let mut excluded = level.get_arg_conflicts_with(one).into_iter();
        excluded.any(|arg| arg.get_id() == other)
    };
    let own = level.get_arguments().find(|arg| *arg.get_id() == place.id);
    let others = level.get_arguments().filter(|arg| {
        excludes(arg, &place.id) || own.is_some_and(|own| excludes(own, arg.get_id().as_str()))
    });
    others.map(|arg| arg.get_id().clone()).collect()
}

/// The words of a value, as a command line has them.
fn texts(place: &Place, key: &str, value: &Value) -> Result<Vec<String>, String> {
    Ok(match value {
        Value::String(text) => vec![text.clone()],
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => vec![value.to_string()],
        Value::Table(_) if key == CODEC => vec![value.to_string()],
        Value::Array(all) if place.takes_many => {
            let all = all.iter().map(|one| texts(place, key, one));
            all.collect::<Result<Vec<_>, _>>()?.concat()
        }
        Value::Table(_) | Value::Array(_) | Value::Datetime(_) => {
            return Err(format!("'{key}' is one text, number or truth value"));
        }
    })
}

fn defaulting(
    command: Command,
    app: &str,
    verb: &str,
    place: Place,
    texts: Vec<String>,
) -> Command {
    let set = move |arg: Arg| {
        // A client's URL is a word before others, which could then not be told from it.
        let is_word = arg.get_id() == URL && arg.is_required_set();
        let arg = if is_word { arg.long(URL) } else { arg };
        arg.required(false).default_values(texts)
    };
    let id = place.id;
    command.mut_subcommand(app, |command| match place.is_common {
        true => command.mut_arg(id, set),
        false => command.mut_subcommand(verb, |command| command.mut_arg(id, set)),
    })
}
