//! Attacks on command servers that worked on others, over plain transports and over TLS.
#![allow(clippy::unwrap_used, reason = "tests")]

mod command_support;
mod over;
mod program;

use std::fs;

use command_support::{Running, ask, gone, ids, lives, packed, peer, service};
use over::OVER;
use program::{Served, private, tokens};
use socketry_apps::command::Client;
use socketry_transport::SendExt;

#[test]
fn rules_say_what_each_client_may_run() {
    for scheme in OVER {
        rules_say_what_may_run_over(scheme);
    }
}

fn rules_say_what_may_run_over(scheme: &str) {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let url = over::url(scheme, home);
    let file = tokens(home, "tokens", &["ann", "benjamin"]);
    let ann = tokens(home, "ann", &["ann"]);
    let ben = tokens(home, "ben", &["benjamin"]);
    let text =
        "[ann]\ncommands = [[\"echo\", \"one\", \"two\"]]\n[benjamin]\nprograms = [\"echo\"]\n";
    let rules = private(home, "rules", text);
    for codec in ["json", "struct", "line", "raw"] {
        let codec = ["--codec", codec];
        let serve = [
            "command",
            "serve",
            &url,
            "--token-file",
            &file,
            "--rules",
            &rules,
        ];
        let server = Served::start(home, &[&serve[..], &codec].concat());
        let as_user = |token: &str, words: &[&str]| {
            let first = [&server.url, "--token-file", token];
            program::run(home, &[&codec[..], &first, words].concat())
        };
        for (token, words, said) in [
            (&ann, &["echo one two"][..], "one two\n"),
            (&ann, &["echo 'one'  two"], "one two\n"),
            (&ben, &["echo $(id) ; touch ran"], "$(id) ; touch ran\n"),
        ] {
            let output = as_user(token, words);
            assert_eq!(
                output.stdout,
                said.as_bytes(),
                "{codec:?} {words:?}: {output:?}"
            );
        }
        for (token, words) in [
            (&ann, "echo one two;touch ran"),
            (&ann, "echo one"),
            (&ann, "sh -c 'echo one two'"),
            (&ben, "echo;touch ran"),
            (&ben, "touch ran"),
            (&ben, "LD_PRELOAD=./x.so echo"),
            (&ben, "env LD_PRELOAD=./x.so echo"),
        ] {
            let output = as_user(token, &[words]);
            let all = [output.stdout, output.stderr].concat();
            let said = String::from_utf8(all).unwrap();
            assert!(
                said.contains("the rules of this server do not let"),
                "{words}: {said}"
            );
        }
        assert!(!home.join("ran").exists());
    }
}

#[tokio::test]
async fn the_process_tree_of_a_disconnected_client_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    for (scheme, codec) in [
        ("tcp", "raw"),
        ("unix", "line"),
        ("tcp", "json"),
        ("tls", "raw"),
        ("tls", "struct"),
        ("tls+unix", "json"),
    ] {
        let service = service(codec, "utf-8");
        let url = over::url(scheme, directory.path());
        let server = Running::start(&service, &url, None).await;
        let file = directory.path().join("ids");
        let _ = fs::remove_file(&file);
        let command = format!(
            "f={}; sleep 1000 & echo $! >$f; setsid sleep 1000 & echo $! >>$f; \
             echo $$ >>$f; sleep 1000",
            file.display()
        );
        let mut client = Client::connect(&service, &server.at).await.unwrap();
        let running = tokio::spawn(async move { client.run(command, |_, _| Ok(())).await });
        let ids = tokio::task::spawn_blocking(move || ids(&file, 3))
            .await
            .unwrap();
        assert!(ids.iter().all(|id| lives(id)));
        running.abort();
        tokio::task::spawn_blocking(move || gone(&ids))
            .await
            .unwrap();
        server.stop().await;
    }
}

/// A client that never reads, and whose command writes without end.
#[tokio::test]
async fn a_client_that_does_not_read_stalls_only_its_own_command() {
    for scheme in OVER {
        let directory = tempfile::tempdir().unwrap();
        let service = service("struct", "utf-8");
        let url = over::url(scheme, directory.path());
        let server = Running::start(&service, &url, None).await;
        let file = directory.path().join("ids");
        let command = format!(
            "setsid sleep 999 & echo $! >{0}; echo $$ >>{0}; exec yes",
            file.display()
        );
        let mut stalled = peer(&service, &server.at).await;
        stalled.send_all(&packed(&command)).await.unwrap();
        let begun = tokio::task::spawn_blocking(move || ids(&file, 2))
            .await
            .unwrap();
        let mut client = Client::connect(&service, &server.at).await.unwrap();
        for _ in 0..20 {
            assert_eq!(ask(&mut client, "echo here").await.0.stdout, "here\n");
        }
        assert!(begun.iter().all(|id| lives(id)), "{scheme}");
        drop(stalled);
        tokio::task::spawn_blocking(move || gone(&begun))
            .await
            .unwrap();
        server.stop().await;
    }
}
