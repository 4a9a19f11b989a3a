//! How a connection is closed, and what both ends see of it.

use socketry_transport::{Closed, Connection, MuxTransport, Received, RecvExt, SendExt};

use super::Subject;
use super::steps::{Pair, Verdict, error_of, names_the_close, park, same};

const CODE: u64 = 258;
const REASON: &str = "overloaded \u{2013} come again";

pub(super) async fn a_close_tells_code_and_reason<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    let (_opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
    client.close(CODE, REASON);
    let accepting = subject.comes("accepting", server.accept()).await?;
    let error = error_of("accepting after a close", accepting)?;
    names_the_close("what accepting tells", &error, CODE, REASON)?;
    let opening = subject.comes("opening", server.open()).await?;
    let error = error_of("opening after a close", opening)?;
    names_the_close("what opening tells", &error, CODE, REASON)?;
    let mut buf = [0; 8];
    let received = subject.comes("receiving", accepted.recv(&mut buf)).await?;
    let error = error_of("receiving after a close", received)?;
    names_the_close("what receiving tells", &error, CODE, REASON)?;
    let sent = subject.comes("sending", accepted.send(b"too late")).await?;
    let error = error_of("sending after a close", sent)?;
    names_the_close("what sending tells", &error, CODE, REASON)
}

pub(super) async fn a_close_is_not_the_end_of_a_stream<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    for code in [0, CODE] {
        let Pair {
            mut client,
            mut server,
            listener: _listener,
        } = subject.pair().await?;
        let (mut opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
        subject
            .say(&mut opened, b"half of what was to be said")
            .await?;
        client.close(code, "");
        loop {
            match subject
                .comes("receiving", accepted.recv(&mut [0; 8]))
                .await?
            {
                Ok((_, Received::Data)) => {}
                Ok((_, other)) => {
                    return Err(format!("a stream that was cut off reads as {other:?}"));
                }
                Err(error) => {
                    names_the_close("why a stream was cut off", &error, code, "")?;
                    break;
                }
            }
        }
    }
    Ok(())
}

pub(super) async fn a_stream_that_a_close_cut_off_is_not_finished<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    for code in [0, CODE] {
        let Pair {
            mut client,
            mut server,
            listener: _listener,
        } = subject.pair().await?;
        let (mut opened, mut accepted) = subject.stream(&mut client, &mut server).await?;
        client.close(code, REASON);
        let received = subject
            .comes("receiving", accepted.recv(&mut [0; 8]))
            .await?;
        error_of("receiving after a close", received)?;
        let finished = subject.comes("finishing", accepted.finish()).await?;
        let error = error_of("finishing after the peer's close", finished)?;
        names_the_close("what finishing tells", &error, code, REASON)?;
        let finished = subject.comes("finishing", opened.finish()).await?;
        let error = error_of("finishing after a close", finished)?;
        let by_us = Closed::by_us(code, REASON);
        same("what finishing tells", Closed::of(&error), Some(&by_us))?;
    }
    Ok(())
}

pub(super) async fn an_orderly_close_ends_accepting<M: MuxTransport>(
    subject: Subject<M>,
) -> Verdict {
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    server.close(0, "done");
    for _ in 0..2 {
        for connection in [&mut client, &mut server] {
            let end = subject
                .within("accepting after a close", connection.accept())
                .await?;
            same("whether it ends", end.is_none(), true)?;
        }
    }
    Ok(())
}

pub(super) async fn nothing_opens_after_a_close<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    for code in [0, CODE] {
        let Pair {
            mut client,
            mut server,
            listener: _listener,
        } = subject.pair().await?;
        let mut other = client.clone();
        client.close(code, "");
        for connection in [&mut client, &mut other, &mut server] {
            // The peer learns of the close when it arrives, and accepting waits for that.
            let learned = subject.comes("accepting after a close", connection.accept());
            let none = learned.await?.ok().flatten().is_none();
            same("whether accepting gives no stream", none, true)?;
            let opened = subject.comes("opening", connection.open()).await?;
            error_of("opening after a close", opened)?;
        }
    }
    Ok(())
}

pub(super) async fn only_the_first_close_counts<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let Pair {
        client,
        mut server,
        listener: _listener,
    } = subject.pair().await?;
    client.close(CODE, REASON);
    client.close(CODE + 1, "another");
    client.clone().close(0, "");
    let accepting = subject.comes("accepting", server.accept()).await?;
    let error = error_of("accepting after a close", accepting)?;
    names_the_close("what accepting tells", &error, CODE, REASON)
}

pub(super) async fn a_close_wakes_all_that_wait<M: MuxTransport>(subject: Subject<M>) -> Verdict {
    let (at, most) = subject.limits()?;
    let Pair {
        mut client,
        mut server,
        listener: _listener,
    } = subject.pair_at(at).await?;
    let mut held = Vec::new();
    for _ in 0..most {
        held.push(subject.stream(&mut client, &mut server).await?);
    }
    let mut waiting = Vec::new();
    for (what, mut own) in [("to accept", client.clone()), ("to open", client.clone())] {
        let task = park(async move {
            match what {
                "to accept" => own.accept().await.map(drop),
                _ => own.open().await.map(drop),
            }
        });
        waiting.push((what, task.await));
    }
    let (mut stopped, _unread) = held.pop().ok_or("no stream")?;
    let (mut reader, _silent) = held.pop().ok_or("no second stream")?;
    let task = park(async move { reader.recv(&mut [0; 8]).await.map(drop) });
    waiting.push(("to read", task.await));
    let task = park(async move {
        loop {
            stopped.send(&[0; 65_536]).await?;
        }
    });
    waiting.push(("to send", task.await));
    server.close(CODE, REASON);
    for (what, task) in waiting {
        let woken = subject.joined(&format!("who waits {what}"), task).await?;
        let error = error_of(what, woken)?;
        names_the_close(
            &format!("what who waits {what} learns"),
            &error,
            CODE,
            REASON,
        )?;
    }
    Ok(())
}
