//! A refused datagram is an error of that datagram, and of no other.

use std::io;

use socketry_transport::{Endpoint, Listener, RecvExt, SendExt, Socket, Transport, recv_from};

use super::steps::{Pair, Steps, ensure, quiet, same};
use super::subject::Subject;
use super::waiting::idly;
use crate::law::Verdict;

/// A client whose peer is gone, and the peer's endpoint.
async fn left_alone<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Result<Option<(T::Socket, Endpoint)>, String> {
    let Some(bound) = subject.bind(subject.at()).await? else {
        return Ok(None);
    };
    let place = bound.local().clone();
    let client = subject.connect(&place).await?;
    Ok(Some((client, place)))
}

pub(super) async fn a_refusal_is_reported_once<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let Some((mut client, _)) = left_alone(subject).await? else {
        return Ok(());
    };
    for _ in 0..3 {
        refused(subject.steps(), &mut client).await?;
        quiet(&mut client)?;
    }
    let mut buf = [0; 8];
    match idly(client.recv(&mut buf)).await? {
        None => Ok(()),
        Some(told) => Err(format!("{told:?} came after all had been told")),
    }
}

/// Sends, and expects that this or the next receive reports that there is no listener.
async fn refused(steps: Steps, client: &mut impl Socket) -> Verdict {
    let sent = steps.wait("sending", client.send(b"anybody?")).await?;
    let error = match sent {
        Err(error) => error,
        Ok(_) => {
            let mut buf = [0; 8];
            let told = steps.wait("being told", client.recv(&mut buf)).await?;
            let unexpected = |received| format!("{received:?} came, and no error");
            told.map_or_else(Ok, |received| Err(unexpected(received)))?
        }
    };
    let kinds = [
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::ConnectionReset,
    ];
    ensure(kinds.contains(&error.kind()), || {
        format!("'{error}' is {:?}, and neither of {kinds:?}", error.kind())
    })
}

pub(super) async fn a_refused_socket_goes_on<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let steps = subject.steps();
    let Some((mut client, place)) = left_alone(subject).await? else {
        return Ok(());
    };
    refused(steps, &mut client).await?;
    let Some(bound) = subject.bind(&place).await? else {
        return Ok(());
    };
    steps.send(&mut client, b"again").await?;
    let mut buf = [0; 8];
    let received = steps
        .wait("receiving", recv_from(&*bound, &mut buf))
        .await?;
    let (len, ..) = received.map_err(|error| error.to_string())?;
    same("the datagram", &&buf[..len], &&b"again"[..])?;
    quiet(&mut client)
}

pub(super) async fn a_peer_that_goes_stops_no_other<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let steps = subject.steps();
    let Pair {
        mut client,
        mut session,
        mut listener,
    } = subject.pair().await?;
    let mut all_left = Vec::new();
    for _ in 0..3 {
        let (gone, mut left) = subject.join(&mut listener).await?;
        drop(gone);
        for _ in 0..5 {
            // That may fail or not, but it does not wait.
            let _ = steps.wait("sending", left.send(b"gone?")).await?;
            steps.talk(&mut client, &mut session, "here").await?;
        }
        all_left.push(left);
    }
    let mut buf = [0; 8];
    let happened = idly(async {
        tokio::select! {
            _ = listener.accept() => "the listener accepted somebody",
            _ = session.recv(&mut buf) => "a session received something",
        }
    });
    if let Some(what) = happened.await? {
        return Err(format!("{what}, and nothing was sent"));
    }
    let (mut newcomer, mut with_newcomer) = subject.join(&mut listener).await?;
    steps.talk(&mut newcomer, &mut with_newcomer, "new").await
}
