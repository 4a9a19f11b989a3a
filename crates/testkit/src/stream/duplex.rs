//! Both directions at once, over a whole socket and over its halves.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use socketry_transport::{Received, RecvExt, RecvHalf, SendExt, SendHalf, Socket, Transport};
use tokio::io::ReadBuf;

use super::Subject;
use super::pattern::{check, pattern, piece, recv_dropped, recv_pattern, room, send_flushed};
use super::pressure::fill;
use super::verdict::{Failure, Verdict, same};
use super::wake::{park, recv_one};

/// Many more bytes than all buffers on the way hold.
const MUCH: usize = 12 << 20;

pub(crate) async fn both_directions_flow_at_once<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, server, _listener) = subject.pair().await?;
    let both = async { tokio::try_join!(exchange(client), exchange(server)) };
    subject.within("much in both directions", both).await?;
    Ok(())
}

/// Sends and receives [`MUCH`] bytes in one task that waits for both at once.
async fn exchange<S: Socket>(mut socket: S) -> Verdict<S> {
    let bytes = pattern(0, MUCH);
    let (mut sent, mut came) = (0, 0);
    let mut buf = vec![0; room(&socket, 100_000)];
    poll_fn(|cx| {
        while sent < MUCH || came < MUCH {
            let sends = poll_send_more(&mut socket, cx, &bytes, &mut sent);
            let receives = poll_recv_more(&mut socket, cx, &mut buf, &mut came);
            match (sends, receives) {
                (Poll::Pending, Poll::Pending) => return Poll::Pending,
                (Poll::Ready(Err(error)), _) | (_, Poll::Ready(Err(error))) => {
                    return Poll::Ready(Err(Failure::new(error)));
                }
                _ => {}
            }
        }
        socket.poll_flush(cx).map_err(Failure::new)
    })
    .await?;
    Ok(socket)
}

/// Sends some of the rest of `bytes`. If nothing is left, it flushes, and waits for ever.
fn poll_send_more<S: SendHalf>(
    socket: &mut S,
    cx: &mut Context<'_>,
    bytes: &[u8],
    sent: &mut usize,
) -> Poll<io::Result<()>> {
    let rest = &bytes[*sent..];
    if rest.is_empty() {
        // What a layer keeps leaves with a flush alone.
        return match socket.poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Pending,
        };
    }
    let rest = &rest[..piece(socket, rest.len())];
    socket
        .poll_send(cx, &[IoSlice::new(rest)])
        .map_ok(|len| *sent += len)
}

/// Receives and checks some bytes. When all are here, it waits for ever.
fn poll_recv_more<R: RecvHalf>(
    socket: &mut R,
    cx: &mut Context<'_>,
    buf: &mut [u8],
    came: &mut usize,
) -> Poll<io::Result<()>> {
    if *came == MUCH {
        return Poll::Pending;
    }
    let mut buf = ReadBuf::new(buf);
    socket.poll_recv(cx, &mut buf)?.map(|received| {
        check(buf.filled(), *came).map_err(|wrong| io::Error::other(wrong.to_string()))?;
        *came += buf.filled().len();
        match received {
            Received::Data => Ok(()),
            other => Err(io::Error::other(format!("{other:?} after {came} bytes"))),
        }
    })
}

pub(crate) async fn halves_serve_two_tasks<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, server, _listener) = subject.pair().await?;
    let (client_recv, client_send) = client.split();
    let (server_recv, server_send) = server.split();
    let tasks = [
        tokio::spawn(send_much(client_send)),
        tokio::spawn(recv_much(client_recv)),
        tokio::spawn(send_much(server_send)),
        tokio::spawn(recv_much(server_recv)),
    ];
    for task in tasks {
        subject.joined("four halves in four tasks", task).await?;
    }
    Ok(())
}

async fn send_much<S: SendHalf>(mut half: S) -> Verdict {
    send_flushed(&mut half, (0, MUCH), 100_000).await
}

async fn recv_much<R: RecvHalf>(mut half: R) -> Verdict {
    recv_pattern(&mut half, (0, MUCH), 100_000).await
}

pub(crate) async fn dropping_a_half_is_silent<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, mut server, listener) = subject.pair().await?;
    let (mut recv, mut send) = client.split();
    let sending = send_flushed(&mut send, (0, 8), 8);
    subject.within("sending from a half", sending).await?;
    drop(send);
    let receiving = recv_pattern(&mut server, (0, 8), 8);
    subject
        .within("receiving what a dropped half sent", receiving)
        .await?;
    let answering = send_flushed(&mut server, (0, 8), 8);
    subject
        .within("sending to the half that is left", answering)
        .await?;
    let receiving = recv_pattern(&mut recv, (0, 8), 8);
    subject
        .within("receiving in the half that is left", receiving)
        .await?;
    let mut buf = [0; 8];
    let end = server.recv(&mut buf);
    subject
        .waits("receiving while the peer has one half", end)
        .await?;
    drop(recv);
    let end = recv_dropped(&mut server, (8, 8), subject.end_on_drop);
    subject
        .within("the end when both halves are gone", end)
        .await?;
    the_sending_half_goes_on(&subject, listener).await
}

/// The other way round: without its receiving half a socket still sends.
async fn the_sending_half_goes_on<T: Transport>(
    subject: &Subject<T>,
    mut listener: T::Listener,
) -> Verdict {
    let (client, mut server) = subject.meet(&mut listener).await?;
    let (recv, mut send) = client.split();
    drop(recv);
    let both = async {
        tokio::try_join!(
            send_flushed(&mut send, (0, 300_000), 4096),
            recv_pattern(&mut server, (0, 300_000), 4096),
        )
    };
    subject
        .within("sending without the other half", both)
        .await?;
    Ok(())
}

pub(crate) async fn a_waiting_reader_does_not_stop_the_writer<T: Transport>(
    subject: Subject<T>,
) -> Verdict {
    let (client, mut server, _listener) = subject.pair().await?;
    let (recv, mut send) = client.split();
    let reader = park(recv_one(recv)).await;
    let both = async {
        tokio::try_join!(
            send_flushed(&mut send, (0, 300_000), 65_536),
            recv_pattern(&mut server, (0, 300_000), 65_536),
        )
    };
    subject
        .within("sending while the other half waits", both)
        .await?;
    let sending = send_flushed(&mut server, (0, 1), 1);
    subject
        .within("sending to the half that waits", sending)
        .await?;
    let (received, _recv) = subject.joined("the half that waits", reader).await?;
    same("what the half that waits got", received, Received::Data)
}

pub(crate) async fn a_reader_and_a_writer_wait_apart<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, mut server, _listener) = subject.pair().await?;
    let (recv, mut send) = client.split();
    let sent = fill(&subject, &mut send, 0).await?;
    let writer = park(async move { send.send_all(&pattern(sent, 1)).await.map(|()| send) }).await;
    let reader = park(recv_one(recv)).await;
    let sending = send_flushed(&mut server, (0, 1), 1);
    subject.within("sending to the reader", sending).await?;
    let woken = subject.joined("the reader is woken while the writer waits", reader);
    let (received, _recv) = woken.await?;
    same("what the reader got", received, Received::Data)?;
    let drained = recv_pattern(&mut server, (0, sent + 1), 65_536);
    subject.within("what was held back", drained).await?;
    subject.joined("the writer is woken", writer).await?;
    Ok(())
}
