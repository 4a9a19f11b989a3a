//! The bytes that `Framed` shows: those that were refused, and those that wait for the rest of
//! their frame.
#![allow(clippy::unwrap_used, reason = "tests")]

use socketry_codec::{BoxCodec, Framed};
use socketry_testkit::{Places, in_time};
use socketry_transport::{BoxSocket, Listener, SendExt, connect, listen};
use tokio::time::{Duration, timeout};

/// A plain socket to write bytes with, and the other end, framed.
async fn pair(scheme: &str, codec: &str) -> (BoxSocket, Framed<BoxSocket>) {
    let mut listener = listen(&Places::new().free(scheme)).await.unwrap();
    let bytes = connect(listener.local()).await.unwrap();
    let codec: BoxCodec = codec.parse().unwrap();
    (bytes, Framed::new(listener.accept().await.unwrap(), codec))
}

#[tokio::test]
async fn an_error_shows_the_first_refused_bytes() {
    for scheme in ["mem", "tcp"] {
        let (mut bytes, mut framed) = pair(scheme, "struct").await;
        let sent = [b'x'; 200];
        bytes.send_all(&sent).await.unwrap();
        let error = in_time(scheme, framed.recv()).await.unwrap_err();
        assert!(error.is_fatal());
        assert_eq!(error.found(), &sent[..128], "{scheme}");
        assert!(framed.unread().is_empty(), "after a fatal error");
    }
}

#[tokio::test]
async fn an_error_that_is_skipped_shows_its_own_frame_and_not_the_one_before() {
    let (mut bytes, mut framed) = pair("mem", "json:>H").await;
    bytes.send_all(b"\0\x02{}\0\x03abc\0\x02{}").await.unwrap();
    assert_eq!(framed.recv().await.unwrap(), Some(&b"{}"[..]));
    let error = framed.recv().await.unwrap_err();
    assert!(!error.is_fatal() && error.found().starts_with(b"\0\x03abc"));
    assert_eq!(framed.recv().await.unwrap(), Some(&b"{}"[..]));
}

#[tokio::test]
async fn an_error_that_is_not_about_bytes_shows_none() {
    let (bytes, mut framed) = pair("mem", "line").await;
    drop(bytes);
    assert_eq!(framed.recv().await.unwrap(), None);
    framed.finish().await.unwrap();
    let error = framed.send(b"late").await.unwrap_err();
    assert!(error.found().is_empty(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_bytes_of_an_unfinished_frame_can_be_seen() {
    let (mut bytes, mut framed) = pair("mem", "line").await;
    assert!(framed.unread().is_empty());
    bytes.send_all(b"one\ntw").await.unwrap();
    assert_eq!(framed.recv().await.unwrap(), Some(&b"one"[..]));
    assert_eq!(framed.unread(), b"tw");
    assert!(
        timeout(Duration::from_secs(1), framed.recv())
            .await
            .is_err()
    );
    assert_eq!(
        framed.unread(),
        b"tw",
        "a receive that was cancelled takes nothing"
    );
    bytes.send_all(b"o\n").await.unwrap();
    assert_eq!(framed.recv().await.unwrap(), Some(&b"two"[..]));
    assert!(framed.unread().is_empty());
}
