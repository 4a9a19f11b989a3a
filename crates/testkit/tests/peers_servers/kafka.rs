//! `kafka` with kafka-python as the client.

use socketry_testkit::in_time;
use socketry_transport::{Listener, listen};

use crate::daemon::{Daemon, directory, port, python};
use crate::{Live, live, tools};

/// A text behind its length.
fn text(text: &str) -> Vec<u8> {
    let length = i16::try_from(text.len()).unwrap();
    [&length.to_be_bytes(), text.as_bytes()].concat()
}

fn numbers(numbers: &[i32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect()
}

/// The broker and the topics that it has.
fn metadata(port: u16, topics: &[&str]) -> Vec<u8> {
    let broker = [numbers(&[1, 0]), text("127.0.0.1"), numbers(&[port.into()])].concat();
    let mut answer = [broker, vec![0xFF, 0xFF], numbers(&[0])].concat();
    answer.extend(numbers(&[i32::try_from(topics.len()).unwrap()]));
    for topic in topics {
        answer.extend([vec![0, 0], text(topic), vec![0], numbers(&[2])].concat());
        for partition in 0..2 {
            answer.extend([0, 0]);
            answer.extend(numbers(&[partition, 0, 1, 0, 1, 0]));
        }
    }
    answer
}

/// Answers requests: the versions of the protocol, and metadata in version 1.
async fn serve(peer: &mut Live, port: u16) {
    while let Ok(Some(asked)) = peer.recv().await {
        let versions = b"\0\0\0\0\0\x02\0\x12\0\0\0\0\0\x03\0\0\0\x01";
        let answer = match (asked[1], asked[3]) {
            (18, 0) => versions.to_vec(),
            // A version that this end does not have.
            (18, _) => b"\0\x23\0\0\0\0".to_vec(),
            (3, 1) if asked.ends_with(text("parts").as_slice()) => metadata(port, &["parts"]),
            (3, 1) => metadata(port, &[]),
            other => panic!("an unknown request: {other:?}"),
        };
        let answer = [&asked[4..8], &answer].concat();
        peer.send(&answer).await.unwrap();
    }
}

#[tokio::test]
async fn kafka_python_asks_for_partitions() {
    if !tools::has_module("kafka") {
        return;
    }
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let (directory, port) = (directory(), port(&listener));
    let mut command = python("kafka_client.py", &[&port.to_string()]);
    let mut client = Daemon::start(&mut command, directory.path());
    let served = async {
        for number in 1.. {
            let accepted = listener.accept().await.unwrap();
            let name = format!("kafka-python-{number}");
            serve(&mut live(&name, accepted, "kafka"), port).await;
        }
    };
    tokio::select! {
        () = served => unreachable!("it serves until the client has its answer"),
        _ = client.printed(|text| text == "[0, 1]\n") => {}
    }
    in_time("its end", client.ended()).await;
}
