//! Handlers that fail.

use std::time::Duration;

use socketry_codec::FrameError;
use socketry_service::{Ending, Limits, Observer, Request};
use socketry_transport::Info;
use tokio::sync::mpsc;

use super::Subject;
use super::steps::{Running, ask, expect, expect_gone, same, send, within, words};
use crate::law::Verdict;

/// Passes on the words of each ending.
struct Endings(mpsc::UnboundedSender<String>);

impl Observer for Endings {
    fn ended(&self, _: u64, _: &Info, how: &Ending<'_>, _: Duration) {
        let _ = self.0.send(how.to_string());
    }
}

/// An echo that fails or panics when it is asked to. Gives its endings, too.
async fn fragile(subject: &Subject) -> Result<(Running, mpsc::UnboundedReceiver<String>), String> {
    let (told, endings) = mpsc::unbounded_channel();
    let server = subject.server(Limits::default()).await?;
    let server = server.observer(Endings(told));
    let running = Running::start(server, |server| {
        server.answer(async |request: Request| match &request.frame[..] {
            b"panic" => std::panic::resume_unwind(Box::new("as the law wants it")),
            b"fail" => Err("it was told to"),
            _ => Ok(request.frame),
        })
    });
    Ok((running, endings))
}

async fn ends_alone(subject: Subject, word: &str, wanted: &str) -> Verdict {
    let (server, mut endings) = fragile(&subject).await?;
    let mut other = subject.client(&server.at).await?;
    ask(&mut other, "before").await?;
    let mut failing = subject.client(&server.at).await?;
    send(&mut failing, word).await?;
    let ending = within("the observer's word", endings.recv()).await?;
    same("the ending", ending.as_deref(), Some(wanted))?;
    if failing.shape().is_reliable() {
        expect_gone(&mut failing).await?;
    }
    ask(&mut other, "after").await?;
    let mut newcomer = subject.client(&server.at).await?;
    ask(&mut newcomer, "new").await
}

pub(super) async fn a_panic_ends_its_own_connection(subject: Subject) -> Verdict {
    ends_alone(subject, "panic", "the handler panicked").await
}

pub(super) async fn an_error_ends_its_own_connection(subject: Subject) -> Verdict {
    ends_alone(subject, "fail", "failed: it was told to").await
}

pub(super) async fn answers_survive_what_the_client_sent_behind(subject: Subject) -> Verdict {
    let server = subject.server(Limits::default()).await?;
    // It answers one frame and returns, whatever else has arrived.
    let server = Running::start(server, |server| {
        server.serve(async |mut client| {
            let _ = client.recv().await?;
            client.send(b"answer").await?;
            Ok::<_, FrameError>(())
        })
    });
    let mut client = subject.client(&server.at).await?;
    if !client.shape().is_reliable() {
        return Ok(());
    }
    let behind = vec![0_u8; 60_000];
    let frames = [&b"question"[..], &behind, &behind];
    within("the feeding", client.feed_many(frames))
        .await?
        .map_err(words)?;
    within("a flush", client.flush()).await?.map_err(words)?;
    expect(&mut client, "answer").await
}
