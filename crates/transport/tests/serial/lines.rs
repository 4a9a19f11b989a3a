//! Bytes, ends and errors of a line.

use std::future::poll_fn;
use std::io::ErrorKind as Io;
use std::task::Poll;

use socketry_transport::{
    Aborted, ErrorKind, Half, Received, RecvExt, RecvHalf, SendExt, SendHalf, SerialTransport,
    Socket, Transport,
};
use tokio::io::ReadBuf;

use crate::pty::{Pty, connect, kind, within};

#[tokio::test]
async fn all_bytes_pass_as_they_are() {
    let pty = Pty::new();
    let mut socket = pty.open("?baud=1000000").await;
    let all: Vec<u8> = (0..=255).collect();
    socket.send_all(&all).await.unwrap();
    pty.expect(&all);
    pty.write(&all);
    let mut found = Vec::new();
    while found.len() < all.len() {
        let mut buf = [0; 100];
        let (len, received) = within("receiving", socket.recv(&mut buf)).await.unwrap();
        assert_eq!(received, Received::Data);
        found.extend_from_slice(&buf[..len]);
    }
    assert_eq!(found, all);
    assert_eq!(socket.local().to_string(), pty.url());
    assert_eq!(socket.peer(), socket.local());
}

#[tokio::test]
async fn a_hang_up_ends_receiving_and_fails_sending() {
    let pty = Pty::new();
    let url = pty.url();
    let (mut recv, mut send) = pty.open("").await.split();
    let reader = tokio::spawn(async move {
        let first = recv.recv(&mut [0; 8]).await.unwrap();
        let again = recv.recv(&mut [0; 8]).await.unwrap();
        (first, again)
    });
    tokio::task::yield_now().await;
    drop(pty);
    let end = (0, Received::End);
    assert_eq!(within("the end", reader).await.unwrap(), (end, end));
    let error = send.send(b"late").await.unwrap_err();
    assert_eq!(error.kind(), Io::BrokenPipe);
    let words = error.to_string();
    assert!(words.contains("hung up") && words.contains(&url), "{words}");
    assert_eq!(kind(send.finish().await), Io::BrokenPipe);
    send.finish().await.unwrap();
}

#[tokio::test]
async fn a_silent_line_is_no_end() {
    let pty = Pty::new();
    let mut socket = pty.open("").await;
    let mut buf = [0; 8];
    for said in [b"one", b"two"] {
        pty.write(said);
        let (len, _) = within("receiving", socket.recv(&mut buf)).await.unwrap();
        assert_eq!(&buf[..len], said);
        let waits = poll_fn(|cx| {
            let mut room = ReadBuf::new(&mut buf);
            Poll::Ready(socket.poll_recv(cx, &mut room).is_pending())
        });
        assert!(waits.await);
    }
}

/// Linux 6.18: what was not received when the master is closed is thrown away.
#[tokio::test]
async fn a_hang_up_loses_what_was_not_received() {
    let pty = Pty::new();
    let mut socket = pty.open("").await;
    pty.write(b"unread");
    let mut buf = [0; 2];
    let received = within("receiving", socket.recv(&mut buf)).await.unwrap();
    assert_eq!((received.0, &buf), (2, b"un"));
    drop(pty);
    let rest = within("the end", socket.recv(&mut [0; 8])).await.unwrap();
    assert_eq!(rest, (0, Received::End));
}

#[tokio::test]
async fn nothing_is_sent_after_finishing_and_the_other_direction_goes_on() {
    let pty = Pty::new();
    let mut socket = pty.open("").await;
    socket.send_all(b"last").await.unwrap();
    for _ in 0..2 {
        within("finishing", socket.finish()).await.unwrap();
    }
    assert_eq!(kind(socket.send(b"late").await), Io::BrokenPipe);
    pty.expect(b"last");
    pty.write(b"answer");
    let mut buf = [0; 8];
    let received = within("receiving", socket.recv(&mut buf)).await.unwrap();
    assert_eq!((received.0, &buf[..6]), (6, &b"answer"[..]));
}

#[tokio::test]
async fn an_abort_closes_the_device_though_a_half_is_kept() {
    let pty = Pty::new();
    let (mut recv, mut send) = pty.open("").await.split();
    let reader = tokio::spawn(async move { (recv.recv(&mut [0; 8]).await, recv) });
    tokio::task::yield_now().await;
    assert_eq!(send.abort(7).unwrap(), Aborted::End);
    let (received, _recv) = within("the reader", reader).await.unwrap();
    assert_eq!(kind(received), Io::ConnectionAborted);
    assert_eq!(kind(send.send(b"late").await), Io::ConnectionAborted);
    assert_eq!(kind(send.finish().await), Io::ConnectionAborted);
    // It is free for the next.
    drop(pty.open("").await);
}

#[tokio::test]
async fn what_is_no_line_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let path = |path: &std::path::Path| format!("serial://{}", path.display());
    for (url, kind, words) in [
        (
            path(directory.path()),
            ErrorKind::Unsupported,
            "no serial line",
        ),
        (path(&file), ErrorKind::Unsupported, "no serial line"),
        (
            "serial:///dev/null".to_owned(),
            ErrorKind::Unsupported,
            "no serial line",
        ),
        (
            "serial:///dev/ttyUSB77".to_owned(),
            ErrorKind::NotFound,
            "is it plugged in?",
        ),
        (
            "serial://ttyUSB0".to_owned(),
            ErrorKind::InvalidEndpoint,
            "three slashes",
        ),
        (
            "serial://".to_owned(),
            ErrorKind::InvalidEndpoint,
            "three slashes",
        ),
    ] {
        let error = connect(&url).await.unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), kind, "{text}");
        assert!(text.contains(&url) && text.contains(words), "{text}");
        let (transport, at) = (SerialTransport::default(), url.parse().unwrap());
        assert_eq!(transport.listen(&at).await.unwrap_err().kind(), kind);
    }
}

#[tokio::test]
async fn it_is_there_only_where_it_is_asked_for() {
    let error = socketry_transport::connect("serial:///dev/ttyUSB0").await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no transport is registered"), "{error}");
}
