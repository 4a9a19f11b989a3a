//! Datagram boundaries: a datagram arrives whole, alone, within its limit, and is never cut
//! silently.

use std::io::{self, IoSlice};

use socketry_transport::{Batch, Cut, Listener, Received, RecvHalf, SendHalf, Transport};

use super::batches::receive_batch;
use super::steps::{Pair, Steps, ensure, max_len, payload, same, send_parts, shown, with};
use super::subject::Subject;
use crate::law::Verdict;

/// Typical sizes: nothing, a byte, DNS, an Ethernet frame, a jumbo frame.
const SIZES: [usize; 5] = [0, 1, 512, 1472, 9000];

pub(super) async fn boundaries_are_kept<T: Transport + ?Sized>(subject: &Subject<T>) -> Verdict {
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    keep(subject.steps(), &mut client, &mut session).await?;
    keep(subject.steps(), &mut session, &mut client).await
}

/// One by one, and several on the way at once.
pub(crate) async fn keep(
    steps: Steps,
    from: &mut impl SendHalf,
    to: &mut impl RecvHalf,
) -> Verdict {
    let largest = max_len(from)?;
    for size in SIZES.into_iter().chain([largest]) {
        steps.pass(from, to, &payload(size.min(largest))).await?;
    }
    for size in SIZES {
        steps.send(from, &payload(size.min(largest))).await?;
    }
    for size in SIZES {
        steps.next(to, &payload(size.min(largest))).await?;
    }
    Ok(())
}

pub(super) async fn parts_are_one_datagram<T: Transport + ?Sized>(subject: &Subject<T>) -> Verdict {
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    join(subject.steps(), &mut client, &mut session).await?;
    join(subject.steps(), &mut session, &mut client).await
}

pub(crate) async fn join(
    steps: Steps,
    from: &mut impl SendHalf,
    to: &mut impl RecvHalf,
) -> Verdict {
    let many: Vec<Vec<u8>> = (0..100).map(|part| vec![part; 5]).collect();
    let few = [&b"head"[..], b"", b"body", b"tail"].map(<[u8]>::to_vec);
    for parts in [&few[..], &many, &[]] {
        let whole = parts.concat();
        let slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let taken = steps.wait("sending", send_parts(from, &slices)).await?;
        let taken = taken.map_err(|error| format!("sending {} parts: {error}", parts.len()))?;
        same("the bytes taken", &taken, &whole.len())?;
        steps.next(to, &whole).await?;
    }
    steps.pass(from, to, b"next").await
}

pub(super) async fn one_byte_too_many_is_refused<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    refuse(subject.steps(), &mut client, &mut session).await?;
    refuse(subject.steps(), &mut session, &mut client).await
}

/// As one part, as several and as a run. No byte of it arrives before the next datagram.
pub(crate) async fn refuse(
    steps: Steps,
    from: &mut impl SendHalf,
    to: &mut impl RecvHalf,
) -> Verdict {
    let largest = max_len(from)?;
    let bytes = payload(largest + 1);
    let halves = bytes.split_at(largest / 2);
    let (one, two) = ([&bytes[..]], [halves.0, halves.1]);
    for parts in [&one[..], &two] {
        let parts: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let sending = send_parts(from, &parts);
        refused(steps.wait("sending", sending).await?, largest)?;
    }
    let run = std::future::poll_fn(|cx| from.poll_send_run(cx, &bytes, bytes.len()));
    refused(steps.wait("sending", run).await?, largest)?;
    steps.pass(from, to, b"next").await
}

fn refused(sent: io::Result<usize>, largest: usize) -> Verdict {
    let Err(error) = sent else {
        return Err(format!("{} bytes were taken: {sent:?}", largest + 1));
    };
    same(
        &format!("the kind of '{error}'"),
        &error.kind(),
        &io::ErrorKind::InvalidInput,
    )?;
    let names = error.to_string().contains(&largest.to_string());
    ensure(names, || {
        format!("'{error}' does not name the limit of {largest} bytes")
    })
}

pub(super) async fn an_empty_datagram_is_no_end<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let steps = subject.steps();
    let Pair {
        mut client,
        mut session,
        mut listener,
    } = subject.pair().await?;
    for word in ["", "between", "", "", "after"] {
        steps.talk(&mut client, &mut session, word).await?;
    }
    // The very first datagram may be empty, too, and creates the session.
    let mut newcomer = subject.connect(listener.local()).await?;
    steps.send(&mut newcomer, b"").await?;
    let mut session = steps.accept(&mut listener).await?;
    steps.next(&mut session, b"").await
}

pub(super) async fn a_cut_is_reported<T: Transport + ?Sized>(subject: &Subject<T>) -> Verdict {
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    cut(subject.steps(), &mut client, &mut session).await?;
    cut(subject.steps(), &mut session, &mut client).await
}

pub(crate) async fn cut(steps: Steps, from: &mut impl SendHalf, to: &mut impl RecvHalf) -> Verdict {
    for room in [1, 4, 7] {
        steps.send(from, b"too long").await?;
        steps.send(from, b"next").await?;
        let (received, head) = steps.recv_into(to, room).await?;
        let what = format!("8 bytes in room for {room} ({})", shown(&head));
        is_cut(&what, received, room, b"too long".len())?;
        same("the head", &head, &b"too long"[..room].to_vec())?;
        steps.next(to, b"next").await?;
    }
    steps.send(from, b"exactly").await?;
    let (received, whole) = steps.recv_into(to, 7).await?;
    same("7 bytes in room for 7", &received, &Received::Data)?;
    same("the datagram", &whole, &b"exactly".to_vec())
}

/// Whether a message of `len` bytes was cut to `room`, and the cut names both, or only the room
/// where the transport cannot know more.
pub(crate) fn is_cut(what: &str, received: Received, room: usize, len: usize) -> Verdict {
    let known = received.cut().and_then(|cut| cut.len);
    let len = known.map(|_| len);
    same(what, &received, &Received::Cut(Cut { room, len }))
}

pub(super) async fn a_buffer_without_room_takes_nothing<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let Pair {
        mut client,
        mut session,
        listener: _listener,
    } = subject.pair().await?;
    no_room(subject.steps(), &mut client, &mut session).await?;
    no_room(subject.steps(), &mut session, &mut client).await
}

pub(crate) async fn no_room(
    steps: Steps,
    from: &mut impl SendHalf,
    to: &mut impl RecvHalf,
) -> Verdict {
    for _ in 0..2 {
        let (received, _) = steps.recv_into(to, 0).await?;
        same("a receive without room", &received, &Received::Data)?;
        steps.send(from, b"kept").await?;
        let (received, _) = steps.recv_into(to, 0).await?;
        same("a receive without room", &received, &Received::Data)?;
        steps.next(to, b"kept").await?;
    }
    Ok(())
}

pub(super) async fn the_room_that_is_asked_for_is_enough<T: Transport + ?Sized>(
    subject: &Subject<T>,
) -> Verdict {
    let (short, long) = (subject.options_of_short_senders(), &[][..]);
    for (at, to) in [(long, long), (short, long), (long, short)] {
        let mut listener = subject.listen(at).await?;
        let place = with(listener.local(), to);
        let (mut client, mut session) = subject.join_from(&place, &mut listener).await?;
        fit(subject.steps(), &mut client, &mut session).await?;
        fit(subject.steps(), &mut session, &mut client).await?;
    }
    Ok(())
}

/// Alone and in a batch.
pub(crate) async fn fit(steps: Steps, from: &mut impl SendHalf, to: &mut impl RecvHalf) -> Verdict {
    let longest = payload(max_len(from)?);
    steps.pass(from, to, &longest).await?;
    let mut batch = Batch::new();
    tokio::try_join!(
        steps.send(from, &longest),
        receive_batch(steps, to, &mut batch),
    )?;
    let whole = batch
        .iter()
        .all(|datagram| datagram.cut.is_none() && datagram.bytes == longest);
    ensure(whole, || {
        format!("{} did not fit into a batch", shown(&longest))
    })
}
