//! Requests on the wire, and the words for a command's streams and its end.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;

use serde::{Deserialize, Serialize};
use socketry_codec::Content;
use socketry_transport::{Encoding, TextPolicy};

use super::answer::{JsonReply, tagged_end};
use crate::AppError;
use crate::own::Own;

/// A command that a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A line for the shell.
    Line(String),
    /// A program and its arguments, exactly as they are, without a shell. The codecs that carry
    /// only lines get them quoted, so that the remote shell sees exactly these arguments.
    Argv(Vec<String>),
}

impl Command {
    /// A command as a user typed it: one word is a line for the shell, several words are a program
    /// and its arguments.
    pub fn from_words(mut words: Vec<String>) -> Self {
        match words.pop() {
            Some(line) if words.is_empty() => Command::Line(line),
            Some(last) => {
                words.push(last);
                Command::Argv(words)
            }
            None => Command::Argv(words),
        }
    }

    /// The command as one line for a shell.
    fn line(&self) -> Result<String, AppError> {
        match self {
            Command::Line(line) => Ok(line.clone()),
            Command::Argv(words) => {
                shlex::try_join(words.iter().map(String::as_str)).map_err(|error| {
                    AppError::usage(format_args!("cannot quote an argument: {error}"))
                })
            }
        }
    }
}

impl From<&str> for Command {
    fn from(line: &str) -> Self {
        Command::Line(line.to_owned())
    }
}

impl From<String> for Command {
    fn from(line: String) -> Self {
        Command::Line(line)
    }
}

impl From<Vec<String>> for Command {
    fn from(words: Vec<String>) -> Self {
        Command::Argv(words)
    }
}

/// One of a command's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output. On `raw` and `line` it may be standard error, since they do not tell the
    /// streams apart.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Not known, since `raw` and `line` do not carry it.
    Unknown,
}

impl Exit {
    /// The exit code as a shell gives it: the code itself, 128 + N for signal N, 255 for a code
    /// that does not fit, 0 for [`Exit::Unknown`].
    pub fn code(self) -> u8 {
        self.fitting().unwrap_or(u8::MAX)
    }

    /// The exit code, or `None` if no process can have it.
    pub(super) fn fitting(self) -> Option<u8> {
        let code = match self {
            Exit::Code(code) => code,
            // Such a signal does not exist. -128 must not become 0, which is success.
            Exit::Signal(..=0) => return None,
            Exit::Signal(signal) => signal.saturating_add(128),
            Exit::Unknown => 0,
        };
        u8::try_from(code).ok()
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(f, "exit {code}"),
            Exit::Signal(signal) => write!(f, "signal {signal}"),
            Exit::Unknown => f.write_str("unknown"),
        }
    }
}

/// A program that the server runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Program {
    Shell(OsString),
    Exact(Vec<String>),
}

/// How a codec writes commands and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The answer is one text.
    Raw,
    /// The answer is one frame for each line. This byte ends a frame.
    Line(u8),
    /// Frames with a tag.
    Struct,
    /// Headers and bodies.
    Json,
}

#[derive(Default, Serialize, Deserialize)]
struct JsonRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<std::borrow::Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    argv: Option<std::borrow::Cow<'a, [String]>>,
}

impl Dialect {
    /// That of a codec over which commands [run](crate::matrix::check).
    pub(super) fn of(own: &Own) -> Self {
        match own.properties.content {
            Content::Json => Dialect::Json,
            Content::Delimited(byte) => Dialect::Line(byte),
            _ if !own.properties.boundaries => Dialect::Raw,
            _ => Dialect::Struct,
        }
    }

    /// An encoded answer that only holds an error; empty if the codec's answers have no place for
    /// one.
    pub(super) fn refusal(self, own: &Own, words: &str) -> Vec<u8> {
        let end = Err(words.to_owned());
        match self {
            Dialect::Raw | Dialect::Line(_) => Vec::new(),
            Dialect::Struct => own.encoded(&tagged_end(&end, own.encoding)),
            Dialect::Json => {
                own.encoded(&serde_json::to_vec(&JsonReply::end(&end)).unwrap_or_default())
            }
        }
    }

    /// Whether the answer begins when the command starts, and not only when it has ended.
    pub(super) fn says_that_it_runs(self) -> bool {
        matches!(self, Dialect::Struct | Dialect::Json)
    }

    /// The frame that asks for a command.
    pub(super) fn request(
        self,
        command: &Command,
        encoding: Encoding,
    ) -> Result<Vec<u8>, AppError> {
        if self == Dialect::Json {
            let request = match command {
                Command::Line(line) => JsonRequest {
                    run: Some(line.into()),
                    argv: None,
                },
                Command::Argv(words) => JsonRequest {
                    run: None,
                    argv: Some(words.into()),
                },
            };
            return serde_json::to_vec(&request).map_err(AppError::failed);
        }
        let line = command.line()?;
        let bytes = encoding.encode(&line, TextPolicy::Strict);
        let bytes = bytes.map_err(AppError::usage)?.into_owned();
        if is_as_it_is(&bytes, encoding) && bytes != line.as_bytes() {
            tracing::warn!(
                "in {encoding} this command looks like UTF-8; a socketry server reads it so; \
                 use the codec json"
            );
        }
        Ok(bytes)
    }

    /// The program that a client's frame asks for, or why the frame is malformed.
    pub(super) fn program(self, frame: &[u8], encoding: Encoding) -> Result<Program, String> {
        if self == Dialect::Json {
            return json_program(frame);
        }
        let mut line = if is_as_it_is(frame, encoding) {
            frame.to_vec()
        } else {
            let text = encoding.decode(frame, TextPolicy::Strict);
            text.map_err(|error| format!("the command is no text: {error}"))?
                .into_bytes()
        };
        if self == Dialect::Raw {
            line.truncate(without_newline(&line).len());
        }
        Ok(Program::Shell(OsString::from_vec(line)))
    }
}

/// Whether a command is taken byte for byte, since many clients write UTF-8 whatever the server's
/// encoding is.
fn is_as_it_is(frame: &[u8], encoding: Encoding) -> bool {
    let is_utf_8 = encoding.extends_ascii() && std::str::from_utf8(frame).is_ok();
    encoding == Encoding::UTF_8 || is_utf_8
}

/// A client of another app may have sent it.
const NO_REQUEST: &str =
    r#"this is a command server: a request is {"run":"LINE"} or {"argv":["PROGRAM","ARGUMENT"]}"#;

fn json_program(frame: &[u8]) -> Result<Program, String> {
    let request: JsonRequest<'_> = serde_json::from_slice(frame)
        .map_err(|error| format!("the request cannot be understood: {error}"))?;
    match (request.run, request.argv) {
        (Some(line), None) => Ok(Program::Shell(line.into_owned().into())),
        (None, Some(words)) if !words.is_empty() => Ok(Program::Exact(words.into_owned())),
        _ => Err(NO_REQUEST.to_owned()),
    }
}

fn without_newline(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn several_words_reach_a_shell_as_they_are() {
        let command = Command::from_words(words(&["printf", "%s|", "a b", "$(id)", "it's", ""]));
        let line = Dialect::Struct.request(&command, Encoding::UTF_8).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert_eq!(
            shlex::split(&line).unwrap(),
            ["printf", "%s|", "a b", "$(id)", "it's", ""]
        );
        assert_eq!(
            Command::from_words(words(&["ls; id"])),
            Command::from("ls; id")
        );
    }

    #[test]
    fn json_asks_for_a_line_or_for_arguments_and_not_for_both() {
        let program = |text: &str| Dialect::Json.program(text.as_bytes(), Encoding::GBK);
        assert_eq!(
            program(r#"{"run":"ls -l","later":1}"#).unwrap(),
            Program::Shell("ls -l".into())
        );
        assert_eq!(
            program(r#"{"argv":["ls","-l"]}"#).unwrap(),
            Program::Exact(words(&["ls", "-l"]))
        );
        for refused in ["{}", r#"{"argv":[]}"#, r#"{"run":"a","argv":["b"]}"#, "[]"] {
            program(refused).unwrap_err();
        }
    }

    #[test]
    fn exit_codes_are_those_of_a_shell() {
        let codes = [
            Exit::Code(3),
            Exit::Signal(9),
            Exit::Unknown,
            Exit::Code(-1),
            Exit::Signal(-128),
        ];
        assert_eq!(codes.map(Exit::code), [3, 137, 0, 255, 255]);
    }
}
