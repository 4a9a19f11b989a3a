//! A cancelled call loses nothing: a dropped receive, send or accept has not happened.

use std::future::Future;
use std::io::IoSlice;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use socketry_transport::{Batch, Half, Listener, Received, RecvHalf, SendHalf, Transport};
use tokio::io::ReadBuf;
use tokio::sync::Notify;

use super::steps::{Pair, Steps, ensure, nobody, numbered, poll_once, quiet, same, shown};
use super::subject::Subject;
use crate::law::Verdict;

/// How many calls are cancelled.
const ROUNDS: usize = 20;

/// A waker that notifies when it is woken.
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// Polls until ready. Each poll stands for a future of its own, which is dropped if it has to wait.
async fn poll_by_poll<X>(
    steps: Steps,
    what: &str,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<X>,
) -> Result<X, String> {
    loop {
        // Each poll has a waker of its own, and only the last one has to be woken.
        let woken = Arc::new(Woken(Notify::new()));
        let waker = Waker::from(Arc::clone(&woken));
        if let Poll::Ready(done) = poll(&mut Context::from_waker(&waker)) {
            return Ok(done);
        }
        steps.wait(what, woken.0.notified()).await?;
    }
}

pub(super) async fn a_cancelled_receive_loses_nothing<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    receive(subject.steps(), &mut client, &mut session).await?;
    receive(subject.steps(), &mut session, &mut client).await
}

async fn receive(steps: Steps, from: &mut impl SendHalf, to: &mut impl RecvHalf) -> Verdict {
    for number in 0..ROUNDS {
        quiet(to)?;
        steps.send(from, &numbered(number)).await?;
        let arrived = if number % 2 == 0 {
            single(steps, to).await?
        } else {
            batch(steps, to).await?
        };
        let right = arrived == [numbered(number)];
        ensure(right, || {
            let arrived: Vec<_> = arrived.iter().map(|bytes| shown(bytes)).collect();
            format!("datagram {number} was sent, and {arrived:?} arrived")
        })?;
    }
    Ok(())
}

async fn single(steps: Steps, to: &mut impl RecvHalf) -> Result<Vec<Vec<u8>>, String> {
    let room = to.recv_room();
    poll_by_poll(steps, "receiving", |cx| {
        let mut bytes = vec![0; room];
        let mut buf = ReadBuf::new(&mut bytes);
        let received = to.poll_recv(cx, &mut buf);
        received.map(|received| match received {
            Ok(Received::Data) => Ok(vec![buf.filled().to_vec()]),
            other => Err(format!("receiving: {other:?}")),
        })
    })
    .await?
}

async fn batch(steps: Steps, to: &mut impl RecvHalf) -> Result<Vec<Vec<u8>>, String> {
    poll_by_poll(steps, "receiving a batch", |cx| {
        let mut batch = Batch::new();
        let received = to.poll_recv_batch(cx, &mut batch);
        received.map(|received| match received {
            Ok(Received::Data) => Ok(batch.iter().map(|one| one.bytes.to_vec()).collect()),
            other => Err(format!("receiving a batch: {other:?}")),
        })
    })
    .await?
}

pub(super) async fn a_cancelled_send_is_whole_or_nothing<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    send(subject.steps(), &mut client, &mut session).await?;
    send(subject.steps(), &mut session, &mut client).await
}

/// Sends until there is no more room, or enough was sent. A send that has to wait is dropped.
async fn send(steps: Steps, from: &mut impl SendHalf, to: &mut impl RecvHalf) -> Verdict {
    let mut taken = 0;
    while taken < ROUNDS {
        let bytes = numbered(taken);
        match poll_once(|cx| from.poll_send(cx, &[IoSlice::new(&bytes)])) {
            Poll::Pending => break,
            Poll::Ready(Ok(len)) => same("the bytes taken", &len, &bytes.len())?,
            Poll::Ready(Err(error)) => return Err(format!("sending: {error}")),
        }
        taken += 1;
    }
    for number in 0..taken {
        steps.next(to, &numbered(number)).await?;
    }
    steps.pass(from, to, b"and no more").await
}

pub(super) async fn a_cancelled_accept_loses_no_client<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let steps = subject.steps();
    let mut listener = subject.listen(&[]).await?;
    for _ in 0..ROUNDS / 4 {
        nobody(&mut listener)?;
        let mut client = subject.connect(listener.local()).await?;
        steps.send(&mut client, b"hello").await?;
        let accepting = poll_by_poll(steps, "accepting", |cx| pin!(listener.accept()).poll(cx));
        let mut session = accepting.await?.map_err(|error| error.to_string())?;
        same("who was accepted", session.peer(), client.local())?;
        steps.next(&mut session, b"hello").await?;
    }
    Ok(())
}
