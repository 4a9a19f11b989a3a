//! Uploads, as the client sends them: to a server that says `ready`, or to one that says nothing at
//! all.

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
use super::mtime::{self, Dated};
use super::source::Source;
use super::transfer::{Allowed, LAST_WORD, Progress, Transfer, confirmed, last_word};
use super::wire::{Wire, hear, say, send_body};
use super::{GRACE, pieces, sweep};
use crate::{AppError, wrong_codec};

/// What is known of the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    /// It said `ready`: it speaks this protocol, and will have the last word. A recent one takes
    /// names to the letter.
    Ready { exact: bool },
    /// It said nothing yet.
    Silent,
    /// It said something else, and that is taken as "go on".
    Foreign,
}

/// A file, and what it is to be at the server.
pub(super) struct Offer<'a> {
    pub(super) file: File,
    /// A path below the root.
    pub(super) name: &'a str,
    pub(super) allowed: Allowed,
}

/// What the file at `path` is called.
pub(super) fn name(path: &Path) -> Result<String, AppError> {
    let name = path.file_name().map(name_to_text);
    name.ok_or_else(|| problem(path, "it has no name that can be sent"))
}

/// Opens what can be sent; of a FIFO, waits for who writes it.
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
            "it is a directory, and only files are sent; name those in it",
        ));
    }
    Ok(file)
}

fn problem(path: &Path, why: impl std::fmt::Display) -> AppError {
    AppError::failed(format_args!("{}: {why}", name_to_text(path.as_os_str())))
}

/// An upload on its way.
struct Sending {
    source: Source,
    header: Dated,
    /// Whether only a server of this app, and a recent one, does what is meant.
    particular: bool,
}

/// Reads the beginning of what is offered, since that tells how it is sent.
async fn begin(offer: Offer<'_>) -> Result<Sending, AppError> {
    let found = offer.file.metadata()?;
    let source = Source::open(offer.file).await?;
    let len = source.len();
    // A server that knows nothing of exact names would store it under another one, and of pieces
    // nothing at all.
    let particular = len.is_none() || offer.name.contains(['/', '\\']);
    let mut header = json!({
        "opt": "upload",
        "filename": offer.name,
        "exact": true,
        "replace": offer.allowed.storing.replace,
        "wait": true,
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
    // One that no server takes is left out: the file is worth more than its date.
    let mtime = found.modified().ok();
    let mtime = mtime.filter(|time| found.is_file() && mtime::travels(time));
    Ok(Sending {
        source,
        header: Dated { header, mtime },
        particular,
    })
}

/// Sends a file, and says whether another request may follow on this connection.
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
        // The file is there; how the connection ends says nothing about it.
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

/// Waits for `ready` from a server that does exactly what it is told.
async fn listen_for_exact(wire: &mut Wire) -> Result<Server, AppError> {
    let said = match timeout(LAST_WORD, wire.recv_json()).await {
        Ok(heard) => go_ahead(wire, heard)?,
        Err(_) => Server::Silent,
    };
    match said {
        Server::Ready { exact: true } => Ok(said),
        _ => Err(AppError::failed(
            "the server does not say that it takes names with / or \\ to the letter, and files of unknown length; \
             nothing was sent",
        )),
    }
}

/// Waits for `ready`, as long as is sensible with servers that never say it.
async fn listen(wire: &mut Wire) -> Result<Server, AppError> {
    match timeout(GRACE, wire.recv_json()).await {
        Ok(heard) => go_ahead(wire, heard),
        Err(_) => Ok(Server::Silent),
    }
}

/// What was heard while the server is still to take the file.
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

/// What a server can say.
enum Heard {
    Answer(Box<Answer>),
    /// Something that is not of this protocol: the tutorial's servers may say anything.
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

/// Sends all bytes, and says how many those were.
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
        match pieces::send_one(wire, source).await?? {
            0 => return Ok(len),
            bytes => len += bytes,
        }
        progress(len, None);
    }
}

/// Looks, without waiting, whether the server says something meanwhile: `ready`, late, or that it
/// gives up.
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

/// The error that the server told before it ended the connection, if it did, in place of the one
/// that this made here.
async fn better(wire: &mut Wire, error: AppError) -> AppError {
    match timeout(GRACE, wire.recv_json::<Answer>()).await {
        Ok(Ok(Some(answer))) => answer.or_error().err().unwrap_or(error),
        _ => error,
    }
}

/// Everything was sent: hears the last word of a server that has one.
async fn conclude(
    wire: &mut Wire,
    server: Server,
    blake3: blake3::Hash,
    allowed: Allowed,
) -> Result<Option<Answer>, AppError> {
    match server {
        Server::Ready { .. } => confirm(wire, blake3).await.map(Some),
        Server::Foreign => Ok(None),
        // One that is known for a script is not waited for to be `ready`.
        Server::Silent if allowed.unconfirmed => {
            wire.finish().await?;
            last_word(wire, LAST_WORD).await
        }
        Server::Silent => conclude_silent(wire, blake3).await,
    }
}

/// The server said nothing yet. `ready` may be late, or it may never say a word, or only at the end
/// of all it reads.
async fn conclude_silent(
    wire: &mut Wire,
    blake3: blake3::Hash,
) -> Result<Option<Answer>, AppError> {
    // A server that says `ready` needs more from here: the half-close, which only those wait for
    // that read to the end, comes when hardly anything but such a one is left.
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
    let word = hear::<Answer>(wire).await?.or_error()?;
    match word.status {
        // Whatever it is ready for now, it does not say that it has the file.
        Status::Ready => Err(AppError::failed("the server says ready twice")),
        _ => Ok(word),
    }
}
