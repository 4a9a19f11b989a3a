//! How long an idle session lasts.

use std::io;
use std::time::{Duration, Instant};

use socketry_transport::{Half, Received, SendExt, Transport};
use tokio::time::sleep;

use super::steps::{Pair, ensure, same};
use super::subject::Subject;
use crate::law::Verdict;

pub(super) async fn an_idle_session_ends<T: Transport + ?Sized>(subject: &Subject<T>) -> Verdict {
    const IDLE: Duration = Duration::from_millis(150);
    if !subject.has_limits() {
        return Ok(());
    }
    let steps = subject.steps();
    let Pair {
        mut client,
        mut session,
        mut listener,
    } = subject.pair_with(&[("peer_idle", "150ms")]).await?;
    let began = Instant::now();
    steps.send(&mut client, b"last").await?;
    let mut arrived = steps.recv(&mut session).await?;
    if arrived.0 == Received::Data {
        same("the datagram", &arrived.1, &b"last".to_vec())?;
        arrived = steps.recv(&mut session).await?;
    }
    let lasted = began.elapsed();
    same("a session that is idle", &arrived.0, &Received::End)?;
    ensure(lasted + Duration::from_millis(5) >= IDLE, || {
        format!("it ended after {lasted:?}, where {IDLE:?} are its time")
    })?;
    let again = steps.recv(&mut session).await?;
    same("a session that has ended", &again.0, &Received::End)?;
    let late = steps.wait("sending", session.send(b"late")).await?;
    let kind = late.map_err(|error| error.kind());
    same("a late send", &kind, &Err(io::ErrorKind::BrokenPipe))?;

    steps.send(&mut client, b"back").await?;
    let mut new = steps.accept(&mut listener).await?;
    same("who came back", new.peer(), client.local())?;
    drop(session);
    steps.next(&mut new, b"back").await?;
    steps.talk(&mut client, &mut new, "as new").await
}

pub(super) async fn traffic_keeps_a_session<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    if !subject.has_limits() {
        return Ok(());
    }
    // On a busy machine the traffic may come too late to keep the session. That proves nothing.
    let mut late = false;
    for _ in 0..10 {
        let kept = talk_on(subject, &mut late).await;
        if !late {
            return kept;
        }
    }
    Err("this machine is too busy to tell".to_owned())
}

/// First only the peer sends, then only the session, each for longer than the idle time.
async fn talk_on<T: Transport + ?Sized>(subject: &Subject<T>, late: &mut bool) -> Verdict {
    const IDLE: Duration = Duration::from_millis(300);
    const ROUNDS: u32 = 7;
    let steps = subject.steps();
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair_with(&[("peer_idle", "300ms")]).await?;
    let mut last = Instant::now();
    for round in 0..2 * ROUNDS {
        sleep(IDLE / 6).await;
        let word = numbered_word(round);
        let passed = if round < ROUNDS {
            steps.pass(&mut client, &mut session, &word).await
        } else {
            steps.pass(&mut session, &mut client, &word).await
        };
        *late = last.elapsed() > IDLE / 2;
        last = Instant::now();
        if *late {
            return Ok(());
        }
        passed?;
    }
    Ok(())
}

fn numbered_word(round: u32) -> Vec<u8> {
    format!("round {round}").into_bytes()
}
