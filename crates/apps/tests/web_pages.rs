//! A web page makes its reader's browser talk to a server of ours. The page chooses the path and
//! the body of a request, and may choose a ticket of TLS. None of that is obeyed.
#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "shared with other tests")]
mod chat_support;
mod command_support;

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;

use chat_support::Program;
use command_support::{Running, exchange, service};
use socketry_apps::file;
use tokio::sync::oneshot;

const LOCAL: &str = "tcp://127.0.0.1:0";

fn request(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\
         Origin: http://page.example\r\nContent-Type: text/plain\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A request whose first two letters are the length of a first frame. `frame` is the second frame.
fn behind_a_length(frame: &[u8]) -> Vec<u8> {
    let first = 2 + usize::from(u16::from_be_bytes(*b"PO"));
    // As many digits in its length.
    let head = request("POST", "/", &[b' '; 30_000]).len() - 30_000;
    let length = u16::try_from(frame.len()).unwrap().to_be_bytes();
    let mut body = vec![b' '; first - head];
    body.extend([&length[..], frame].concat());
    body.resize(30_000, b' ');
    request("POST", "/", &body)
}

/// A TLS greeting that holds `ticket`.
fn greeting(ticket: &[u8]) -> Vec<u8> {
    [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        &[0x55; 32],
        ticket,
        &[0x66; 64],
    ]
    .concat()
}

/// The bytes that a page sends to a `command` server to create the file `mark`.
fn attempts(mark: &Path) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let touch = format!("touch {}", mark.display());
    let line = format!("\n{touch}\n");
    let run = serde_json::json!({ "run": touch }).to_string();
    let post = request("POST", "/", line.as_bytes());
    let in_path = format!("/$(touch$IFS{})", mark.display());
    let endless = format!("/{}", "a".repeat(100_000));
    let long = format!("/{}", "a".repeat(30_000));
    vec![
        ("line", "HTTP", post.clone()),
        ("raw", "HTTP", post),
        ("line", "HTTP", request("GET", &in_path, b"")),
        ("raw", "HTTP", request("GET", &in_path, b"")),
        ("line", "HTTP", request("POST", &endless, line.as_bytes())),
        // A page may choose the method where its host's name has come to mean this machine.
        ("line", "HTTP", request("ANY", "/", line.as_bytes())),
        ("line", "HTTP", request("ANY", &long, line.as_bytes())),
        ("raw", "HTTP", request("ANY", &in_path, line.as_bytes())),
        ("struct:>H", "HTTP", behind_a_length(touch.as_bytes())),
        ("json:>H", "HTTP", behind_a_length(run.as_bytes())),
        ("json:bare", "HTTP", request("POST", "/", run.as_bytes())),
        ("line", "TLS", greeting(line.as_bytes())),
        ("raw", "TLS", greeting(line.as_bytes())),
    ]
}

#[tokio::test]
async fn a_web_page_runs_no_command() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("mark");
    for (codec, protocol, bytes) in attempts(&mark) {
        let server = Running::start(&service(codec, "utf-8"), LOCAL, None).await;
        let answer = exchange(&server.at, bytes).await;
        // The conversation is over, so no command can be run any more.
        server.stop().await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let words = format!("this looks like {protocol}");
        assert!(answer.contains(&words), "{codec} {protocol}: {answer:?}");
        assert!(!mark.exists(), "{codec} {protocol}");
    }
}

#[tokio::test]
async fn a_command_about_a_request_is_run() {
    for codec in ["raw", "line"] {
        let server = Running::start(&service(codec, "utf-8"), LOCAL, None).await;
        let answer = exchange(&server.at, b"echo GET /\n".to_vec()).await;
        server.stop().await;
        assert_eq!(answer, b"GET /\n", "{codec}");
    }
}

#[tokio::test]
async fn a_web_page_says_nothing_in_a_chat() {
    for codec in ["line", "raw"] {
        let server = Program::socketry(&["chat", "serve", "--codec", codec]);
        let first = server.line();
        let at = first
            .strip_prefix("listening on ")
            .unwrap()
            .parse()
            .unwrap();
        let answer = exchange(&at, request("POST", "/", b"\nann : hello\n")).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            answer.contains("this looks like HTTP"),
            "{codec}: {answer:?}"
        );
        let mut bob = TcpStream::connect(("127.0.0.1", at.host_port().unwrap().1)).unwrap();
        bob.write_all(b"bob : hi\n").unwrap();
        assert!(server.line().starts_with("bob : hi"), "{codec}");
    }
}

#[tokio::test]
async fn a_web_page_stores_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let header = br#"{"opt":"upload","filename":"a.txt","content":"of a page"}"#;
    for (codec, bytes) in [
        ("json:>H", behind_a_length(header)),
        ("json:bare", request("POST", "/", header)),
    ] {
        let (service, url) = (service(codec, "utf-8"), LOCAL.parse().unwrap());
        let server = file::Server::bind(&service, &url, dir.path());
        let server = server.await.unwrap();
        let at = server.local().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.run(async { stopped.await.unwrap_or_default() }));
        let answer = exchange(&at, bytes).await;
        stop.send(()).unwrap();
        serving.await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            answer.contains("this looks like HTTP"),
            "{codec}: {answer:?}"
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{codec}");
    }
}
