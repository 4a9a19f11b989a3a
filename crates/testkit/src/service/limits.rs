//! What clients may use.

use socketry_codec::FrameError;
use socketry_service::{Ending, Observer, Refusal, Request};
use socketry_transport::Info;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::Subject;
use super::steps::DEADLINE;
use super::steps::{
    Client, Running, SOON, ask, expect, expect_gone, limits, same, send, within, words,
};
use crate::law::Verdict;

pub(super) async fn a_newcomer_beyond_the_limit_is_refused(subject: Subject) -> Verdict {
    let server = subject
        .echo(limits(|limits| limits.connections = 1))
        .await?;
    let mut first = subject.client(&server.at).await?;
    if !first.shape().is_reliable() {
        return Ok(());
    }
    ask(&mut first, "first").await?;
    // It may be refused before it is connected.
    if let Ok(mut second) = subject.client(&server.at).await {
        expect_gone(&mut second).await?;
    }
    drop(first);
    // The server hears of the end when it comes to it.
    let deadline = Instant::now() + DEADLINE;
    loop {
        // A refusal may be so quick that to connect fails.
        let asked = async {
            let mut third = subject.client(&server.at).await?;
            ask(&mut third, "third").await
        };
        match asked.await {
            Err(words) if Instant::now() > deadline => return Err(words),
            Err(_) => tokio::task::yield_now().await,
            Ok(()) => return Ok(()),
        }
    }
}

/// Passes on the reason of each refusal, and the words of each ending.
struct Reasons(mpsc::UnboundedSender<String>);

impl Observer for Reasons {
    fn refused(&self, info: Option<&Info>, why: Refusal) {
        let known = info.is_some();
        let _ = self.0.send(format!("{why:?} {known}"));
    }
    fn ended(&self, _: u64, _: &Info, how: &Ending<'_>, _: Duration) {
        let _ = self.0.send(how.to_string());
    }
}

pub(super) async fn what_is_refused_is_told_with_its_reason(subject: Subject) -> Verdict {
    let (tell, mut told) = mpsc::unbounded_channel();
    let limits = limits(|limits| limits.connections = 1);
    let server = subject.server(limits).await?.observer(Reasons(tell));
    let server = Running::echo(server);
    let mut first = subject.client(&server.at).await?;
    ask(&mut first, "first").await?;
    // It may be refused before it is connected.
    if let Ok(mut second) = subject.client(&server.at).await {
        let _ = send(&mut second, "second").await;
    }
    let reason = within("the observer's word", told.recv()).await?;
    same("the reason", reason.as_deref(), Some("Full true"))?;
    ask(&mut first, "again").await
}

pub(super) async fn buffers_are_bounded_together(subject: Subject) -> Verdict {
    const MOST: usize = 256 << 10;
    let (tell, mut told) = mpsc::unbounded_channel();
    let limits = limits(|limits| limits.buffers = MOST);
    let server = subject.server(limits).await?.observer(Reasons(tell));
    let server = Running::echo(server);
    let mut small = subject.client(&server.at).await?;
    // Where no frame is so long, none is refused.
    if small
        .shape()
        .max_len()
        .is_some_and(|longest| longest <= 2 * MOST)
    {
        return Ok(());
    }
    ask(&mut small, "before").await?;
    let mut large = subject.client(&server.at).await?;
    // The server may be gone before it has taken all.
    let frame = vec![0; 2 * MOST];
    let _ = within("a send", large.send(&frame)).await?;
    let ending = within("the observer's word", told.recv()).await?;
    let ending = ending.unwrap_or_default();
    if !ending.contains(&format!("of {MOST} bytes")) {
        return Err(format!("the ending is {ending:?}"));
    }
    expect_gone(&mut large).await?;
    // Its memory is free again.
    for round in 0..4 {
        let mut next = subject.client(&server.at).await?;
        let frame = vec![b'a'; MOST / 8];
        within("a send", next.send(&frame)).await?.map_err(words)?;
        let answer = within("an answer", next.recv()).await?.map_err(words)?;
        same(&format!("answer {round}"), answer, Some(&frame[..]))?;
    }
    ask(&mut small, "after").await
}

pub(super) async fn a_client_that_says_nothing_is_gone(subject: Subject) -> Verdict {
    let limits = limits(|limits| limits.first_frame = Some(SOON));
    let server = subject.echo(limits).await?;
    let mut silent = subject.client(&server.at).await?;
    match silent.shape().is_reliable() {
        true => expect_gone(&mut silent).await,
        // There is no client before its first datagram.
        false => Ok(()),
    }
}

pub(super) async fn a_client_that_falls_silent_is_gone(subject: Subject) -> Verdict {
    /// A busy machine must not make a test of it late.
    const SILENCE: Duration = Duration::from_millis(400);
    let limits = limits(|limits| limits.between_frames = Some(SILENCE));
    let (begin, mut begun) = mpsc::channel(1);
    let server = subject.server(limits).await?;
    let server = Running::start(server, |server| {
        server.answer(move |request: Request| {
            let begin = begin.clone();
            async move {
                let _ = begin.send(()).await;
                // Longer than a client may be silent.
                sleep(SILENCE * 2).await;
                Ok::<_, FrameError>(request.frame)
            }
        })
    });
    let mut client = subject.client(&server.at).await?;
    for question in ["one", "two"] {
        send(&mut client, question).await?;
        within("the request's arrival", begun.recv()).await?;
        expect(&mut client, question).await?;
    }
    match client.shape().is_reliable() {
        true => expect_gone(&mut client).await,
        false => Ok(()),
    }
}

pub(super) async fn a_client_that_reads_nothing_is_gone(subject: Subject) -> Verdict {
    let limits = limits(|limits| limits.stalled_write = Some(SOON));
    let server = subject.echo(limits).await?;
    let mut client = subject.client(&server.at).await?;
    if !client.shape().is_reliable() {
        return Ok(());
    }
    within("a flood of requests", flood(&mut client)).await?
}

/// Sends until the server has given up. A client that goes on without an error for this many bytes
/// holds the server's memory.
async fn flood(client: &mut Client) -> Verdict {
    let frame = vec![0; 64 << 10];
    for _ in 0..16_384 {
        // A server that takes no more stops the client as well, until it gives up.
        match timeout(DEADLINE / 2, client.send(&frame)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Ok(()),
            Err(_) => return Err("the server neither takes more nor gives up".to_owned()),
        }
    }
    Err("the server took 1 GiB of a client that reads nothing".to_owned())
}
