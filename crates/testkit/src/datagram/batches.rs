//! Batches carry the same datagrams as single calls.

use std::future::poll_fn;

use socketry_transport::{Batch, Received, RecvHalf, SendHalf, Transport};
use tokio::try_join;

use super::steps::{Pair, Steps, ensure, max_len, numbered, payload, same, shown};
use super::subject::Subject;
use crate::law::Verdict;

/// How many datagrams go at once: fewer than fit in a session's queue.
const COUNT: usize = 40;

pub(crate) async fn batches_carry_the_same_datagrams<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    mix(subject.steps(), &mut client, &mut session).await?;
    mix(subject.steps(), &mut session, &mut client).await
}

/// Sent one by one, received alternately with a single call and with a batch.
async fn mix(steps: Steps, from: &mut impl SendHalf, to: &mut impl RecvHalf) -> Verdict {
    let sending = async {
        for number in 0..COUNT {
            steps.send(from, &numbered(number)).await?;
        }
        Ok(())
    };
    let receiving = async {
        let (mut got, mut batch) = (0, Batch::new());
        while got < COUNT {
            steps.next(to, &numbered(got)).await?;
            got += 1;
            if got < COUNT {
                receive_batch(steps, to, &mut batch).await?;
                check(&batch, got)?;
                got += batch.len();
                batch.clear();
            }
        }
        same("the datagrams", &got, &COUNT)
    };
    try_join!(sending, receiving).map(|_| ())
}

pub(crate) async fn receive_batch(
    steps: Steps,
    to: &mut impl RecvHalf,
    batch: &mut Batch,
) -> Verdict {
    let receiving = poll_fn(|cx| to.poll_recv_batch(cx, batch));
    let received = steps.wait("receiving a batch", receiving).await?;
    let received = received.map_err(|error| format!("receiving a batch: {error}"))?;
    same("a batch", &received, &Received::Data)?;
    ensure(!batch.is_empty(), || "a batch came with nothing".to_owned())
}

/// Checks that the batch holds the datagrams from `first` on, whole.
fn check(batch: &Batch, first: usize) -> Verdict {
    for (datagram, number) in batch.iter().zip(first..) {
        let should = numbered(number);
        ensure(datagram.bytes == should && datagram.cut.is_none(), || {
            let (is, should) = (shown(datagram.bytes), shown(&should));
            format!("a batch has {is} (cut: {:?}) for {should}", datagram.cut)
        })?;
        ensure(datagram.from.is_none(), || {
            format!("a connected socket names a sender: {:?}", datagram.from)
        })?;
    }
    Ok(())
}

pub(crate) async fn a_batch_grows_and_cuts_nothing<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    grow(subject.steps(), &mut client, &mut session).await?;
    grow(subject.steps(), &mut session, &mut client).await
}

/// An empty, the largest and a small datagram arrive in one batch, which is not cleared between the
/// calls.
async fn grow(steps: Steps, from: &mut impl SendHalf, to: &mut impl RecvHalf) -> Verdict {
    let mut batch = Batch::new();
    let sizes = [0, max_len(from)?, 9];
    for (before, size) in sizes.into_iter().enumerate() {
        steps.send(from, &payload(size)).await?;
        receive_batch(steps, to, &mut batch).await?;
        same("the datagrams in the batch", &batch.len(), &(before + 1))?;
    }
    for (datagram, size) in batch.iter().zip(sizes) {
        let whole = datagram.cut.is_none() && datagram.bytes == payload(size);
        ensure(whole, || {
            let (is, should) = (shown(datagram.bytes), shown(&payload(size)));
            format!("a batch has {is} (cut: {:?}) for {should}", datagram.cut)
        })?;
    }
    Ok(())
}

pub(crate) async fn a_run_is_its_datagrams<T: Transport + ?Sized>(subject: &Subject<T>) -> Verdict {
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    run(subject.steps(), &mut client, &mut session).await?;
    run(subject.steps(), &mut session, &mut client).await
}

/// Runs whose last datagram is shorter, as long, or the only one, however many go with one call.
async fn run(steps: Steps, from: &mut impl SendHalf, to: &mut impl RecvHalf) -> Verdict {
    for (len, size) in [(1050, 100), (300, 100), (50, 100), (100, 100), (6, 1)] {
        let bytes = payload(len);
        let sending = send_run(steps, from, &bytes, size);
        let receiving = async {
            for datagram in bytes.chunks(size) {
                steps.next(to, datagram).await?;
            }
            Ok(())
        };
        try_join!(sending, receiving)?;
    }
    steps.pass(from, to, b"and no more").await
}

async fn send_run(
    steps: Steps,
    from: &mut impl SendHalf,
    mut bytes: &[u8],
    size: usize,
) -> Verdict {
    while !bytes.is_empty() {
        let sending = poll_fn(|cx| from.poll_send_run(cx, bytes, size));
        let taken = steps.wait("sending a run", sending).await?;
        let taken = taken.map_err(|error| format!("sending a run: {error}"))?;
        let whole = taken == bytes.len() || (taken > 0 && taken < bytes.len() && taken % size == 0);
        ensure(whole, || {
            format!(
                "{taken} of {} bytes were taken as datagrams of {size}",
                bytes.len()
            )
        })?;
        bytes = &bytes[taken..];
    }
    Ok(())
}
