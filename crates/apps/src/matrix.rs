//! Which app runs over which transport and codec, and why not over the others.

use std::fmt;

use socketry_codec::CodecName;

use crate::AppError;

/// The three apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// [`chat`](crate::chat).
    Chat,
    /// [`command`](crate::command).
    Command,
    /// [`file`](crate::file).
    File,
}

impl App {
    /// All of them.
    pub const ALL: [App; 3] = [App::Chat, App::Command, App::File];
}

impl fmt::Display for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            App::Chat => "chat",
            App::Command => "command",
            App::File => "file",
        })
    }
}

/// The schemes of the standard transports.
pub const SCHEMES: [&str; 5] = ["tcp", "unix", "mem", "udp", "unix-dgram"];

/// The codecs, one name for each family and form that behaves differently.
pub const CODECS: [&str; 5] = ["raw", "line", "struct", "json", "json:bare"];

/// What a scheme promises, as far as the apps need it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carriage {
    Stream,
    /// Datagrams, all of them, in order, from whom they say.
    Local,
    /// Datagrams that may be lost, repeated, reordered or forged.
    Lossy,
}

fn carriage(scheme: &str) -> Carriage {
    match scheme {
        "udp" => Carriage::Lossy,
        "unix-dgram" => Carriage::Local,
        // A third party's transport gets the benefit of the doubt; a body over datagrams is an error when it is met.
        _ => Carriage::Stream,
    }
}

/// Whether `app` runs over `scheme` with `codec`.
///
/// # Errors
/// One line with the reason, and what to use instead.
pub fn check(app: App, scheme: &str, codec: CodecName) -> Result<(), AppError> {
    match reason(app, carriage(scheme), codec) {
        None => Ok(()),
        Some((why, instead)) => Err(AppError::usage(format_args!(
            "{app} does not run over {scheme} with {codec}: {why}; use {instead}"
        ))),
    }
}

fn reason(app: App, carriage: Carriage, codec: CodecName) -> Option<(&'static str, &'static str)> {
    match (app, carriage, codec) {
        (App::Chat, ..) => None,
        (App::Command, Carriage::Lossy, _) => Some((
            "datagrams can be lost, which loses output, and their sender can be forged",
            "tcp or unix",
        )),
        (App::Command, Carriage::Local, CodecName::Json(_) | CodecName::BareJson) => Some((
            "output follows its JSON header as a body, and datagrams have none",
            "unix, or the codec struct",
        )),
        (App::Command, ..) => None,
        (App::File, Carriage::Lossy, _) => {
            Some(("datagrams can be lost, and a file cannot", "tcp or unix"))
        }
        (App::File, Carriage::Local, _) => Some((
            "a file follows its header as a body, and datagrams have none",
            "unix or tcp",
        )),
        (App::File, Carriage::Stream, CodecName::Line(_) | CodecName::Struct(_)) => Some((
            "its frames carry no header that could tell a file's name and size",
            "the codec json (or raw, to browse and get)",
        )),
        (App::File, ..) => None,
    }
}
