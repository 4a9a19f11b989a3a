//! Readers that stop.

use std::sync::Arc;
use std::time::Duration;

use socketry_service::{HubLimits, ReaderEnd, Receipt};
use tokio::time::timeout;

use super::Subject;
use super::steps::{LINE, SOON, STRUCT, Seat, Stage, same, within, words};
use super::subject::How;
use crate::law::Verdict;

/// More than the kernel takes for a peer that does not read, in messages of this length.
const FLOOD: usize = 2_500;
const LENGTH: usize = 5000;

fn numbered(count: usize) -> String {
    format!("{count:0LENGTH$}")
}

/// Publishes a flood, at the pace of one reader that gets all of it.
async fn flood(stage: &Stage, reading: &mut Seat) -> Verdict {
    for count in 0..FLOOD {
        let frame = numbered(count);
        stage.publish("news", &frame)?;
        same("a frame", reading.next().await?, Some(frame))?;
    }
    Ok(())
}

pub(super) async fn readers_that_stop_delay_nobody(subject: Subject) -> Verdict {
    let mut stage = subject.stage().await?;
    let mut stopped = Vec::new();
    for format in [LINE, STRUCT, LINE] {
        stopped.push(stage.seat(format, "news").await?);
    }
    let mut reading = stage.seat(STRUCT, "news").await?;
    if !reading.is_reliable() {
        return Ok(());
    }
    flood(&stage, &mut reading).await?;
    same("what it missed", reading.reader.missed(), 0)
}

pub(super) async fn a_late_reader_is_told_what_it_missed_and_where(subject: Subject) -> Verdict {
    let limits = HubLimits {
        queue_bytes: 20 * LENGTH,
        ..HubLimits::default()
    };
    let mut stage = subject.stage_with(limits).await?;
    let how = How {
        told: true,
        ..How::default()
    };
    let mut late = stage.guest(LINE, how).await?;
    late.reader.subscribe("news");
    let mut reading = stage.seat(STRUCT, "news").await?;
    if !reading.is_reliable() {
        return Ok(());
    }
    flood(&stage, &mut reading).await?;
    // It never heard its own, so it has not missed it.
    late.reader.publish("news", b"own");
    reading.expect(&["own"]).await?;
    let (mut next, mut missed) = (0, 0);
    while next < FLOOD {
        let frame = late.next().await?.ok_or("it ended")?;
        match frame.strip_prefix("missed ") {
            Some(count) => {
                let count: usize = count.parse().map_err(|_| format!("told {frame:?}"))?;
                (next, missed) = (next + count, missed + count);
            }
            None => {
                same("the next message", frame, numbered(next))?;
                next += 1;
            }
        }
    }
    if missed == 0 {
        return Err("it has missed nothing of a flood that it did not read".to_owned());
    }
    same("what it missed", late.reader.missed(), missed as u64)?;
    stage.publish("news", "after")?;
    late.expect(&["after"]).await
}

pub(super) async fn a_reader_that_is_to_be_cut_when_late_is_cut(subject: Subject) -> Verdict {
    let mut stage = subject.stage().await?;
    let how = How {
        cut_when_late: true,
        ..How::default()
    };
    let mut late = stage.guest(LINE, how).await?;
    late.reader.subscribe("news");
    let mut reading = stage.seat(STRUCT, "news").await?;
    if !reading.is_reliable() {
        return Ok(());
    }
    flood(&stage, &mut reading).await?;
    match within("the cut", late.reader.ended()).await? {
        ReaderEnd::Late => {}
        other => return Err(format!("it ended so: {other}")),
    }
    late.expect_gone_in_order().await
}

impl Seat {
    /// What was written before the cut arrives without a gap.
    async fn expect_gone_in_order(&mut self) -> Verdict {
        let mut next = 0;
        // The receiving half is still there, so no end comes.
        while let Ok(Ok(Ok(Some(frame)))) =
            timeout(SOON, within("a frame", self.client.recv())).await
        {
            same(
                "a frame",
                String::from_utf8_lossy(frame).into_owned(),
                numbered(next),
            )?;
            next += 1;
        }
        Ok(())
    }
}

pub(super) async fn receipts_wait_for_readers_that_pace(subject: Subject) -> Verdict {
    let limits = HubLimits {
        patience: Duration::from_secs(3600),
        queue_bytes: 1,
        ..HubLimits::default()
    };
    let mut stage = subject.stage_with(limits).await?;
    let how = How {
        paces: true,
        ..How::default()
    };
    let mut pacing = stage.guest(STRUCT, how).await?;
    pacing.reader.subscribe("news");
    if !pacing.is_reliable() {
        return Ok(());
    }
    // Each message has a permit, of which there are few.
    let permits = Arc::new(tokio::sync::Semaphore::new(8));
    let mut published = 0;
    // It stops where the reader has stopped.
    while let Ok(permit) = timeout(SOON * 5, Arc::clone(&permits).acquire_owned()).await {
        let permit: Receipt = Arc::new(permit.map_err(words)?);
        let frame = numbered(published);
        stage.hub.publish("news", frame.as_bytes(), Some(permit))?;
        published += 1;
        if published == FLOOD * 4 {
            return Err("a flood was not stopped by a reader that paces".to_owned());
        }
    }
    for count in 0..published {
        same("a frame", pacing.next().await?, Some(numbered(count)))?;
    }
    same("what it missed", pacing.reader.missed(), 0)
}

pub(super) async fn receipts_do_not_wait_for_readers_that_stop(subject: Subject) -> Verdict {
    let limits = HubLimits {
        patience: SOON,
        ..HubLimits::default()
    };
    let mut stage = subject.stage_with(limits).await?;
    let how = How {
        paces: true,
        ..How::default()
    };
    let stopped = stage.guest(STRUCT, how).await?;
    stopped.reader.subscribe("news");
    if !stopped.is_reliable() {
        return Ok(());
    }
    let permits = Arc::new(tokio::sync::Semaphore::new(8));
    for count in 0..FLOOD {
        let permit = within("a permit", Arc::clone(&permits).acquire_owned()).await?;
        let permit: Receipt = Arc::new(permit);
        stage
            .hub
            .publish("news", numbered(count).as_bytes(), Some(permit))?;
    }
    Ok(())
}
