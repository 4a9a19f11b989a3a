//! A listener of a line.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::task::Poll;

use socketry_transport::{
    Endpoint, ErrorKind, Listener, Received, RecvExt, SendExt, SerialListener, SerialTransport,
    Transport,
};

use crate::pty::{Pty, within};

async fn listen(url: &str) -> SerialListener {
    let at: Endpoint = url.parse().unwrap();
    SerialTransport::default().listen(&at).await.unwrap()
}

/// Whether the listener has no socket now.
async fn waits(listener: &mut SerialListener) -> bool {
    std::future::poll_fn(|cx| Poll::Ready(listener.poll_accept(cx).is_pending())).await
}

#[tokio::test]
async fn one_socket_has_the_line_and_the_next_comes_when_it_is_gone() {
    let pty = Pty::new();
    let mut listener = listen(&pty.url()).await;
    assert_eq!(listener.local().to_string(), pty.url());
    let error = pty.try_open("").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InUse);
    for _ in 0..3 {
        let mut socket = within("accepting", listener.accept()).await.unwrap();
        assert!(waits(&mut listener).await);
        socket.send_all(b"hello").await.unwrap();
        pty.expect(b"hello");
        drop(socket);
    }
    drop(listener);
    drop(pty.open("").await);
}

fn point(link: &Path, pty: &Pty) {
    let new = link.with_extension("new");
    symlink(pty.path(), &new).unwrap();
    std::fs::rename(new, link).unwrap();
}

#[tokio::test]
async fn a_listener_waits_until_the_device_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("line");
    let first = Pty::new();
    point(&link, &first);
    let mut listener = listen(&format!("serial://{}", link.display())).await;
    let mut socket = within("accepting", listener.accept()).await.unwrap();
    std::fs::remove_file(&link).unwrap();
    drop(first);
    let end = within("the end", socket.recv(&mut [0; 8])).await.unwrap();
    assert_eq!(end, (0, Received::End));
    drop(socket);
    assert!(waits(&mut listener).await);

    let second = Pty::new();
    point(&link, &second);
    let mut socket = within("accepting", listener.accept()).await.unwrap();
    socket.send_all(b"again").await.unwrap();
    second.expect(b"again");
}

#[tokio::test]
async fn a_silent_line_is_no_client_where_data_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("line");
    let first = Pty::new();
    point(&link, &first);
    let mut listener = listen(&format!("serial://{}?accept=data", link.display())).await;
    assert!(waits(&mut listener).await);
    // A hang-up is no client, either.
    let second = Pty::new();
    point(&link, &second);
    drop(first);
    let accepting = tokio::spawn(async move {
        let mut socket = listener.accept().await.unwrap();
        let mut buf = [0; 8];
        let received = socket.recv(&mut buf).await.unwrap();
        (received, buf)
    });
    second.write(b"client");
    let (received, buf) = within("accepting", accepting).await.unwrap();
    assert_eq!((received.0, &buf[..6]), (6, &b"client"[..]));
}
