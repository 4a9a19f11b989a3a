//! Uploads at the client: to a server that answers `ready`, or to one that answers nothing at all.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::json;
use socketry_codec::{FrameError, FrameFault};
use tokio::time::timeout;

use super::digest::Digests;
use super::escape::name_to_text;
use super::header::{Answer, Status, Trailer};
use super::host::Host;
use super::limits::Lane;
use super::mtime::{self, Dated};
use super::source::Source;
use super::transfer::{Allowed, LAST_WORD, Progress, Transfer, confirmed, last_word};
use super::wire::{Wire, hear, say, send_body};
use super::{GRACE, pieces, sweep};
use crate::{AppError, wrong_codec};

/// The client's knowledge about the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    /// It answered `ready`, so it speaks this protocol and confirms the file. A recent one takes
    /// exact names.
    Ready { exact: bool },
    /// It has answered nothing yet.
    Silent,
    /// It answered something else, which counts as "go on".
    Foreign,
}

/// A file, and its name at the server.
pub(super) struct Offer<'a> {
    pub(super) file: File,
    /// A path below the root.
    pub(super) name: &'a str,
    pub(super) allowed: Allowed,
}

/// The name of the file at `path`.
pub(super) fn name(path: &Path) -> Result<String, AppError> {
    let name = path.file_name().map(name_to_text);
    name.ok_or_else(|| problem(path, "it has no name that can be sent"))
}

/// Opens a file to send. For a FIFO it waits for a writer.
pub(super) async fn open(path: &Path) -> Result<File, AppError> {
    let wanted = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        sweep::beside(&wanted);
        File::open(wanted)
    });
    let opened = opened.await;
    let file = opened.map_err(AppError::failed)?;
    let file = file.map_err(|error| problem(path, error))?;
    if file.metadata().is_ok_and(|found| found.is_dir()) {
        return Err(problem(
            path,
            "it is a directory; with -r it is sent, and all that is in it",
        ));
    }
    Ok(file)
}

fn problem(path: &Path, why: impl std::fmt::Display) -> AppError {
    AppError::failed(format_args!("{}: {why}", name_to_text(path.as_os_str())))
}

/// An upload in progress.
struct Sending {
    source: Source,
    header: Dated,
    /// Whether only a recent server of this app stores the file as intended.
    particular: bool,
}

/// Reads the beginning of the file, which decides how it is sent.
async fn begin(offer: Offer<'_>) -> Result<Sending, AppError> {
    let found = offer.file.metadata()?;
    let source = Source::open(offer.file).await?;
    let len = source.len();
    // A server that does not know exact names would store it under another one. A server that does
    // not know pieces could not store it.
    let particular = len.is_none() || offer.name.contains(['/', '\\']);
    let mut header = json!({
        "opt": "upload",
        "filename": offer.name,
        "exact": true,
        "replace": offer.allowed.storing.replace,
        "wait": true,
        "alive": true,
        "digest": "trailer",
        "sync": offer.allowed.storing.sync,
    });
    match len {
        Some(len) => header["filesize"] = len.into(),
        None => header["pieces"] = true.into(),
    }
    if !particular {
        header["grace"] = GRACE.as_secs_f64().into();
    }
    if found.is_file() {
        header["mode"] = (found.mode() & 0o777).into();
    }
    // A time that no server accepts is left out. The file matters more than its date.
    let mtime = found.modified().ok();
    let mtime = mtime.filter(|time| found.is_file() && mtime::travels(time));
    Ok(Sending {
        source,
        header: Dated { header, mtime },
        particular,
    })
}

/// Sends a file. Afterwards `kept` holds the connection if another request may follow on it.
pub(super) async fn send(
    host: &Host,
    kept: &mut Option<Wire>,
    offer: Offer<'_>,
    progress: Progress<'_>,
) -> Result<Transfer, AppError> {
    let allowed = offer.allowed;
    let Sending {
        mut source,
        header,
        particular,
    } = begin(offer).await?;
    let mut wire = host.reuse(kept).await?;
    say(&mut wire, &header).await?;
    let mut server = match particular {
        true => listen_for_exact(&mut wire).await?,
        false => listen(&mut wire).await?,
    };
    let sent = send_all(&mut wire, &mut source, &mut server, progress).await;
    let len = match sent {
        Ok(len) => len,
        Err(error) => return Err(better(&mut wire, error).await),
    };
    let blake3 = source.finish().await?;
    let told = match conclude(&mut wire, server, blake3, allowed).await? {
        Some(word) => confirmed(word, blake3)?,
        None => false,
    };
    match (told, allowed.unconfirmed) {
        (true, _) => *kept = Some(wire),
        // The server has the file. How the connection ends says nothing about that.
        (false, true) => drop(wire.close().await),
        (false, false) => return Err(unconfirmed()),
    }
    Ok(Transfer::whole(len, blake3, told))
}

fn unconfirmed() -> AppError {
    AppError::failed(
        "all bytes were sent, and the server did not confirm that it has them; \
         if it is a script that never does, use --unconfirmed",
    )
}

/// Waits for `ready` from a server that must take the name or the pieces exactly.
async fn listen_for_exact(wire: &mut Wire) -> Result<Server, AppError> {
    let said = match timeout(LAST_WORD, wire.recv_json()).await {
        Ok(heard) => go_ahead(wire, heard)?,
        Err(_) => Server::Silent,
    };
    match said {
        Server::Ready { exact: true } => Ok(said),
        _ => Err(AppError::failed(
            "the server does not say that it takes exact names with / or \\, \
             and files of unknown length; nothing was sent",
        )),
    }
}

/// Waits for `ready`, no longer than is sensible with servers that never send it.
async fn listen(wire: &mut Wire) -> Result<Server, AppError> {
    match timeout(GRACE, wire.recv_json()).await {
        Ok(heard) => go_ahead(wire, heard),
        Err(_) => Ok(Server::Silent),
    }
}

/// Judges the server by an answer that comes before the file.
fn go_ahead(wire: &Wire, heard: Result<Option<Answer>, FrameError>) -> Result<Server, AppError> {
    match understand(heard)? {
        Heard::Answer(answer) if answer.status == Status::Ready => Ok(Server::Ready {
            exact: answer.exact == Some(true),
        }),
        Heard::Answer(_) | Heard::Noise => Ok(Server::Foreign),
        Heard::End => Err(AppError::failed(format_args!(
            "{} closed the connection before it had the file",
            wire.peer()
        ))),
    }
}

/// A frame that a server can send.
enum Heard {
    Answer(Box<Answer>),
    /// Something that is not of this protocol. Simple servers may send anything.
    Noise,
    End,
}

fn understand(heard: Result<Option<Answer>, FrameError>) -> Result<Heard, AppError> {
    match heard {
        Ok(Some(answer)) => Ok(Heard::Answer(Box::new(answer.or_error()?))),
        Ok(None) => Ok(Heard::End),
        Err(error) => match error.fault() {
            FrameFault::Codec(_) | FrameFault::Value(_) => match wrong_codec::of_error(&error) {
                Some(told) => Err(told),
                None => Ok(Heard::Noise),
            },
            _ => Err(error.into()),
        },
    }
}

/// Sends all bytes, and returns their number.
async fn send_all(
    wire: &mut Wire,
    source: &mut Source,
    server: &mut Server,
    progress: Progress<'_>,
) -> Result<u64, AppError> {
    let Some(len) = source.len() else {
        return send_pieces(wire, source, server, progress).await;
    };
    wire.body_writer(len)?;
    progress(0, Some(len));
    while wire.body_owed() > 0 {
        interrupted(wire, server).await?;
        send_body(wire, source.next().await?).await?;
        progress(len - wire.body_owed(), Some(len));
    }
    Ok(len)
}

async fn send_pieces(
    wire: &mut Wire,
    source: &mut Source,
    server: &mut Server,
    progress: Progress<'_>,
) -> Result<u64, AppError> {
    let mut len = 0;
    loop {
        interrupted(wire, server).await?;
        match pieces::send_one(wire, source, &Lane::default()).await?? {
            0 => return Ok(len),
            bytes => len += bytes,
        }
        progress(len, None);
    }
}

/// Checks, without waiting, whether the server has sent something meanwhile: a late `ready`, or an
/// error.
async fn interrupted(wire: &mut Wire, server: &mut Server) -> Result<(), AppError> {
    if *server == Server::Foreign {
        return Ok(());
    }
    let heard = tokio::select! {
        biased;
        heard = wire.recv_json() => heard,
        () = std::future::ready(()) => return Ok(()),
    };
    *server = go_ahead(wire, heard)?;
    Ok(())
}

/// The error that the server sent before it ended the connection, if there is one. It is better
/// than `error`, which arose here.
async fn better(wire: &mut Wire, error: AppError) -> AppError {
    match timeout(GRACE, wire.recv_json::<Answer>()).await {
        Ok(Ok(Some(answer))) => answer.or_error().err().unwrap_or(error),
        _ => error,
    }
}

/// All bytes are sent. Waits for the confirmation of a server that gives one.
async fn conclude(
    wire: &mut Wire,
    server: Server,
    blake3: blake3::Hash,
    allowed: Allowed,
) -> Result<Option<Answer>, AppError> {
    match server {
        Server::Ready { .. } => confirm(wire, blake3).await.map(Some),
        Server::Foreign => Ok(None),
        // A server that is known to be a simple script is not waited for.
        Server::Silent if allowed.unconfirmed => {
            wire.finish().await?;
            last_word(wire, LAST_WORD).await
        }
        Server::Silent => conclude_silent(wire, blake3).await,
    }
}

/// The server has answered nothing yet. Its `ready` may be late, it may never answer, or it may
/// answer once it has read everything.
async fn conclude_silent(
    wire: &mut Wire,
    blake3: blake3::Hash,
) -> Result<Option<Answer>, AppError> {
    // A server that says `ready` expects more from here, so the half-close waits for it. Some
    // servers answer only after the half-close. Once this wait is over, hardly any other kind is
    // left.
    let Ok(heard) = timeout(LAST_WORD, wire.recv_json()).await else {
        wire.finish().await?;
        return match last_word(wire, LAST_WORD).await? {
            Some(word) if word.status == Status::Ready => Err(too_late()),
            word => Ok(word),
        };
    };
    match understand(heard)? {
        Heard::Answer(late) if late.status == Status::Ready => {
            confirm(wire, blake3).await.map(Some)
        }
        Heard::Answer(word) => Ok(Some(*word)),
        Heard::Noise | Heard::End => Ok(None),
    }
}

fn too_late() -> AppError {
    AppError::failed(format_args!(
        "the server was ready only after more than {} seconds, and has nothing",
        LAST_WORD.as_secs()
    ))
}

async fn confirm(wire: &mut Wire, blake3: blake3::Hash) -> Result<Answer, AppError> {
    let digest = Digests::blake3(blake3.to_hex().as_str());
    say(wire, &Trailer { digest }).await?;
    let word = loop {
        let word = hear::<Answer>(wire).await?.or_error()?;
        // It has all, and takes it at its own pace.
        if word.alive != Some(true) {
            break word;
        }
    };
    match word.status {
        // A second `ready` does not say that the server has the file.
        Status::Ready => Err(AppError::failed("the server says ready twice")),
        _ => Ok(word),
    }
}
