//! How `chat join` ends: silently if nothing was lost, else with "disconnected" and exit code 1.
#![allow(clippy::unwrap_used)]

#[expect(dead_code, reason = "shared with other tests")]
mod chat_support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};

use chat_support::Program;

fn listening() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    (listener, url)
}

fn joining(url: &str, codec: &str) -> Program {
    Program::socketry(&["chat", "join", url, "--codec", codec])
}

fn is_disconnected(mut client: Program, what: &str) {
    assert_eq!(client.code(), Some(1), "{what}");
    let words = client.errors();
    assert!(words.contains("disconnected: "), "{what}: {words}");
}

/// Reads one line, so that the peer knows that it is read.
fn read_some(peer: &mut TcpStream) {
    assert!(peer.read(&mut [0; 100]).unwrap() > 0);
}

#[test]
fn a_reset_while_the_user_speaks_is_told() {
    for codec in ["line", "struct", "json", "raw"] {
        for _ in 0..10 {
            let (listener, url) = listening();
            let mut client = joining(&url, codec);
            let (mut peer, _) = listener.accept().unwrap();
            client.type_line("one");
            read_some(&mut peer);
            // The reset may come before the next line or while it is sent.
            for _ in 0..50 {
                client.type_line("more");
            }
            peer.peek(&mut [0; 1]).unwrap();
            drop(peer);
            is_disconnected(client, codec);
        }
    }
}

#[test]
fn an_end_inside_a_message_is_told() {
    for (codec, cut) in [
        ("line", &b"half a li"[..]),
        ("struct", b"\x05\0\0\0ab"),
        ("json", b"\x09\0\0\0{\"te"),
        ("json:bare", b"{\"text\":"),
    ] {
        let (listener, url) = listening();
        let client = joining(&url, codec);
        let (mut peer, _) = listener.accept().unwrap();
        if codec.starts_with("json") {
            read_some(&mut peer);
        }
        peer.write_all(cut).unwrap();
        drop(peer);
        is_disconnected(client, codec);
    }
}

#[test]
fn a_line_that_comes_after_the_end_is_not_lost_without_a_word() {
    for codec in ["line", "struct", "raw", "json"] {
        let (listener, url) = listening();
        let mut client = joining(&url, codec);
        drop(listener.accept().unwrap());
        client.type_line("hi");
        client.end_input();
        is_disconnected(client, codec);
    }
}

#[test]
fn a_server_that_refuses_a_newcomer_is_told() {
    for codec in ["json", "line", "struct", "raw"] {
        let arguments = ["--codec", codec, "--max-clients", "1"];
        let (mut server, url) = Program::serving(&arguments);
        let mut first = joining(&url, codec);
        first.type_line("here");
        assert!(server.line().ends_with("here"));
        let mut second = joining(&url, codec);
        second.type_line("hi");
        second.end_input();
        is_disconnected(second, codec);
        server.type_line("q");
        assert_eq!(first.code(), Some(0), "{codec}");
    }
}

#[test]
fn an_end_after_all_was_taken_is_well() {
    for (codec, answer) in [("line", &b"yes\n"[..]), ("raw", b"yes")] {
        let (listener, url) = listening();
        let mut client = joining(&url, codec);
        let (mut peer, _) = listener.accept().unwrap();
        client.type_line("hello");
        read_some(&mut peer);
        peer.write_all(answer).unwrap();
        drop(peer);
        assert_eq!(client.line(), "yes");
        assert_eq!(client.code(), Some(0), "{codec}");
    }
}

#[test]
fn a_refused_datagram_is_told_and_the_conversation_goes_on() {
    let place = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = place.local_addr().unwrap();
    let mut client = joining(&format!("udp://{at}"), "raw");
    client.type_line("one");
    place.recv_from(&mut [0; 9]).unwrap();
    drop(place);
    client.type_line("two");
    // Another peer may listen there again later.
    let place = UdpSocket::bind(at).unwrap();
    place.set_read_timeout(Some(chat_support::LIMIT)).unwrap();
    client.type_line("six");
    let mut heard = [0; 9];
    let from = loop {
        let (len, from) = place.recv_from(&mut heard).unwrap();
        if &heard[..len] == b"six" {
            break from;
        }
    };
    place.send_to(b"yes", from).unwrap();
    assert_eq!(client.line(), "yes");
    client.end_input();
    assert_eq!(client.code(), Some(0));
}

#[test]
fn a_message_to_an_address_without_a_listener_is_a_failure() {
    let place = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = place.local_addr().unwrap();
    drop(place);
    let mut client = joining(&format!("udp://{at}"), "raw");
    client.type_line("hi");
    client.end_input();
    is_disconnected(client, "udp");
}

/// A user presses Ctrl-D in `chat join`; `python3` holds the terminal.
#[test]
fn the_end_of_a_terminal_leaves() {
    let (listener, url) = listening();
    let script = "import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b''
while b'joined' not in seen:
    seen += os.read(terminal, 1000)
os.write(terminal, b'hi\\n\\x04')
try:
    while os.read(terminal, 1000): pass
except OSError: pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))";
    let binary = env!("CARGO_BIN_EXE_socketry");
    let mut joined = std::process::Command::new("python3")
        .args([
            "-c", script, binary, "chat", "join", &url, "--codec", "line",
        ])
        .spawn()
        .unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let mut heard = String::new();
    peer.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "hi\nq\n");
    drop(peer);
    assert!(joined.wait().unwrap().success());
}
