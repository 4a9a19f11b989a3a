//! First texts that are taken for texts, though another codec's frame could begin with the same
//! bytes.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "chat_support/mod.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use support::Program;

fn connected(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.strip_prefix("tcp://").unwrap()).unwrap();
    stream.set_read_timeout(Some(support::LIMIT)).unwrap();
    stream
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Two bytes of each are a length, often exactly that of the rest, or a larger one.
#[test]
fn a_text_over_raw_may_begin_as_frames_do() {
    let long = format!("d{}", "x".repeat(50));
    let page = format!("\x0c\n{}", "x".repeat(3000));
    let shown_page = page.replace('\x0c', r"\u{c}").replace('\n', r"\n");
    let marked = [&[0xff, 0xfe][..], &utf_16("你好")].concat();
    for (encoding, said, shown) in [
        ("utf-8", b"hi{name}".to_vec(), "hi{name}"),
        (
            "utf-8",
            b"GET /a answers 500".to_vec(),
            "GET /a answers 500",
        ),
        ("utf-8", b"w/{name}, where".to_vec(), "w/{name}, where"),
        ("utf-8", b"\x07ding".to_vec(), r"\u{7}ding"),
        ("utf-8", b"\x1b[1mloud".to_vec(), r"\u{1b}[1mloud"),
        ("utf-8", page.into_bytes(), &shown_page),
        ("utf-16-le", utf_16("一些"), "一些"),
        ("utf-16-le", utf_16("你\n好"), r"你\n好"),
        ("utf-16-le", utf_16(&long), &long),
        ("utf-16", marked, "你好"),
    ] {
        let arguments = ["--codec", "raw", "--encoding", encoding];
        let (server, url) = Program::serving(&arguments);
        connected(&url).write_all(&said).unwrap();
        assert_eq!(server.line(), shown, "{encoding} {said:?}");
    }
}

#[test]
fn a_command_over_raw_may_have_a_brace_where_a_frame_has_one() {
    for (line, answer) in [
        ("x={}; echo \"$x\"", "{}\n"),
        ("a={b; echo $a", "{b\n"),
        ("{ echo a; }", "a\n"),
    ] {
        let mut serving = Program::socketry(&["command", "serve", "--allow-any", "--codec", "raw"]);
        let first = serving.line();
        let mut client = connected(first.strip_prefix("listening on ").unwrap());
        client.write_all(line.as_bytes()).unwrap();
        let mut buf = [0; 200];
        let len = client.read(&mut buf).unwrap();
        assert_eq!(String::from_utf8_lossy(&buf[..len]), answer, "{line}");
        serving.end_input();
    }
}

/// A server, two users that have sent something, and a newcomer that has received nothing.
struct Chat {
    server: Program,
    speaker: Program,
    newcomer: Program,
    _other: Program,
}

impl Chat {
    fn new(codec: &str) -> Self {
        let (server, url) = Program::serving(&["--codec", codec]);
        let [speaker, other, newcomer] = std::array::from_fn(|_| {
            let mut user = Program::socketry(&["chat", "join", &url, "--codec", codec]);
            user.type_line("here");
            assert!(server.line().ends_with("here"));
            user
        });
        Chat {
            server,
            speaker,
            newcomer,
            _other: other,
        }
    }

    /// The first message that the newcomer receives.
    fn first(&mut self, said: &[&str]) -> String {
        for line in said {
            self.speaker.type_line(line);
            // The operator sees all of it.
            assert!(self.server.line().ends_with(line));
        }
        self.newcomer.line()
    }
}

/// A newcomer that receives one of these first would leave.
#[test]
fn no_user_drives_another_away_by_sending_another_codec() {
    let told = "this server speaks the codec `line`; this looks like another";
    let object = r#"{"from":"bob","text":"hi","seq":1}"#;
    for codec in ["raw", "line", "struct", "json", "json:bare"] {
        let first = Chat::new(codec).first(&[told, "hello"]);
        assert!(first.ends_with("hello"), "{codec} {first}");
        let first = Chat::new(codec).first(&[object, "hello"]);
        let text = if ["raw", "struct"].contains(&codec) {
            "hello"
        } else {
            object
        };
        assert!(first.ends_with(text), "{codec} {first}");
    }
}

#[test]
fn a_text_about_another_protocol_is_a_message_to_a_newcomer() {
    for text in [r#"{"text":"build ok"}"#, "GET /x HTTP/1.1"] {
        for codec in ["raw", "line", "struct"] {
            assert_eq!(Chat::new(codec).first(&[text]), text, "{codec}");
        }
    }
}
