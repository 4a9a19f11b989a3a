//! How readers and hubs end.

use socketry_service::{HubLimits, ReaderEnd};

use super::Subject;
use super::steps::{LINE, SOON, STRUCT, same, within};
use super::subject::How;
use crate::DEADLINE;
use crate::law::Verdict;

pub(super) async fn a_reader_that_is_gone_ends_alone(subject: Subject) -> Verdict {
    let mut stage = subject.stage().await?;
    let gone = stage.seat(LINE, "news").await?;
    let mut staying = stage.seat(STRUCT, "news").await?;
    if !staying.is_reliable() {
        return Ok(());
    }
    let super::steps::Seat { client, reader, .. } = gone;
    drop(client);
    // A reset comes with the second message at the latest, and is seen then.
    let ended = async {
        let mut ended = reader.ended();
        for count in 0.. {
            let frame = format!("{count}");
            stage.publish("news", &frame)?;
            staying.expect(&[&frame]).await?;
            if let Ok(ended) = tokio::time::timeout(SOON / 10, &mut ended).await {
                return Ok(ended);
            }
        }
        Err("unreachable".to_owned())
    };
    match within("its end", ended).await?? {
        ReaderEnd::Failed(_) => {}
        other => return Err(format!("it ended so: {other}")),
    }
    same("the readers", stage.publish("news", "after")?, 1)?;
    staying.expect(&["after"]).await
}

pub(super) async fn a_reader_that_is_dropped_gets_nothing_more(subject: Subject) -> Verdict {
    let mut stage = subject.stage().await?;
    let first = stage.seat(LINE, "news").await?;
    let mut second = stage.seat(STRUCT, "news").await?;
    drop(first);
    same("the readers", stage.publish("news", "one")?, 1)?;
    // A newcomer may have the place of the first one, and not its topics.
    let mut third = stage.guest(LINE, How::default()).await?;
    same("the readers", stage.publish("news", "two")?, 1)?;
    third.reader.send(b"hello");
    third.expect(&["hello"]).await?;
    second.expect(&["one", "two"]).await
}

pub(super) async fn a_reader_that_finishes_gets_what_was_published(subject: Subject) -> Verdict {
    let mut stage = subject.stage().await?;
    let mut ann = stage.seat(LINE, "news").await?;
    let mut bob = stage.seat(STRUCT, "news").await?;
    for frame in ["one", "two"] {
        stage.publish("news", frame)?;
    }
    let ended = within("the finish", ann.reader.finish()).await?;
    if !matches!(ended, ReaderEnd::Finished) {
        return Err(format!("it ended so: {ended}"));
    }
    same("the readers", stage.publish("news", "three")?, 1)?;
    ann.expect(&["one", "two"]).await?;
    if ann.is_reliable() {
        same("the end", ann.next().await?, None)?;
    }
    bob.expect(&["one", "two", "three"]).await
}

pub(super) async fn a_close_writes_what_waits(subject: Subject) -> Verdict {
    let limits = HubLimits {
        queue_bytes: 1 << 20,
        ..HubLimits::default()
    };
    let mut stage = subject.stage_with(limits).await?;
    let mut seats = Vec::new();
    for format in [LINE, STRUCT, STRUCT] {
        seats.push(stage.seat(format, "news").await?);
    }
    // More than a pipe holds, or fewer than a queue of datagrams loses.
    let count = if seats[0].is_reliable() { 400 } else { 20 };
    let all: Vec<_> = (0..count).map(|count| format!("{count:01000}")).collect();
    for frame in &all {
        stage.publish("news", frame)?;
    }
    // The readers begin to read behind the close: a queue of datagrams may hold few.
    let reading = async {
        for frame in &all {
            for seat in &mut seats {
                seat.expect(&[frame]).await?;
            }
        }
        for seat in seats.iter_mut().filter(|seat| seat.is_reliable()) {
            same("the end", seat.next().await?, None)?;
        }
        Ok(())
    };
    let closing = within("the close", stage.hub.close(DEADLINE));
    let (closed, read) = tokio::join!(closing, reading);
    same("drained, cut", closed?, (3, 0))?;
    if stage.publish("news", "late").is_ok() {
        return Err("a hub that has ended takes messages".to_owned());
    }
    read
}

pub(super) async fn a_close_cuts_after_its_grace_time(subject: Subject) -> Verdict {
    let mut stage = subject.stage().await?;
    let stopped = stage.seat(LINE, "news").await?;
    let mut reading = stage.seat(STRUCT, "news").await?;
    if !reading.is_reliable() {
        return Ok(());
    }
    let frame = "x".repeat(60_000);
    for _ in 0..400 {
        stage.publish("news", &frame)?;
        reading.expect(&[&frame]).await?;
    }
    let closed = within("the close", stage.hub.close(SOON)).await?;
    same("drained, cut", closed, (1, 1))?;
    match within("its end", stopped.reader.ended()).await? {
        ReaderEnd::Cut => {}
        other => return Err(format!("it ended so: {other}")),
    }
    same("the end", reading.next().await?, None)
}
