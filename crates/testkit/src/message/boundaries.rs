//! Each message arrives whole, alone, within its limit, and all arrive in order.

use std::future::poll_fn;

use socketry_transport::{
    Batch, Half, Received, RecvExt, RecvHalf, SendExt, Socket, Transport, Upcoming,
};

use super::Subject;
use crate::datagram::boundaries::{cut, fit, join, keep, no_room, refuse};
use crate::datagram::steps::{Steps, numbered, shown};
use crate::stream::pattern::{flush, recv_to_end};
use crate::stream::verdict::{Failure, Verdict, ensure, same};

/// A law of datagrams that holds for messages, in both directions.
macro_rules! both_ways {
    ($($law:ident: $how:ident,)*) => {$(
        pub(super) async fn $law<T: Transport>(subject: Subject<T>) -> Verdict {
            let (mut client, mut server, _listener) = subject.pair().await?;
            let steps = Steps(subject.patience);
            $how(steps, &mut client, &mut server).await.map_err(Failure::new)?;
            $how(steps, &mut server, &mut client).await.map_err(Failure::new)
        }
    )*};
}

both_ways! {
    boundaries_are_kept: keep,
    parts_are_one_message: join,
    one_byte_too_many_is_refused: refuse,
    a_cut_is_reported: cut,
    a_buffer_without_room_takes_nothing: no_room,
    the_room_that_is_asked_for_is_enough: fit,
}

pub(super) async fn an_empty_message_is_no_end<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    let steps = Steps(subject.patience);
    for word in ["", "between", "", "", "after", ""] {
        steps
            .talk(&mut client, &mut server, word)
            .await
            .map_err(Failure::new)?;
    }
    steps.send(&mut client, b"").await.map_err(Failure::new)?;
    let _client = subject.hang_up(client).await?;
    steps.next(&mut server, b"").await.map_err(Failure::new)?;
    let mut buf = [0; 8];
    let end = subject.within("the end", server.recv(&mut buf)).await?;
    same(
        "what comes behind the last message",
        end,
        (0, Received::End),
    )
}

/// The messages of a long series: of many lengths, and some that fill buffers.
fn series(longest: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..3000).map(move |number| {
        let mut message = numbered(number);
        if number % 100 == 0 {
            message.resize((40_000 + number).min(longest).max(message.len()), b'.');
        }
        message
    })
}

async fn send_series(mut socket: impl Socket, subject: &Subject<impl Transport>) -> Verdict {
    let longest = socket.shape().max_len().unwrap_or(0);
    for message in series(longest) {
        let sent = socket.send(&message).await.map_err(Failure::new)?;
        same(
            "how many bytes of a message were taken",
            sent,
            message.len(),
        )?;
    }
    flush(&mut socket).await.map_err(Failure::new)?;
    subject.hang_up(socket).await.map(drop)
}

pub(super) async fn all_arrive_in_order_under_pressure<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let (client, mut server, _listener) = subject.pair().await?;
    let longest = client.shape().max_len().unwrap_or(0);
    let reading = async {
        let mut buf = vec![0; server.recv_room()];
        for (number, due) in series(longest).enumerate() {
            if number % 10 == 0 {
                tokio::task::yield_now().await;
            }
            let (len, received) = server.recv(&mut buf).await.map_err(Failure::new)?;
            arrived(number, &due, received, &buf[..len])?;
        }
        let rest = recv_to_end(&mut server).await.map_err(Failure::new)?;
        ensure(rest.is_empty(), "more messages came than were sent")
    };
    let both = async { tokio::try_join!(send_series(client, &subject), reading) };
    subject.within("many messages", both).await?;
    Ok(())
}

pub(super) async fn a_message_that_is_upcoming_comes<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, mut server, _listener) = subject.pair().await?;
    let reading = async {
        let mut buf = vec![0; server.recv_room()];
        loop {
            let said = server.upcoming();
            let (len, received) = server.recv(&mut buf).await.map_err(Failure::new)?;
            if received == Received::End {
                return Ok(());
            }
            ensure(
                !matches!(said, Upcoming::Whole(known) if known != len),
                format_args!("{said:?} was upcoming, and {len} bytes came"),
            )?;
        }
    };
    let both = async { tokio::try_join!(send_series(client, &subject), reading) };
    subject.within("many messages", both).await?;
    Ok(())
}

fn arrived(number: usize, due: &[u8], received: Received, came: &[u8]) -> Verdict {
    ensure(
        received == Received::Data && came == due,
        format_args!(
            "message {number} was {}, and {received:?} of {} came",
            shown(due),
            shown(came)
        ),
    )
}

pub(super) async fn a_batch_brings_whole_messages<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, mut server, _listener) = subject.pair().await?;
    let longest = client.shape().max_len().unwrap_or(0);
    let reading = async {
        let mut due = series(longest).enumerate();
        let mut batch = Batch::new();
        loop {
            batch.clear();
            let received = poll_fn(|cx| server.poll_recv_batch(cx, &mut batch)).await;
            if received.map_err(Failure::new)? == Received::End {
                break;
            }
            for message in batch.iter() {
                let due = due.next();
                let (number, due) = due.ok_or_else(|| Failure::new("more came than was sent"))?;
                ensure(
                    message.cut.is_none(),
                    format_args!("message {number} was cut"),
                )?;
                arrived(number, &due, Received::Data, message.bytes)?;
            }
        }
        same("how many did not come", due.count(), 0)
    };
    let both = async { tokio::try_join!(send_series(client, &subject), reading) };
    subject.within("batches", both).await?;
    Ok(())
}
