//! Datagrams beside the streams.

use std::io;

use socketry_transport::{
    BoxSocket, Connection, Half, MuxTransport, Received, RecvExt, RecvHalf, SendExt, Shape,
};

use super::Subject;
use super::steps::{Pair, Verdict, error_of, park, same};

/// The datagrams of an end, and the most bytes of one.
fn datagrams(connection: &impl Connection) -> Verdict<(BoxSocket, usize)> {
    let socket = connection.datagrams();
    let socket = socket.ok_or("it has no datagrams: declare it, Subject::without_datagrams")?;
    match socket.shape() {
        Shape::Datagram { max_len } => Ok((socket, max_len)),
        shape => Err(format!("its datagrams say that they are {shape}")),
    }
}

pub(super) async fn datagrams_arrive_whole<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    if !subject.datagrams {
        return Ok(());
    }
    let pair = subject.pair().await?;
    let (mut one, max_len) = datagrams(&pair.client)?;
    let (mut other, _) = datagrams(&pair.server)?;
    for len in [1, 100, max_len] {
        let bytes = vec![u8::try_from(len % 251).unwrap_or(0); len];
        exchange(&subject, &mut one, &mut other, &bytes).await?;
        exchange(&subject, &mut other, &mut one, &bytes).await?;
    }
    Ok(())
}

/// Sends two and receives two: nothing of a connection that nobody disturbs is lost so soon.
async fn exchange<M: MuxTransport>(
    subject: &Subject<M>,
    from: &mut BoxSocket,
    to: &mut BoxSocket,
    bytes: &[u8],
) -> Verdict {
    for _ in 0..2 {
        let sent = subject
            .within("sending a datagram", from.send(bytes))
            .await?;
        same("how much of a datagram was sent", sent, bytes.len())?;
    }
    let mut buf = vec![0; to.recv_room().max(bytes.len())];
    for _ in 0..2 {
        let (len, received) = subject.within("a datagram", to.recv(&mut buf)).await?;
        same("how a datagram arrived", received, Received::Data)?;
        same("what a datagram brought", &buf[..len], bytes)?;
    }
    Ok(())
}

pub(super) async fn a_datagram_that_is_too_long_is_refused<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    if !subject.datagrams {
        return Ok(());
    }
    let pair = subject.pair().await?;
    let (mut one, max_len) = datagrams(&pair.client)?;
    let (mut other, _) = datagrams(&pair.server)?;
    let long = vec![1; max_len + 1];
    let sent = subject
        .comes("sending a long datagram", one.send(&long))
        .await?;
    let error = error_of("sending one byte more than fits", sent)?;
    same(
        "why it is refused",
        error.kind(),
        io::ErrorKind::InvalidInput,
    )?;
    exchange(&subject, &mut one, &mut other, b"the next one").await
}

pub(super) async fn a_flood_of_datagrams_holds_up_nobody<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    if !subject.datagrams {
        return Ok(());
    }
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let (mut flood, max_len) = datagrams(&client)?;
    let (mut late, _) = datagrams(&server)?;
    let bytes = vec![1; max_len.min(1000)];
    for _ in 0..20_000 {
        subject
            .within("sending a datagram", flood.send(&bytes))
            .await?;
    }
    let (mut opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
    subject.talk(&mut opened, &mut accepted).await?;
    // What was dropped was dropped; what was kept is bounded.
    let mut kept = 0;
    let mut buf = vec![0; bytes.len()];
    let quiet = std::time::Duration::from_millis(50);
    while let Ok(received) = tokio::time::timeout(quiet, late.recv(&mut buf)).await {
        let (len, _) = received.map_err(|error| error.to_string())?;
        same("how long one that was kept is", len, bytes.len())?;
        kept += 1;
    }
    same("whether some of a flood was dropped", kept < 20_000, true)
}

pub(super) async fn a_close_ends_datagrams<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    if !subject.datagrams {
        return Ok(());
    }
    let pair = subject.pair().await?;
    let (mut socket, _) = datagrams(&pair.client)?;
    let waiting = park(async move { socket.recv(&mut [0; 8]).await }).await;
    pair.server.close(3, "");
    let woken = subject.joined("who waits for a datagram", waiting).await?;
    error_of("receiving a datagram after a close", woken)?;
    Ok(())
}
