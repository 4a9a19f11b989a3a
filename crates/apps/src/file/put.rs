//! Uploads, as the client sends them: to a server that says `ready`, or to one that says nothing at all.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use socketry_codec::{FrameError, FrameFault};
use tokio::time::timeout;

use super::digest::{Digests, Hasher};
use super::escape::name_to_text;
use super::header::{Answer, Status, Trailer};
use super::mtime::{self, Dated};
use super::pump::Source;
use super::transfer::{Allowed, LAST_WORD, Progress, Transfer, confirmed, last_word};
use super::wire::{Wire, hear, say, send_body};
use super::{GRACE, sweep};
use crate::{AppError, wrong_codec};

/// What is known of the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    /// It said `ready`: it speaks this protocol, and will have the last word. A recent one takes names to the letter.
    Ready { exact: bool },
    /// It said nothing yet.
    Silent,
    /// It said something else, and that is taken as "go on".
    Foreign,
}

/// A file, and what it is to be at the server.
#[derive(Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) path: &'a Path,
    /// A path below the root.
    pub(super) name: &'a str,
    pub(super) allowed: Allowed,
}

impl Offer<'_> {
    /// Whether a server that knows nothing of exact names would store it under another one.
    fn needs_exactness(&self) -> bool {
        self.name.contains(['/', '\\'])
    }
}

/// What the file at `path` is called.
pub(super) fn name(path: &Path) -> Result<String, AppError> {
    let name = path.file_name().map(name_to_text);
    name.ok_or_else(|| {
        AppError::failed(format_args!(
            "{}: it has no name that can be sent",
            path.display()
        ))
    })
}

/// Sends a file, and says whether another request may follow on this connection.
pub(super) async fn send(
    wire: &mut Wire,
    offer: Offer<'_>,
    progress: Progress<'_>,
) -> Result<(Transfer, bool), AppError> {
    let (file, found) = open(offer.path.to_owned()).await?;
    let len = found.len();
    say(wire, &header(&offer, &found)).await?;
    let mut server = listen(wire).await?;
    if offer.needs_exactness() && server != (Server::Ready { exact: true }) {
        return Err(inexact());
    }
    let mut source = Source::new(file, Hasher::for_claim(&Digests::default()), len);
    if let Err(error) = send_file(wire, &mut source, &mut server, len, progress).await {
        return Err(better(wire, error).await);
    }
    let blake3 = source.finish().await?.blake3();
    let word = conclude(wire, server, blake3, offer.allowed).await?;
    let told = match word {
        Some(word) => confirmed(word, blake3)?,
        None => false,
    };
    if !told && !offer.allowed.unconfirmed {
        return Err(unconfirmed());
    }
    Ok((Transfer::whole(len, blake3, told), told))
}

fn inexact() -> AppError {
    AppError::failed(
        "the server does not say that it takes a name with / or \\ to the letter, and could store the file under another \
         one; nothing was sent",
    )
}

fn unconfirmed() -> AppError {
    AppError::failed(
        "all bytes were sent, and the server did not confirm that it has them; \
         if it is a script that never does, use --unconfirmed",
    )
}

async fn open(path: PathBuf) -> Result<(File, Metadata), AppError> {
    let shown = path.display().to_string();
    let opened = tokio::task::spawn_blocking(move || {
        sweep::beside(&path);
        open_now(&path)
    });
    let opened = opened.await;
    let opened = opened.map_err(AppError::failed)?;
    opened.map_err(|error| AppError::failed(format_args!("{shown}: {error}")))
}

fn open_now(path: &Path) -> Result<(File, Metadata), AppError> {
    // Before it is opened: opening a pipe would wait for a writer.
    let found = std::fs::metadata(path)?;
    if found.is_dir() {
        return Err(AppError::failed(
            "it is a directory, and only files are sent; name those in it",
        ));
    }
    if !found.is_file() {
        return Err(AppError::failed("not a regular file"));
    }
    let file = File::open(path)?;
    let found = file.metadata()?;
    Ok((file, found))
}

fn header(offer: &Offer<'_>, found: &Metadata) -> Dated {
    let header = json!({
        "opt": "upload",
        "filename": offer.name,
        "exact": true,
        "replace": offer.allowed.storing.replace,
        "filesize": found.len(),
        "mode": found.mode() & 0o777,
        "wait": true,
        "grace": GRACE.as_secs_f64(),
        "digest": "trailer",
        "sync": offer.allowed.storing.sync,
    });
    // One that no server takes is left out: the file is worth more than its date.
    let mtime = found.modified().ok().filter(mtime::travels);
    Dated { header, mtime }
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
            FrameFault::Codec(_) | FrameFault::Json(_) => match wrong_codec::of_error(&error) {
                Some(told) => Err(told),
                None => Ok(Heard::Noise),
            },
            _ => Err(error.into()),
        },
    }
}

async fn send_file(
    wire: &mut Wire,
    source: &mut Source,
    server: &mut Server,
    len: u64,
    progress: Progress<'_>,
) -> Result<(), AppError> {
    wire.body_writer(len)?;
    progress(0, Some(len));
    while wire.body_owed() > 0 {
        interrupted(wire, server).await?;
        send_body(wire, source.next().await?).await?;
        progress(len - wire.body_owed(), Some(len));
    }
    Ok(())
}

/// Looks, without waiting, whether the server says something meanwhile: `ready`, late, or that it gives up.
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

/// The error that the server told before it ended the connection, if it did, in place of the one that this made here.
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

/// The server said nothing yet. `ready` may be late, or it may never say a word, or only at the end of all it reads.
async fn conclude_silent(
    wire: &mut Wire,
    blake3: blake3::Hash,
) -> Result<Option<Answer>, AppError> {
    // A server that says `ready` needs more from here: the half-close, which only those wait for that read to the end,
    // comes when hardly anything but such a one is left.
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
