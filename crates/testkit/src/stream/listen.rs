//! Listeners and their clients.

use std::pin::pin;

use socketry_transport::{
    Endpoint, Error, ErrorKind, Half, Listener, PeerAddr, Received, RecvExt, SendExt, SendHalf,
    Transport,
};
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;

use super::Subject;
use super::connect::fails_at_once;
use super::pattern::{recv_dropped, recv_pattern, recv_some, send_flushed};
use super::steps::{Accepted, QUIET};
use super::verdict::{Failure, Verdict, ensure, same};
use super::wake::park;

pub(crate) async fn a_listener_is_where_it_says<T: Transport>(subject: Subject<T>) -> Verdict {
    let mut listener = subject.listen().await?;
    let said = listener.local().clone();
    let text = said.to_string();
    let parsed: Endpoint = text.parse().map_err(Failure::new)?;
    same(
        "the listener's endpoint, printed and parsed",
        &parsed,
        &said,
    )?;
    same("its scheme", said.scheme(), subject.at.scheme())?;
    for _ in 0..3 {
        let (mut client, mut server) = subject.meet(&mut listener).await?;
        same("where it says it listens, later", listener.local(), &said)?;
        let both = async {
            tokio::try_join!(
                send_flushed(&mut client, (0, 8), 8),
                recv_pattern(&mut server, (0, 8), 8),
            )
        };
        subject.within("a greeting", both).await?;
    }
    Ok(())
}

pub(crate) async fn both_ends_name_each_other<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, server, mut listener) = subject.pair().await?;
    let (ours, theirs) = (client.local().clone(), server.local());
    same(
        "the server's local end, by the listener's",
        theirs,
        listener.local(),
    )?;
    same(
        "the client's peer, by the server's local end",
        client.peer(),
        theirs,
    )?;
    same(
        "the server's peer, by the client's local end",
        server.peer(),
        &ours,
    )?;
    // Clients without names are all alike. Clients with names differ.
    let (second, _) = subject.meet(&mut listener).await?;
    let named = PeerAddr::try_from(&ours).is_ok_and(|ours| ours != PeerAddr::Unnamed);
    let alike = second.local() == &ours && named;
    ensure(!alike, format_args!("two clients at once are both {ours}"))
}

pub(crate) async fn many_connections_do_not_mix<T: Transport>(subject: Subject<T>) -> Verdict {
    const MANY: usize = 100;
    /// One test at a time, since the descriptors of the process are limited.
    static TURN: Mutex<()> = Mutex::const_new(());
    let _turn = TURN.lock().await;
    let mut listener = subject.listen().await?;
    let at = listener.local().clone();
    let clients: Vec<_> = (0..MANY)
        .map(|number| tokio::spawn(converse(subject.clone(), at.clone(), number)))
        .collect();
    let mut servers = Vec::new();
    for _ in 0..MANY {
        let server = subject.within("accepting one of many", listener.accept());
        servers.push(tokio::spawn(echo::<T>(server.await?)));
    }
    for task in clients.into_iter().chain(servers) {
        subject.joined("one of many", task).await?;
    }
    Ok(())
}

/// Sends text that no other client sends, and receives it again.
async fn converse<T: Transport>(subject: Subject<T>, at: Endpoint, number: usize) -> Verdict {
    let mut client = subject.connect(&at).await.map_err(Failure::new)?;
    let start = number * 10_000;
    for round in 0..5 {
        let range = (start + round * 600, start + (round + 1) * 600);
        send_flushed(&mut client, range, 100).await?;
        recv_pattern(&mut client, range, 250).await?;
    }
    subject.hang_up(client).await?;
    Ok(())
}

async fn echo<T: Transport>(mut server: Accepted<T>) -> Verdict {
    let mut buf = [0; 512];
    while let (len, Received::Data) = recv_some(&mut server, &mut buf)
        .await
        .map_err(Failure::new)?
    {
        server.send_all(&buf[..len]).await.map_err(Failure::new)?;
    }
    Ok(())
}

pub(crate) async fn a_vanished_client_does_not_stop_the_listener<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let mut listener = subject.listen().await?;
    let at = listener.local().clone();
    for number in 0..10 {
        let connecting = subject.connect(&at);
        // Some transports connect only when they are accepted. Then the attempt vanishes.
        if let Ok(client) = timeout(QUIET, connecting).await {
            let mut client = client.map_err(Failure::new)?;
            if number % 2 == 0 {
                let _seen = client.abort(0).map_err(Failure::new)?;
            }
        }
    }
    let connecting = subject.connect(&at);
    let client = tokio::spawn(async move {
        let mut client = connecting.await.map_err(Failure::new)?;
        client.send_all(b"here").await.map_err(Failure::new)?;
        Ok::<_, Failure>(client)
    });
    let accepting = accept_until_here::<T>(&mut listener);
    let _server = subject
        .within("accepting behind clients that vanished", accepting)
        .await?;
    subject
        .joined("the client that came to stay", client)
        .await?;
    Ok(())
}

/// Accepts until a client says "here". The clients before it must be gone, without a byte.
pub(crate) async fn accept_until_here<T: Transport>(
    listener: &mut T::Listener,
) -> Verdict<Accepted<T>> {
    loop {
        let mut server = listener.accept().await.map_err(Failure::new)?;
        let mut buf = [0; 4];
        match server.recv(&mut buf).await {
            Ok((len, Received::Data)) => {
                same("what came from a client", &buf[..len], b"here")?;
                return Ok(server);
            }
            Ok((_, Received::End)) | Err(_) => {}
            Ok((_, Received::Cut(_))) => ensure(false, "a stream said that something was cut")?,
        }
    }
}

pub(crate) async fn bytes_sent_before_the_accept_arrive<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let mut listener = subject.listen().await?;
    let connecting = subject.connect(listener.local());
    let mut client = tokio::spawn(async move {
        let mut client = connecting.await.map_err(Failure::new)?;
        send_flushed(&mut client, (0, 10_000), 999).await
    });
    // If connecting needs no accept, the client is gone after this.
    let _ = timeout(QUIET, pin!(&mut client)).await;
    let mut server = subject.within("accepting", listener.accept()).await?;
    let rest = recv_dropped(&mut server, (0, 10_000), subject.end_on_drop);
    subject
        .within("what the client had sent, and the end", rest)
        .await
}

pub(crate) async fn a_dropped_listener_refuses_and_its_sockets_live_on<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let (mut client, mut server, listener) = subject.pair().await?;
    let at = listener.local().clone();
    drop(listener);
    // While the two are connected, no other listener gets the address by chance.
    fails_at_once(&subject, &at).await?;
    let talk = async {
        tokio::try_join!(
            send_flushed(&mut client, (0, 100_000), 4096),
            recv_pattern(&mut server, (0, 100_000), 4096),
        )?;
        tokio::try_join!(
            send_flushed(&mut server, (0, 100_000), 4096),
            recv_pattern(&mut client, (0, 100_000), 4096),
        )
    };
    subject
        .within("talking when the listener is gone", talk)
        .await?;
    Ok(())
}

pub(crate) async fn a_dropped_listener_releases_waiting_clients<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let listener = subject.listen().await?;
    let connecting = subject.connect(listener.local());
    let (tell, connected) = oneshot::channel();
    let waiting = park(async move {
        let mut client = connecting.await?;
        let _ = tell.send(());
        let mut buf = [0; 8];
        Ok::<_, Error>(client.recv(&mut buf).await)
    })
    .await;
    let _ = timeout(QUIET, connected).await;
    drop(listener);
    let learned = subject.within("who waited to be accepted", waiting).await?;
    if let Ok(Ok(received)) = learned {
        same(
            "what came from a listener that is gone",
            received,
            (0, Received::End),
        )?;
    }
    Ok(())
}

pub(crate) async fn a_place_has_one_listener<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, server, listener) = subject.pair().await?;
    let at = listener.local().clone();
    match subject.try_listen(&at).await? {
        Ok(_) => ensure(false, format_args!("two listeners at once are at {at}"))?,
        Err(error) => same(
            "why a second listener is refused",
            error.kind(),
            ErrorKind::InUse,
        )?,
    }
    drop(listener);
    let mut again = subject.listen_at(&at).await?;
    same("where the next listener is", again.local(), &at)?;
    subject.meet(&mut again).await?;
    drop((client, server));
    Ok(())
}
