//! Uploads, as the server takes them: into a temporary file, which gets its name when all is well.

use std::fs::File;

use super::digest::{Digests, Hasher};
use super::flow::{Flow, refuse};
use super::header::{self, Answer, Content, Follows, Upload};
use super::name;
use super::pump::Sink;
use super::root::{Attributes, Root, Temporary};
use super::wire::{Wire, in_time, say};
use crate::AppError;

/// What failed, and how the conversation goes on: an outer error has ended it, an inner one is for the client.
type Outcome<T> = Result<Result<T, AppError>, AppError>;

/// Takes one file, or refuses it.
pub(super) async fn receive(
    wire: &mut Wire,
    root: &Root,
    upload: Upload,
) -> Result<Flow, AppError> {
    let (temporary, file) = match create(root, &upload.name).await {
        Ok(created) => created,
        Err(error) => return refuse(wire, &error, upload.follows).await,
    };
    let mut sink = Sink::new(file, Hasher::for_claim(&upload.claimed));
    let (written, trailer) = match &upload.source {
        Content::Here(text) => (
            sink.write(text.as_bytes()).await.map_err(AppError::from),
            false,
        ),
        Content::Body(len) => {
            if upload.waits {
                say(wire, &Answer::ready()).await?;
            }
            (receive_body(wire, &mut sink, *len).await?, upload.trailer)
        }
    };
    if let Err(error) = written {
        let len = wire.body_left();
        return refuse(wire, &error, Follows::Body { len, trailer }).await;
    }
    let later = match trailer {
        true => receive_trailer(wire).await?,
        false => Ok(Digests::default()),
    };
    let claims = later.map(|later| [upload.claimed, later]);
    // Whatever fails in there, the temporary file is gone before the client hears of it.
    match keep(sink, temporary, claims, upload.attributes).await {
        Ok(answer) => confirm(wire, &upload.name, answer).await,
        Err(error) => refuse(wire, &error, Follows::NEXT_REQUEST).await,
    }
}

async fn create(root: &Root, wanted: &str) -> Result<(Temporary, File), AppError> {
    let wanted = name::last(wanted)?.to_owned();
    root.run(move |root| root.create(&wanted)).await
}

async fn receive_body(wire: &mut Wire, sink: &mut Sink, len: u64) -> Outcome<()> {
    let mut body = wire.body(len)?;
    while let Some(bytes) = in_time(body.chunk()).await? {
        if let Err(error) = sink.write(bytes).await {
            return Ok(Err(error.into()));
        }
    }
    Ok(Ok(()))
}

async fn receive_trailer(wire: &mut Wire) -> Outcome<Digests> {
    let trailer = in_time(wire.recv()).await?;
    let trailer = trailer.ok_or_else(|| AppError::failed("the trailer is missing"))?;
    Ok(header::parse_trailer(trailer))
}

/// Checks what arrived against what was claimed, and gives it its name.
async fn keep(
    sink: Sink,
    temporary: Temporary,
    claims: Result<[Digests; 2], AppError>,
    with: Attributes,
) -> Result<Answer, AppError> {
    let (file, hasher) = sink.finish().await?;
    let found = hasher.digests();
    for claimed in &claims? {
        claimed.check(&found)?;
    }
    let root = temporary.root().clone();
    root.run(move |_| {
        let len = file.metadata()?.len();
        temporary.keep(&file, with)?;
        Ok(Answer::done(
            len,
            Digests::blake3(found.blake3.unwrap_or_default()),
        ))
    })
    .await
}

/// The file is here. A client of the tutorial has closed already: that it cannot be told is no error.
async fn confirm(wire: &mut Wire, stored: &str, answer: Answer) -> Result<Flow, AppError> {
    let filename = name::last(stored)?.to_owned();
    let answer = Answer {
        filename: Some(filename),
        ..answer
    };
    match say(wire, &answer).await {
        Ok(()) => Ok(Flow::Next),
        Err(error) => {
            tracing::debug!(peer = %wire.peer(), "stored, and the client did not wait to hear it: {error}");
            Ok(Flow::Next)
        }
    }
}
