//! Futures that are dropped while they wait.

use std::future::poll_fn;
use std::task::Poll;

use socketry_transport::{Connection, MuxTransport};

use super::Subject;
use super::steps::{Verdict, same};

pub(super) async fn a_cancelled_accept_loses_no_stream<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let mut pair = subject.pair().await?;
    for number in 0..20 {
        subject
            .waits("accepting without a stream", pair.server.accept())
            .await?;
        let _opened = subject.open(&mut pair.client, &[number]).await?;
        let mut accepted = subject.accept(&mut pair.server).await?;
        subject.hear(&mut accepted, &[number]).await?;
    }
    Ok(())
}

pub(super) async fn a_cancelled_open_takes_no_place<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let (at, most) = subject.limits()?;
    let mut pair = subject.pair_at(at).await?;
    let mut held = Vec::new();
    for _ in 0..most {
        held.push(subject.stream(&mut pair.client, &mut pair.server).await?);
    }
    let mut others: Vec<_> = (0..10).map(|_| pair.client.clone()).collect();
    let waiting = poll_fn(|cx| {
        let waits = |other: &mut M::Connection| other.poll_open(cx).is_pending();
        Poll::Ready(others.iter_mut().all(waits))
    });
    same("whether all wait", waiting.await, true)?;
    drop(others);
    held.clear();
    // Every place that is free again is there for those who still ask.
    let nobody = pair.server.accept();
    subject
        .waits("accepting when no open is left", nobody)
        .await?;
    for _ in 0..most {
        held.push(subject.stream(&mut pair.client, &mut pair.server).await?);
    }
    Ok(())
}
