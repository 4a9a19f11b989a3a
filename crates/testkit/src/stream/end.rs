//! How a stream ends.

use socketry_transport::{Received, SendExt, Socket, Transport};

use super::Subject;
use super::bytes::recv_batch;
use super::pattern::{
    flush, recv_dropped, recv_last, recv_pattern, recv_some, send_flushed, send_pattern,
};
use super::verdict::{Failure, Verdict, ensure, same};
use super::wake::is_gone;

pub(crate) async fn the_end_is_for_ever<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    let sending = send_flushed(&mut client, (0, 8), 8);
    subject.within("sending", sending).await?;
    let _client = subject.hang_up(client).await?;
    let ending = recv_last(&mut server, (0, 8));
    subject.within("the end", ending).await?;
    let mut buf = [0; 8];
    for _ in 0..5 {
        let again = recv_some(&mut server, &mut buf);
        let again = subject.within("receiving after the end", again).await?;
        same("receiving after the end", again, (0, Received::End))?;
        let mut nothing = Vec::new();
        let again = recv_batch(&mut server, &mut nothing);
        let again = subject.within("a batch after the end", again).await?;
        same("a batch after the end", again, Received::End)?;
    }
    Ok(())
}

pub(crate) async fn finish_delivers_all_that_was_sent<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    const ALL: usize = 1_000_003;
    let (mut client, mut server, mut listener) = subject.pair().await?;
    let sending = async {
        send_pattern(&mut client, (0, ALL), 777_777).await?;
        subject.hang_up(client).await
    };
    let both = async { tokio::try_join!(sending, recv_last(&mut server, (0, ALL))) };
    subject.within("all, and then the end", both).await?;

    let (mut client, mut server) = subject.meet(&mut listener).await?;
    let sending = send_pattern(&mut client, (0, 64), 10);
    subject.within("sending", sending).await?;
    drop(subject.hang_up(client).await?);
    let late = recv_last(&mut server, (0, 64));
    subject.within("a reader that comes late", late).await
}

pub(crate) async fn a_half_close_leaves_the_other_direction<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    if !subject.half_close {
        return Ok(());
    }
    let (mut client, mut server, _listener) = subject.pair().await?;
    subject.within("finishing", client.finish()).await?;
    subject
        .within("the end", recv_last(&mut server, (0, 0)))
        .await?;
    let answering = async {
        send_flushed(&mut server, (0, 500_000), 4096).await?;
        server.finish().await.map_err(Failure::new)
    };
    let reading = async {
        recv_pattern(&mut client, (0, 409_600), 4096).await?;
        recv_last(&mut client, (409_600, 500_000)).await
    };
    let both = async { tokio::try_join!(answering, reading) };
    subject.within("the answer to a half-close", both).await?;
    Ok(())
}

pub(crate) async fn nothing_is_sent_after_finish<T: Transport>(subject: Subject<T>) -> Verdict {
    if !subject.half_close {
        return Ok(());
    }
    let (mut client, mut server, _listener) = subject.pair().await?;
    for time in ["finishing", "finishing again", "finishing a third time"] {
        subject.within(time, client.finish()).await?;
    }
    let sending = async {
        let sent = client.send(b"too late").await;
        Ok::<_, Failure>(sent.and(flush(&mut client).await))
    };
    let sent = subject.within("sending after finishing", sending).await?;
    match sent {
        Ok(()) => ensure(false, "sending after finishing went well")?,
        Err(error) => is_gone(&error)?,
    }
    let ended = recv_last(&mut server, (0, 0));
    subject
        .within("the end, and nothing before it", ended)
        .await?;
    drop(server);
    subject
        .within("finishing when the peer is gone", client.finish())
        .await
}

pub(crate) async fn dropping_a_socket_ends_the_peers_stream<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    const ALL: (usize, usize) = (0, 100_000);
    let (client, mut server, mut listener) = subject.pair().await?;
    let is_end = subject.end_on_drop;
    let receiving = recv_dropped(&mut server, ALL, is_end);
    let both = async { tokio::try_join!(send_and_drop(client, ALL), receiving) };
    subject
        .within("the client's bytes and the end", both)
        .await?;
    let (mut client, server) = subject.meet(&mut listener).await?;
    let receiving = recv_dropped(&mut client, ALL, is_end);
    let both = async { tokio::try_join!(send_and_drop(server, ALL), receiving) };
    subject
        .within("the server's bytes and the end", both)
        .await?;
    Ok(())
}

async fn send_and_drop<S: Socket>(mut socket: S, range: (usize, usize)) -> Verdict {
    send_flushed(&mut socket, range, 4096).await
}
