//! A child process's pipes as a socket.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::ErrorKind as IoKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use socketry_transport::{
    Aborted, ChildProcess, Endpoint, ErrorKind, ExecSocket, ExecTransport, Exited, Half, Received,
    RecvExt, RecvHalf, Registry, SendExt, SendHalf, Socket, Transport,
};
use tokio::time::timeout;

/// What hangs, hangs longer.
const DEADLINE: Duration = Duration::from_secs(30);

async fn run(url: &str) -> ExecSocket {
    let to = url.parse().unwrap();
    ExecTransport::default().connect(&to).await.unwrap()
}

/// `sh -c script`.
async fn shell(script: &str) -> ExecSocket {
    let to: Endpoint = "exec:///bin/sh?arg=-c".parse().unwrap();
    let to = to.with("arg", script);
    ExecTransport::default().connect(&to).await.unwrap()
}

async fn refused(url: &str) -> socketry_transport::Error {
    let to = url.parse().unwrap();
    ExecTransport::default().connect(&to).await.unwrap_err()
}

async fn received(
    socket: &mut impl RecvHalf,
    buf: &mut [u8],
) -> std::io::Result<(usize, Received)> {
    timeout(DEADLINE, socket.recv(buf)).await.unwrap()
}

/// All output, and what comes behind it.
async fn rest(socket: &mut impl RecvHalf) -> (Vec<u8>, std::io::Result<Received>) {
    let (mut all, mut buf) = (Vec::new(), [0; 4096]);
    loop {
        match received(socket, &mut buf).await {
            Ok((len, Received::Data)) => all.extend_from_slice(&buf[..len]),
            other => return (all, other.map(|(_, received)| received)),
        }
    }
}

async fn output(mut socket: ExecSocket) -> String {
    let (all, end) = rest(&mut socket).await;
    assert_eq!(end.unwrap(), Received::End);
    String::from_utf8(all).unwrap()
}

/// Whether a process is there, and no zombie.
fn runs(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(DEADLINE, waiting).await.expect(what);
}

#[tokio::test]
async fn bytes_go_through_a_program_and_its_end_comes_back() {
    let mut socket = run("exec://cat").await;
    socket.send_all(b"meow").await.unwrap();
    let mut buf = [0; 8];
    assert_eq!(
        received(&mut socket, &mut buf).await.unwrap(),
        (4, Received::Data)
    );
    socket.finish().await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            received(&mut socket, &mut buf).await.unwrap(),
            (0, Received::End)
        );
    }
    let child = socket.info().get::<ChildProcess>().unwrap();
    assert!(child.status().unwrap().success());
}

#[tokio::test]
async fn more_than_the_pipes_hold_flows_both_ways() {
    const ALL: usize = 4 << 20;
    let (mut recv, mut send) = run("exec://cat").await.split();
    let sending = tokio::spawn(async move {
        send.send_all(&vec![7; ALL]).await.unwrap();
        send.finish().await.unwrap();
    });
    let (all, end) = rest(&mut recv).await;
    assert_eq!(end.unwrap(), Received::End);
    assert!(all.len() == ALL && all.iter().all(|byte| *byte == 7));
    sending.await.unwrap();
}

#[tokio::test]
async fn arguments_are_exact_and_no_shell_reads_them() {
    let url = "exec://printf?arg=%5B%25s%5D&arg=two%20words&arg=$HOME&arg=&arg=%22*%22%26";
    assert_eq!(url.parse::<Endpoint>().unwrap().to_string(), url);
    assert_eq!(output(run(url).await).await, "[two words][$HOME][][\"*\"&]");
}

#[tokio::test]
async fn a_shell_runs_a_line_where_one_is_asked_for() {
    assert_eq!(output(shell("echo one | tr o 0").await).await, "0ne\n");
    assert_eq!(output(run("exec://pwd?dir=/").await).await, "/\n");
}

#[tokio::test]
async fn a_failure_is_an_error_behind_the_output() {
    let mut socket = shell("echo almost; exit 3").await;
    let child = socket.info().get::<ChildProcess>().unwrap().clone();
    assert!(child.id().is_some() && child.status().is_none());
    let (all, end) = rest(&mut socket).await;
    assert_eq!(all, b"almost\n");
    let error = end.unwrap_err();
    let exited = error.get_ref().unwrap().downcast_ref::<Exited>().unwrap();
    assert_eq!(exited.0.code(), Some(3));
    assert_eq!(
        error.to_string(),
        "the program has ended with exit status: 3"
    );
    assert_eq!(child.status(), Some(exited.0));
    assert!(received(&mut socket, &mut [0; 8]).await.is_err());
}

#[tokio::test]
async fn a_program_that_is_gone_takes_no_input() {
    let mut socket = run("exec://true").await;
    assert_eq!(rest(&mut socket).await.1.unwrap(), Received::End);
    let error = socket.send_all(b"late").await.unwrap_err();
    assert_eq!(error.kind(), IoKind::BrokenPipe);
}

#[tokio::test]
async fn the_whole_group_ends_with_the_socket() {
    let mut socket = shell("sleep 1000 & echo $!; wait").await;
    let child = socket.info().get::<ChildProcess>().unwrap().id().unwrap();
    let mut buf = [0; 16];
    let (len, _) = received(&mut socket, &mut buf).await.unwrap();
    let grandchild: u32 = std::str::from_utf8(&buf[..len])
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(runs(child) && runs(grandchild));
    let (recv, send) = socket.split();
    drop(send);
    assert!(runs(grandchild));
    drop(recv);
    until("the group ends", || !runs(child) && !runs(grandchild)).await;
    // No zombie is left.
    until("the child is reaped", || {
        !Path::new(&format!("/proc/{child}")).exists()
    })
    .await;
}

#[tokio::test]
async fn an_abort_kills_and_wakes_the_receiver() {
    let socket = run("exec://cat").await;
    let child = socket.info().get::<ChildProcess>().unwrap().id().unwrap();
    let (mut recv, mut send) = socket.split();
    let reader = tokio::spawn(async move { recv.recv(&mut [0; 8]).await });
    tokio::task::yield_now().await;
    assert_eq!(send.abort(7).unwrap(), Aborted::Reset);
    assert!(timeout(DEADLINE, reader).await.unwrap().unwrap().is_err());
    assert!(send.send_all(b"late").await.is_err());
    until("the program ends", || !runs(child)).await;
}

#[tokio::test]
async fn what_cannot_be_run_is_told() {
    let error = refused("exec:///no/such/program?arg=secret").await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let words = error.to_string();
    assert!(
        words.contains("exec:///no/such/program") && !words.contains("secret"),
        "{words}"
    );
    let error = refused("exec://").await.to_string();
    assert!(error.contains("exec:///path/to/program"), "{error}");
    let error = refused("exec://cat?args=x").await;
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("exec takes arg, dir"), "{error}");
}

#[tokio::test]
async fn a_script_without_an_interpreter_is_never_run() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    let text = directory.path().join("text");
    std::fs::write(&text, "echo ran\n").unwrap();
    // Written by another process: a program that another test starts meanwhile would hold a
    // descriptor that this one writes to, and the kernel runs no file that somebody may write.
    let copied = std::process::Command::new("cp")
        .args([&text, &script])
        .status();
    assert!(copied.unwrap().success());
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let url = format!("exec://{}", script.display());
    for url in [url.clone(), format!("{url}?dir=/")] {
        let error = refused(&url).await;
        assert_eq!(error.raw_os_error(), Some(8), "{error}"); // ENOEXEC
    }
}

#[tokio::test]
async fn it_is_there_only_where_it_is_asked_for_and_listens_nowhere() {
    let error = socketry_transport::connect("exec://cat").await.unwrap_err();
    assert!(
        error.to_string().contains("no transport is registered"),
        "{error}"
    );
    let registry = Registry::standard().with("exec", ExecTransport::default());
    let error = registry.listen("exec://cat?arg=x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("connect to it"), "{error}");
}
