//! Backpressure: a sender that is faster than the peer reads has to wait.

use socketry_transport::{SendHalf, Transport};
use tokio::time::timeout;

use super::Subject;
use super::pattern::{flush, pattern, piece, recv_last, recv_pattern, send_flushed, send_some};
use super::steps::QUIET;
use super::verdict::{Failure, Verdict, ensure};
use super::wake::park;

/// Sends from `offset` on until no more bytes are taken, and returns the offset reached. The peer
/// must not read meanwhile.
pub(crate) async fn fill<T: Transport, S: SendHalf>(
    subject: &Subject<T>,
    socket: &mut S,
    offset: usize,
) -> Verdict<usize> {
    let mut at = offset;
    // It must wait for a while, since a kernel first moves bytes to the peer, and then has room
    // again.
    while let Ok(sent) = timeout(
        QUIET,
        send_some(socket, &pattern(at, piece(socket, 65_536))),
    )
    .await
    {
        at += sent.map_err(Failure::new)?;
        ensure(
            at - offset <= subject.most_held(),
            format_args!("{} bytes were taken, and nobody reads", at - offset),
        )?;
    }
    Ok(at)
}

pub(crate) async fn a_peer_that_does_not_read_stops_the_sender<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    fill(&subject, &mut client, 0).await?;
    fill(&subject, &mut server, 0).await?;
    Ok(())
}

pub(crate) async fn reading_wakes_a_stopped_sender<T: Transport>(subject: Subject<T>) -> Verdict {
    const MORE: usize = 500_000;
    let (mut client, mut server, _listener) = subject.pair().await?;
    let full = fill(&subject, &mut client, 0).await?;
    let sender = park(async move {
        send_flushed(&mut client, (full, full + MORE), 65_536).await?;
        Ok::<_, Failure>(client)
    })
    .await;
    let reading = recv_pattern(&mut server, (0, full + MORE), 65_536);
    subject
        .within("what a stopped sender sends on", reading)
        .await?;
    subject.joined("the sender goes on", sender).await?;
    Ok(())
}

/// What `reading` comes to, while what a layer keeps goes out.
async fn while_flushing(
    sender: &mut impl SendHalf,
    reading: impl Future<Output = Verdict>,
) -> Verdict {
    let flushing = async {
        flush(sender).await.map_err(Failure::new)?;
        std::future::pending().await
    };
    tokio::select! {
        biased;
        read = reading => read,
        failed = flushing => failed,
    }
}

pub(crate) async fn a_send_counts_the_bytes_that_it_took<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    let (mut sent, mut read) = (fill(&subject, &mut client, 0).await?, 0);
    // Sends of sizes that find some room, and often too little.
    for size in [300_000, 1, 65_537, 300_000, 1000, 300_000] {
        let come = (read + 50_000).min(sent);
        let reading = while_flushing(&mut client, recv_pattern(&mut server, (read, come), 1000));
        subject.within("making room", reading).await?;
        read = come;
        let piece = pattern(sent, size);
        if let Ok(took) = timeout(QUIET, send_some(&mut client, &piece)).await {
            sent += took.map_err(Failure::new)?;
        }
    }
    let rest = recv_last(&mut server, (read, sent));
    let both = async { tokio::try_join!(subject.hang_up(client), rest) };
    subject
        .within("what was taken, and then the end", both)
        .await?;
    Ok(())
}
