//! One session for each peer: its addresses, its datagrams, and its lifetime.

use socketry_transport::{Half, Listener, RecvHalf, SendExt, SendHalf, Socket, Transport};
use tokio::task::JoinHandle;

use super::steps::{Pair, Steps, max_len, numbered, quiet, same};
use super::subject::{Accepted, Subject};
use crate::law::Verdict;

pub(super) async fn the_ends_are_mirror_images<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let Pair {
        client,
        session,
        listener,
    } = subject.pair().await?;
    same("the client's peer", client.peer(), listener.local())?;
    same("the session's own place", session.local(), listener.local())?;
    same("the session's peer", session.peer(), client.local())?;
    halves_agree(client)?;
    halves_agree(session)
}

fn halves_agree(socket: impl Socket) -> Verdict {
    let (local, peer) = (socket.local().clone(), socket.peer().clone());
    let (largest, room) = (max_len(&socket)?, socket.recv_room());
    let (recv, send) = socket.split();
    same("the room of a half", &recv.recv_room(), &room)?;
    for half in [&recv as &dyn Half, &send] {
        same("a half's place", half.local(), &local)?;
        same("a half's peer", half.peer(), &peer)?;
        same("a half's limit", &max_len(half)?, &largest)?;
    }
    Ok(())
}

pub(super) async fn each_peer_has_its_own_session<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    const PEERS: usize = 12;
    let steps = subject.steps();
    let mut listener = subject.listen(&[]).await?;
    let mut clients = Vec::new();
    for _ in 0..PEERS {
        clients.push(subject.connect(listener.local()).await?);
    }
    let word = |who: usize, round: usize| numbered(who * 100 + round);
    for round in 0..3 {
        for (who, client) in clients.iter_mut().enumerate() {
            steps.send(client, &word(who, round)).await?;
        }
    }
    let mut sessions: Vec<Accepted<T>> = Vec::new();
    for client in &clients {
        let session = steps.accept(&mut listener).await?;
        same("who was accepted", session.peer(), client.local())?;
        sessions.push(session);
    }
    // Not in the order in which they arrived.
    for (who, session) in sessions.iter_mut().enumerate().rev() {
        for round in 0..3 {
            steps.next(session, &word(who, round)).await?;
        }
        steps.send(session, &word(who, 3)).await?;
    }
    for (who, (client, session)) in clients.iter_mut().zip(&mut sessions).enumerate() {
        steps.next(client, &word(who, 3)).await?;
        quiet(client)?;
        quiet(session)?;
    }
    Ok(())
}

pub(super) async fn halves_serve_two_tasks<T: Transport + ?Sized>(subject: &Subject<T>) -> Verdict {
    let steps = subject.steps();
    let Pair {
        client,
        session,
        listener: _listener,
    } = subject.pair().await?;
    let (client_recv, client_send) = client.split();
    let (session_recv, session_send) = session.split();
    // First the tasks that wait, which must not delay the others.
    let tasks = [
        receiver(steps, client_recv),
        receiver(steps, session_recv),
        sender(steps, client_send),
        sender(steps, session_send),
    ];
    for task in tasks {
        task.await.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// How many datagrams go each way: fewer than fit in a session's queue.
const EACH_WAY: usize = 40;

fn sender(steps: Steps, mut half: impl SendHalf + 'static) -> JoinHandle<Verdict> {
    tokio::spawn(async move {
        for number in 0..EACH_WAY {
            steps.send(&mut half, &numbered(number)).await?;
        }
        Ok(())
    })
}

fn receiver(steps: Steps, mut half: impl RecvHalf + 'static) -> JoinHandle<Verdict> {
    tokio::spawn(async move {
        for number in 0..EACH_WAY {
            steps.next(&mut half, &numbered(number)).await?;
        }
        Ok(())
    })
}

pub(super) async fn a_half_that_goes_is_silent<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let steps = subject.steps();
    let Pair {
        client,
        mut session,
        mut listener,
    } = subject.pair().await?;
    let (mut other, mut with_other) = subject.join(&mut listener).await?;
    let (mut recv, mut send) = client.split();
    steps.pass(&mut send, &mut session, b"before").await?;
    for _ in 0..2 {
        let finished = steps.wait("finishing", send.finish()).await?;
        finished.map_err(|error| format!("finishing: {error}"))?;
    }
    // An end that was sent before this would have been seen when it arrives.
    steps.talk(&mut other, &mut with_other, "finished").await?;
    quiet(&mut session)?;
    steps.pass(&mut session, &mut recv, b"after finish").await?;
    drop(send);
    steps.talk(&mut other, &mut with_other, "dropped").await?;
    quiet(&mut session)?;
    steps.pass(&mut session, &mut recv, b"after drop").await?;

    let (session_recv, mut session_send) = session.split();
    drop(session_recv);
    steps
        .pass(&mut session_send, &mut recv, b"to the last")
        .await?;
    quiet(&mut recv)
}

pub(super) async fn sessions_outlive_their_listener<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let steps = subject.steps();
    let mut listener = subject.listen(&[]).await?;
    let (mut ann, mut with_ann) = subject.join(&mut listener).await?;
    let (mut bob, mut with_bob) = subject.join(&mut listener).await?;
    let place = listener.local().clone();
    drop(listener);
    steps.talk(&mut ann, &mut with_ann, "alone").await?;
    let mut eve = subject.connect(&place).await?;
    // It may fail or not, since no socket answers.
    let _ = steps.wait("sending", eve.send(b"anybody?")).await?;
    steps.talk(&mut ann, &mut with_ann, "still").await?;
    steps.talk(&mut bob, &mut with_bob, "me too").await?;
    drop(with_ann);
    steps.talk(&mut bob, &mut with_bob, "alone now").await?;
    drop(with_bob);
    subject.listen_at(&place).await.map(drop)
}

pub(super) async fn a_dropped_session_is_forgotten<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let steps = subject.steps();
    let Pair {
        mut client,
        session,
        mut listener,
    } = subject.pair().await?;
    let (mut other, mut with_other) = subject.join(&mut listener).await?;
    steps.send(&mut client, b"never read").await?;
    steps
        .talk(&mut other, &mut with_other, "that was there")
        .await?;
    drop(session);
    steps.send(&mut client, b"again").await?;
    let mut session = steps.accept(&mut listener).await?;
    same("who was accepted", session.peer(), client.local())?;
    steps.next(&mut session, b"again").await?;
    steps.talk(&mut client, &mut session, "as new").await?;
    steps.talk(&mut other, &mut with_other, "as ever").await
}
