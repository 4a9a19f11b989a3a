//! An error prints one line, a chain of errors each text once, and no conversion loses anything.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::error::Error as StdError;
use std::fmt;
use std::io;

use socketry_transport::{Endpoint, Error, ErrorKind, os_code};

/// The error of another library, and the error behind it.
#[derive(Debug)]
struct Alert {
    words: &'static str,
    behind: Option<Box<dyn StdError + Send + Sync>>,
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words)
    }
}

impl StdError for Alert {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.behind.as_deref().map(|behind| behind as _)
    }
}

fn alert(words: &'static str) -> Alert {
    let behind = None;
    Alert { words, behind }
}

fn above(words: &'static str, behind: impl Into<Box<dyn StdError + Send + Sync>>) -> Alert {
    let behind = Some(behind.into());
    Alert { words, behind }
}

fn at() -> Endpoint {
    "tcp://127.0.0.1:1".parse().unwrap()
}

fn failed(held: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Protocol, "connect to", at()).caused_by(held)
}

fn reset() -> io::Error {
    io::Error::from_raw_os_error(libc::ECONNRESET)
}

/// Each shape that an error may have, and the texts that belong to it.
fn chains() -> Vec<(Error, Vec<String>)> {
    let own = |words: &str| format!("cannot connect to tcp://127.0.0.1:1: {words}");
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let in_io = io::Error::new(io::ErrorKind::InvalidData, above("alert", alert("bad key")));
    let refused = io::Error::from_raw_os_error(libc::ECONNREFUSED);
    let hinted = format!("{refused}; is the server running, and is this where it listens?");
    vec![
        (failed(alert("alert")), texts(&[&own("alert")])),
        (failed("mere words"), texts(&[&own("mere words")])),
        (
            failed(above("alert", alert("bad key"))),
            texts(&[&own("alert"), "bad key"]),
        ),
        (failed(in_io), texts(&[&own("alert"), "bad key"])),
        (
            failed(above("alert", reset())),
            texts(&[&own("alert"), &reset().to_string()]),
        ),
        (
            Error::io("connect to", &at(), refused),
            texts(&[&own(&hinted)]),
        ),
        (
            failed(above("alert", alert("bad key"))).because("it would not"),
            texts(&[&own("it would not"), "alert", "bad key"]),
        ),
        (
            Error::new(ErrorKind::Closed, "accept at", at()).caused_by(failed(alert("alert"))),
            texts(&[&format!(
                "cannot accept at tcp://127.0.0.1:1: {}",
                own("alert")
            )]),
        ),
    ]
}

#[test]
fn a_printed_chain_shows_each_text_once() {
    for (error, texts) in chains() {
        let error = anyhow::Error::from(error);
        assert_eq!(format!("{error:#}"), texts.join(": "));
        let whole = format!("{error:?}");
        for text in &texts {
            assert_eq!(whole.matches(text.as_str()).count(), 1, "{text} in {whole}");
        }
    }
}

#[test]
fn it_survives_being_an_error_of_io() {
    for (error, _) in chains() {
        let (kind, text) = (error.kind(), error.to_string());
        let as_io = io::Error::from(error);
        assert_eq!(
            (ErrorKind::from(&as_io), as_io.to_string()),
            (kind, text.clone())
        );
        // Twice, under another name: it says already where and what.
        let same = Error::io("listen at", &"udp://[::1]:2".parse().unwrap(), as_io);
        assert_eq!((same.kind(), same.to_string()), (kind, text));
    }
}

/// The kinds of `io` are more than ours, and the way there and back keeps them.
#[test]
fn what_the_system_said_keeps_its_kind() {
    for kind in [
        io::ErrorKind::InvalidInput,
        io::ErrorKind::BrokenPipe,
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::NetworkDown,
        io::ErrorKind::WouldBlock,
    ] {
        let error = Error::io("connect to", &at(), io::Error::from(kind));
        assert_eq!(io::Error::from(error).kind(), kind);
    }
    let mine = failed(reset());
    assert_eq!(io::Error::from(mine).kind(), io::ErrorKind::InvalidData);
}

#[test]
fn the_number_of_the_system_is_found_however_deep_it_lies() {
    let wrapped = io::Error::new(io::ErrorKind::InvalidData, above("alert", reset()));
    for error in [
        failed(reset()),
        failed(above("alert", reset())),
        failed(above("alert", above("record", reset()))),
        failed(wrapped),
        failed(failed(reset())),
        failed(io::Error::from(failed(reset()))).because("it would not"),
    ] {
        assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET), "{error:?}");
        assert_eq!(os_code(&io::Error::from(error)), Some(libc::ECONNRESET));
    }
    assert_eq!(failed(alert("alert")).raw_os_error(), None);
    assert_eq!(
        Error::new(ErrorKind::Closed, "use", at()).raw_os_error(),
        None
    );
}

#[test]
fn what_is_held_can_be_taken_out() {
    let error = failed(above("alert", reset()));
    assert!(error.get_ref().unwrap().is::<Alert>());
    assert!(error.into_inner().unwrap().downcast::<Alert>().is_ok());
}

/// A library's error may quote the peer, a status line of HTTP, say.
#[test]
fn a_peer_that_is_quoted_cannot_drive_the_terminal() {
    let text = failed("\u{1b}[2J\nHTTP/1.1 403 nein \u{202e}").to_string();
    assert!(
        text.ends_with(r": \u{1b}[2J\nHTTP/1.1 403 nein \u{202e}"),
        "{text}"
    );
}
