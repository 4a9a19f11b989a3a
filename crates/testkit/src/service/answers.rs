//! Requests and answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socketry_codec::FrameError;
use socketry_service::{Limits, Request};
use tokio::sync::{Barrier, Notify, mpsc};
use tokio::time::sleep;

use super::Subject;
use super::steps::{Client, Running, expect, expect_end, limits, same, within, words};
use crate::law::Verdict;

/// Sends all of these in one write.
async fn send_all(client: &mut Client, frames: &[String]) -> Verdict {
    within("the feeding", client.feed_many(frames))
        .await?
        .map_err(words)?;
    within("a flush", client.flush()).await?.map_err(words)
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

pub(super) async fn answers_come_in_the_order_of_requests(subject: Subject) -> Verdict {
    let server = subject.server(Limits::default()).await?;
    // The first is answered when the last has been.
    let last = Arc::new(Notify::new());
    let server = Running::start(server, |server| {
        server.answer(move |request: Request| {
            let last = Arc::clone(&last);
            async move {
                match &request.frame[..] {
                    b"0" => last.notified().await,
                    b"7" => last.notify_one(),
                    _ => {}
                }
                Ok::<_, FrameError>(request.frame)
            }
        })
    });
    let mut client = subject.client(&server.at).await?;
    let questions = numbers(8);
    send_all(&mut client, &questions).await?;
    for question in &questions {
        expect(&mut client, question).await?;
    }
    Ok(())
}

pub(super) async fn requests_beside_one_another_are_bounded(subject: Subject) -> Verdict {
    const MOST: usize = 3;
    let limits = limits(|limits| limits.requests_per_connection = MOST);
    let (now, highest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Each waits until there are as many as there may be, so that the bound is reached as well.
    let together = Arc::new(Barrier::new(MOST));
    let server = subject.server(limits).await?;
    let seen = Arc::clone(&highest);
    let server = Running::start(server, |server| {
        server.answer(move |request: Request| {
            let (now, highest) = (Arc::clone(&now), Arc::clone(&seen));
            let together = Arc::clone(&together);
            async move {
                let running = now.fetch_add(1, Ordering::SeqCst) + 1;
                highest.fetch_max(running, Ordering::SeqCst);
                together.wait().await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, FrameError>(request.frame)
            }
        })
    });
    let mut client = subject.client(&server.at).await?;
    let questions = numbers(4 * MOST);
    send_all(&mut client, &questions).await?;
    for question in &questions {
        expect(&mut client, question).await?;
    }
    same("the most at once", highest.load(Ordering::SeqCst), MOST)
}

pub(super) async fn all_requests_before_a_half_close_are_answered(subject: Subject) -> Verdict {
    let server = subject.echo(Limits::default()).await?;
    let mut client = subject.client(&server.at).await?;
    if !client.shape().is_reliable() {
        return Ok(());
    }
    // The kernel holds few messages, each with room of its own.
    let questions = numbers(if client.shape().is_stream() {
        1_000
    } else {
        100
    });
    within("the feeding", client.feed_many(&questions))
        .await?
        .map_err(words)?;
    within("the half-close", client.finish())
        .await?
        .map_err(words)?;
    for question in &questions {
        expect(&mut client, question).await?;
    }
    expect_end(&mut client).await
}

pub(super) async fn requests_at_the_stop_are_answered(subject: Subject) -> Verdict {
    const COUNT: usize = 16;
    let (begin, mut begun) = mpsc::channel(COUNT);
    let server = subject.server(Limits::default()).await?;
    let server = Running::start(server, |server| {
        server.answer(move |request: Request| {
            let begin = begin.clone();
            async move {
                let _ = begin.send(()).await;
                sleep(Duration::from_millis(20)).await;
                Ok::<_, FrameError>(request.frame)
            }
        })
    });
    let mut client = subject.client(&server.at).await?;
    let questions = numbers(COUNT);
    send_all(&mut client, &questions).await?;
    for _ in 0..COUNT {
        within("the requests' arrival", begun.recv()).await?;
    }
    server.stop().await;
    for question in &questions {
        expect(&mut client, question).await?;
    }
    if client.shape().is_reliable() {
        expect_end(&mut client).await?;
    }
    drop(client);
    let summary = server.ended().await?;
    same("cut", summary.cut, 0)
}
