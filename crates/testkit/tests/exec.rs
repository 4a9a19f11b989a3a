//! A language server is one URL: a program that is started, and the codec `lsp`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod tools;

use socketry_codec::{BoxCodec, Framed};
use socketry_testkit::in_time;
use socketry_transport::{BoxSocket, ExecTransport, Registry};

async fn ask(server: &mut Framed<BoxSocket>, request: &str, part: &str) {
    server.send(request.as_bytes()).await.unwrap();
    loop {
        let frame = in_time("an answer", server.recv()).await.unwrap().unwrap();
        if String::from_utf8_lossy(frame).contains(part) {
            return;
        }
    }
}

async fn serves(program: &str, url: &str) {
    if !tools::has(program) {
        return;
    }
    let registry = Registry::standard().with("exec", ExecTransport::default());
    let codec: BoxCodec = "lsp".parse().unwrap();
    let mut server = Framed::new(registry.connect(url).await.unwrap(), codec);
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize",
        "params":{"processId":null,"rootUri":null,"capabilities":{}}}"#;
    ask(&mut server, initialize, r#""capabilities""#).await;
    ask(
        &mut server,
        r#"{"jsonrpc":"2.0","id":2,"method":"shutdown"}"#,
        r#""id":2"#,
    )
    .await;
    server
        .send(br#"{"jsonrpc":"2.0","method":"exit"}"#)
        .await
        .unwrap();
    // It has ended with success: otherwise this is an error.
    while in_time("its end", server.recv()).await.unwrap().is_some() {}
}

#[tokio::test]
async fn pylsp_is_one_url() {
    serves("pylsp", "exec://pylsp").await;
}

#[tokio::test]
async fn clangd_is_one_url() {
    serves("clangd", "exec://clangd?arg=--log=error").await;
}
