//! The largest number of peers, and the refusal of one more.

use socketry_transport::{Half, Listener, Transport};

use super::steps::{Pair, nobody, quiet, same};
use super::subject::Subject;
use crate::law::Verdict;

pub(super) async fn a_full_table_refuses_the_newcomer<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    if !subject.has_limits() {
        return Ok(());
    }
    let steps = subject.steps();
    let mut listener = subject.listen(&[("max_peers", "2")]).await?;
    let (mut ann, mut with_ann) = subject.join(&mut listener).await?;
    let (mut bob, mut with_bob) = subject.join(&mut listener).await?;
    let mut eve = subject.connect(listener.local()).await?;
    for _ in 0..3 {
        steps.send(&mut eve, b"let me in").await?;
        // Datagrams that were sent before this have been handled when it arrives.
        steps.talk(&mut ann, &mut with_ann, "one").await?;
        steps.talk(&mut bob, &mut with_bob, "two").await?;
        nobody(&mut listener)?;
    }
    quiet(&mut with_ann)?;
    quiet(&mut with_bob)
}

pub(super) async fn a_session_that_goes_frees_its_place<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    if !subject.has_limits() {
        return Ok(());
    }
    let mut listener = subject.listen(&[("max_peers", "2")]).await?;
    let (mut ann, mut with_ann) = subject.join(&mut listener).await?;
    for _ in 0..5 {
        // Each client takes the place that the one before has left.
        let (mut client, mut session) = subject.join(&mut listener).await?;
        let steps = subject.steps();
        steps.talk(&mut client, &mut session, "here").await?;
        let (recv, send) = socketry_transport::Socket::split(session);
        drop(recv);
        drop(send);
        steps.talk(&mut ann, &mut with_ann, "still here").await?;
    }
    Ok(())
}

pub(super) async fn a_full_backlog_refuses_the_newcomer<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    if !subject.has_limits() {
        return Ok(());
    }
    let steps = subject.steps();
    let Pair {
        mut client,
        mut session,
        mut listener,
    } = subject.pair_with(&[("backlog", "2")]).await?;
    let mut waiting = Vec::new();
    for word in [b"1", b"2", b"3"] {
        let mut newcomer = subject.connect(listener.local()).await?;
        steps.send(&mut newcomer, word).await?;
        waiting.push(newcomer);
    }
    steps
        .talk(&mut client, &mut session, "that was there")
        .await?;
    for (newcomer, word) in waiting.iter().zip([b"1", b"2"]) {
        let mut accepted = steps.accept(&mut listener).await?;
        same("who was accepted", accepted.peer(), newcomer.local())?;
        steps.next(&mut accepted, word).await?;
    }
    nobody(&mut listener)?;
    let refused = &mut waiting[2];
    steps.send(refused, b"now").await?;
    let mut accepted = steps.accept(&mut listener).await?;
    same("who was accepted", accepted.peer(), refused.local())?;
    steps.next(&mut accepted, b"now").await
}
