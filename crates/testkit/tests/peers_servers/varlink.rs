//! `varlink` with the service of its Python package.

use serde_json::{Value, json};
use socketry_testkit::in_time;

use crate::daemon::{Daemon, directory, free_port, python};
use crate::{live, tools};

#[tokio::test]
async fn a_varlink_service_answers_calls_in_one_write() {
    if !tools::has_module("varlink") {
        return;
    }
    let (directory, port) = (directory(), free_port());
    let place = directory.path().display().to_string();
    let mut command = python("varlink_echo.py", &[&port.to_string(), &place]);
    let mut daemon = Daemon::start(&mut command, directory.path());
    let socket = daemon.connect(&format!("tcp://127.0.0.1:{port}")).await;
    let mut peer = live("varlink", socket, "varlink");
    let long = "x".repeat(3_000);
    let texts = ["größe 🦀", "a\0b", &long];
    for text in texts {
        let call = json!({ "method": "org.example.echo.Echo", "parameters": { "text": text } });
        peer.feed(call.to_string().as_bytes()).await.unwrap();
    }
    peer.flush().await.unwrap();
    for text in texts {
        let answer = in_time("an answer", peer.recv()).await.unwrap().unwrap();
        let answer: Value = serde_json::from_slice(answer).unwrap();
        assert_eq!(answer, json!({ "parameters": { "text": text } }));
    }
    peer.close().await.unwrap();
}
