//! The stop.

use std::sync::Arc;
use std::time::Duration;

use socketry_codec::FrameError;
use socketry_service::{Limits, Observer, Request};
use socketry_transport::{Info, SendExt};
use tokio::sync::{Notify, mpsc};

use super::Subject;
use super::steps::{
    Client, Running, SOON, ask, expect, expect_end, expect_gone, limits, same, send, within, words,
};
use crate::law::Verdict;

pub(super) async fn a_stop_refuses_newcomers(subject: Subject) -> Verdict {
    let server = subject.echo(Limits::default()).await?;
    let mut early = subject.client(&server.at).await?;
    ask(&mut early, "early").await?;
    let at = server.at.clone();
    server.stop().await;
    server.ended().await?;
    // A transport without connections notices nothing before the first answer is due.
    let Ok(mut late) = subject.client(&at).await else {
        return Ok(());
    };
    if send(&mut late, "late").await.is_err() {
        return Ok(());
    }
    match tokio::time::timeout(SOON, late.recv()).await {
        Ok(Ok(Some(_))) => Err("a newcomer was answered after the stop".to_owned()),
        _ => Ok(()),
    }
}

pub(super) async fn an_idle_client_sees_an_end_at_the_stop(subject: Subject) -> Verdict {
    let server = subject.echo(Limits::default()).await?;
    let mut client = subject.client(&server.at).await?;
    ask(&mut client, "hello").await?;
    server.stop().await;
    if client.shape().is_reliable() {
        expect_end(&mut client).await?;
    }
    drop(client);
    let summary = server.ended().await?;
    same("drained, cut", (summary.drained, summary.cut), (1, 0))
}

/// Says that a client was accepted.
struct Accepted(mpsc::UnboundedSender<()>);

impl Observer for Accepted {
    fn accepted(&self, _: u64, _: &Info) {
        let _ = self.0.send(());
    }
}

/// A client that was accepted, has sent nothing, and whose server stops. `None` where the server
/// knows of no client before its first frame.
async fn newcomer(
    subject: &Subject,
    time: Option<Duration>,
) -> Result<Option<(Running, Client)>, String> {
    let (told, mut accepted) = mpsc::unbounded_channel();
    let server = subject
        .server(limits(|limits| limits.first_frame_at_stop = time))
        .await?
        .observer(Accepted(told));
    let server = Running::start(server, |server| {
        server.answer(async |request: Request| Ok::<_, FrameError>(request.frame))
    });
    let client = subject.client(&server.at).await?;
    if !client.shape().is_reliable() {
        return Ok(None);
    }
    within("the accept", accepted.recv()).await?;
    server.stop().await;
    Ok(Some((server, client)))
}

pub(super) async fn a_newcomer_at_the_stop_is_answered(subject: Subject) -> Verdict {
    let Some((server, mut client)) = newcomer(&subject, None).await? else {
        return Ok(());
    };
    // The server has heard of the stop once it refuses others.
    within("the stop", async {
        while let Ok(mut late) = subject.client(&server.at).await {
            let _ = late.recv().await;
        }
    })
    .await?;
    ask(&mut client, "late").await?;
    expect_end(&mut client).await?;
    drop(client);
    let summary = server.ended().await?;
    same("cut", summary.cut, 0)
}

pub(super) async fn a_silent_newcomer_sees_an_end_after_the_stop(subject: Subject) -> Verdict {
    let Some((server, mut client)) = newcomer(&subject, Some(SOON)).await? else {
        return Ok(());
    };
    expect_end(&mut client).await?;
    drop(client);
    let summary = server.ended().await?;
    same("cut", summary.cut, 0)
}

/// A server whose handler says that a request has come, and answers when it is told to.
async fn slow(
    subject: &Subject,
    limits: Limits,
) -> Result<(Running, mpsc::Receiver<()>, Arc<Notify>), String> {
    let (come, coming) = mpsc::channel(8);
    let answer = Arc::new(Notify::new());
    let told = Arc::clone(&answer);
    let server = subject.server(limits).await?;
    let running = Running::start(server, |server| {
        server.answer(move |request: Request| {
            let (come, told) = (come.clone(), Arc::clone(&told));
            async move {
                // A law that has ended does not listen.
                let _ = come.send(()).await;
                told.notified().await;
                Ok::<_, FrameError>(request.frame)
            }
        })
    });
    Ok((running, coming, answer))
}

pub(super) async fn a_request_under_way_is_answered(subject: Subject) -> Verdict {
    let (server, mut coming, answer) = slow(&subject, Limits::default()).await?;
    let mut client = subject.client(&server.at).await?;
    send(&mut client, "slow").await?;
    within("the request's arrival", coming.recv()).await?;
    server.stop().await;
    answer.notify_one();
    expect(&mut client, "slow").await?;
    if client.shape().is_reliable() {
        expect_end(&mut client).await?;
    }
    drop(client);
    let summary = server.ended().await?;
    same("drained, cut", (summary.drained, summary.cut), (1, 0))
}

pub(super) async fn half_a_frame_at_the_stop_is_finished(subject: Subject) -> Verdict {
    let server = subject.echo(Limits::default()).await?;
    let mut client = subject.client(&server.at).await?;
    // A frame never continues in another message.
    if !client.shape().is_stream() {
        return Ok(());
    }
    ask(&mut client, "first").await?;
    // A whole frame, and with it the first byte of another: once the answer is there, the server
    // has received that byte as well.
    let wire = [&5_u32.to_le_bytes()[..], b"whole", &[4]].concat();
    let sent = client.socket_mut().send_all(&wire);
    within("a send", sent).await?.map_err(words)?;
    expect(&mut client, "whole").await?;
    server.stop().await;
    let rest = [&[0, 0, 0][..], b"half"].concat();
    let sent = client.socket_mut().send_all(&rest);
    within("a send", sent).await?.map_err(words)?;
    expect(&mut client, "half").await?;
    expect_end(&mut client).await?;
    drop(client);
    server.ended().await.map(drop)
}

pub(super) async fn a_busy_connection_is_cut_after_the_grace_time(subject: Subject) -> Verdict {
    let limits = limits(|limits| limits.grace = Some(SOON));
    let (server, mut coming, _never) = slow(&subject, limits).await?;
    let mut client = subject.client(&server.at).await?;
    send(&mut client, "endless").await?;
    within("the request's arrival", coming.recv()).await?;
    server.stop().await;
    let summary = server.ended().await?;
    same("drained, cut", (summary.drained, summary.cut), (0, 1))?;
    match client.shape().is_reliable() {
        true => expect_gone(&mut client).await,
        false => Ok(()),
    }
}

pub(super) async fn a_second_stop_cuts_at_once(subject: Subject) -> Verdict {
    let limits = limits(|limits| limits.grace = Some(Duration::from_secs(3_600)));
    let (server, mut coming, _never) = slow(&subject, limits).await?;
    let mut client = subject.client(&server.at).await?;
    send(&mut client, "endless").await?;
    within("the request's arrival", coming.recv()).await?;
    server.stop().await;
    server.stop().await;
    let summary = server.ended().await?;
    same("cut", summary.cut, 1)
}

pub(super) async fn dropping_the_server_cuts_its_connections(subject: Subject) -> Verdict {
    let (server, mut coming, _never) = slow(&subject, Limits::default()).await?;
    let mut client = subject.client(&server.at).await?;
    send(&mut client, "endless").await?;
    within("the request's arrival", coming.recv()).await?;
    server.task.abort();
    // The handler had the only sender, so the channel ends with the last of its clones.
    let end = within("the end of the handler", coming.recv()).await?;
    same("what the handler said", end, None)?;
    match client.shape().is_reliable() {
        true => expect_gone(&mut client).await,
        false => Ok(()),
    }
}
