//! The libraries of others, in both roles: CPython's `websockets` and `aiohttp`, and Node's `ws`.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../testkit/tests/tools/mod.rs"]
mod tools;

use std::process::Stdio;
use std::time::Duration;

use socketry_transport::{
    BoxListener, BoxSocket, Half, Listener, Received, RecvExt, Registry, SendExt, close,
};
use socketry_ws::{CloseCode, Ws, WsError, WsInfo};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    Websockets,
    Aiohttp,
    Node,
}

impl Library {
    const ALL: [Library; 3] = [Library::Websockets, Library::Aiohttp, Library::Node];

    /// Those that are here.
    fn here() -> impl Iterator<Item = Library> {
        Self::ALL.into_iter().filter(|library| match library {
            Library::Websockets => tools::has_module("websockets"),
            Library::Aiohttp => tools::has_module("aiohttp"),
            Library::Node => tools::has_node_module("ws"),
        })
    }

    fn command(self, role: &str) -> Command {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers");
        let python = |name: &str| {
            let mut command = Command::new("python3");
            command.arg(format!("{folder}/peer.py")).args([name, role]);
            command
        };
        match self {
            Library::Websockets => python("websockets"),
            Library::Aiohttp => python("aiohttp"),
            Library::Node => {
                let mut command = Command::new("node");
                command.arg(format!("{folder}/peer.mjs")).arg(role);
                command
            }
        }
    }
}

/// A program that runs until this is dropped.
struct Peer {
    lines: Lines<BufReader<ChildStdout>>,
    _stdin: ChildStdin,
    _child: Child,
}

impl Peer {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        Peer {
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            _stdin: child.stdin.take().unwrap(),
            _child: child,
        }
    }

    async fn line(&mut self) -> String {
        let next = timeout(DEADLINE, self.lines.next_line()).await.unwrap();
        next.unwrap().unwrap_or_default()
    }
}

fn registry() -> Registry {
    Ws::new().register(Registry::standard()).unwrap()
}

async fn listen(query: &str) -> BoxListener {
    let url = format!("ws://127.0.0.1:0/{query}");
    registry().listen(url.as_str()).await.unwrap()
}

async fn accept(listener: &mut BoxListener) -> BoxSocket {
    timeout(DEADLINE, listener.accept()).await.unwrap().unwrap()
}

async fn receive(socket: &mut BoxSocket) -> std::io::Result<Option<Vec<u8>>> {
    let mut buf = vec![0; 1 << 20];
    let receiving = timeout(DEADLINE, socket.recv(&mut buf));
    match receiving.await.unwrap()? {
        (len, Received::Data) => Ok(Some(buf[..len].to_vec())),
        (_, Received::End) => Ok(None),
        other => panic!("{other:?}"),
    }
}

fn code(error: &std::io::Error) -> CloseCode {
    let error = error.get_ref().unwrap().downcast_ref::<WsError>();
    error.unwrap().code().unwrap()
}

/// Our server's side of a client: sends back each message, until the end.
async fn echo(mut socket: BoxSocket) -> std::io::Result<BoxSocket> {
    while let Some(message) = receive(&mut socket).await? {
        socket.send_all(&message).await?;
    }
    Ok(socket)
}

#[tokio::test]
async fn clients_of_others_talk_to_our_server_and_close_in_order() {
    for library in Library::here() {
        let mut listener = listen("?protocol=echo").await;
        let mut command = library.command("client");
        command.arg(listener.local().as_str());
        let mut peer = Peer::start(command);
        let socket = accept(&mut listener).await;
        let info = socket.info().get::<WsInfo>().unwrap();
        assert_eq!(info.protocol.as_deref(), Some("echo"), "{library:?}");
        let serving = tokio::spawn(echo(socket));
        assert_eq!(
            peer.line().await,
            "protocol echo extensions []",
            "{library:?}"
        );
        for line in ["5 True", "1000000 True", "0 True", "7 True", "pong", "abc"] {
            assert_eq!(peer.line().await, line, "{library:?}");
        }
        let last = peer.line().await;
        // Node's `ws` closes without a code, and gets none.
        let expected = if library == Library::Node {
            "1005"
        } else {
            "1000"
        };
        assert_eq!(last.trim_end(), format!("closed {expected}"), "{library:?}");
        let socket = serving.await.unwrap().unwrap();
        close(socket, 1 << 20, DEADLINE).await.unwrap();
    }
}

#[tokio::test]
async fn servers_of_others_talk_to_our_client() {
    for library in Library::here() {
        let mut peer = Peer::start(library.command("server"));
        let port = peer.line().await;
        let url = format!("ws://127.0.0.1:{port}/any%2Fpath?q=1&protocol=echo");
        let mut socket = registry().connect(url.as_str()).await.unwrap();
        for len in [0, 5, 126, 70_000, 1_000_000] {
            let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
            socket.send_all(&bytes).await.unwrap();
            let got = receive(&mut socket).await.unwrap();
            assert_eq!(got.as_deref(), Some(&bytes[..]), "{library:?}");
        }
        socket.finish().await.unwrap();
        assert_eq!(receive(&mut socket).await.unwrap(), None, "{library:?}");
        assert_eq!(peer.line().await.trim_end(), "ended 1000", "{library:?}");
    }
}

#[tokio::test]
async fn codes_of_others_are_errors_with_their_reasons() {
    for library in Library::here() {
        let mut peer = Peer::start(library.command("server"));
        let port = peer.line().await;
        let url = format!("ws://127.0.0.1:{port}/?protocol=echo");
        for (says, is_end) in [
            ("close 1000 bye", true),
            ("close 1001", true),
            ("close 4001 mine", false),
        ] {
            let mut socket = registry().connect(url.as_str()).await.unwrap();
            socket.send_all(says.as_bytes()).await.unwrap();
            match receive(&mut socket).await {
                Ok(end) => assert!(end.is_none() && is_end, "{library:?} {says}"),
                Err(error) => {
                    let text = error.to_string();
                    assert!(!is_end, "{library:?} {says}: {text}");
                    assert!(
                        text.contains("4001 (a code of the application): mine"),
                        "{text}"
                    );
                }
            }
            let code = says.split(' ').nth(1).unwrap();
            let ended = peer.line().await;
            assert!(
                ended.starts_with(&format!("ended {code}")),
                "{library:?}: {ended}"
            );
        }
    }
}

#[tokio::test]
async fn each_side_is_told_that_a_message_is_too_long() {
    for library in Library::here() {
        // Ours is the shorter bound.
        let mut listener = listen("?max_message=100000&protocol=echo").await;
        let mut command = library.command("client");
        command.arg(listener.local().as_str());
        let mut peer = Peer::start(command);
        let socket = accept(&mut listener).await;
        let error = echo(socket).await.unwrap_err();
        assert_eq!(code(&error), CloseCode::TOO_LONG, "{library:?}");
        let mut told = String::new();
        for _ in 0..4 {
            told = peer.line().await;
            if told.starts_with("closed") {
                break;
            }
        }
        assert!(told.starts_with("closed 1009"), "{library:?}: {told}");

        // And theirs: 1 MiB, 4 MiB, 100 MiB.
        if library == Library::Node {
            continue;
        }
        let mut peer = Peer::start(library.command("server"));
        let port = peer.line().await;
        let url = format!("ws://127.0.0.1:{port}/?max_message=8MiB&protocol=echo");
        let mut socket = registry().connect(url.as_str()).await.unwrap();
        let sent = socket.send_all(&vec![0; 5 << 20]).await;
        let error = receive(&mut socket).await.unwrap_err();
        assert_eq!(
            code(&error),
            CloseCode::TOO_LONG,
            "{library:?} {sent:?} {error}"
        );
    }
}

#[tokio::test]
async fn clients_of_others_see_our_refusals() {
    for library in Library::here() {
        let mut listener = listen("?protocol=mqtt").await;
        let mut command = library.command("client");
        command.arg(listener.local().as_str());
        let mut peer = Peer::start(command);
        let told = tokio::select! {
            accepted = listener.accept() => panic!("accepted {accepted:?}"),
            told = peer.line() => told,
        };
        assert!(told.starts_with("refused 400"), "{library:?}: {told}");
        if library == Library::Websockets {
            assert!(
                told.contains("the client offers echo, the server mqtt"),
                "{told}"
            );
        }
    }
}
