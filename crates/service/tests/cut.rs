//! A client that is cut must not take this for an orderly end.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::pending;
use std::time::Duration;

use socketry_codec::{FrameError, Framed, Struct};
use socketry_service::{Limits, Server};
use socketry_transport::{Listener, connect, listen};
use tokio::sync::mpsc;

#[tokio::test]
async fn a_client_that_is_cut_sees_a_reset() {
    let listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let at = listener.local().clone();
    let limits = Limits {
        grace: Some(Duration::from_millis(1)),
        ..Limits::default()
    };
    let server = Server::new(listener).limits(limits);
    let stopper = server.stopper();
    let (begin, mut begun) = mpsc::unbounded_channel();
    let serving = tokio::spawn(server.serve(move |mut client| {
        let begin = begin.clone();
        async move {
            let _ = client.recv().await?;
            let _ = begin.send(());
            pending::<Result<(), FrameError>>().await
        }
    }));
    let mut client = Framed::new(connect(at).await.unwrap(), Struct::default());
    client.send(b"endless").await.unwrap();
    begun.recv().await.unwrap();
    stopper.stop();
    assert_eq!(serving.await.unwrap().unwrap().cut, 1);
    let error = client.recv().await.map(drop).unwrap_err();
    assert!(error.raw_os_error().is_some(), "{error}");
}
