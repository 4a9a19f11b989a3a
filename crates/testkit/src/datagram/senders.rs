//! Unconnected sockets: the sender of each datagram, and the datagram of each error.

use std::future::poll_fn;
use std::io::{self, IoSlice};

use socketry_transport::{Batch, Half, PeerAddr, Received, Transport, recv_from, send_to};
use tokio::try_join;

use super::boundaries::is_cut;
use super::steps::{Steps, ensure, numbered, payload, same, shown};
use super::subject::{Bound, Subject};
use crate::law::Verdict;

/// A bound socket and several sockets that are connected to it; `None` if there is no such form.
async fn scene<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Result<Option<(Bound, Vec<T::Socket>)>, String> {
    let Some(bound) = subject.bind(subject.at()).await? else {
        return Ok(None);
    };
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(subject.connect(bound.local()).await?);
    }
    Ok(Some((bound, clients)))
}

/// The next datagram, in a buffer of `room` bytes. It must come from the socket `from`.
async fn arrives(
    steps: Steps,
    bound: &Bound,
    room: usize,
    from: &impl Half,
) -> Result<(Received, Vec<u8>, PeerAddr), String> {
    let mut buf = vec![0; room];
    let received = steps
        .wait("receiving", recv_from(&**bound, &mut buf))
        .await?;
    let (len, received, peer) = received.map_err(|error| error.to_string())?;
    buf.truncate(len);
    named(bound, &peer, from)?;
    Ok((received, buf, peer))
}

fn named(bound: &Bound, peer: &PeerAddr, from: &impl Half) -> Verdict {
    let endpoint = peer.endpoint(bound.local().scheme());
    let endpoint = endpoint.map_err(|error| error.to_string())?;
    same("the sender", &endpoint, from.local())
}

pub(super) async fn the_sender_is_named<T: Transport + ?Sized>(subject: &Subject<T>) -> Verdict {
    let Some((bound, mut clients)) = scene(subject).await? else {
        return Ok(());
    };
    let steps = subject.steps();
    for round in 0..3 {
        for (who, client) in clients.iter_mut().enumerate() {
            let word = numbered(10 * round + who);
            steps.send(client, &word).await?;
            let (_, bytes, peer) = arrives(steps, &bound, bound.recv_room(), client).await?;
            same("the datagram", &bytes, &word)?;
            let answered = send_to(&*bound, &word, &peer);
            let answered = steps.wait("answering", answered).await?;
            answered.map_err(|error| format!("answering: {error}"))?;
            steps.next(client, &word).await?;
        }
    }
    Ok(())
}

pub(super) async fn the_sender_of_a_cut_datagram_is_named<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let Some((bound, mut clients)) = scene(subject).await? else {
        return Ok(());
    };
    let steps = subject.steps();
    for client in &mut clients {
        for word in [&b"too long"[..], b"", b"next"] {
            steps.send(client, word).await?;
            let (received, bytes, _) = arrives(steps, &bound, 4, client).await?;
            let what = format!("{} in room for 4", shown(word));
            match word.len() {
                len if len > 4 => is_cut(&what, received, 4, len)?,
                _ => same(&what, &received, &Received::Data)?,
            }
            same("the datagram", &bytes, &word[..word.len().min(4)].to_vec())?;
        }
    }
    Ok(())
}

pub(super) async fn a_batch_names_each_sender<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    const ROUNDS: usize = 6;
    let Some((bound, mut clients)) = scene(subject).await? else {
        return Ok(());
    };
    let steps = subject.steps();
    let order: Vec<_> = clients
        .iter()
        .map(|client| client.local().clone())
        .collect();
    let all = ROUNDS * order.len();
    let sending = async {
        for number in 0..all {
            let client = &mut clients[number % order.len()];
            steps.send(client, &numbered(number)).await?;
        }
        Ok(())
    };
    let receiving = async {
        let (mut batch, mut got) = (Batch::new(), 0);
        while got < all {
            batch.clear();
            let receiving = poll_fn(|cx| bound.poll_recv_batch(cx, &mut batch));
            let received = steps.wait("receiving a batch", receiving).await?;
            received.map_err(|error| format!("receiving a batch: {error}"))?;
            ensure(!batch.is_empty(), || "a batch came with nothing".to_owned())?;
            for datagram in batch.iter() {
                let from = datagram.from.ok_or("a batch tells no sender")?;
                let from = from.endpoint(bound.local().scheme());
                let from = from.map_err(|error| error.to_string())?;
                same("the sender", &from, &order[got % order.len()])?;
                same("the datagram", &datagram.bytes, &numbered(got).as_slice())?;
                got += 1;
            }
        }
        Ok(())
    };
    try_join!(sending, receiving).map(|_| ())
}

pub(super) async fn an_error_is_the_datagrams_own<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let Some((bound, mut clients)) = scene(subject).await? else {
        return Ok(());
    };
    let steps = subject.steps();
    let mut gone = clients.pop().ok_or("somebody is there")?;
    steps.send(&mut gone, b"hello").await?;
    let (.., gone_peer) = arrives(steps, &bound, 8, &gone).await?;
    drop(gone);
    for client in &mut clients {
        steps.send(client, b"hello").await?;
        let (.., peer) = arrives(steps, &bound, 8, client).await?;
        too_long(&bound, &peer)?;
        for nowhere in [&gone_peer, &PeerAddr::Unnamed] {
            // That may fail or not, but it does not wait.
            let _ = steps
                .wait("sending", send_to(&*bound, b"gone?", nowhere))
                .await?;
        }
        let answered = steps
            .wait("answering", send_to(&*bound, b"here", &peer))
            .await?;
        answered.map_err(|error| format!("answering: {error}"))?;
        steps.next(client, b"here").await?;
    }
    let mut buf = [0; 8];
    let told = steps.wait("receiving", async {
        steps.send(&mut clients[0], b"last").await?;
        clients.truncate(1);
        recv_from(&*bound, &mut buf)
            .await
            .map_err(|error| error.to_string())
    });
    let (len, _, peer) = told.await??;
    same("the datagram", &&buf[..len], &&b"last"[..])?;
    named(&bound, &peer, &clients[0])
}

fn too_long(bound: &Bound, peer: &PeerAddr) -> Verdict {
    let bytes = payload(bound.max_len() + 1);
    let sent = bound.try_send_to(&[IoSlice::new(&bytes)], peer);
    let kind = sent.map_err(|error| error.kind());
    let refused = Err(io::ErrorKind::InvalidInput);
    same("one byte more than fits", &kind, &refused)
}
