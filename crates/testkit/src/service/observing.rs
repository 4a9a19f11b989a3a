//! What a server tells about its connections.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socketry_codec::FrameError;
use socketry_service::{Ending, Limits, Observer, Request};
use socketry_transport::Info;
use tokio::sync::mpsc;

use super::Subject;
use super::steps::{Running, SOON, ask, limits, same, send, within, words};
use crate::law::Verdict;

/// All that was told.
#[derive(Clone, Debug, Default, PartialEq)]
struct Heard {
    accepted: usize,
    frames_received: usize,
    frames_sent: usize,
    bytes_received: usize,
    bytes_sent: usize,
    requested: usize,
    most_waiting: usize,
    answered: usize,
    given_up: usize,
    failed: Vec<String>,
    ended: Vec<String>,
}

#[derive(Clone, Default)]
struct Listening(Arc<Mutex<Heard>>);

impl Listening {
    fn note(&self, note: impl FnOnce(&mut Heard)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn heard(&self) -> Heard {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.clone()
    }
}

impl Observer for Listening {
    fn accepted(&self, _: u64, _: &Info) {
        self.note(|heard| heard.accepted += 1);
    }
    fn frames_received(&self, _: u64, count: usize) {
        self.note(|heard| heard.frames_received += count);
    }
    fn frames_sent(&self, _: u64, count: usize) {
        self.note(|heard| heard.frames_sent += count);
    }
    fn bytes_received(&self, _: u64, count: usize) {
        self.note(|heard| heard.bytes_received += count);
    }
    fn bytes_sent(&self, _: u64, count: usize) {
        self.note(|heard| heard.bytes_sent += count);
    }
    fn failed(&self, _: u64, error: &FrameError) {
        self.note(|heard| heard.failed.push(error.to_string()));
    }
    fn requested(&self, _: u64, waiting: usize) {
        self.note(|heard| {
            heard.requested += 1;
            heard.most_waiting = heard.most_waiting.max(waiting);
        });
    }
    fn answered(&self, _: u64, latency: Option<Duration>) {
        self.note(|heard| match latency {
            Some(_) => heard.answered += 1,
            None => heard.given_up += 1,
        });
    }
    fn ended(&self, _: u64, _: &Info, how: &Ending<'_>, _: Duration) {
        self.note(|heard| heard.ended.push(how.to_string()));
    }
}

pub(super) async fn the_observer_hears_of_each_frame(subject: Subject) -> Verdict {
    const FRAMES: usize = 5;
    let listening = Listening::default();
    let server = subject.server(Limits::default()).await?;
    let server = Running::echo(server.observer(listening.clone()));
    let mut client = subject.client(&server.at).await?;
    for _ in 0..FRAMES {
        ask(&mut client, "four").await?;
    }
    within("closing", client.close()).await?.map_err(words)?;
    server.stop().await;
    server.ended().await?;
    let wire = FRAMES * (4 + "four".len());
    let wanted = Heard {
        accepted: 1,
        frames_received: FRAMES,
        frames_sent: FRAMES,
        bytes_received: wire,
        bytes_sent: wire,
        requested: FRAMES,
        most_waiting: 1,
        answered: FRAMES,
        given_up: 0,
        failed: Vec::new(),
        ended: vec!["done".to_owned()],
    };
    same("what was told", listening.heard(), wanted)
}

pub(super) async fn a_request_that_is_cut_is_told(subject: Subject) -> Verdict {
    let listening = Listening::default();
    let (begin, mut begun) = mpsc::channel(1);
    let limits = limits(|limits| limits.grace = Some(SOON));
    let server = subject.server(limits).await?.observer(listening.clone());
    let server = Running::start(server, |server| {
        server.answer(move |_: Request| {
            let begin = begin.clone();
            async move {
                let _ = begin.send(()).await;
                std::future::pending::<Result<&'static str, FrameError>>().await
            }
        })
    });
    let mut client = subject.client(&server.at).await?;
    send(&mut client, "endless").await?;
    within("the request's arrival", begun.recv()).await?;
    server.stop().await;
    server.ended().await?;
    let heard = listening.heard();
    let requests = (heard.requested, heard.answered, heard.given_up);
    same("requested, answered, given up", requests, (1, 0, 1))?;
    let cut = "cut while it was busy".to_owned();
    same("the ending", heard.ended, vec![cut])
}

pub(super) async fn an_error_is_told(subject: Subject) -> Verdict {
    let listening = Listening::default();
    let (begin, mut begun) = mpsc::channel(1);
    let server = subject.server(Limits::default()).await?;
    let server = Running::start(server.observer(listening.clone()), |server| {
        server.serve(move |mut client| {
            let begin = begin.clone();
            async move {
                let _ = client.recv().await;
                // There is no body over datagrams, and no next frame before its end over streams.
                if client.body(9).is_ok() {
                    let _ = client.recv().await;
                }
                let _ = begin.send(()).await;
                Ok::<_, FrameError>(())
            }
        })
    });
    let mut client = subject.client(&server.at).await?;
    send(&mut client, "header").await?;
    within("the error", begun.recv()).await?;
    let failed = listening.heard().failed.len();
    same("the errors that were told", failed, 1)
}
