//! What a real `tcpdump` captures of a conversation is what its two ends have sent.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "tools/mod.rs"]
mod tools;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use socketry_codec::{BoxCodec, Framed};
use socketry_testkit::in_time;
use socketry_transport::{Listener, connect, listen};
use socketry_wire::{Direction, guess, read};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A `tcpdump` that captures what passes at a port, until it is dropped.
async fn tcpdump(interface: &str, port: u16, file: &Path) -> Option<Child> {
    let mut command = Command::new("tcpdump");
    // Room for a few hundred packets: by default it loses some of a burst.
    command.args(["-i", interface, "-U", "--immediate-mode"]);
    command.args(["--snapshot-length", "66000", "--buffer-size", "32768", "-w"]);
    command.arg(file).args(["tcp", "port", &port.to_string()]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut listens = false;
    while let Some(line) = in_time("tcpdump's word", said.next_line()).await.unwrap() {
        listens |= line.contains("listening on");
        if listens {
            break;
        }
    }
    // What else it says is read, so that it can say it.
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    tools::may("to capture packets", listens).then_some(child)
}

/// Exchanges frames over TCP while `tcpdump` looks on, and gives what it has captured.
async fn captured(interface: &str, codec: &str, frames: &[&[u8]]) -> Option<Vec<Direction>> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("capture");
    let mut server = listen("tcp://127.0.0.1:0").await.unwrap();
    let port = server.local().port().unwrap();
    let _tcpdump = tcpdump(interface, port, &file).await?;
    let codec: BoxCodec = codec.parse().unwrap();
    let mut wire = bytes::BytesMut::new();
    for frame in frames {
        codec.clone().encode(frame, &mut wire).unwrap();
    }
    let connecting = connect(server.local().clone());
    let (left, right) = tokio::join!(connecting, server.accept());
    let mut left = Framed::new(left.unwrap(), codec.clone());
    let mut right = Framed::new(right.unwrap(), codec);
    for frame in frames {
        left.send(frame).await.unwrap();
        assert_eq!(right.recv().await.unwrap(), Some(*frame));
        right.send(frame).await.unwrap();
        assert_eq!(left.recv().await.unwrap(), Some(*frame));
    }
    let whole = async {
        loop {
            // It may be written just now.
            let found = read(&std::fs::read(&file).unwrap()).unwrap_or_default();
            if found.len() == 2 && found.iter().all(|direction| direction.bytes == wire) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    Some(in_time("the capture of all bytes", whole).await)
}

#[tokio::test]
async fn a_capture_has_the_bytes_of_both_directions() {
    if !tools::has("tcpdump") {
        return;
    }
    let long = vec![b'x'; 100_000];
    let frames = [&b"hello"[..], b"", &long, b"world"];
    for interface in ["lo", "any"] {
        for codec in ["netstring", "struct:>I"] {
            let Some(directions) = captured(interface, codec, &frames).await else {
                return;
            };
            for direction in directions {
                assert!(!direction.is_cut, "{interface}");
                let guesses = guess(&direction.bytes);
                assert_eq!(guesses[0].frames, frames.len(), "{interface}");
                assert!(
                    guesses[0].names.iter().any(|name| name == codec),
                    "{guesses:?}"
                );
            }
        }
    }
}
