//! The command app: over all pairings, and what its requests and answers are.
#![allow(clippy::unwrap_used)]

mod command_support;

use std::fs;
use std::io::Read;

use command_support::*;
use socketry_apps::command::{Client, Exit, Policy, Server, Stream};
use socketry_apps::matrix::{App, CODECS, SCHEMES};
use socketry_transport::Endpoint;
use tokio::time::timeout;

#[tokio::test]
async fn every_pairing_that_serves_runs_the_same_commands() {
    // All at once, since most of the time on raw and line is silence.
    let mut scenarios = tokio::task::JoinSet::new();
    for scheme in SCHEMES {
        for codec in CODECS {
            if service(codec, "utf-8").check(App::Command, scheme).is_ok() {
                scenarios.spawn(scenario(scheme, codec));
            }
        }
    }
    assert_eq!(scenarios.len(), 4 * 5 + 3);
    while let Some(done) = scenarios.join_next().await {
        done.unwrap();
    }
}

async fn scenario(scheme: &'static str, codec: &'static str) {
    let directory = tempfile::tempdir().unwrap();
    let service = service(codec, "utf-8");
    let server = Running::start(&service, &url(scheme, directory.path()), None).await;
    let mut client = Client::connect(&service, &server.at).await.unwrap();
    let apart = !matches!(codec, "raw" | "line");
    let place = format!("{scheme} {codec}");
    let exit = |code| {
        if apart {
            Exit::Code(code)
        } else {
            Exit::Unknown
        }
    };

    let (said, end) = ask(&mut client, "echo out; echo err >&2; exit 3").await;
    let both = |stdout: &str, stderr: &str| Said {
        stdout: stdout.to_owned(),
        stderr: stderr.to_owned(),
    };
    let expected = if apart {
        both("out\n", "err\n")
    } else {
        both("err\n", "")
    };
    assert_eq!((said, end), (expected, exit(3)), "{place}");

    let (said, end) = ask(&mut client, "true").await;
    let nothing = if apart { "" } else { "\n" };
    assert_eq!((said, end), (both(nothing, ""), exit(0)), "{place}");

    let lines: String = (1..=30_000).map(|n| format!("{n}\n")).collect();
    let (said, end) = ask(&mut client, "seq 1 30000").await;
    assert!(said.stdout == lines, "{place}: {} bytes", said.stdout.len());
    assert_eq!(end, exit(0), "{place}");

    if scheme != "unix-dgram" {
        client.close().await.unwrap();
    }
    server.stop().await;
}

#[tokio::test]
async fn other_pairings_are_refused_with_the_reason_and_a_way_out() {
    let lossy = "datagrams can be lost, which loses output, and their sender can be forged; \
                 use quic, tcp or unix";
    let body = "output follows its JSON header as a body, and datagrams have none; \
                use unix, or the codec struct";
    let directory = tempfile::tempdir().unwrap();
    for (scheme, codecs, why) in [
        ("udp", &CODECS[..], lossy),
        ("unix-dgram", &["json", "json:bare"], body),
    ] {
        for codec in codecs {
            let service = service(codec, "utf-8");
            let at: Endpoint = url(scheme, directory.path()).parse().unwrap();
            let words = format!("command does not run over {scheme} with {codec}: {why}");
            let refused = Server::bind(&service, &at, Policy::AllowAny)
                .await
                .unwrap_err();
            assert_eq!(
                (refused.to_string(), refused.is_usage()),
                (words.clone(), true)
            );
            let refused = Client::connect(&service, &at).await.unwrap_err();
            assert_eq!((refused.to_string(), refused.is_usage()), (words, true));
        }
    }
}

#[tokio::test]
async fn binary_output_arrives_exactly() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("random");
    let mut random = vec![0; 1 << 20];
    fs::File::open("/dev/urandom")
        .unwrap()
        .read_exact(&mut random)
        .unwrap();
    fs::write(&file, &random).unwrap();
    for codec in ["raw", "struct", "struct:B", "json", "json:bare"] {
        let service = service(codec, "utf-8");
        let server = Running::start(&service, "tcp://127.0.0.1:0", None).await;
        let mut client = Client::connect(&service, &server.at).await.unwrap();
        let mut arrived = Vec::new();
        let command = format!("cat {}", file.display());
        let running = client.run(command, |stream, bytes| {
            assert_eq!(stream, Stream::Stdout);
            arrived.extend_from_slice(bytes);
            Ok(())
        });
        timeout(DEADLINE, running).await.unwrap().unwrap();
        assert!(arrived == random, "{codec}: {} bytes", arrived.len());
        server.stop().await;
    }
}

#[tokio::test]
async fn output_comes_before_the_command_ends() {
    let directory = tempfile::tempdir().unwrap();
    let go = directory.path().join("go");
    let service = service("json", "utf-8");
    let server = Running::start(&service, "mem://*", None).await;
    let mut client = Client::connect(&service, &server.at).await.unwrap();
    // It goes on only when its first line has arrived here.
    let command = format!(
        "echo first; until [ -e {} ]; do sleep 0.01; done",
        go.display()
    );
    let running = client.run(command, |_, bytes| {
        assert_eq!(bytes, b"first\n");
        fs::write(&go, "")
    });
    let exit = timeout(DEADLINE, running).await.unwrap().unwrap();
    assert_eq!(exit, Exit::Code(0));
    server.stop().await;
}

#[tokio::test]
async fn other_encodings_work_with_every_codec() {
    let directory = tempfile::tempdir().unwrap();
    for encoding in ["gbk", "big5", "utf-16"] {
        for codec in ["raw", "line", "struct", "json"] {
            if (codec, encoding) == ("line", "utf-16") {
                continue;
            }
            let service = service(codec, encoding);
            let url = format!("unix://{}", directory.path().join("socket").display());
            let server = Running::start(&service, &url, None).await;
            let mut client = Client::connect(&service, &server.at).await.unwrap();
            let (said, _) = ask(&mut client, "printf '你好\\n%05000d人人\\n' 1").await;
            let expected = format!("你好\n{:05000}人人\n", 1);
            assert_eq!(said.stdout, expected, "{codec} {encoding}");
            server.stop().await;
        }
    }
}

#[tokio::test]
async fn a_raw_command_that_may_be_cut_is_not_run() {
    let service = service("raw", "utf-8");
    let server = Running::start(&service, "tcp://127.0.0.1:0", None).await;
    let mut client = Client::connect(&service, &server.at).await.unwrap();
    let long = format!("echo {}", "x".repeat(9000));
    let refused = client.run(&*long, |_, _| Ok(())).await.unwrap_err();
    assert!(refused.is_usage());
    let answer = exchange(&server.at, long.into_bytes()).await;
    let answer = String::from_utf8(answer).unwrap();
    let start = "socketry: a command this long";
    assert!(answer.starts_with(start), "{answer:.100}");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_only_half_closes_gets_its_answers() {
    let service = service("line", "utf-8");
    let server = Running::start(&service, "tcp://127.0.0.1:0", None).await;
    let answer = exchange(&server.at, b"echo a\nfalse\necho c\n".to_vec()).await;
    assert_eq!(answer, b"a\n\nc\n");
    // A command that was cut in half is not run.
    let answer = exchange(&server.at, b"echo a\necho half".to_vec()).await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("a\nsocketry: "), "{answer}");
    assert!(!answer.contains("half"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn a_peer_that_speaks_something_else_is_told() {
    let service = service("struct", "utf-8");
    let server = Running::start(&service, "tcp://127.0.0.1:0", None).await;
    let answer = exchange(&server.at, b"\xff\xff\xff\xff".to_vec()).await;
    let said = String::from_utf8(answer[4..].to_vec()).unwrap();
    assert!(
        said.starts_with("0error the length field says -1"),
        "{said}"
    );
    server.stop().await;
}
