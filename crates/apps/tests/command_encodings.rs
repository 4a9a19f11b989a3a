//! Commands in one encoding and answers in another, as the tutorial's client does on a Chinese
//! Windows.
#![allow(clippy::unwrap_used)]

mod command_support;

use command_support::*;
use socketry_apps::command::Client;

#[test]
fn a_client_that_asks_in_utf_8_reads_answers_in_the_servers_encoding() {
    for encoding in ["gbk", "gb18030"] {
        let (_server, at) = served(&["--codec", "raw", "--encoding", encoding]);
        python_says_ok("command_two_encodings.py", &[port(&at), encoding]);
    }
}

#[tokio::test]
async fn encodings_that_may_look_like_utf_8_are_never_taken_for_it() {
    // Each of these is valid UTF-8 when it is encoded, but another text.
    for (encoding, word) in [
        ("iso-2022-jp", "日本"),
        ("utf-16le", "你好"),
        ("utf-16be", "你好"),
    ] {
        let service = service("struct", encoding);
        let server = Running::start(&service, "mem://*", None).await;
        let mut client = Client::connect(&service, &server.at).await.unwrap();
        let (said, _) = ask(&mut client, &format!("printf %s {word}")).await;
        assert_eq!(said.stdout, word, "{encoding}");
        server.stop().await;
    }
}
