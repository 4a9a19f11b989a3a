//! The chat program against CPython scripts that use nothing of this project, and its command line.
#![allow(clippy::unwrap_used)]

mod chat_support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use chat_support::{Program, host_port};

/// The other end of a script's `serve`, which prints its port first.
fn url_of(scheme: &str, script: &Program) -> String {
    format!("{scheme}://127.0.0.1:{}", script.line())
}

fn joining(url: &str, arguments: &[&str]) -> Program {
    Program::socketry(&[&["chat", "join", url], arguments].concat())
}

#[test]
fn exchange_1_with_our_server() {
    let (mut server, url) = Program::serving(&["--codec", "raw"]);
    let (host, port) = host_port(&url);
    let mut client = Program::python("one_shot", &["join", host, port, "hello, 你好"]);
    assert_eq!(server.line(), "hello, 你好");
    server.type_line("good day");
    assert_eq!(client.line(), "good day");
    assert_eq!(client.code(), Some(0));
}

#[test]
fn exchange_1_with_our_client() {
    let script = Program::python("one_shot", &["serve", "good day"]);
    let mut client = joining(&url_of("tcp", &script), &["--codec", "raw"]);
    client.type_line("hello");
    client.end_input();
    assert_eq!(script.line(), "hello");
    assert_eq!(client.line(), "good day");
    assert_eq!(client.code(), Some(0));
}

#[test]
fn exchange_2_ended_by_the_client_and_then_the_next_client() {
    let (mut server, url) = Program::serving(&["tcp://127.0.0.1:0", "--codec", "raw"]);
    let (host, port) = host_port(&url);
    for round in ["first", "second"] {
        let mut client = Program::python("chat_loop", &["join", host, port, round, "more", "q"]);
        assert_eq!(server.line(), round);
        server.type_line("go on");
        assert_eq!(client.line(), "go on");
        assert_eq!(server.line(), "more");
        server.type_line("yes");
        assert_eq!(client.rest(), ["yes", "left"]);
        assert_eq!(client.code(), Some(0));
    }
    server.signal("TERM");
    assert_eq!(server.rest(), [""; 0], "q is not shown");
    assert_eq!(server.code(), Some(0));
}

#[test]
fn exchange_2_ended_by_the_operator() {
    let (mut server, url) = Program::serving(&["--codec", "raw"]);
    let (host, port) = host_port(&url);
    for _ in 0..2 {
        let mut client = Program::python("chat_loop", &["join", host, port, "hello", "more"]);
        assert_eq!(server.line(), "hello");
        server.type_line("q");
        assert_eq!(client.rest(), ["q", "left"]);
        assert_eq!(client.code(), Some(0));
    }
}

#[test]
fn exchange_2_with_our_client() {
    let script = Program::python("chat_loop", &["serve", "2", "one", "two", "q"]);
    let url = url_of("tcp", &script);
    // Typed all at once: the client itself waits between the lines, since raw would join the texts.
    let mut client = joining(&url, &["--codec", "raw"]);
    for text in ["a", "b", "q", "not sent"] {
        client.type_line(text);
    }
    assert_eq!(client.rest(), ["one", "two"]);
    assert_eq!(client.code(), Some(0));
    for heard in ["a", "b", "q", "next"] {
        assert_eq!(script.line(), heard);
    }
    // The server sends `q` while the input is still open.
    let mut client = joining(&url, &["--codec", "raw"]);
    client.type_line("c");
    assert_eq!(client.code(), Some(0));
    assert_eq!(client.rest(), [""; 0]);
    assert_eq!(script.rest(), ["c", "next"]);
}

#[test]
fn exchange_3_with_our_server() {
    let (mut server, url) = Program::serving(&["udp://127.0.0.1:0", "--codec", "raw"]);
    let (host, port) = host_port(&url);
    let client = Program::python("datagrams", &["join", host, port, "", "one", "two"]);
    for (text, answer) in [("one", "1"), ("two", "2")] {
        assert_eq!(server.line(), text);
        server.type_line(answer);
        assert_eq!(client.line(), answer);
    }
}

#[test]
fn exchange_3_with_our_client() {
    let script = Program::python("datagrams", &["serve", "", "1", "2"]);
    let mut client = joining(&url_of("udp", &script), &["--codec", "raw"]);
    for (text, answer) in [("one", "1"), ("two", "2")] {
        client.type_line(text);
        assert_eq!(script.line(), text);
        assert_eq!(client.line(), answer);
    }
    client.end_input();
    assert_eq!(client.code(), Some(0));
}

#[test]
fn exchange_4_with_our_server() {
    let arguments = ["udp://127.0.0.1:0", "--codec", "raw", "--name", "boss"];
    let (mut server, url) = Program::serving(&arguments);
    let (host, port) = host_port(&url);
    let client = Program::python("datagrams", &["join", host, port, "ann", "hello"]);
    assert_eq!(server.line(), "ann : hello");
    server.type_line("welcome");
    assert_eq!(client.line(), "boss : welcome");
}

#[test]
fn exchange_4_with_our_client() {
    let script = Program::python("datagrams", &["serve", "boss", "welcome"]);
    let url = url_of("udp", &script);
    let mut client = joining(&url, &["--codec", "raw", "--name", "ann"]);
    client.type_line("hello");
    assert_eq!(script.line(), "ann : hello");
    assert_eq!(client.line(), "boss : welcome");
}

#[test]
fn exchange_5_with_our_server() {
    for encoding in ["utf-8", "gbk"] {
        let url = "udp://127.0.0.1:0";
        let arguments = [url, "--codec", "raw", "--encoding", encoding];
        let (mut server, url) = Program::serving(&arguments);
        let (host, port) = host_port(&url);
        let client = Program::python("my_socket", &[encoding, "join", host, port, "你好"]);
        assert_eq!(server.line(), "你好");
        server.type_line("再见");
        assert_eq!(client.line(), "再见");
    }
}

#[test]
fn exchange_5_with_our_client() {
    for encoding in ["utf-8", "gbk"] {
        let script = Program::python("my_socket", &[encoding, "serve", "再见"]);
        let url = url_of("udp", &script);
        let mut client = joining(&url, &["--codec", "raw", "--encoding", encoding]);
        client.type_line("你好");
        assert_eq!(script.line(), "你好");
        assert_eq!(client.line(), "再见");
    }
}

#[test]
fn two_programs_and_an_operator() {
    let (mut server, url) = Program::serving(&[]);
    assert!(url.starts_with("tcp://127.0.0.1:"), "{url}");
    let mut ann = joining(&url, &["--name", "ann"]);
    ann.type_line("hello");
    assert_eq!(server.line(), "ann : hello");
    let mut bob = joining(&url, &[]);
    bob.type_line("hi");
    assert_eq!(server.line(), "anonymous : hi");
    assert_eq!(ann.line(), "anonymous : hi");
    server.type_line("welcome");
    assert_eq!(ann.line(), "operator : welcome");
    assert_eq!(bob.line(), "operator : welcome");
    ann.type_line("two\u{7}");
    assert_eq!(bob.line(), r"ann : two\u{7}");
    bob.end_input();
    assert_eq!(bob.code(), Some(0));
    server.type_line("q");
    assert_eq!(ann.code(), Some(0));
}

#[test]
fn signals_end_a_server_and_a_client_well() {
    for signal in ["INT", "TERM"] {
        let (mut server, url) = Program::serving(&[]);
        let mut client = joining(&url, &[]);
        client.type_line("here");
        assert_eq!(server.line(), "anonymous : here");
        client.signal(signal);
        assert_eq!(client.code(), Some(0));
        server.signal(signal);
        assert_eq!(server.code(), Some(0));
    }
}

#[test]
fn a_server_that_says_where_it_listens_can_be_ended() {
    for signal in ["INT", "TERM"] {
        let (mut server, _) = Program::serving(&[]);
        server.signal(signal);
        assert_eq!(server.code(), Some(0));
    }
}

#[test]
fn a_server_needs_no_operator() {
    let (mut server, url) = Program::serving(&[]);
    server.end_input();
    let mut client = joining(&url, &[]);
    client.type_line("anybody?");
    assert_eq!(server.line(), "anonymous : anybody?");
}

#[test]
fn impossible_requests_are_usage_errors() {
    for arguments in [
        &["chat"][..],
        &["chat", "join"],
        &["chat", "join", "mem://here"],
        &["chat", "join", "nowhere"],
        &["chat", "serve", "gopher://127.0.0.1:70"],
        &["chat", "serve", "tcp://127.0.0.1:0?color=red"],
        &["chat", "serve", "--codec", "morse"],
        &["chat", "serve", "--encoding", "morse"],
        &["chat", "serve", "--name", ""],
        &[
            "chat",
            "join",
            "tcp://127.0.0.1:1",
            "--name",
            "\u{1b}[1mann",
        ],
    ] {
        let mut program = Program::socketry(arguments);
        assert_eq!(program.code(), Some(2), "{arguments:?}");
        assert!(!program.errors().is_empty());
    }
}

#[test]
fn a_failed_connect_is_exit_code_1() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut client = joining(&format!("tcp://127.0.0.1:{port}"), &[]);
    assert_eq!(client.code(), Some(1));
}

#[test]
fn a_broken_connection_is_told_and_exit_code_1() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let mut client = joining(&url, &["--codec", "raw"]);
    client.type_line("never read");
    let (peer, _) = listener.accept().unwrap();
    assert_eq!(peer.peek(&mut [0; 1]).unwrap(), 1);
    // Closing with unread bytes resets the connection.
    drop(peer);
    assert_eq!(client.code(), Some(1));
    assert!(client.errors().contains("disconnected"));
}

#[test]
fn a_server_that_ends_well_is_exit_code_0() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let mut client = joining(&url, &["--codec", "line"]);
    drop(listener.accept().unwrap());
    assert_eq!(client.code(), Some(0));
}

#[test]
fn an_answer_that_takes_its_time_is_heard_after_the_input_has_ended() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let mut client = joining(&url, &["--codec", "raw"]);
    client.type_line("hello");
    client.end_input();
    let (mut peer, _) = listener.accept().unwrap();
    let mut heard = String::new();
    peer.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "hello");
    std::thread::sleep(Duration::from_millis(1500));
    peer.write_all(b"late").unwrap();
    drop(peer);
    assert_eq!(client.line(), "late");
    assert_eq!(client.code(), Some(0));
}

#[test]
fn over_raw_the_next_line_waits_for_a_slow_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let mut client = joining(&url, &["--codec", "raw"]);
    for line in ["one", "two", "six"] {
        client.type_line(line);
    }
    client.end_input();
    let (mut peer, _) = listener.accept().unwrap();
    for line in ["one", "two", "six"] {
        let mut heard = [0; 100];
        let len = peer.read(&mut heard).unwrap();
        assert_eq!(&heard[..len], line.as_bytes());
        std::thread::sleep(Duration::from_millis(300));
        peer.write_all(b"yes").unwrap();
    }
    drop(peer);
    assert_eq!(client.code(), Some(0));
}
