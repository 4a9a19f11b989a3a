//! What becomes of the processes of commands, and of clients that stall.
#![allow(clippy::unwrap_used)]

mod command_support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use command_support::*;
use socketry_apps::command::{Client, Exit, FIRST_REQUEST, IDLE, MAX_WAITING, STALL};
use socketry_transport::{BoxSocket, RecvExt, SendExt};
use tokio::time::timeout;

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
