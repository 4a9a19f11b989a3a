//! The command app: over all pairings, against plain Python programs, and what it does to
//! processes.
#![allow(clippy::unwrap_used)]

mod command_support;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use command_support::*;
use socketry_apps::command::{
    Client, Exit, FIRST_REQUEST, IDLE, MAX_WAITING, Policy, STALL, Server, Stream,
};
use socketry_apps::matrix::{App, CODECS, SCHEMES};
use socketry_transport::{BoxSocket, Endpoint, RecvExt, SendExt};
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
    assert_eq!(scenarios.len(), 3 * 5 + 3);
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
                 use tcp or unix";
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
async fn the_process_tree_of_a_disconnected_client_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    for (scheme, codec) in [
        ("tcp", "raw"),
        ("unix", "line"),
        ("mem", "struct"),
        ("tcp", "json"),
    ] {
        let service = service(codec, "utf-8");
        let server = Running::start(&service, &url(scheme, directory.path()), None).await;
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

#[tokio::test]
async fn daemons_are_killed_too_and_no_other_processes() {
    let directory = tempfile::tempdir().unwrap();
    let service = service("struct", "utf-8");
    let server = Running::start(&service, "mem://*", None).await;
    let write = |file: &Path| format!("sh -c 'echo $$ >>{}; exec sleep 1000'", file.display());
    let other = directory.path().join("other");
    let mut bystander = Client::connect(&service, &server.at).await.unwrap();
    let command = format!("setsid -f {}; sleep 1000", write(&other));
    let standing_by = tokio::spawn(async move { bystander.run(command, |_, _| Ok(())).await });
    let others = tokio::task::spawn_blocking(move || ids(&other, 1))
        .await
        .unwrap();
    for (number, detach) in ["setsid -f COMMAND", "(setsid COMMAND >/dev/null 2>&1 &)"]
        .iter()
        .enumerate()
    {
        let file = directory.path().join(number.to_string());
        let daemon = detach.replace("COMMAND", &write(&file));
        let command = format!("{daemon}; echo $$ >>{}; exec sleep 1000", file.display());
        let mut client = Client::connect(&service, &server.at).await.unwrap();
        let running = tokio::spawn(async move { client.run(command, |_, _| Ok(())).await });
        let ids = tokio::task::spawn_blocking(move || ids(&file, 2))
            .await
            .unwrap();
        running.abort();
        tokio::task::spawn_blocking(move || gone(&ids))
            .await
            .unwrap();
        assert!(lives(&others[0]));
    }
    server.stop().await;
    tokio::task::spawn_blocking(move || gone(&others))
        .await
        .unwrap();
    standing_by.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn over_datagrams_a_lost_client_is_noticed_when_sending_fails() {
    let directory = tempfile::tempdir().unwrap();
    let service = service("struct", "utf-8");
    let server = Running::start(&service, &url("unix-dgram", directory.path()), None).await;
    let file = directory.path().join("ids");
    let command = format!(
        "sleep 1000 & echo $! >{0}; echo $$ >>{0}; while sleep 0.01; do echo x; done",
        file.display()
    );
    let mut client = Client::connect(&service, &server.at).await.unwrap();
    let running = tokio::spawn(async move { client.run(command, |_, _| Ok(())).await });
    let ids = tokio::task::spawn_blocking(move || ids(&file, 2))
        .await
        .unwrap();
    running.abort();
    tokio::task::spawn_blocking(move || gone(&ids))
        .await
        .unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_stalls_only_its_own_command() {
    let directory = tempfile::tempdir().unwrap();
    let service = service("struct", "utf-8");
    let server = Running::start(&service, "tcp://127.0.0.1:0", None).await;
    let file = directory.path().join("ids");
    let command = format!("echo $$ >{}; exec yes", file.display());
    // A client that sends commands and never reads.
    let (_, port) = server.at.host_port().unwrap();
    let mut stalled = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let len = u32::try_from(command.len()).unwrap();
    stalled.write_all(&len.to_le_bytes()).unwrap();
    stalled.write_all(command.as_bytes()).unwrap();
    let yes = tokio::task::spawn_blocking(move || ids(&file, 1))
        .await
        .unwrap();
    let mut client = Client::connect(&service, &server.at).await.unwrap();
    for _ in 0..20 {
        assert_eq!(ask(&mut client, "echo here").await.0.stdout, "here\n");
    }
    assert!(lives(&yes[0]));
    drop(stalled);
    tokio::task::spawn_blocking(move || gone(&yes))
        .await
        .unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_sends_too_far_ahead_is_refused_and_its_command_killed() {
    let directory = tempfile::tempdir().unwrap();
    let service = service("line", "utf-8");
    let server = Running::start(&service, "tcp://127.0.0.1:0", None).await;
    let (_, port) = server.at.host_port().unwrap();
    for (ahead, dies) in [(MAX_WAITING, false), (MAX_WAITING + 1, true)] {
        let file = directory.path().join(ahead.to_string());
        let mut peer = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let command = format!("echo $$ >{}; exec sleep 1000\n", file.display());
        peer.write_all(command.as_bytes()).unwrap();
        let ids = tokio::task::spawn_blocking(move || ids(&file, 1))
            .await
            .unwrap();
        peer.write_all("true\n".repeat(ahead).as_bytes()).unwrap();
        if !dies {
            // The server notices the disconnect even if its queue is full.
            assert!(lives(&ids[0]));
            drop(peer);
        }
        tokio::task::spawn_blocking(move || gone(&ids))
            .await
            .unwrap();
    }
    server.stop().await;
}

async fn hung_up(peer: &mut BoxSocket) {
    let mut scratch = vec![0; 4096];
    while let Ok((1.., _)) = peer.recv(&mut scratch).await {}
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_disconnected() {
    let service = service("struct", "utf-8");
    let server = Running::start(&service, "mem://*", None).await;
    let mut silent = peer(&service, &server.at).await;
    let start = tokio::time::Instant::now();
    hung_up(&mut silent).await;
    assert!((FIRST_REQUEST..FIRST_REQUEST * 2).contains(&start.elapsed()));

    let mut later = peer(&service, &server.at).await;
    let start = tokio::time::Instant::now();
    // The command runs no process: the paused clock would not wait for one.
    later.send_all(&packed("nothing\0to run")).await.unwrap();
    hung_up(&mut later).await;
    assert!((IDLE..IDLE + FIRST_REQUEST).contains(&start.elapsed()));
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_loses_its_command() {
    let directory = tempfile::tempdir().unwrap();
    let service = service("struct", "utf-8");
    let server = Running::start(&service, "mem://*", None).await;
    let mut stalled = peer(&service, &server.at).await;
    let file = directory.path().join("ids");
    let command = format!("echo $$ >{}; exec yes", file.display());
    stalled.send_all(&packed(&command)).await.unwrap();
    // Processes follow the real clock. A moment of it passes with each second of the paused one.
    let deadline = Instant::now() + DEADLINE;
    let (mut id, mut lived) = (String::new(), Duration::ZERO);
    while !id.ends_with('\n') || lives(id.trim()) {
        assert!(Instant::now() < deadline, "the command is not killed");
        std::thread::sleep(Duration::from_millis(5));
        tokio::time::sleep(Duration::from_secs(1)).await;
        lived += Duration::from_secs(1);
        id = fs::read_to_string(&file).unwrap_or_default();
    }
    assert!(lived >= STALL, "{lived:?}");
    hung_up(&mut stalled).await;
    server.stop().await;
}

#[tokio::test]
async fn a_background_child_that_holds_the_output_does_not_hang() {
    let directory = tempfile::tempdir().unwrap();
    for codec in ["line", "struct"] {
        let service = service(codec, "utf-8");
        let server = Running::start(&service, "tcp://127.0.0.1:0", None).await;
        let mut client = Client::connect(&service, &server.at).await.unwrap();
        let file = directory.path().join(codec);
        let background = format!("sleep 1000 & echo $! >{}; echo done", file.display());
        assert_eq!(ask(&mut client, &background).await.0.stdout, "done\n");
        let held = tokio::task::spawn_blocking(move || ids(&file, 1))
            .await
            .unwrap();
        tokio::task::spawn_blocking(move || gone(&held))
            .await
            .unwrap();
        let (said, _) = ask(
            &mut client,
            "(while sleep 0.01; do echo x; done) & echo done",
        )
        .await;
        assert!(said.stdout.contains("done\n"));
        // It has closed the outputs, and so lives on.
        let (said, _) = ask(&mut client, "sleep 1000 >/dev/null 2>&1 & echo $!").await;
        let id = said.stdout.trim().to_owned();
        assert!(lives(&id));
        ask(&mut client, &format!("kill {id}")).await;
        server.stop().await;
    }
}

#[tokio::test]
async fn a_command_is_killed_at_the_time_limit() {
    for codec in ["raw", "json"] {
        let service = service(codec, "utf-8");
        let limit = Some(Duration::from_millis(200));
        let server = Running::start(&service, "mem://*", limit).await;
        let mut client = Client::connect(&service, &server.at).await.unwrap();
        let (said, exit) = ask(&mut client, "sleep 1000 & sleep 1000").await;
        let note = "socketry: killed after the time limit of 200ms\n";
        if codec == "raw" {
            assert_eq!(said.stdout, note);
        } else {
            assert_eq!((&*said.stderr, exit), (note, Exit::Signal(9)));
        }
        assert!(
            ask(&mut client, "echo next")
                .await
                .0
                .stdout
                .contains("next")
        );
        server.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_stops_kills_its_commands() {
    let directory = tempfile::tempdir().unwrap();
    let service = service("struct", "utf-8");
    let server = Running::start(&service, "mem://*", None).await;
    let mut client = Client::connect(&service, &server.at).await.unwrap();
    let file = directory.path().join("ids");
    let command = format!(
        "sleep 1000 & echo $! >{0}; echo $$ >>{0}; wait",
        file.display()
    );
    let running = tokio::spawn(async move { client.run(command, |_, _| Ok(())).await });
    let ids = tokio::task::spawn_blocking(move || ids(&file, 2))
        .await
        .unwrap();
    server.stop().await;
    tokio::task::spawn_blocking(move || gone(&ids))
        .await
        .unwrap();
    let error = timeout(DEADLINE, running)
        .await
        .unwrap()
        .unwrap()
        .unwrap_err();
    assert!(!error.is_usage(), "{error}");
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

// The binary, and peers that use nothing of this project.

#[test]
fn the_tutorials_client_is_served() {
    for encoding in ["utf-8", "gbk"] {
        let (_server, at) = served(&["--codec", "raw", "--encoding", encoding]);
        python_says_ok("command_raw_client.py", &[port(&at), encoding]);
    }
}

#[test]
fn clients_that_know_only_struct_and_json_are_served() {
    for (codec, script) in [
        ("struct", "command_struct_client.py"),
        ("json", "command_json_client.py"),
    ] {
        let (_server, at) = served(&["--codec", codec]);
        python_says_ok(script, &[port(&at)]);
    }
}

#[test]
fn the_tutorials_server_is_understood() {
    for encoding in ["utf-8", "gbk"] {
        let mut server = Process::start(&mut python("command_raw_server.py", &[encoding]));
        let at = format!("tcp://127.0.0.1:{}", server.line());
        let run = |command: &str| {
            let options = ["--codec", "raw", "--encoding", encoding, command];
            let output = run(&at, &options);
            assert_eq!(output.status.code(), Some(0));
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(run("echo a你好，世界"), "a你好，世界\n");
        assert_eq!(run("true"), "\n");
        assert_eq!(run("echo seen; echo 错误 >&2"), "错误\n");
    }
}

#[test]
fn the_exit_code_is_the_remote_commands() {
    let (_server, at) = served(&[]);
    for (command, code) in [
        ("true", 0),
        ("exit 3", 3),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("no-such-program-here", 127),
    ] {
        assert_eq!(run(&at, &[command]).status.code(), Some(code), "{command}");
    }
    let output = run(&at, &["echo out; echo err >&2"]);
    assert_eq!(
        (&*output.stdout, &*output.stderr),
        (&b"out\n"[..], &b"err\n"[..])
    );
    // Several words are an argument vector, with their own dashes and options.
    let output = run(&at, &["printf", "%s|", "a b", "--codec", "-v", "$(id)"]);
    assert_eq!(output.stdout, b"a b|--codec|-v|$(id)|");
    let output = run(&at, &["--", "/no/such/program", "-x"]);
    assert_eq!(output.status.code(), Some(255));
    let why = String::from_utf8(output.stderr).unwrap();
    assert!(
        why.starts_with("socketry: the server says: cannot run '/no/such/program'"),
        "{why}"
    );
}

#[test]
fn several_words_are_exact_with_every_codec() {
    for codec in ["raw", "line", "struct", "json:bare"] {
        let (_server, at) = served(&["--codec", codec]);
        let output = run(
            &at,
            &[
                "--codec", codec, "--", "printf", "%s|", "a  b", "$(id)", "it's",
            ],
        );
        let expected = if codec == "line" {
            "a  b|$(id)|it's|\n"
        } else {
            "a  b|$(id)|it's|"
        };
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            expected,
            "{codec}"
        );
    }
}

#[test]
fn a_failed_exchange_is_255() {
    // A port that was free a moment ago, where no server listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("tcp://{}", free.local_addr().unwrap());
    drop(free);
    assert_eq!(run(&at, &["true"]).status.code(), Some(255));

    let (mut server, at) = served(&[]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ids");
    let command = format!("echo $$ >{}; exec sleep 1000", file.display());
    let mut client = socketry(&["run", &at, &command])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ids = ids(&file, 1);
    terminate(&server.child);
    assert_eq!(client.wait().unwrap().code(), Some(255));
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    gone(&ids);
}

#[test]
fn a_client_that_is_killed_takes_its_command_with_it() {
    let (_server, at) = served(&[]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ids");
    let command = format!(
        "sleep 1000 & echo $! >{0}; echo $$ >>{0}; sleep 1000",
        file.display()
    );
    let client = Process::start(&mut socketry(&["run", &at, &command]));
    let ids = ids(&file, 2);
    drop(client);
    gone(&ids);
}

#[test]
fn a_client_whose_output_is_not_read_ends_quietly() {
    let (_server, at) = served(&[]);
    for stream in ["1", "2"] {
        let command = format!("yes >&{stream}");
        let mut client = socketry(&["run", &at, &command]);
        let mut client = client
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdout, mut stderr) = (client.stdout.take(), client.stderr.take());
        let mut first = [0; 2];
        // One end is closed after its content was checked, and nothing is written to the other.
        let silent: &mut dyn Read = if stream == "1" {
            stdout.take().unwrap().read_exact(&mut first).unwrap();
            stderr.as_mut().unwrap()
        } else {
            stderr.take().unwrap().read_exact(&mut first).unwrap();
            stdout.as_mut().unwrap()
        };
        assert_eq!(&first, b"y\n");
        let mut said = String::new();
        silent.read_to_string(&mut said).unwrap();
        assert_eq!((client.wait().unwrap().code(), &*said), (Some(141), ""));
    }
}

#[test]
fn a_warning_that_is_not_read_stops_no_server() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut server = socketry(&["serve", "--allow-any", "--insecure", "tcp://0.0.0.0:0"]);
    let mut server = Process::start(server.stderr(writer));
    assert!(server.line().starts_with("listening on tcp://0.0.0.0:"));
    terminate(&server.child);
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_signal_ends_a_server() {
    for arguments in [&[][..], &["--codec", "line"]] {
        let (mut server, _at) = served(arguments);
        terminate(&server.child);
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
    }
}
