//! Bytes that show their position, and how the laws send and receive them.

use std::io;
use std::sync::LazyLock;

use fastrand::Rng;
use socketry_transport::{Half, Received, RecvExt, RecvHalf, SendExt, SendHalf};

use super::verdict::{Failure, Verdict, ensure};
use super::wake::is_gone;

/// The stream that every law sends repeats these bytes. The period is a prime above every size in
/// use, so that no piece can be mistaken for another.
static PERIOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = vec![0; 1_048_583];
    Rng::with_seed(20_260_101).fill(&mut bytes);
    bytes
});

/// `len` bytes of the stream from `offset` on.
pub(crate) fn pattern(offset: usize, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        let rest = &PERIOD[(offset + bytes.len()) % PERIOD.len()..];
        bytes.extend_from_slice(&rest[..rest.len().min(len - bytes.len())]);
    }
    bytes
}

/// An error at the first byte that does not belong at `offset` and after it.
pub(crate) fn check(bytes: &[u8], offset: usize) -> Verdict {
    let expected = pattern(offset, bytes.len());
    if bytes == expected {
        return Ok(());
    }
    let right = bytes
        .iter()
        .zip(&expected)
        .take_while(|(found, sent)| found == sent);
    let at = offset + right.count();
    Err(Failure::new(format_args!(
        "byte {at} of the stream is another one than was sent"
    )))
}

fn on_the_way(offset: usize) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure::new(format_args!("after {offset} bytes: {error}"))
}

/// How many of `size` bytes one send may have: no message is longer than its limit.
pub(crate) fn piece(socket: &(impl Half + ?Sized), size: usize) -> usize {
    size.min(socket.shape().max_len().unwrap_or(usize::MAX))
}

/// The room for a receive of `size` bytes: no message is cut.
pub(crate) fn room(socket: &(impl RecvHalf + ?Sized), size: usize) -> usize {
    size.max(socket.recv_room())
}

/// One send, which must take at least one byte, and a message whole.
pub(crate) async fn send_some<S: SendHalf + ?Sized>(
    socket: &mut S,
    bytes: &[u8],
) -> io::Result<usize> {
    match socket.send(bytes).await? {
        0 if !bytes.is_empty() => Err(io::Error::other("a send took nothing and did not wait")),
        sent if sent > bytes.len() => Err(io::Error::other("a send took more than it was given")),
        sent if sent < bytes.len() && !socket.shape().is_stream() => {
            Err(io::Error::other("a send took a part of a message"))
        }
        sent => Ok(sent),
    }
}

/// Sends the bytes from `offset` to `end` in pieces of `size`, without a flush.
pub(crate) async fn send_pattern<S: SendHalf + ?Sized>(
    socket: &mut S,
    (offset, end): (usize, usize),
    size: usize,
) -> Verdict {
    let mut at = offset;
    while at < end {
        let piece = pattern(at, piece(socket, size.min(end - at)));
        at += send_some(socket, &piece).await.map_err(on_the_way(at))?;
    }
    Ok(())
}

/// The same, with a flush.
pub(crate) async fn send_flushed<S: SendHalf + ?Sized>(
    socket: &mut S,
    range: (usize, usize),
    size: usize,
) -> Verdict {
    send_pattern(socket, range, size).await?;
    flush(socket).await.map_err(on_the_way(range.1))
}

pub(crate) async fn flush<S: SendHalf + ?Sized>(socket: &mut S) -> io::Result<()> {
    std::future::poll_fn(|cx| socket.poll_flush(cx)).await
}

/// One receive, which brings at least one byte unless it is the end.
pub(crate) async fn recv_some<R: RecvHalf + ?Sized>(
    socket: &mut R,
    buf: &mut [u8],
) -> io::Result<(usize, Received)> {
    match socket.recv(buf).await? {
        (0, Received::Data) if !buf.is_empty() => Err(io::Error::other(
            "a receive brought nothing and was not the end",
        )),
        (_, Received::Cut(_)) => Err(io::Error::other("something was cut")),
        (len, Received::End) if len > 0 => Err(io::Error::other("the end came with bytes")),
        received => Ok(received),
    }
}

/// Receives the bytes from `offset` to `end` into buffers of `size`.
pub(crate) async fn recv_pattern<R: RecvHalf + ?Sized>(
    socket: &mut R,
    (offset, end): (usize, usize),
    size: usize,
) -> Verdict {
    let mut buf = vec![0; room(socket, size)];
    let mut at = offset;
    while at < end {
        let room = room(socket, size.min(end - at));
        let received = recv_some(socket, &mut buf[..room]).await;
        let (len, received) = received.map_err(on_the_way(at))?;
        ensure(
            received == Received::Data,
            format_args!("the stream ended after {at} of {end} bytes"),
        )?;
        check(&buf[..len], at)?;
        at += len;
    }
    ensure(
        at == end,
        format_args!("a message goes on behind byte {end}"),
    )
}

/// Receives to the end, and returns all bytes.
pub(crate) async fn recv_to_end<R: RecvHalf + ?Sized>(socket: &mut R) -> io::Result<Vec<u8>> {
    let (all, ended) = recv_all(socket).await;
    ended.map(|()| all)
}

/// Receives to the end or an error, and returns all bytes before it.
async fn recv_all<R: RecvHalf + ?Sized>(socket: &mut R) -> (Vec<u8>, io::Result<()>) {
    let (mut all, mut buf) = (Vec::new(), vec![0; room(socket, 64 * 1024)]);
    loop {
        match recv_some(socket, &mut buf).await {
            Ok((_, Received::End)) => return (all, Ok(())),
            Ok((len, _)) => all.extend_from_slice(&buf[..len]),
            Err(error) => return (all, Err(error)),
        }
    }
}

/// Receives to the end, which must come after byte `end` of the stream.
pub(crate) async fn recv_last<R: RecvHalf + ?Sized>(
    socket: &mut R,
    (offset, end): (usize, usize),
) -> Verdict {
    let all = recv_to_end(socket).await.map_err(on_the_way(offset))?;
    all_came(&all, (offset, end))
}

/// Receives to the end of a socket that was dropped: an end as well, or a reset.
pub(crate) async fn recv_dropped<R: RecvHalf + ?Sized>(
    socket: &mut R,
    range: (usize, usize),
    is_end: bool,
) -> Verdict {
    let (all, ended) = recv_all(socket).await;
    all_came(&all, range)?;
    match (is_end, ended) {
        (true, ended) => ended.map_err(on_the_way(range.1)),
        (false, Err(error)) => is_gone(&error),
        (false, Ok(())) => Err(Failure::new(
            "a socket that was dropped is an end, and no reset",
        )),
    }
}

fn all_came(all: &[u8], (offset, end): (usize, usize)) -> Verdict {
    check(all, offset)?;
    ensure(
        offset + all.len() == end,
        format_args!(
            "the stream ended after {} of {end} bytes",
            offset + all.len()
        ),
    )
}
