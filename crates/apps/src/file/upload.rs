//! Uploads at the server: into a part file, which gets its name once the file is whole and checked.

use super::attributes::Attributes;
use super::digest::Digests;
use super::flow::{Flow, refuse, tell, tell_later};
use super::grant::Grant;
use super::header::{self, Answer, Content, Follows, Upload};
use super::incoming::Incoming;
use super::limits::Alive;
use super::name;
use super::pieces::{self, Arrived};
use super::place::problem;
use super::rules::Right;
use super::wire::{Wire, within_stall};
use crate::AppError;

/// The result of a step. After an outer error the conversation is over. An inner error is for the
/// client.
type Outcome<T> = Result<Result<T, AppError>, AppError>;

/// Receives one file, or refuses it.
pub(super) async fn receive(
    wire: &mut Wire,
    grant: &Grant,
    upload: Upload,
) -> Result<Flow, AppError> {
    let created = match stored_as(&upload) {
        Ok(name) => create(grant, name, &upload).await,
        Err(error) => Err(error),
    };
    let (name, mut incoming) = match created {
        Ok(created) => created,
        Err(error) => return refuse(wire, &error, upload.follows).await,
    };
    let mut pace = Alive::new(&grant.pace().arriving, upload.alive);
    let (written, trailer) = match &upload.source {
        Content::Here(text) => (incoming.write(text.as_bytes()).await, false),
        Content::Body(len) => {
            if upload.waits {
                tell(wire, &Answer::ready(upload.exact)).await?;
            }
            (
                receive_body(wire, &mut incoming, *len, &mut pace).await?,
                upload.trailer,
            )
        }
        Content::Pieces => {
            if upload.waits {
                tell(wire, &Answer::ready(upload.exact)).await?;
            }
            match pieces::receive(wire, &mut incoming, &mut pace, &mut |_, _| ()).await? {
                Arrived::Whole(_) => (Ok(()), upload.trailer),
                Arrived::GivenUp(error) => {
                    return refuse(wire, &error, Follows::NEXT_REQUEST).await;
                }
                Arrived::Refused(error) => return refuse(wire, &error, Follows::Unknown).await,
            }
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
    // If that fails, the part file is removed before the client is told.
    match keep(incoming, claims, upload.attributes).await {
        Ok(answer) => confirm(wire, name, answer, upload.waits).await,
        Err(error) => refuse(wire, &error, Follows::NEXT_REQUEST).await,
    }
}

/// Where an upload is stored, as a path below the root.
fn stored_as(upload: &Upload) -> Result<String, AppError> {
    if !upload.exact {
        return name::last(&upload.name).map(str::to_owned);
    }
    Ok(match name::exact(&upload.name)? {
        (".", file) => file.to_owned(),
        (dir, file) => format!("{dir}/{file}"),
    })
}

async fn create(
    grant: &Grant,
    name: String,
    upload: &Upload,
) -> Result<(String, Incoming), AppError> {
    let root = grant.root_for(&[Right::Write])?;
    let allowance = grant.allowance(upload.source.len()).await;
    let allowance = allowance.map_err(|error| problem(&name, error))?;
    let created = root.create(name.clone(), &upload.claimed, upload.storing);
    let created = created.await?.within(allowance);
    Ok((name, created))
}

async fn receive_body(
    wire: &mut Wire,
    incoming: &mut Incoming,
    len: u64,
    pace: &mut Alive<'_>,
) -> Outcome<()> {
    wire.body(len)?;
    while let Some(bytes) = within_stall(wire.rest_of_body().chunk()).await? {
        let len = bytes.len();
        if let Err(error) = incoming.write(bytes).await {
            return Ok(Err(error));
        }
        pace.pass(wire, len).await?;
    }
    Ok(Ok(()))
}

async fn receive_trailer(wire: &mut Wire) -> Outcome<Digests> {
    let trailer = within_stall(wire.recv()).await?;
    let trailer = trailer.ok_or_else(|| AppError::failed("the trailer is missing"))?;
    Ok(header::parse_trailer(trailer))
}

/// Checks what arrived against the claims, and gives the file its name.
async fn keep(
    incoming: Incoming,
    claims: Result<[Digests; 2], AppError>,
    with: Attributes,
) -> Result<Answer, AppError> {
    let arrived = incoming.finish().await?;
    let found = arrived.digests();
    for claimed in &claims? {
        claimed.check(&found)?;
    }
    let len = arrived.keep(with).await?;
    Ok(Answer::done(
        len,
        Digests::blake3(found.blake3.unwrap_or_default()),
    ))
}

/// Confirms that the file is stored. A client that did not wait for `ready` may not wait for this
/// answer either.
async fn confirm(
    wire: &mut Wire,
    name: String,
    answer: Answer,
    waits: bool,
) -> Result<Flow, AppError> {
    tracing::info!(bytes = answer.filesize, "stored");
    let answer = Answer {
        filename: Some(name),
        ..answer
    };
    match waits {
        true => tell(wire, &answer).await?,
        false => tell_later(wire, &answer).await?,
    }
    Ok(Flow::Next)
}
