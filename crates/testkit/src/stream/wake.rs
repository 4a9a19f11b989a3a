//! A waiting task is woken.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use socketry_transport::{Received, RecvExt, RecvHalf, SendHalf, Transport};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Subject;
use super::pattern::send_flushed;
use super::verdict::{Failure, Verdict, ensure, same};

/// Starts `waiting` as a task, and returns once that waits or is done.
pub(crate) async fn park<F>(waiting: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (tell, waits) = oneshot::channel();
    let mut tell = Some(tell);
    let mut waiting = Box::pin(waiting);
    let task = tokio::spawn(poll_fn(move |cx| {
        let polled = waiting.as_mut().poll(cx);
        tell.take().map(|tell| tell.send(()));
        polled
    }));
    // A task that panics in its first poll sends nothing. Its handle reports the panic.
    let _ = waits.await;
    task
}

/// Polls `future` once, and drops it.
pub(crate) async fn poll_once<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// One receive. It returns the socket, so that it is not closed.
pub(crate) async fn recv_one<R: RecvHalf>(mut socket: R) -> io::Result<(Received, R)> {
    let mut buf = [0; 8];
    let (_, received) = socket.recv(&mut buf).await?;
    Ok((received, socket))
}

/// An error unless the kind of `error` says that the connection is gone.
pub(crate) fn is_gone(error: &io::Error) -> Verdict {
    let gone = [
        io::ErrorKind::BrokenPipe,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::NotConnected,
    ];
    ensure(
        gone.contains(&error.kind()),
        format_args!(
            "{:?} ({error}) does not say that the connection is gone",
            error.kind()
        ),
    )
}

pub(crate) async fn data_wakes_a_reader<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, mut server, _listener) = subject.pair().await?;
    for _ in 0..20 {
        let reader = park(recv_one(server)).await;
        let sending = send_flushed(&mut client, (0, 8), 8);
        subject.within("sending", sending).await?;
        let (received, socket) = subject.joined("a reader at data", reader).await?;
        same("what woke the reader", received, Received::Data)?;
        server = socket;
        let mut rest = [0; 8];
        poll_once(Box::pin(server.recv(&mut rest)).as_mut()).await;
    }
    Ok(())
}

pub(crate) async fn the_end_wakes_a_reader<T: Transport>(subject: Subject<T>) -> Verdict {
    let (client, server, _listener) = subject.pair().await?;
    let reader = park(recv_one(server)).await;
    let _client = subject.hang_up(client).await?;
    let (received, _server) = subject.joined("a reader at the end", reader).await?;
    same("what woke the reader", received, Received::End)
}

pub(crate) async fn a_reset_wakes_a_reader<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, server, _listener) = subject.pair().await?;
    let reader = park(recv_one(server)).await;
    let _seen = client.abort(0).map_err(Failure::new)?;
    let woken = subject.within("a reader at a reset", reader).await?;
    match woken {
        Ok((received, _)) => same("what woke the reader", received, Received::End),
        Err(error) => is_gone(&error),
    }
}

pub(crate) async fn the_last_task_to_wait_is_woken<T: Transport>(subject: Subject<T>) -> Verdict {
    let (mut client, server, _listener) = subject.pair().await?;
    // The first task to wait, which ends before the data comes.
    let first = tokio::spawn(async move {
        let mut server = server;
        let mut buf = [0; 8];
        poll_once(Box::pin(server.recv(&mut buf)).as_mut()).await;
        Ok::<_, Failure>(server)
    });
    let server = subject.joined("the first task", first).await?;
    let second = park(recv_one(server)).await;
    let sending = send_flushed(&mut client, (0, 8), 8);
    subject.within("sending", sending).await?;
    let (received, _server) = subject.joined("the second task", second).await?;
    same("what woke the second task", received, Received::Data)
}
