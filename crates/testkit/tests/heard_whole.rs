//! A law for all apps. A client sends much, reads nothing and closes at once. Everything that it
//! sent is received. The server's answers then fail with a reset, and a server that cannot write
//! must go on reading.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::pending;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use socketry_apps::{Service, chat, command, file};
use socketry_codec::{BoxCodec, Codec};
use socketry_testkit::{Places, in_time};
use socketry_transport::Endpoint;

const SCHEMES: [&str; 2] = ["tcp", "unix"];

trait Stream: Read + Write + AsFd + Send {}
impl<S: Read + Write + AsFd + Send> Stream for S {}

fn connect(at: &Endpoint) -> Box<dyn Stream> {
    match at.socket_addr() {
        Some(address) => Box::new(TcpStream::connect(address).unwrap()),
        _ => Box::new(UnixStream::connect(at.to_string().trim_start_matches("unix://")).unwrap()),
    }
}

/// Sends the first frame, waits until there is something to read, sends the others, and closes at
/// once.
async fn say_and_vanish(at: &Endpoint, codec: &str, frames: &[String]) {
    let mut codec: BoxCodec = codec.parse().unwrap();
    let mut encoded = frames.iter().map(|frame| {
        let mut out = bytes::BytesMut::new();
        codec.encode(frame.as_bytes(), &mut out).unwrap();
        out
    });
    let first = encoded.next().unwrap();
    let others: Vec<u8> = encoded.flatten().collect();
    let at = at.clone();
    let saying = tokio::task::spawn_blocking(move || {
        let mut stream = connect(&at);
        stream.write_all(&first).unwrap();
        let mut fds = [PollFd::new(&stream, PollFlags::IN)];
        poll(&mut fds, None).unwrap();
        stream.write_all(&others).unwrap();
    });
    in_time("saying", saying).await.unwrap();
}

/// A chat server, and a user that listens there.
async fn chat_server(scheme: &str, codec: &str) -> (Places, Service, Endpoint, chat::Client) {
    let places = Places::new();
    let service = Service::with_codec(codec).unwrap();
    let free = places.free(scheme);
    let server = chat::Server::bind(&service, &free).await.unwrap();
    let at = server.local().clone();
    let (console, mut operator) = chat::Console::channel();
    tokio::spawn(server.run(console, pending()));
    let mut listener = chat::Client::connect(&service, &at, None).await.unwrap();
    listener.send("here").await.unwrap();
    in_time("it is heard", operator.next()).await.unwrap();
    (places, service, at, listener)
}

/// Whether `listener` receives these texts in this order, possibly among others.
async fn hears(listener: &mut chat::Client, texts: impl Iterator<Item = String>, what: &str) {
    for text in texts {
        let hearing =
            async { while listener.recv().await.unwrap().expect("a message").text != text {} };
        in_time(&format!("{what}: {text}"), hearing).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_chat_where_others_talk() {
    for scheme in SCHEMES {
        for codec in ["line", "struct", "json", "json:bare"] {
            let (_places, service, at, mut listener) = chat_server(scheme, codec).await;
            let mut talker = chat::Client::connect(&service, &at, None).await.unwrap();
            let talking = tokio::spawn(async move {
                let mut pause = tokio::time::interval(Duration::from_micros(500));
                loop {
                    pause.tick().await;
                    talker.send("talk").await.unwrap();
                }
            });
            let frame = |n| match codec.starts_with("json") {
                true => format!(r#"{{"text":"m{n}"}}"#),
                false => format!("m{n}"),
            };
            let frames: Vec<_> = (0..2000).map(frame).collect();
            say_and_vanish(&at, codec, &frames).await;
            let texts = (0..2000).map(|n| format!("m{n}"));
            hears(&mut listener, texts, &format!("{scheme} {codec}")).await;
            talking.abort();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_chat_that_refuses_every_second_message() {
    for scheme in SCHEMES {
        for codec in ["json", "json:bare"] {
            let (_places, _service, at, mut listener) = chat_server(scheme, codec).await;
            let frames: Vec<_> = (0..500)
                .flat_map(|n| ["{}".to_owned(), format!(r#"{{"text":"m{n}"}}"#)])
                .collect();
            say_and_vanish(&at, codec, &frames).await;
            let texts = (0..500).map(|n| format!("m{n}"));
            hears(&mut listener, texts, &format!("{scheme} {codec}")).await;
        }
    }
}

/// Waits until `directory` holds `count` entries.
async fn fills(directory: &Path, count: usize, what: &str) {
    let full = async {
        while std::fs::read_dir(directory).unwrap().count() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time(what, full).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_a_command_server() {
    for scheme in SCHEMES {
        for codec in ["line", "struct", "json", "json:bare"] {
            let places = Places::new();
            let done = tempfile::tempdir().unwrap();
            let service = Service::with_codec(codec).unwrap();
            let free = places.free(scheme);
            let server = command::Server::bind(&service, &free, command::Policy::AllowAny)
                .await
                .unwrap();
            let at = server.local().clone();
            tokio::spawn(server.run(pending()));
            let frames: Vec<_> = (0..20)
                .map(|n| {
                    let command = format!("echo {n}; : > {}/{n}", done.path().display());
                    match codec {
                        "json" | "json:bare" => format!(r#"{{"run":"{command}"}}"#),
                        _ => command,
                    }
                })
                .collect();
            say_and_vanish(&at, codec, &frames).await;
            fills(done.path(), 20, &format!("command {scheme} {codec}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_a_file_server() {
    for scheme in SCHEMES {
        for codec in ["json", "json:bare"] {
            let places = Places::new();
            let root = tempfile::tempdir().unwrap();
            let service = Service::with_codec(codec).unwrap();
            let free = places.free(scheme);
            let server = file::Server::bind(&service, &free, root.path())
                .await
                .unwrap();
            let at = server.local().clone();
            tokio::spawn(server.run(pending()));
            let frames: Vec<_> = (0..50)
                .map(|n| format!(r#"{{"opt":"upload","filename":"{n}","content":"text"}}"#))
                .collect();
            say_and_vanish(&at, codec, &frames).await;
            fills(root.path(), 50, &format!("file {scheme} {codec}")).await;
        }
    }
}
