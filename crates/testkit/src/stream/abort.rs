//! Aborting a connection.

use std::io;

use socketry_transport::{
    Aborted, BoxSocket, Received, RecvExt, RecvHalf, SendExt, SendHalf, Socket, Transport,
};

use super::Subject;
use super::pattern::{recv_some, room, send_flushed};
use super::pressure::fill;
use super::verdict::{Failure, Verdict, ensure, same};
use super::wake::{is_gone, park, recv_one};

/// A reason code, for transports that carry one.
const CODE: u64 = 7;

/// Receives until an end or an error comes, which must match the answer of `abort`.
async fn sees<R: RecvHalf>(peer: &mut R, answered: Aborted) -> Verdict {
    let mut buf = vec![0; room(peer, 65_536)];
    let seen = loop {
        match recv_some(peer, &mut buf).await {
            Ok((_, Received::Data | Received::Cut(_))) => {}
            Ok((_, Received::End)) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    match (answered, seen) {
        (Aborted::Reset, Err(error)) => is_gone(&error),
        (Aborted::Reset, Ok(())) => Err(Failure::new("the answer was a reset, and an end came")),
        (Aborted::End, Ok(())) => Ok(()),
        (Aborted::End, Err(error)) => Err(Failure::new(format_args!(
            "the answer was an end, and an error came: {error}"
        ))),
        (other, _) => Err(Failure::new(format_args!(
            "{other:?} is no answer of a connection"
        ))),
    }
}

async fn seen<T: Transport>(
    subject: &Subject<T>,
    peer: &mut impl RecvHalf,
    answered: Aborted,
) -> Verdict {
    let what = format!("the peer of a connection that was broken off ({answered:?})");
    subject.within(&what, sees(peer, answered)).await
}

fn abort(half: &mut impl SendHalf) -> Verdict<Aborted> {
    half.abort(CODE)
        .map_err(|error| Failure::new(format_args!("aborting: {error}")))
}

pub(crate) async fn an_abort_is_seen_as_answered<T: Transport>(subject: Subject<T>) -> Verdict {
    let mut listener = subject.listen().await?;
    for sent in [0, 1000] {
        let (mut client, mut server) = subject.meet(&mut listener).await?;
        let sending = send_flushed(&mut client, (0, sent), 100);
        subject.within("sending", sending).await?;
        let answered = abort(&mut client)?;
        seen(&subject, &mut server, answered).await?;
        drop(client);

        // The other half is still there, unused.
        let (client, mut server) = subject.meet(&mut listener).await?;
        let (_recv, mut send) = client.split();
        let sending = send_flushed(&mut send, (0, sent), 100);
        subject.within("sending", sending).await?;
        let answered = abort(&mut send)?;
        seen(&subject, &mut server, answered).await?;

        let (client, mut server) = subject.meet(&mut listener).await?;
        let (_recv, mut send) = BoxSocket::new(client).split();
        let erased = abort(&mut send)?;
        same("what erased sockets answer", erased, answered)?;
        seen(&subject, &mut server, erased).await?;

        let (mut client, mut server) = subject.meet(&mut listener).await?;
        let answered = abort(&mut server)?;
        seen(&subject, &mut client, answered).await?;
    }
    Ok(())
}

pub(crate) async fn an_abort_ends_both_halves<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, mut server, _listener) = subject.pair().await?;
    let (recv, mut send) = client.split();
    let reader = park(recv_one(recv)).await;
    let answered = abort(&mut send)?;
    match subject
        .within("a receive that waits at an abort", reader)
        .await?
    {
        Ok((received, _)) => same("what woke the receive", received, Received::End)?,
        Err(error) => is_gone(&error)?,
    }
    done(&subject, &mut send).await?;
    for _ in 0..2 {
        same("the answer to another abort", abort(&mut send)?, answered)?;
    }
    done(&subject, &mut send).await?;
    seen(&subject, &mut server, answered).await
}

pub(crate) async fn nothing_comes_after_an_abort<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    let sending = send_flushed(&mut server, (0, 100), 100);
    subject.within("sending", sending).await?;
    let answered = abort(&mut client)?;
    // Bytes that had arrived may still be received.
    subject
        .within("receiving after an abort", async {
            let mut buf = [0; 1000];
            while let Ok((_, Received::Data)) = recv_some(&mut client, &mut buf).await {}
            Ok::<_, Failure>(())
        })
        .await?;
    let again = subject.within("receiving after that", async {
        Ok::<_, Failure>(client.recv(&mut [0; 8]).await)
    });
    match again.await? {
        Ok(end) => same("what comes after that", end, (0, Received::End))?,
        Err(error) => is_gone(&error)?,
    }
    done(&subject, &mut client).await?;
    seen(&subject, &mut server, answered).await
}

/// Sending must fail, at once.
async fn done<T: Transport>(subject: &Subject<T>, send: &mut impl SendHalf) -> Verdict {
    let sending = async { Ok::<_, Failure>(send.send(b"too late").await) };
    let sent: io::Result<usize> = subject.within("sending after an abort", sending).await?;
    match sent {
        Ok(_) => ensure(false, "a send went well after an abort"),
        Err(error) => is_gone(&error),
    }
}

pub(crate) async fn an_abort_does_not_wait_for_a_stopped_sender<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let (client, mut server, _listener) = subject.pair().await?;
    let (_recv, mut send) = client.split();
    fill(&subject, &mut send, 0).await?;
    let answered = abort(&mut send)?;
    done(&subject, &mut send).await?;
    seen(&subject, &mut server, answered).await
}

pub(crate) async fn an_abort_after_finish_is_seen_as_answered<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    if !subject.half_close {
        return Ok(());
    }
    let (mut client, mut server, _listener) = subject.pair().await?;
    subject.within("finishing", client.finish()).await?;
    let answered = abort(&mut client)?;
    seen(&subject, &mut server, answered).await
}

pub(crate) async fn a_finish_after_an_abort_fails<T: Transport>(subject: Subject<T>) -> Verdict {
    let mut listener = subject.listen().await?;
    for finished in [false, true] {
        if finished && !subject.half_close {
            continue;
        }
        let (client, server) = subject.meet(&mut listener).await?;
        finish_aborted(&subject, client, server, finished).await?;
        let (client, server) = subject.meet(&mut listener).await?;
        finish_aborted(&subject, BoxSocket::new(client), server, finished).await?;
    }
    Ok(())
}

async fn finish_aborted<T: Transport>(
    subject: &Subject<T>,
    client: impl Socket,
    mut server: impl RecvHalf,
    finished: bool,
) -> Verdict {
    let (_recv, mut send) = client.split();
    if finished {
        subject.within("finishing", send.finish()).await?;
    }
    let answered = abort(&mut send)?;
    for _ in 0..2 {
        let finishing = async { Ok::<_, Failure>(send.finish().await) };
        match subject
            .within("finishing after an abort", finishing)
            .await?
        {
            Ok(()) => ensure(false, "a finish went well after an abort")?,
            Err(error) => is_gone(&error)?,
        }
        same("the answer to another abort", abort(&mut send)?, answered)?;
    }
    seen(subject, &mut server, answered).await
}

pub(crate) async fn a_dropped_socket_ends_as_answered<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let mut listener = subject.listen().await?;
    for switches in [&[true][..], &[false], &[true, false], &[false, true]] {
        let (mut client, mut server) = subject.meet(&mut listener).await?;
        let reader = park(async move {
            let received = recv_some(&mut server, &mut [0; 8]).await;
            (received, server)
        })
        .await;
        let dropped = match subject.end_on_drop {
            true => Aborted::End,
            false => Aborted::Reset,
        };
        let mut answered = dropped;
        for on in switches {
            answered = client.abort_on_drop(*on).map_err(Failure::new)?;
        }
        if switches.ends_with(&[false]) {
            same("what dropping does", answered, dropped)?;
        }
        let (recv, send) = client.split();
        drop(send);
        drop(recv);
        let woken = async { Ok::<_, Failure>(reader.await.map_err(Failure::new)?.0) };
        match (answered, subject.within("a reader", woken).await?) {
            (Aborted::End, Ok((_, received))) => {
                same("what the peer saw", received, Received::End)?;
            }
            (Aborted::Reset, Err(error)) => is_gone(&error)?,
            (_, seen) => ensure(
                false,
                format_args!("the answer was {answered:?}, and the peer saw {seen:?}"),
            )?,
        }
    }
    Ok(())
}
