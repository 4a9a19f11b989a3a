//! `modbus-tcp` with pymodbus.

use std::time::Duration;

use socketry_testkit::in_time;
use tokio::time::timeout;

use crate::daemon::{Daemon, directory, free_port, python};
use crate::{live, tools};

/// Asks unit 1 for `count` registers.
fn read(transaction: u8, count: u8) -> [u8; 12] {
    [0, transaction, 0, 0, 0, 6, 1, 3, 0, 0, 0, count]
}

/// The answer to it.
fn registers(transaction: u8, count: u8) -> Vec<u8> {
    let bytes = 2 * count;
    let mut answer = vec![0, transaction, 0, 0, 0, bytes + 3, 1, 3, bytes];
    answer.extend([0, 7].repeat(count.into()));
    answer
}

#[tokio::test]
async fn pymodbus_answers_one_request_after_the_other() {
    if !tools::has_module("pymodbus") {
        return;
    }
    let (directory, port) = (directory(), free_port());
    let mut command = python("modbus_server.py", &[&port.to_string()]);
    let mut daemon = Daemon::start(&mut command, directory.path());
    let url = format!("tcp://127.0.0.1:{port}");
    let mut peer = live("pymodbus", daemon.connect(&url).await, "modbus-tcp");
    // 125 registers are the most that a frame has room for.
    for (transaction, count) in [(1, 1), (2, 2), (3, 125)] {
        peer.send(&read(transaction, count)).await.unwrap();
        let answer = in_time("an answer", peer.recv()).await.unwrap();
        assert_eq!(answer, Some(&registers(transaction, count)[..]));
    }
    peer.close().await.unwrap();

    // Of two requests that arrive together it answers the first one only.
    let mut peer = live("pymodbus-two", daemon.connect(&url).await, "modbus-tcp");
    peer.feed(&read(1, 1)).await.unwrap();
    peer.send(&read(2, 1)).await.unwrap();
    let answer = in_time("an answer", peer.recv()).await.unwrap();
    assert_eq!(answer, Some(&registers(1, 1)[..]));
    let silence = timeout(Duration::from_millis(300), peer.recv()).await;
    assert!(silence.is_err(), "{silence:?}");
    peer.close().await.unwrap();
}
