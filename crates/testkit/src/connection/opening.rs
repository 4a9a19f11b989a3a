//! How streams come to be.

use socketry_transport::{Connection, Half, MuxTransport};

use super::Subject;
use super::steps::{Pair, Verdict, park, same};

pub(super) async fn either_end_opens_streams<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    for _ in 0..3 {
        let (mut opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
        subject.talk(&mut opened, &mut accepted).await?;
        let (mut opened, mut accepted) = subject.stream(&mut server, &mut client).await?;
        subject.talk(&mut opened, &mut accepted).await?;
    }
    Ok(())
}

pub(super) async fn streams_are_accepted_in_order<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let mut pair = subject.pair().await?;
    let mut opened = Vec::new();
    for number in 0..10 {
        opened.push(subject.open(&mut pair.client, &[number]).await?);
    }
    for number in 0..10 {
        let mut accepted = subject.accept(&mut pair.server).await?;
        let heard = subject.hear(&mut accepted, &[number]).await;
        heard.map_err(|error| format!("stream {number}: {error}"))?;
    }
    Ok(())
}

pub(super) async fn both_ends_name_each_other<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let (opened, accepted) = subject.stream(&mut client, &mut server).await?;
    same("the client's peer", client.peer(), server.local())?;
    same("the server's peer", server.peer(), client.local())?;
    same("a stream is a stream", opened.shape().is_stream(), true)?;
    same("an accepted one too", accepted.shape().is_stream(), true)?;
    same("an opened stream's peer", opened.peer(), client.peer())?;
    same("an opened stream's end", opened.local(), client.local())?;
    same("an accepted stream's peer", accepted.peer(), server.peer())?;
    same("an accepted stream's end", accepted.local(), server.local())
}

pub(super) async fn an_accept_is_woken<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let accepting = park(async move { server.accept().await.map(|stream| (stream, server)) }).await;
    let _opened = subject.open(&mut client, b"!").await?;
    let accepted = subject.joined("a task that waits to accept", accepting);
    let (accepted, _server) = accepted.await?.map_err(|error| error.to_string())?;
    same("whether a stream came", accepted.is_some(), true)
}
