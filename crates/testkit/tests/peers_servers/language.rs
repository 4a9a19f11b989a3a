//! `lsp` with clangd and pylsp over pipes, and `dap` with debugpy over TCP.

use serde_json::{Value, json};
use socketry_testkit::in_time;

use crate::daemon::{Daemon, command, directory, free_port};
use crate::{Live, codec, live, tools};

/// The question that a client asks first.
fn initialize() -> Value {
    let params = json!({ "processId": null, "rootUri": null, "capabilities": {} });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })
}

async fn send(peer: &mut Live, message: &Value) {
    peer.send(message.to_string().as_bytes()).await.unwrap();
}

/// The next message for which `wanted` holds.
async fn next(peer: &mut Live, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let frame = in_time("an answer", peer.recv()).await.unwrap().unwrap();
        let message = serde_json::from_slice(frame).unwrap();
        if wanted(&message) {
            return message;
        }
    }
}

/// A server of a language over its standard input and output.
fn server(name: &str, program: &str) -> (Daemon, Live, tempfile::TempDir) {
    let directory = directory();
    let mut command = command::<&str>(program, &[]);
    command.current_dir(directory.path());
    let (daemon, pipes) = Daemon::piped(&mut command, directory.path());
    (daemon, live(name, pipes, "lsp"), directory)
}

/// A conversation with a text of other letters, in which each side counts bytes and not characters.
async fn converses(program: &str) {
    if !tools::has(program) {
        return;
    }
    let (_daemon, mut peer, directory) = server(program, program);
    send(&mut peer, &initialize()).await;
    let answer = next(&mut peer, |message| message["id"] == 1).await;
    assert!(answer["result"]["capabilities"].is_object(), "{answer}");
    send(
        &mut peer,
        &json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }),
    )
    .await;

    let (name, text) = match program {
        "pylsp" => ("a.py", "def größe(x):\n    return \"🦀\"\n"),
        _ => ("a.c", "int größe; // 🦀\n"),
    };
    let uri = format!("file://{}/{name}", directory.path().display());
    let language = if name == "a.py" { "python" } else { "c" };
    let document = json!({ "uri": uri, "languageId": language, "version": 1, "text": text });
    let params = json!({ "textDocument": document });
    let opened = json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": params });
    send(&mut peer, &opened).await;
    let params = json!({ "textDocument": { "uri": uri } });
    let method = "textDocument/documentSymbol";
    let asked = json!({ "jsonrpc": "2.0", "id": 2, "method": method, "params": params });
    send(&mut peer, &asked).await;
    let answer = next(&mut peer, |message| message["id"] == 2).await;
    assert!(answer["result"].to_string().contains("größe"), "{answer}");

    // Two frames in one write.
    let ends = [
        json!({ "jsonrpc": "2.0", "id": 3, "method": "shutdown" }),
        json!({ "jsonrpc": "2.0", "method": "exit" }),
    ];
    for end in &ends {
        peer.feed(end.to_string().as_bytes()).await.unwrap();
    }
    peer.flush().await.unwrap();
    let answer = next(&mut peer, |message| message["id"] == 3).await;
    assert_eq!(answer["result"], Value::Null);
    assert_eq!(in_time("its end", peer.recv()).await.unwrap(), None);
}

#[tokio::test]
async fn clangd_converses() {
    converses("clangd").await;
}

#[tokio::test]
async fn pylsp_converses() {
    converses("pylsp").await;
}

/// Whether a server answers a first frame with this header, in which `N` is the length, where
/// another frame follows.
async fn understands(program: &str, (what, header): (&str, &str)) -> bool {
    let (_daemon, peer, _directory) = server(&format!("{program}-{what}"), program);
    let message = initialize().to_string();
    let header = header.replace('N', &message.len().to_string());
    let mut peer = peer.with_codec(codec("raw")).unwrap();
    peer.send(format!("{header}{message}").as_bytes())
        .await
        .unwrap();
    let mut peer = peer.with_codec(codec("lsp")).unwrap();
    send(
        &mut peer,
        &json!({ "jsonrpc": "2.0", "id": 2, "method": "shutdown" }),
    )
    .await;
    // At the end of its input it has answered what it understood, and ends.
    let (mut answers, sends) = peer.split();
    drop(sends);
    while let Some(answer) = in_time("an answer", answers.recv()).await.unwrap() {
        let answer: Value = serde_json::from_slice(answer).unwrap();
        if answer["id"] == 1 {
            return true;
        }
    }
    false
}

/// Why this project writes `Content-Length: N` first, alone, and in this case.
#[tokio::test]
async fn servers_differ_in_the_headers_that_they_understand() {
    let kind = "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n";
    let before = format!("{kind}Content-Length: N\r\n\r\n");
    let behind = format!("Content-Length: N\r\n{kind}\r\n");
    let headers = [
        ("lower-case", "content-length: N\r\n\r\n"),
        ("type-before", &before),
        ("type-behind", &behind),
        ("blank-line-before", "\r\nContent-Length: N\r\n\r\n"),
    ];
    for (program, expected) in [
        ("clangd", [false, true, true, true]),
        ("pylsp", [false, false, true, false]),
    ] {
        if !tools::has(program) {
            continue;
        }
        let [lower, before, behind, blank] = headers.map(|header| understands(program, header));
        let (lower, before, behind, blank) = tokio::join!(lower, before, behind, blank);
        assert_eq!([lower, before, behind, blank], expected, "{program}");
    }
}

/// Events come before the answer to the first request.
#[tokio::test]
async fn debugpy_converses() {
    if !tools::has_module("debugpy") {
        return;
    }
    let (directory, port) = (directory(), free_port().to_string());
    let options = [
        "-m",
        "debugpy.adapter",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
    ];
    let mut daemon = Daemon::start(&mut command("python3", &options), directory.path());
    let socket = daemon.connect(&format!("tcp://127.0.0.1:{port}")).await;
    let mut peer = live("debugpy", socket, "dap");
    let arguments = json!({ "adapterID": "größe 🦀", "clientID": "a" });
    let asked = [("initialize", arguments), ("disconnect", json!({}))];
    for (seq, (name, arguments)) in (1..).zip(asked) {
        let request =
            json!({ "seq": seq, "type": "request", "command": name, "arguments": arguments });
        send(&mut peer, &request).await;
        let answer = next(&mut peer, |message| message["request_seq"] == seq).await;
        assert_eq!(answer["success"], true, "{answer}");
    }
    let end = async { while peer.recv().await.unwrap().is_some() {} };
    in_time("its end", end).await;
}
