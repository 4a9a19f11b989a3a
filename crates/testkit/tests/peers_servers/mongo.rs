//! `mongodb` with pymongo as the client.

use socketry_testkit::in_time;
use socketry_transport::{BoxSocket, Listener, listen};

use crate::daemon::{Daemon, directory, port, python};
use crate::{live, tools};

/// A document of BSON.
fn document(elements: &[Vec<u8>]) -> Vec<u8> {
    let elements = elements.concat();
    let length = i32::try_from(elements.len() + 5).unwrap();
    [&length.to_le_bytes(), &elements[..], b"\0"].concat()
}

/// An element of a document.
fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    [&[kind], name.as_bytes(), b"\0", value].concat()
}

fn number(name: &str, value: i32) -> Vec<u8> {
    element(0x10, name, &value.to_le_bytes())
}

/// What a server says of itself.
fn greeting() -> Vec<u8> {
    document(&[
        element(8, "isWritablePrimary", &[1]),
        number("maxBsonObjectSize", 16_777_216),
        number("maxMessageSizeBytes", 48_000_000),
        number("maxWriteBatchSize", 100_000),
        number("minWireVersion", 0),
        number("maxWireVersion", 21),
        number("ok", 1),
    ])
}

/// Answers the commands of one connection: `echo` with its text, and others with a greeting.
async fn serve(socket: BoxSocket, number_of: usize) {
    let mut peer = live(&format!("pymongo-{number_of}"), socket, "mongodb");
    while let Ok(Some(asked)) = peer.recv().await {
        // The code of OP_MSG, no flags, and one document.
        assert_eq!(asked[12..21], [0xDD, 7, 0, 0, 0, 0, 0, 0, 0]);
        let answer = match asked[25..].strip_prefix(b"\x02echo\0") {
            Some(rest) => {
                let length = u32::from_le_bytes(rest[..4].try_into().unwrap()) as usize;
                document(&[element(2, "text", &rest[..4 + length]), number("ok", 1)])
            }
            None => greeting(),
        };
        let length = i32::try_from(21 + answer.len()).unwrap();
        let head = [
            &length.to_le_bytes(),
            &[1, 0, 0, 0],
            &asked[4..8],
            &asked[12..21],
        ]
        .concat();
        let answer = [head, answer].concat();
        peer.send(&answer).await.unwrap();
    }
}

#[tokio::test]
async fn pymongo_gets_its_text_back() {
    if !tools::has_module("pymongo") {
        return;
    }
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let (directory, port) = (directory(), port(&listener));
    let mut command = python("mongo_client.py", &[&port.to_string()]);
    let mut client = Daemon::start(&mut command, directory.path());
    // It has one connection for commands, and one to watch the server.
    let served = async {
        let mut connections = tokio::task::JoinSet::new();
        for number in 1.. {
            let accepted = listener.accept().await.unwrap();
            connections.spawn(serve(accepted, number));
        }
    };
    let expected = "größe".repeat(1_000);
    tokio::select! {
        () = served => unreachable!("it serves until the client has its answer"),
        printed = client.printed(|text| text.ends_with('\n')) => {
            assert_eq!(printed.trim_end(), expected);
        }
    }
    in_time("its end", client.ended()).await;
}
