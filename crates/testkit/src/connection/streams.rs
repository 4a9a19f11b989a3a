//! That streams are independent.

use std::time::Duration;

use socketry_transport::{
    Aborted, MuxTransport, Received, RecvExt, RecvHalf, SendExt, SendHalf, StreamReset,
};
use tokio::time::timeout;

use super::Subject;
use super::steps::{Pair, Stream, Verdict, error_of, same};

const MANY: usize = 20;

pub(super) async fn streams_do_not_mix<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let mut tasks = Vec::new();
    for number in 0..MANY {
        let (opened, accepted) = match number % 2 {
            0 => subject.stream(&mut client, &mut server).await?,
            _ => subject.stream(&mut server, &mut client).await?,
        };
        tasks.push(tokio::spawn(hear_much(subject.clone(), accepted, number)));
        tasks.push(tokio::spawn(say_much(subject.clone(), opened, number)));
    }
    for task in tasks {
        subject.joined("one of many streams", task).await??;
    }
    Ok(())
}

/// What only stream `number` carries.
fn piece(number: usize, round: usize) -> Vec<u8> {
    let words = format!("stream {number}, round {round};");
    words.repeat(100).into_bytes()
}

async fn say_much<M: MuxTransport>(
    subject: Subject<M>,
    mut stream: Stream<M>,
    number: usize,
) -> Verdict {
    for round in 0..50 {
        subject.say(&mut stream, &piece(number, round)).await?;
    }
    subject.within("finishing", stream.finish()).await?;
    subject.hear(&mut stream, b"heard").await
}

async fn hear_much<M: MuxTransport>(
    subject: Subject<M>,
    mut stream: Stream<M>,
    number: usize,
) -> Verdict {
    for round in 0..50 {
        subject.hear(&mut stream, &piece(number, round)).await?;
    }
    subject.hear_end(&mut stream).await?;
    subject.say(&mut stream, b"heard").await
}

pub(super) async fn a_stream_that_is_not_read_blocks_no_other<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let (mut full, _unread) = subject.stream(&mut client, &mut server).await?;
    let bytes = vec![0; 64 * 1024];
    let mut sent = 0;
    // Full is a stream that takes nothing for a while: QUIC's window may still grow.
    while let Ok(taken) = timeout(Duration::from_millis(200), full.send(&bytes)).await {
        sent += taken.map_err(|error| error.to_string())?;
        if sent > subject.holds {
            return Err(format!("{sent} bytes wait for a reader that does not read"));
        }
    }
    let (mut opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
    subject.talk(&mut opened, &mut accepted).await?;
    let (mut opened, mut accepted) = subject.stream(&mut server, &mut client).await?;
    subject.talk(&mut opened, &mut accepted).await
}

pub(super) async fn a_half_close_is_one_directions<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let (mut one, mut other) = subject.stream(&mut client, &mut server).await?;
    let (mut opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
    subject.say(&mut one, b"the last").await?;
    subject.within("finishing", one.finish()).await?;
    subject.hear(&mut other, b"the last").await?;
    subject.hear_end(&mut other).await?;
    subject.say(&mut other, b"the answer").await?;
    subject.hear(&mut one, b"the answer").await?;
    let refused = subject
        .comes("sending after finishing", one.send(b"more"))
        .await?;
    same(
        "whether sending after finishing fails",
        refused.is_err(),
        true,
    )?;
    subject.talk(&mut opened, &mut accepted).await
}

pub(super) async fn dropping_a_stream_ends_it_alone<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let (mut opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
    let (mut dropped, mut left) = subject.stream(&mut client, &mut server).await?;
    subject.say(&mut dropped, b"the last").await?;
    drop(dropped);
    subject.hear(&mut left, b"the last").await?;
    subject.hear_end(&mut left).await?;
    subject.talk(&mut opened, &mut accepted).await
}

pub(super) async fn an_abort_tells_its_code<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    const CODE: u64 = 77;
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let (mut opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
    let (mut one, mut other) = subject.stream(&mut client, &mut server).await?;
    subject
        .say(&mut opened, b"half of what was to be said")
        .await?;
    let aborted = opened.abort(CODE).map_err(|error| error.to_string())?;
    same("what an abort says", aborted, Aborted::Reset)?;
    let error = subject
        .comes("the abort", recv_until_it_fails(&mut accepted))
        .await??;
    let reset = StreamReset::of(&error);
    same(
        "what the reader learns",
        reset,
        Some(&StreamReset::new(CODE)),
    )?;
    subject
        .comes("sending after an abort", send_until_it_fails(&mut accepted))
        .await?;
    subject.talk(&mut one, &mut other).await
}

/// An abort may be two messages of a protocol, one for each direction.
async fn send_until_it_fails(stream: &mut impl SendHalf) {
    while stream.send(b"too late").await.is_ok() {
        tokio::task::yield_now().await;
    }
}

pub(super) async fn a_stream_that_the_peer_aborted_is_not_finished<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let (mut opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
    let aborted = opened.abort(1).map_err(|error| error.to_string())?;
    same("what an abort says", aborted, Aborted::Reset)?;
    let aborted = recv_until_it_fails(&mut accepted);
    subject.comes("the abort", aborted).await??;
    for _ in 0..2 {
        let finished = subject.comes("finishing", accepted.finish()).await?;
        error_of("finishing after the peer's abort", finished)?;
    }
    Ok(())
}

/// What a stream fails with that must not end.
async fn recv_until_it_fails<R: RecvHalf>(stream: &mut R) -> Verdict<std::io::Error> {
    let mut buf = [0; 64];
    loop {
        match stream.recv(&mut buf).await {
            Ok((_, Received::Data)) => {}
            Ok((_, other)) => return Err(format!("a stream that was cut off reads as {other:?}")),
            Err(error) => return Ok(error),
        }
    }
}
