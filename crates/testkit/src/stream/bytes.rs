//! Sent bytes arrive.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;

use socketry_transport::{Batch, Received, RecvExt, RecvHalf, SendHalf, Socket, Transport};
use tokio::io::ReadBuf;

use super::Subject;
use super::pattern::{check, flush, pattern, recv_pattern, recv_some, send_flushed};
use super::verdict::{Failure, Verdict, ensure, same};

/// The sizes of sends and receives: one byte, odd sizes, a power of two, and one that takes several
/// pieces on its way.
const SIZES: [usize; 6] = [1, 7, 1000, 4096, 65_536, 250_007];

/// How many bytes are sent in pieces of `size`, since small pieces take long.
fn amount(size: usize) -> usize {
    (size * 1500).clamp(1500, 250_007)
}

pub(crate) async fn bytes_arrive_in_order_and_whole<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    let mut at = 0;
    for sent in SIZES {
        for received in SIZES {
            let range = (at, at + amount(sent.min(received)));
            let what = format!("sends of {sent} bytes, receives of {received}");
            let both = async {
                tokio::try_join!(
                    send_flushed(&mut client, range, sent),
                    recv_pattern(&mut server, range, received),
                )
            };
            subject.within(&what, both).await?;
            at = range.1;
        }
    }
    Ok(())
}

pub(crate) async fn parts_arrive_as_one_run<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    let many = vec![3; 2000];
    let mut at = 0;
    for lens in [&[0, 5, 0, 1, 70_000, 0, 3][..], &[0, 0, 9], &[1; 16], &many] {
        let range = (at, at + lens.iter().sum::<usize>());
        let both = async {
            tokio::try_join!(
                send_parts(&mut client, at, lens),
                recv_pattern(&mut server, range, 4096),
            )
        };
        let what = format!("{} parts in one send", lens.len());
        subject.within(&what, both).await?;
        at = range.1;
    }
    Ok(())
}

/// Sends parts of these lengths, and sends again the bytes that were not taken.
async fn send_parts<S: SendHalf>(socket: &mut S, offset: usize, lens: &[usize]) -> Verdict {
    let mut at = offset;
    let mut parts = Vec::new();
    for len in lens {
        parts.push(pattern(at, *len));
        at += len;
    }
    let mut slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut rest = &mut slices[..];
    while rest.iter().any(|part| !part.is_empty()) {
        let left: usize = rest.iter().map(|part| part.len()).sum();
        let sent = poll_fn(|cx| socket.poll_send(cx, rest)).await;
        let sent = sent.map_err(Failure::new)?;
        ensure(
            (1..=left).contains(&sent),
            format_args!("a send of {left} bytes took {sent}"),
        )?;
        IoSlice::advance_slices(&mut rest, sent);
    }
    flush(socket).await.map_err(Failure::new)
}

pub(crate) async fn an_empty_send_says_nothing<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    for parts in [&[][..], &[IoSlice::new(&[])], &[IoSlice::new(&[]); 3]] {
        let sent = poll_fn(|cx| client.poll_send(cx, parts));
        let sent = subject.within("sending nothing", sent).await?;
        same("bytes taken of none", sent, 0)?;
    }
    subject.within("flushing", flush(&mut client)).await?;
    let mut buf = [0; 8];
    let receiving = server.recv(&mut buf);
    subject
        .waits("receiving after an empty send", receiving)
        .await?;
    let sending = send_flushed(&mut client, (0, 8), 8);
    subject
        .within("sending after an empty send", sending)
        .await?;
    let receiving = recv_pattern(&mut server, (0, 8), 8);
    subject.within("receiving what was sent", receiving).await
}

pub(crate) async fn an_empty_buffer_is_not_the_end<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    let nothing = (0, Received::Data);
    let empty = subject.within("an empty receive before data", server.recv(&mut []));
    same("an empty receive before data", empty.await?, nothing)?;
    subject
        .within("sending", send_flushed(&mut client, (0, 8), 8))
        .await?;
    let empty = subject.within("an empty receive at data", server.recv(&mut []));
    same("an empty receive at data", empty.await?, nothing)?;
    subject
        .within("receiving", recv_pattern(&mut server, (0, 8), 8))
        .await
}

pub(crate) async fn a_small_buffer_leaves_the_rest<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    let sending = send_flushed(&mut client, (0, 64), 64);
    subject.within("sending", sending).await?;
    let mut at = 0;
    while at < 64 {
        // A buffer that has some bytes, and room that was never written to.
        let mut storage = [MaybeUninit::uninit(); 9];
        let mut buf = ReadBuf::uninit(&mut storage);
        buf.put_slice(b"kept");
        let receiving = poll_fn(|cx| server.poll_recv(cx, &mut buf));
        let received = subject.within("receiving into 5 bytes", receiving).await?;
        same("what came", received, Received::Data)?;
        let (kept, came) = buf.filled().split_at(4);
        same("what the buffer held before", kept, b"kept")?;
        ensure(!came.is_empty(), "nothing came, and it was not the end")?;
        check(came, at)?;
        at += came.len();
    }
    Ok(())
}

pub(crate) async fn a_batch_brings_the_same_bytes<T: Transport>(subject: Subject<T>) -> Verdict {
    const ALL: usize = 200_000;
    let (mut client, mut server, _listener) = subject.pair().await?;
    let sending = async {
        send_flushed(&mut client, (0, ALL), 3001).await?;
        subject.hang_up(client).await
    };
    let receiving = async {
        let mut all = Vec::new();
        while recv_in_turn(&mut server, &mut all).await? != Received::End {}
        ensure(
            all.len() == ALL,
            format_args!("{} of {ALL} bytes came", all.len()),
        )?;
        check(&all, 0)
    };
    let both = async { tokio::try_join!(sending, receiving) };
    subject.within("batches and singles in turn", both).await?;
    Ok(())
}

/// One batch, then one single receive.
async fn recv_in_turn<R: RecvHalf>(socket: &mut R, all: &mut Vec<u8>) -> Verdict<Received> {
    let received = recv_batch(socket, all).await.map_err(Failure::new)?;
    if received == Received::End {
        return Ok(received);
    }
    let mut buf = [0; 777];
    let (len, received) = recv_some(socket, &mut buf).await.map_err(Failure::new)?;
    all.extend_from_slice(&buf[..len]);
    Ok(received)
}

pub(crate) async fn recv_batch<R: RecvHalf>(
    socket: &mut R,
    all: &mut Vec<u8>,
) -> io::Result<Received> {
    let mut batch = Batch::new();
    let received = poll_fn(|cx| socket.poll_recv_batch(cx, &mut batch)).await?;
    for piece in batch.iter() {
        all.extend_from_slice(piece.bytes);
    }
    Ok(received)
}

pub(crate) async fn question_and_answer_take_turns<T: Transport>(subject: Subject<T>) -> Verdict {
    const TURNS: usize = 200;
    let (mut client, mut server, _listener) = subject.pair().await?;
    let both = async { tokio::try_join!(ask(&mut client, TURNS), answer(&mut server, TURNS)) };
    subject.within("questions and answers", both).await?;
    Ok(())
}

async fn ask<S: Socket>(socket: &mut S, turns: usize) -> Verdict {
    for turn in 0..turns {
        send_flushed(socket, (turn, turn + 1), 1).await?;
        recv_pattern(socket, (turn, turn + 3), 2).await?;
    }
    Ok(())
}

async fn answer<S: Socket>(socket: &mut S, turns: usize) -> Verdict {
    for turn in 0..turns {
        recv_pattern(socket, (turn, turn + 1), 9).await?;
        send_flushed(socket, (turn, turn + 3), 3).await?;
    }
    Ok(())
}
