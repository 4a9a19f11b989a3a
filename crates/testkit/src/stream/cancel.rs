//! Futures that are dropped while they wait.

use std::pin::pin;

use fastrand::Rng;
use socketry_transport::{Listener, Received, RecvExt, RecvHalf, SendExt, SendHalf, Transport};
use tokio::task::yield_now;

use super::Subject;
use super::listen::accept_until_here;
use super::pattern::{check, flush, pattern, piece, recv_to_end, room, send_pattern};
use super::pressure::fill;
use super::steps::Accepted;
use super::verdict::{Failure, Verdict, same};
use super::wake::poll_once;

/// The same random numbers in every run, so that a failure repeats.
const SEED: u64 = 20_260_101;

pub(crate) async fn a_cancelled_receive_loses_nothing<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    const ALL: usize = 300_000;
    let (mut client, mut server, _listener) = subject.pair().await?;
    let sending = async {
        let mut dice = Rng::with_seed(SEED);
        let mut at = 0;
        while at < ALL {
            let end = (at + dice.usize(1..5000)).min(ALL);
            send_pattern(&mut client, (at, end), end - at).await?;
            flush(&mut client).await.map_err(Failure::new)?;
            yield_now().await;
            at = end;
        }
        Ok(())
    };
    let both = async { tokio::try_join!(sending, recv_with_cancels(&mut server, ALL)) };
    subject
        .within("receives of which many are dropped", both)
        .await?;
    Ok(())
}

/// Every second receive is polled once, and dropped if it has to wait.
async fn recv_with_cancels<R: RecvHalf>(socket: &mut R, all: usize) -> Verdict {
    let mut dice = Rng::with_seed(SEED);
    let mut at = 0;
    while at < all {
        let mut buf = vec![0; room(socket, dice.usize(1..3000))];
        let received = {
            let mut receiving = pin!(socket.recv(&mut buf));
            match poll_once(receiving.as_mut()).await {
                None if dice.bool() => {
                    yield_now().await;
                    continue;
                }
                None => receiving.await,
                Some(received) => received,
            }
        };
        let (len, received) = received.map_err(Failure::new)?;
        same("what came", received, Received::Data)?;
        check(&buf[..len], at)?;
        at += len;
    }
    Ok(())
}

pub(crate) async fn a_cancelled_send_sends_nothing<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    let full = fill(&subject, &mut client, 0).await?;
    let sending = async {
        let mut sent = pattern(0, full);
        send_with_cancels(&mut client, &mut sent).await?;
        subject.hang_up(client).await?;
        Ok(sent)
    };
    let receiving = async { recv_to_end(&mut server).await.map_err(Failure::new) };
    let both = async { tokio::try_join!(sending, receiving) };
    let (sent, came) = subject
        .within("sends of which many are dropped", both)
        .await?;
    let differs = sent.iter().zip(&came).position(|(sent, came)| sent != came);
    same("the first byte that is another one", differs, None)?;
    same("how many bytes came", came.len(), sent.len())
}

/// Each send has other bytes. A send that would wait is dropped, and `sent` gets the bytes that the
/// others took.
async fn send_with_cancels<S: SendHalf>(socket: &mut S, sent: &mut Vec<u8>) -> Verdict {
    let mut dice = Rng::with_seed(SEED);
    let enough = sent.len() + 300_000;
    while sent.len() < enough {
        let piece = vec![dice.u8(..); piece(socket, dice.usize(1..50_000))];
        match poll_once(pin!(socket.send(&piece)).as_mut()).await {
            Some(took) => sent.extend_from_slice(&piece[..took.map_err(Failure::new)?]),
            None => yield_now().await,
        }
    }
    Ok(())
}

pub(crate) async fn a_cancelled_accept_loses_no_client<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    const CLIENTS: u8 = 30;
    let mut listener = subject.listen().await?;
    let at = listener.local().clone();
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let connecting = subject.connect(&at);
        clients.push(tokio::spawn(async move {
            let mut client = connecting.await.map_err(Failure::new)?;
            client.send_all(&[number]).await.map_err(Failure::new)?;
            Ok::<_, Failure>(client)
        }));
    }
    let accepting = accept_with_cancels::<T>(&mut listener, usize::from(CLIENTS));
    let servers = subject
        .within("accepts of which many are dropped", accepting)
        .await?;
    let mut heard = Vec::new();
    for mut server in servers {
        let mut buf = [0; 1];
        let hearing = server.recv(&mut buf);
        let hearing = subject.within("hearing from a client", hearing).await?;
        same("what came from a client", hearing, (1, Received::Data))?;
        heard.push(buf[0]);
    }
    for client in clients {
        subject.joined("a client", client).await?;
    }
    heard.sort_unstable();
    same("who was heard", heard, (0..CLIENTS).collect())
}

async fn accept_with_cancels<T: Transport>(
    listener: &mut T::Listener,
    clients: usize,
) -> Verdict<Vec<Accepted<T>>> {
    let mut dice = Rng::with_seed(SEED);
    let mut accepted = Vec::new();
    while accepted.len() < clients {
        let mut accepting = listener.accept();
        match poll_once(pin!(&mut accepting).as_mut()).await {
            None if dice.bool() => yield_now().await,
            None => accepted.push(accepting.await.map_err(Failure::new)?),
            Some(server) => accepted.push(server.map_err(Failure::new)?),
        }
    }
    Ok(accepted)
}

pub(crate) async fn a_cancelled_connect_leaves_nothing<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let mut listener = subject.listen().await?;
    let at = listener.local().clone();
    for polls in 0..30 {
        let mut connecting = subject.connect(&at);
        for poll in 0..polls % 5 {
            if poll > 0 {
                yield_now().await;
            }
            if poll_once(connecting.as_mut()).await.is_some() {
                break;
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
        .within("accepting behind connects that were dropped", accepting)
        .await?;
    subject
        .joined("the client that came to stay", client)
        .await?;
    Ok(())
}
