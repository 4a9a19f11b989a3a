//! An error of frames prints one line, a chain of errors each text once, and no conversion loses
//! anything.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use socketry_codec::{BoxCodec, Cause, CodecError, Fault, FrameError, FrameFault, Framed, Line};
use socketry_transport::{Endpoint, Error, ErrorKind, FromIo, Info, Shape};

/// An error of another library, and its cause.
#[derive(Debug)]
struct Alert(&'static str, Option<Box<dyn StdError + Send + Sync>>);

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Alert {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_deref().map(|behind| behind as _)
    }
}

fn alert() -> Alert {
    Alert("alert", Some(reset().into()))
}

const RESET: i32 = rustix::io::Errno::CONNRESET.raw_os_error();

fn reset() -> io::Error {
    io::Error::from_raw_os_error(RESET)
}

fn failed(fault: impl Into<FrameFault>) -> FrameError {
    let peer: Endpoint = "mem://peer".parse().unwrap();
    FrameError::new(fault, "receive from", &peer, true)
}

/// Each fault that holds an error, and the texts that belong to it.
fn chains() -> Vec<(FrameError, Vec<String>)> {
    let own = |words: &str| format!("cannot receive from mem://peer: {words}");
    let reset_too = || vec![own("alert"), reset().to_string()];
    let tls = io::Error::new(io::ErrorKind::InvalidData, alert());
    let below = Error::new(ErrorKind::Untrusted, "use", "tls://peer").caused_by(alert());
    let below_words = below.to_string();
    vec![
        (failed(reset()), vec![own(&reset().to_string())]),
        (failed(tls), reset_too()),
        (failed(FrameFault::Value(Cause::new(alert()))), reset_too()),
        (
            failed(CodecError::fatal(Fault::Other(Cause::new(alert())))),
            reset_too(),
        ),
        (
            failed(io::Error::from(below)),
            vec![own(&below_words), reset().to_string()],
        ),
    ]
}

/// A `main` that returns an error shows it as `Debug`.
#[test]
fn a_returned_error_is_its_line() {
    for (error, texts) in chains() {
        assert_eq!(format!("{error:?}"), texts[0]);
    }
    let below = Error::new(ErrorKind::Untrusted, "use", "tls://me:hunter2@peer");
    assert_eq!(format!("{below:?}"), below.to_string());
    let unknown = "strukt".parse::<BoxCodec>().unwrap_err();
    assert_eq!(format!("{unknown:?}"), unknown.to_string());
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
    let own = anyhow::Error::from(failed(FrameFault::TimedOut(Duration::from_secs(1))));
    assert_eq!(own.chain().count(), 1);
}

#[test]
fn it_survives_being_an_error_of_io() {
    for (error, _) in chains() {
        let text = error.to_string();
        let as_io = io::Error::from(error);
        assert_eq!(as_io.to_string(), text);
        let same: FrameError = as_io.downcast().unwrap();
        assert_eq!((same.to_string(), same.is_fatal()), (text, true));
        assert_eq!(same.raw_os_error(), Some(RESET));
    }
}

#[test]
fn another_librarys_error_can_be_downcast() {
    for (error, _) in &chains()[2..4] {
        assert!(error.get_ref().unwrap().is::<Alert>(), "{error}");
    }
    assert!(failed(reset()).get_ref().unwrap().is::<io::Error>());
    assert!(failed(FrameFault::Over).get_ref().is_none());
    assert_eq!(failed(FrameFault::Over).raw_os_error(), None);
}

/// Every task that shares the socket is told what the transport said, and not only its kind.
#[tokio::test]
async fn a_sender_reports_its_whole_final_error() {
    let refused = io::Error::new(io::ErrorKind::InvalidData, alert());
    let mock = tokio_test::io::Builder::new().write_error(refused).build();
    let at: Endpoint = "mem://peer".parse().unwrap();
    let socket = FromIo::from_io(mock, Info::new(Shape::Stream, at.clone(), at));
    let sender = Framed::new(socket, Line::new()).into_sender();
    sender.send(b"a").await.unwrap();
    let flushed = sender.flush().await.unwrap_err();
    let later = sender.clone().send(b"b").await.unwrap_err();
    for error in [flushed, later, sender.finish().await.unwrap_err()] {
        assert_eq!(error.raw_os_error(), Some(RESET), "{error}");
        let held = error
            .get_ref()
            .unwrap()
            .downcast_ref::<io::Error>()
            .unwrap();
        assert!(held.get_ref().unwrap().is::<Alert>(), "{error}");
    }
}

#[test]
fn a_peer_that_is_quoted_cannot_drive_the_terminal() {
    let words = "\u{1b}[2J\nmore";
    for error in [
        failed(io::Error::other(words)),
        failed(CodecError::fatal(Fault::Other(words.into()))),
        failed(FrameFault::Value(words.into())),
    ] {
        assert!(error.to_string().ends_with(r": \u{1b}[2J\nmore"), "{error}");
    }
}
