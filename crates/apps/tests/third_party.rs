//! A third party's codec, chosen by its name and parameters, in each of the apps.
#![allow(clippy::unwrap_used, reason = "tests")]

mod netstring;

use std::fs;
use std::time::Duration;

use netstring::codecs;
use socketry_apps::matrix::App;
use socketry_apps::{AppError, Service, chat, command, file};
use socketry_transport::{Endpoint, RecvExt, SendExt, connect};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(20);

fn service(codec: &str) -> Service {
    Service {
        codecs: codecs(),
        codec: codec.into(),
        ..Service::default()
    }
}

/// A server that runs until it is dropped.
struct Running(JoinHandle<Result<(), AppError>>);

impl Running {
    fn start(serving: impl Future<Output = Result<(), AppError>> + Send + 'static) -> Self {
        Running(tokio::spawn(serving))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn within_limit<T>(future: impl Future<Output = T>) -> T {
    timeout(LIMIT, future).await.expect("in time")
}

fn url(scheme: &str, directory: &std::path::Path) -> Endpoint {
    let url = match scheme {
        "tcp" | "udp" => format!("{scheme}://127.0.0.1:0"),
        _ => format!("{scheme}://{}", directory.join("socket").display()),
    };
    url.parse().unwrap()
}

#[tokio::test]
async fn messages_reach_all_other_users() {
    for scheme in ["tcp", "unix", "udp", "unix-dgram"] {
        for codec in ["netstring", "netstring:json=true"] {
            let directory = tempfile::tempdir().unwrap();
            within_limit(chat(&service(codec), &url(scheme, directory.path()))).await;
        }
    }
}

async fn chat(service: &Service, at: &Endpoint) {
    let server = chat::Server::bind(service, at).await.unwrap();
    let at = server.local().clone();
    let (console, mut operator) = chat::Console::channel();
    let _running = Running::start(server.run(console, std::future::pending()));
    let mut ann = chat::Client::connect(service, &at, Some("ann"))
        .await
        .unwrap();
    let mut ben = chat::Client::connect(service, &at, Some("ben"))
        .await
        .unwrap();
    // Over datagrams the server knows a user after its first message.
    ben.send("here").await.unwrap();
    assert_eq!(operator.next().await.as_deref(), Some("ben : here"));
    ann.send("it's 5:hello, 你好").await.unwrap();
    assert_eq!(
        operator.next().await.as_deref(),
        Some("ann : it's 5:hello, 你好")
    );
    let heard = ben.recv().await.unwrap().unwrap();
    assert_eq!(heard.to_string(), "ann : it's 5:hello, 你好");
}

#[tokio::test]
async fn commands_come_back_with_both_outputs_and_their_exit_code() {
    for (scheme, codec) in [
        ("tcp", "netstring"),
        ("tcp", "netstring:json=true"),
        // Pieces of output are as long as this codec allows.
        ("unix", "netstring:max=100"),
        ("unix-dgram", "netstring"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        within_limit(command(&service(codec), &url(scheme, directory.path()))).await;
    }
}

async fn command(service: &Service, at: &Endpoint) {
    let server = command::Server::bind(service, at, command::Policy::AllowAny)
        .await
        .unwrap();
    let at = server.local().clone();
    let _running = Running::start(server.run(std::future::pending()));
    let mut client = command::Client::connect(service, &at).await.unwrap();
    let mut outputs = [Vec::new(), Vec::new()];
    let exit = client.run("seq 30000; echo oh >&2; exit 3", |stream, bytes| {
        outputs[stream as usize].extend_from_slice(bytes);
        Ok(())
    });
    assert_eq!(exit.await.unwrap(), command::Exit::Code(3));
    let numbers: String = (1..=30_000).map(|number| format!("{number}\n")).collect();
    assert!(outputs[0] == numbers.as_bytes());
    assert_eq!(outputs[1], b"oh\n");
}

#[tokio::test]
async fn files_go_both_ways_over_json_objects() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root");
    fs::create_dir(&root).unwrap();
    let service = service("netstring:json=true");
    let at = "tcp://127.0.0.1:0".parse().unwrap();
    let server = file::Server::bind(&service, &at, &root).await.unwrap();
    let at = server.local().clone();
    let _running = Running::start(server.run(std::future::pending()));
    let mut client = file::Client::connect(&service, &at).await.unwrap();
    let (path, back) = (place.path().join("a.bin"), place.path().join("b.bin"));
    let bytes: Vec<u8> = (0..1_000_003_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(&path, &bytes).unwrap();
    within_limit(client.put(&path, |_, _| ())).await.unwrap();
    let names = within_limit(client.list("/")).await.unwrap();
    assert_eq!(names[0].name, "a.bin");
    within_limit(client.get("a.bin", &back, |_, _| ()))
        .await
        .unwrap();
    assert!(fs::read(&back).unwrap() == bytes);
}

#[tokio::test]
async fn an_app_that_cannot_run_over_a_codec_says_why() {
    let header = "its frames carry no header that could tell a file's name and size; \
                  use the codec json (or raw, to browse and get)";
    let neither = "its frames hold neither texts nor JSON objects; use another codec";
    let stateful = "all users are sent the same bytes, and this codec's differ from user to user; \
                    use a codec that encodes each frame by itself";
    for (app, codec, name, why) in [
        (App::File, "netstring:max=1000000", "netstring", header),
        (App::File, "records", "records", header),
        (App::Chat, "records", "records", neither),
        (App::Command, "records", "records", neither),
        (App::Chat, "counting", "counting", stateful),
    ] {
        let refused = service(codec).check(app, "tcp").unwrap_err();
        let words = format!("{app} does not run over tcp with {name}: {why}");
        assert_eq!((refused.to_string(), refused.is_usage()), (words, true));
    }
    assert!(service("counting").check(App::Command, "tcp").is_ok());
}

#[tokio::test]
async fn an_unknown_name_or_parameter_lists_the_known_ones() {
    for (codec, words) in [
        (
            "netstrings",
            "there are raw, line, struct, json, netstring, records and counting",
        ),
        (
            "netstring:mix=3",
            r#"netstring has no parameter "mix"; it takes max and json"#,
        ),
    ] {
        let at = "tcp://127.0.0.1:0".parse().unwrap();
        let refused = command::Server::bind(&service(codec), &at, command::Policy::AllowAny)
            .await
            .unwrap_err();
        let words = format!("{codec:?} names no codec: {words}");
        assert_eq!((refused.to_string(), refused.is_usage()), (words, true));
    }
}

/// A client of another codec learns the codec's name, and a server recognises a third party's
/// frames.
#[tokio::test]
async fn the_codec_is_named_to_peers_of_another() {
    for (own, sent, told) in [
        (
            "netstring:max=1000",
            &br#"{"run":"ls"}"#[..],
            "this server speaks the codec `netstring:max=1000`; \
             this looks like the codec json:bare",
        ),
        (
            "json",
            b"12:{\"run\":\"ls\"},",
            "this server speaks the codec `json`; this looks like the codec netstring",
        ),
        ("netstring", b"GET / HTTP/1.1\r\n", "this looks like HTTP"),
    ] {
        let at = "tcp://127.0.0.1:0".parse().unwrap();
        let server = command::Server::bind(&service(own), &at, command::Policy::AllowAny)
            .await
            .unwrap();
        let at = server.local().clone();
        let _running = Running::start(server.run(std::future::pending()));
        let mut socket = connect(&at).await.unwrap();
        socket.send_all(sent).await.unwrap();
        let mut answer = Vec::new();
        let mut buf = [0; 1024];
        loop {
            let (len, _) = within_limit(socket.recv(&mut buf)).await.unwrap();
            if len == 0 {
                break;
            }
            answer.extend_from_slice(&buf[..len]);
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.contains(told), "{own}: {answer}");
    }
}

#[tokio::test]
async fn a_client_is_told_which_codec_to_try() {
    let at = "tcp://127.0.0.1:0".parse().unwrap();
    let server = command::Server::bind(
        &service("netstring:max=1000"),
        &at,
        command::Policy::AllowAny,
    )
    .await
    .unwrap();
    let at = server.local().clone();
    let _running = Running::start(server.run(std::future::pending()));
    for codec in ["json", "json:bare", "struct", "line", "raw"] {
        let mut client = command::Client::connect(&service(codec), &at)
            .await
            .unwrap();
        let ran = within_limit(client.run("echo hi", |_, _| Ok(()))).await;
        let error = ran.unwrap_err().to_string();
        assert!(
            error.ends_with("try --codec 'netstring:max=1000'"),
            "{codec}: {error}"
        );
    }
}
