//! A waiting task uses no processor time, and is woken when it need not wait any more.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use socketry_transport::{Listener, RecvExt, SendExt, SendHalf, Transport, recv_from};
use tokio::time::{sleep, timeout};
use tokio::try_join;

use super::steps::{Pair, Steps, ensure, numbered, poll_once, same};
use super::subject::Subject;
use crate::law::Verdict;

/// How long the cost of waiting is measured.
const WINDOW: Duration = Duration::from_millis(100);
/// The most processor time that all waiting tasks may use in that time.
const MOST_WORK: Duration = Duration::from_millis(25);
/// How often a waiting task may be polled in that time. A timer that fires each millisecond polls
/// 100 times. Unlike the processor time, this shows a spinning task also on a busy machine.
const MOST_POLLS: usize = 400;
/// How many datagrams are sent to a queue that may be full much sooner. UDP would lose them if they
/// were many more.
const ENOUGH: usize = 100;

/// The processor time of this thread. A law has a thread for itself and its runtime.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// Waits for [`WINDOW`], or until `wait` is ready, and returns its result.
pub(super) async fn idly<X>(wait: impl Future<Output = X>) -> Result<Option<X>, String> {
    let (mut wait, mut polls) = (pin!(wait), 0);
    let before = worked();
    let counting = poll_fn(|cx| {
        polls += 1;
        wait.as_mut().poll(cx)
    });
    let waited = timeout(WINDOW, counting).await;
    let spent = worked().saturating_sub(before);
    ensure(spent < MOST_WORK && polls < MOST_POLLS, || {
        format!("{WINDOW:?} of waiting took {polls} polls and the processor for {spent:?}")
    })?;
    Ok(waited.ok())
}

pub(super) async fn waiting_costs_nothing<T: Transport + ?Sized>(subject: &Subject<T>) -> Verdict {
    let Pair {
        mut client,
        mut session,
        mut listener,
    } = subject.pair().await?;
    let (gone, mut left) = subject.join(&mut listener).await?;
    drop(gone);
    // It may fail or not, since there is no listener.
    let _ = subject.steps().wait("sending", left.send(b"gone?")).await?;
    // News about connected peers arrives before the measurement.
    sleep(Duration::from_millis(5)).await;

    let (mut here, mut there, mut nowhere) = ([0; 8], [0; 8], [0; 8]);
    let happened = idly(async {
        let gone = async {
            let told = left.recv(&mut nowhere).await;
            // The end of the peer may be reported, once.
            std::future::pending::<()>().await;
            told.map(|_| ())
        };
        tokio::select! {
            received = client.recv(&mut here) => format!("the client received {received:?}"),
            received = session.recv(&mut there) => format!("the session received {received:?}"),
            accepted = listener.accept() => format!("accepted: {}", accepted.is_ok()),
            told = gone => format!("{told:?}"),
        }
    });
    match happened.await? {
        None => Ok(()),
        Some(what) => Err(format!("{what}, and nothing was sent")),
    }
}

pub(super) async fn a_sender_that_waits_for_room_is_woken<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let steps = subject.steps();
    if let Some(bound) = subject.bind(subject.at()).await? {
        let mut client = subject.connect(bound.local()).await?;
        crowd(steps, &mut client, async || {
            let mut buf = [0; 1024];
            let receiving = recv_from(&*bound, &mut buf);
            let received = steps.wait("receiving", receiving).await?;
            let (len, ..) = received.map_err(|error| error.to_string())?;
            Ok(buf[..len].to_vec())
        })
        .await?;
        drop(client);
    }
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    crowd(steps, &mut session, async || {
        steps.recv(&mut client).await.map(|(_, bytes)| bytes)
    })
    .await
}

/// Sends without a receiver until there is no more room, waits, and then receives.
async fn crowd(
    steps: Steps,
    from: &mut impl SendHalf,
    mut recv: impl AsyncFnMut() -> Result<Vec<u8>, String>,
) -> Verdict {
    let mut sent = 0;
    while sent < ENOUGH {
        let bytes = numbered(sent);
        match idly_send(from, &bytes).await? {
            true => sent += 1,
            false => break,
        }
    }
    let sending = async {
        for number in sent..ENOUGH {
            steps.send(from, &numbered(number)).await?;
        }
        Ok(())
    };
    let receiving = async {
        for number in 0..ENOUGH {
            same("the datagram", &recv().await?, &numbered(number))?;
        }
        Ok(())
    };
    try_join!(sending, receiving).map(|_| ())
}

/// Whether the datagram was sent. If not, the send waited without using processor time.
async fn idly_send(from: &mut impl SendHalf, bytes: &[u8]) -> Result<bool, String> {
    let parts = [std::io::IoSlice::new(bytes)];
    let sent = match poll_once(|cx| from.poll_send(cx, &parts)) {
        Poll::Ready(sent) => Some(sent),
        Poll::Pending => idly(from.send(bytes)).await?,
    };
    match sent {
        None => Ok(false),
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) => Err(format!("sending: {error}")),
    }
}
