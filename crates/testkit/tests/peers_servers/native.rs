//! `native-messaging` with the Python package for programs that a browser starts. The test is the
//! browser.

use socketry_testkit::in_time;

use crate::daemon::{Daemon, directory, python};
use crate::{live, tools};

#[tokio::test]
async fn a_native_program_reads_and_answers() {
    if !tools::has_module("nativemessaging") {
        return;
    }
    let directory = directory();
    let (_daemon, pipes) = Daemon::piped(&mut python("native_program.py", &[]), directory.path());
    let mut peer = live("native-messaging", pipes, "native-messaging");
    // Characters, and not bytes.
    for (text, length) in [
        ("größe 🦀".to_owned(), "7"),
        ("x".repeat(1_000_000), "1000000"),
    ] {
        let message = serde_json::to_vec(&text).unwrap();
        peer.send(&message).await.unwrap();
        let answer = in_time("an answer", peer.recv()).await.unwrap();
        assert_eq!(answer, Some(length.as_bytes()));
    }
    // A pipe of tokio's ends only when it is dropped.
    let (mut answers, sends) = peer.split();
    drop(sends);
    assert_eq!(in_time("its end", answers.recv()).await.unwrap(), None);
}
