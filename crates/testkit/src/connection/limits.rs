//! How many streams an end may have open.

use socketry_transport::{Connection, MuxTransport};

use super::Subject;
use super::steps::{Pair, Stream, Verdict, park};

/// A connection on which the client has opened all the streams that it may.
async fn full<M: MuxTransport>(subject: &Subject<M>) -> Verdict<(Pair<M>, Vec<Stream<M>>)> {
    let (at, most) = subject.limits()?;
    let mut pair = subject.pair_at(at).await?;
    let mut opened = Vec::new();
    for _ in 0..most {
        opened.push(subject.open(&mut pair.client, b"!").await?);
    }
    Ok((pair, opened))
}

pub(super) async fn an_opener_waits_for_a_place<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let (mut pair, mut opened) = full(&subject).await?;
    let mut accepted = Vec::new();
    for _ in &opened {
        let mut stream = subject.accept(&mut pair.server).await?;
        subject.hear(&mut stream, b"!").await?;
        accepted.push(stream);
    }
    let one_more = pair.client.open();
    subject.waits("opening one more", one_more).await?;
    let mut client = pair.client.clone();
    let opening = park(async move { client.open().await }).await;
    opened.pop();
    accepted.pop();
    let woken = subject
        .joined("an opener when a stream is gone", opening)
        .await?;
    let mut again = woken.map_err(|error| error.to_string())?;
    subject.say(&mut again, b"?").await?;
    let mut accepted = subject.accept(&mut pair.server).await?;
    subject.hear(&mut accepted, b"?").await
}

pub(super) async fn streams_that_wait_to_be_accepted_count<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let (mut pair, opened) = full(&subject).await?;
    let one_more = pair.client.open();
    subject
        .waits("opening more than may wait", one_more)
        .await?;
    // That the opener has dropped them makes no room before they are taken.
    drop(opened);
    let one_more = pair.client.open();
    subject
        .waits("opening while dropped ones wait", one_more)
        .await
}

pub(super) async fn each_end_has_places_of_its_own<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let (mut pair, _opened) = full(&subject).await?;
    let (mut opened, mut accepted) = subject.stream(&mut pair.server, &mut pair.client).await?;
    subject.talk(&mut opened, &mut accepted).await
}
