//! `smpp` with smpplib as the client.

use socketry_testkit::in_time;
use socketry_transport::{Listener, listen};

use crate::daemon::{Daemon, directory, port, python};
use crate::{live, tools};

#[tokio::test]
async fn smpplib_sends_a_text() {
    if !tools::has_module("smpplib") {
        return;
    }
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let (directory, port) = (directory(), port(&listener));
    let mut command = python("smpp_client.py", &[&port.to_string()]);
    let mut client = Daemon::start(&mut command, directory.path());
    let accepted = in_time("smpplib", listener.accept()).await.unwrap();
    let mut peer = live("smpplib", accepted, "smpp");
    let text: Vec<u8> = "größe".encode_utf16().flat_map(u16::to_be_bytes).collect();
    // A bind, a text, and the end, with what each answer has behind its header.
    for (command, behind) in [(9, &b"center\0"[..]), (4, b"1\0"), (6, b"")] {
        let asked = in_time("a request", peer.recv()).await.unwrap().unwrap();
        assert_eq!(asked[4..8], [0, 0, 0, command]);
        if command == 4 {
            assert!(asked.ends_with(&text), "{asked:?}");
        }
        let length = u8::try_from(16 + behind.len()).unwrap();
        let head = [
            &[0, 0, 0, length, 0x80, 0, 0, command, 0, 0, 0, 0],
            &asked[12..16],
        ]
        .concat();
        let answer = [&head, behind].concat();
        peer.send(&answer).await.unwrap();
    }
    in_time("its end", client.ended()).await;
}
