//! Handles: clones, and what their going means.

use socketry_transport::{Connection, MuxTransport, SendExt};

use super::Subject;
use super::steps::{Pair, Verdict, park, same};

pub(super) async fn a_clone_is_the_same_connection<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let (mut other_client, mut other_server) = (client.clone(), server.clone());
    let (mut opened, mut accepted) = subject.stream(&mut other_client, &mut server).await?;
    subject.talk(&mut opened, &mut accepted).await?;
    let (mut opened, mut accepted) = subject.stream(&mut client, &mut other_server).await?;
    subject.talk(&mut opened, &mut accepted).await?;
    same("a clone's peer", other_client.peer(), client.peer())
}

pub(super) async fn two_tasks_wait_for_streams<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let Pair {
        mut client,
        server,
        listener: _listener,
    } = subject.pair().await?;
    let accept = |server: &M::Connection| {
        let mut server = server.clone();
        async move { server.accept().await }
    };
    let cancelled = park(accept(&server)).await;
    let (one, other) = (park(accept(&server)).await, park(accept(&server)).await);
    cancelled.abort();
    let _opened = subject.open(&mut client, b"!").await?;
    let _also = subject.open(&mut client, b"!").await?;
    // Kept to the end: an opener may still speak.
    let mut accepted = Vec::new();
    for task in [one, other] {
        let came = subject.joined("each of two that wait for streams", task);
        accepted.push(came.await?.map_err(|error| error.to_string())?);
    }
    let all = accepted.iter().all(Option::is_some);
    same("whether a stream came for each", all, true)?;
    Ok(())
}

pub(super) async fn dropping_a_handle_is_silent<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let Pair {
        client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let mut other = client.clone();
    drop(client);
    subject
        .waits("accepting when a clone went", server.accept())
        .await?;
    let (mut opened, mut accepted) = subject.stream(&mut other, &mut server).await?;
    subject.talk(&mut opened, &mut accepted).await?;
    let (mut opened, mut accepted) = subject.stream(&mut server, &mut other).await?;
    subject.talk(&mut opened, &mut accepted).await
}

pub(super) async fn streams_keep_their_connection<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let (mut opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
    drop(client);
    subject
        .waits("accepting while a stream is left", server.accept())
        .await?;
    subject.talk(&mut opened, &mut accepted).await?;
    drop(server);
    subject.talk(&mut opened, &mut accepted).await
}

pub(super) async fn the_last_to_go_closes_in_order<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let (opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
    let mut waiting = server.clone();
    let waiting = park(async move { waiting.accept().await.map(|stream| stream.is_none()) }).await;
    drop((opened, client));
    subject.hear_end(&mut accepted).await?;
    let ended = subject.joined("who waits to accept", waiting).await?;
    let ended = ended.map_err(|error| format!("accepting when the peer went: {error}"))?;
    same("whether accepting ends", ended, true)?;
    let again = subject.within("accepting again", server.accept()).await?;
    same("whether it ends again", again.is_none(), true)
}

pub(super) async fn what_was_opened_before_the_last_went_arrives<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let words = vec![7; 10_000];
    for _ in 0..3 {
        let mut stream = subject.open(&mut client, &words).await?;
        subject.within("finishing", stream.finish()).await?;
    }
    drop(client);
    for _ in 0..3 {
        let mut stream = subject.accept(&mut server).await?;
        subject.hear(&mut stream, &words).await?;
        subject.hear_end(&mut stream).await?;
    }
    let end = subject
        .within("accepting behind the last", server.accept())
        .await?;
    same("whether it ends", end.is_none(), true)
}
