//! The library under the editors' language clients, npm's `vscode-jsonrpc`.

use serde_json::{Value, json};
use socketry_codec::Framed;
use socketry_testkit::in_time;
use socketry_transport::{BoxSocket, SendExt};

use crate::mirror::{Program, ROLES, Role, binary, framed, heard};
use crate::tools;

const SOURCE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/peers_languages/vscode_peer.cjs"
);
const BYTES: Program<'_> = Program("node", &[SOURCE, "bytes"]);

fn is_here() -> bool {
    tools::has_node_module("vscode-jsonrpc")
}

#[tokio::test]
async fn any_bytes_behind_a_header_are_the_same_both_ways() {
    if !is_here() {
        return;
    }
    let frames = binary(&[0, 1, 9, 10, 255, 4_096, 65_536, 1 << 20]);
    for codec in ["content-length", "lsp"] {
        assert_eq!(BYTES.mirrors(codec, &frames).await, ["closed"; 2]);
    }
}

async fn says(framed: &mut Framed<BoxSocket>, message: &Value) {
    framed.send(message.to_string().as_bytes()).await.unwrap();
}

async fn hears(framed: &mut Framed<BoxSocket>) -> Value {
    serde_json::from_slice(&heard(framed).await.unwrap()).unwrap()
}

/// Lengths are of bytes on both sides, and each side asks the other.
#[tokio::test]
async fn both_sides_ask_and_answer() {
    if !is_here() {
        return;
    }
    for role in ROLES {
        let (peer, socket) = Program("node", &[SOURCE, "json"]).meet(role).await;
        let mut framed = framed(socket, "lsp");
        let request =
            |method, text| json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": [text] });
        says(&mut framed, &request("reverse", "größe 🦀")).await;
        assert_eq!(hears(&mut framed).await["result"], "🦀 eßörg");
        says(&mut framed, &request("ask", "größe")).await;
        let asked = hears(&mut framed).await;
        assert_eq!(
            (&asked["method"], &asked["params"][0]),
            (&json!("told"), &json!("größe"))
        );
        says(
            &mut framed,
            &json!({ "jsonrpc": "2.0", "id": asked["id"], "result": "🦀" }),
        )
        .await;
        assert_eq!(hears(&mut framed).await["result"], "🦀!");
        framed.finish().await.unwrap();
        assert_eq!(heard(&mut framed).await, None);
        assert_eq!(peer.ended().await, ["closed"]);
    }
}

/// What it says and answers to these bytes, and an end.
async fn answers(bytes: &[u8]) -> (Vec<u8>, Vec<String>) {
    let (peer, socket) = BYTES.meet(Role::Listens).await;
    let mut framed = framed(socket, "raw");
    in_time("bytes", framed.socket_mut().send_all(bytes))
        .await
        .unwrap();
    framed.finish().await.unwrap();
    let mut answer = Vec::new();
    while let Some(more) = heard(&mut framed).await {
        answer.extend(more);
    }
    (answer, peer.ended().await)
}

/// It reads more than it writes, as `content-length` does, and refuses what that refuses.
#[tokio::test]
async fn it_reads_headers_in_any_case_and_refuses_a_blank_line_before_them() {
    if !is_here() {
        return;
    }
    let answer = b"Content-Length: 2\r\n\r\nba";
    for header in [
        "Content-Length: 2\r\n\r\n",
        "content-length:2\r\n\r\n",
        "Content-Type: x\r\nCONTENT-LENGTH:  02 \r\nOther: y\r\n\r\n",
    ] {
        let said = answers(format!("{header}ab").as_bytes()).await;
        assert_eq!(
            said,
            (answer.to_vec(), vec!["closed".to_owned()]),
            "{header:?}"
        );
    }
    for header in [
        "\r\nContent-Length: 2\r\n\r\n",
        "\r\n\r\nContent-Length: 2\r\n\r\n",
    ] {
        let (answer, said) = answers(format!("{header}ab").as_bytes()).await;
        assert!(answer.is_empty(), "{header:?}");
        assert!(
            said[0].starts_with("Message header must") || said[0].starts_with("Header must"),
            "{header:?}: {said:?}"
        );
    }
    // It waits for `\r`, as long as the connection lasts.
    let said = answers(b"Content-Length: 2\n\nab").await;
    assert_eq!(said, (Vec::new(), vec!["closed".to_owned()]));
}
